"""The beginning of the wizard: the choice of a data model, which makes the draft; and its change later on."""

from __future__ import annotations

from flask import Response, request, url_for
from flask_login import current_user

from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import go, no_store, page
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import brands, drafts
from webapp.views.wizard import contexts, segment
from webapp.views.wizard.place import Place
from webapp.views.wizard.routes import blueprint

CHOOSE = "Choose a data model from the list"


def _page(problems: list[tuple[str, str]], status: int = 200) -> Response:
    catalogue = brands.catalogue_of(current_user.brand)
    waiting = drafts.waiting(current_user)
    wanted = segment.asked_for(current_user, catalogue, request.values.get("segment", ""))
    model = request.values.get("model", segment.DEFAULT if wanted else "")
    context = {"chosen": model, "segment": wanted, **contexts.models(current_user, catalogue)}
    answer = page("wizard/new.html", status=status, problems=problems, waiting=waiting, **context)
    return no_store(answer)


@blueprint.get("/exports/new")
@action("exports.create")
def new() -> Response:
    """Step 1; nothing is stored yet."""
    authorize(current_user, "exports.create")
    return _page([])


@blueprint.post("/exports/new")
@action("exports.create")
def begin() -> Response:
    """Make the draft and go on to Localization."""
    authorize(current_user, "exports.create")
    try:
        posted = Posted(request)
        posted.only({"model", "segment"})
    except FormRefused as refused:
        return _page([(refused.input, refused.message)], 422)
    catalogue = brands.catalogue_of(current_user.brand)
    model = catalogue.models.get(posted.text("model"))
    if model is None:
        return _page([("model", CHOOSE)], 422)
    wanted = segment.asked_for(current_user, catalogue, posted.text("segment"))
    first = segment.criterion(model, wanted) if wanted else None
    draft = drafts.start(current_user._get_current_object(), model, first)
    return go(url_for("wizard.step", draft_id=draft.id, step="localization"))


def change(place: Place, posted: Posted) -> Response:
    """Another data model for a draft; asked first if criteria or fields would go (UX section 3.2).

    Raises:
        FormRefused: no data model of the brand was chosen.
        DraftChanged: another tab saved in between.
    """
    posted.only({"model"})
    if place.export is not None:
        return go(place.url(place.next.id if place.next else None))
    model = place.catalogue.models.get(posted.text("model", place.typed.model))
    if model is None:
        raise FormRefused("model", CHOOSE)
    typed = place.typed
    loses = typed.model != model.id and (typed.criteria or typed.columns)
    if loses and posted.op != "change":
        return go(place.url(change=model.id))
    drafts.save(place.user, place.draft, typed.with_model(model).with_submitted("model"), rev=posted.rev, tab=place.tab)
    return go(place.url(place.next.id if place.next else None))
