"""Beside the filters and below the fields: how many records match, and the first rows of the file as they will be."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Response, request

from webapp.htmx import fragment, nothing_new
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import previews
from webapp.services.previews import Counted
from webapp.views.wizard.place import Place
from webapp.views.wizard.raw import visible
from webapp.views.wizard.routes import blueprint

ROWS: Final = {"filters": 7, "fields": 10, "file": 3, "check": 3}
"""How many of the first rows each step has room for; the other steps show none."""


@blueprint.get("/drafts/<uuid:draft_id>/<step>/preview")
@action("exports.preview")
def preview(draft_id: uuid.UUID, step: str) -> Response:
    """The estimate and the first rows, for the step that shows them."""
    place = Place.of(draft_id, step)
    return fragment("wizard/swaps/preview.html", place=place, step=place.step, **_looked(place))


@blueprint.get("/drafts/<uuid:draft_id>/<step>/count")
@action("exports.preview")
def count(draft_id: uuid.UUID, step: str) -> Response:
    """The exact number of matching rows, if it can be had within its time."""
    place = Place.of(draft_id, step)
    counted = _counted(place)
    if counted is None:
        return nothing_new()
    return fragment("wizard/swaps/count.html", place=place, step=place.step, counted=counted)


def inline(place: Place) -> dict[str, Any]:
    """The same for a page without JavaScript that asks for it: everything at once."""
    if request.args.get("preview") != "1" or place.step.id not in ROWS:
        return {}
    return {**_looked(place), "counted": _counted(place)}


def _looked(place: Place) -> dict[str, Any]:
    authorize(place.user, "exports.preview")
    look = previews.look(place.user, place.draft, place.typed, place.catalogue, place.step.id)
    return {
        "look": look,
        "lines": visible(look.rows.sample) if look.rows else [],
        "rows": look.rows.rows[: ROWS.get(place.step.id, 0)] if look.rows else (),
        "submitted": place.is_submitted,
        "untouched": place.typed.criteria == 0 and not place.is_submitted,
    }


def _counted(place: Place) -> Counted | None:
    authorize(place.user, "exports.preview")
    return previews.count(place.user, place.typed, place.catalogue, place.step.id)
