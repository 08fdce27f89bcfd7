"""**Create**: the draft becomes an export, once, however often the button is pressed."""

from __future__ import annotations

import uuid

from flask import Response, request, url_for

from exports.errors import DefinitionRefused
from webapp.forms.wizard import Posted
from webapp.htmx import go, is_htmx
from webapp.security import action
from webapp.services import drafts, exports
from webapp.services.drafts import ASKING, DraftChanged
from webapp.views.wizard import answers
from webapp.views.wizard.place import Place
from webapp.views.wizard.routes import blueprint


@blueprint.post("/drafts/<uuid:draft_id>/create")
@action("exports.create")
def create(draft_id: uuid.UUID) -> Response:
    """Make the export and go to its page. A second time: to the same page (RELIABILITY F39)."""
    posted = Posted(request.form)
    place = Place.of(draft_id, "check", posted.tab)
    made = drafts.made_of(place.typed)
    if made is None and place.checked.definition is not None:
        try:
            made = exports.create(place.user, place.checked.definition, place.typed.token)
        except DefinitionRefused:
            made = None  # a right or a segment went in between: the page says which
    if made is not None:
        return go(url_for("details.view", id=made.id))
    return _needs_correction(place, posted)


def _needs_correction(place: Place, posted: Posted) -> Response:
    """Back to Check, whose summary names every problem."""
    try:
        drafts.save(
            place.user, place.draft, place.typed.with_submitted(*ASKING, "check"), rev=posted.rev, tab=place.tab
        )
    except DraftChanged as conflict:
        return answers.changed_elsewhere(place, conflict)
    now = Place.of(place.draft.id, "check", place.tab)
    return answers.swap(now, "step") if is_htmx() else go(now.url())
