"""Upload target as it is filled in: inputs of a type, the path as it will be, **Test connection**, the accepted key."""

from __future__ import annotations

import uuid

from flask import Response

from webapp.forms.wizard import Posted
from webapp.htmx import event, fragment, go, is_htmx
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import connections
from webapp.views.testing import answer_of_poll
from webapp.views.wizard import answers
from webapp.views.wizard.place import Place
from webapp.views.wizard.routes import blueprint
from webapp.views.wizard.submit import store, with_posted
from webapp.views.wizard.uploading import ask, example, is_stale, newest, panel, saved


@blueprint.post("/drafts/<uuid:draft_id>/target/form")
@action("drafts.edit")
def uploading_form(draft_id: uuid.UUID) -> Response:
    """Another type, connection or way to log in was chosen: the inputs that it has."""

    def answer(place: Place, posted: Posted) -> Response:
        now = store(place, posted)
        return event(answers.swap(now, "uploading", focus=""), "draft-changed")

    return with_posted(draft_id, "target", answer)


@blueprint.post("/drafts/<uuid:draft_id>/target/path")
@action("drafts.edit")
def uploading_path(draft_id: uuid.UUID) -> Response:
    """The path that is typed as it will be at the next run; nothing is stored."""
    return with_posted(draft_id, "target", lambda place, _posted: fragment("wizard/_path.html", **example(place)))


@blueprint.post("/drafts/<uuid:draft_id>/target/test")
@action("drafts.edit")
def test_target(draft_id: uuid.UUID) -> Response:
    """**Test connection** of what is typed: stored first, then asked of a job."""

    def answer(place: Place, posted: Posted) -> Response:
        now = store(place, posted)
        refused = ask(now)
        if is_htmx():
            return fragment("connections/_test.html", panel=panel(now, refused))
        return answers.page(now, status=422, panel=panel(now, refused)) if refused else go(f"{now.url()}#test")

    return with_posted(draft_id, "target", answer)


@blueprint.get("/drafts/<uuid:draft_id>/target/test")
@action("drafts.edit")
def tested_target(draft_id: uuid.UUID) -> Response:
    """How the newest test goes on."""
    return answer_of_poll(panel(Place.of(draft_id, "target")))


@blueprint.post("/drafts/<uuid:draft_id>/target/accept")
@action("drafts.edit")
def accept_target(draft_id: uuid.UUID) -> Response:
    """Trust the key that the newest test found: of a saved connection at once, of one by hand when it is made."""

    def answer(place: Place, posted: Posted) -> Response:
        now = store(_accepting(place, posted.text("accept")), posted)
        refused = ask(now)
        if is_htmx():
            return fragment("connections/_test.html", panel=panel(now, refused, told="Accepted, testing again"))
        return go(f"{now.url()}#test")

    return with_posted(draft_id, "target", answer)


def _accepting(place: Place, test_id: str) -> Place:
    """The place with the key trusted that the person saw, if it still is the one of what is typed."""
    test = newest(place)
    if test is None or not test.offered_key or str(test.id) != test_id or is_stale(test, place):
        return place
    if (known := saved(place)) is not None:
        connections.accept(place.user, known, test.offered_key)
        return place
    authorize(place.user, "connections.create")
    return place.with_typed(place.typed.with_(upload=place.typed.upload.with_accepted(test.offered_key)))
