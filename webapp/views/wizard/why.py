"""**Why?** beside the filters: one record against what is typed, stored or not."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Response, request

from webapp.forms.wizard import FormRefused, Posted, read
from webapp.htmx import fragment
from webapp.permissions import authorize
from webapp.security import action
from webapp.services.why import Explained, explain
from webapp.views.wizard.place import Place
from webapp.views.wizard.routes import blueprint

AGAIN: Final = "again"
"""What the page asks by itself when something was typed: the same record, of which nothing needs to be said aloud."""


@blueprint.post("/drafts/<uuid:draft_id>/filters/why")
@action("exports.preview")
def why(draft_id: uuid.UUID) -> Response:
    """Whether the record with the typed id is in the file, and why."""
    place = Place.of(draft_id, "filters")
    try:
        posted = Posted(request)
        place = place.with_typed(read("filters", posted, place.typed, place.model))
        explained = _explained(place, posted.text("why"))
    except FormRefused as refused:
        posted, explained = None, Explained("", complaint=refused.message)
    is_again = posted is not None and posted.op == AGAIN
    return fragment("wizard/swaps/why.html", place=place, explained=explained, is_again=is_again)


def inline(place: Place) -> dict[str, Any]:
    """The same for a page without JavaScript, whose address names the record."""
    id = request.args.get("why", "")
    if not id or place.step.id != "filters":
        return {}
    return {"explained": _explained(place, id.replace("\x00", ""))}


def _explained(place: Place, id: str) -> Explained:
    authorize(place.user, "exports.preview")
    return explain(place.user, place.draft, place.typed, place.catalogue, id)
