"""Beside the filters and below the fields: how many records match, and the first rows of the file as they will be."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Response, request

from exports.errors import Overtaken
from exports.preview import Preview
from webapp.htmx import around_alone, event, fragment, nothing_new
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import previews
from webapp.services.drafts import inputs
from webapp.services.previews import Counted, LeftOutWords
from webapp.views.wizard.place import Place
from webapp.views.wizard.raw import visible
from webapp.views.wizard.routes import blueprint

ROWS: Final = {"filters": 20, "fields": 20, "file": 3, "check": 3}
"""How many of the first rows each step shows; the other steps show none."""


@blueprint.get("/drafts/<uuid:draft_id>/<step>/preview")
@action("exports.preview")
def preview(draft_id: uuid.UUID, step: str) -> Response:
    """The estimate and, if they can be had at once, the first rows, for the step that shows them."""
    place = Place.of(draft_id, step)
    try:
        return _answer("preview", place, **_looked(place))
    except Overtaken:
        return nothing_new()


@blueprint.get("/drafts/<uuid:draft_id>/<step>/count")
@action("exports.preview")
def count(draft_id: uuid.UUID, step: str) -> Response:
    """The exact numbers, and the first rows if the page has none yet; nothing for a draft that has changed since."""
    place = Place.of(draft_id, step)
    with_rows = request.args.get("rows") == "1"
    try:
        counted = _counted(place, with_rows=with_rows) if _is_present(place) else None
    except Overtaken:
        counted = None
    if counted is None:
        return nothing_new()
    if counted.is_busy:
        return event(nothing_new(), "draft-changed")  # as if: the page asks anew, from the estimate on
    partial = _whole(counted) is None
    about = {"counted": counted, "with_rows": with_rows, "partial": partial, **_rows(place, counted.first)}
    answer = _answer("count", place, **about)
    return around_alone(answer) if partial else answer


@blueprint.get("/drafts/<uuid:draft_id>/<step>/without")
@action("exports.preview")
def without(draft_id: uuid.UUID, step: str) -> Response:
    """Nothing matches: for each criterion, how many records would without it."""
    place = Place.of(draft_id, step)
    try:
        return _answer("without", place, left_out=_left_out(place))
    except Overtaken:
        return nothing_new()


def inline(place: Place) -> dict[str, Any]:
    """The same for a page without JavaScript that asks for it: everything at once."""
    if request.args.get("preview") != "1" or place.step.id not in ROWS:
        return {}
    try:
        looked = _looked(place)
        counted = _counted(place, with_rows=looked["look"].wants_rows)
        left_out = _left_out(place) if request.args.get("without") == "1" else []
    except Overtaken:
        return {}
    shown = _rows(place, counted.first) if counted and counted.first else {}
    return {**looked, **shown, "counted": _whole(counted), "left_out": left_out, "inline": True}


def _answer(template: str, place: Place, **more: Any) -> Response:
    about: dict[str, Any] = {"place": place, "step": place.step, "typed": place.typed, "letters": inputs.letters}
    return fragment(f"wizard/swaps/{template}.html", **about, **more)


def _is_present(place: Place) -> bool:
    """Whether the page that asks shows the draft as it is now."""
    return request.args.get("rev", "") == str(place.draft.rev)


def _looked(place: Place) -> dict[str, Any]:
    authorize(place.user, "exports.preview")
    look = previews.look(place.user, place.draft, place.typed, place.catalogue, place.step.id)
    return {
        "look": look,
        "counted": look.counted,
        "rev": place.draft.rev,
        "submitted": place.is_submitted,
        "untouched": place.typed.criteria == 0 and not place.is_submitted,
        **_rows(place, look.rows),
    }


def _rows(place: Place, first: Preview | None) -> dict[str, Any]:
    return {
        "first": first,
        "lines": visible(first.sample) if first else [],
        "rows": first.rows[: ROWS.get(place.step.id, 0)] if first else (),
        "was": first.was if first else (),
    }


def _counted(place: Place, *, with_rows: bool) -> Counted | None:
    authorize(place.user, "exports.preview")
    return previews.count(place.user, place.draft, place.typed, place.catalogue, place.step.id, with_rows=with_rows)


def _whole(counted: Counted | None) -> Counted | None:
    """The numbers, unless they are of some sets alone: beside the mistakes in the others stands why."""
    partial = counted is None or (counted.rows is None and counted.estimate is None and not counted.trouble)
    return None if partial else counted


def _left_out(place: Place) -> list[LeftOutWords]:
    authorize(place.user, "exports.preview")
    return previews.without_each(place.user, place.draft, place.typed, place.catalogue, place.step.id)
