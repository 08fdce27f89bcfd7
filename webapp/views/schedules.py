"""**Change schedule**, **Set inactive** and **Set active** of an export (SPEC section 4, UX sections 3.6 and 3.9)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, abort, flash, request, url_for
from flask_login import current_user
from pydantic import ValidationError

from exports import schedule
from exports.errors import DefinitionRefused, Problem
from webapp.forms.scheduling import INPUTS, read_scheduling
from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import fragment, go, page
from webapp.models import Export
from webapp.security import action
from webapp.services import exports, schedules
from webapp.services.progress import present
from webapp.services.schedules.outlook import said
from webapp.services.schedules.typed import Placed, TypedSchedule, as_typed, document, placed
from webapp.views import scheduling
from webapp.views.details import card_of
from webapp.views.lookups import find_export_or_404

blueprint = Blueprint("schedules", __name__)

CHANGED_ELSEWHERE = "This export was changed in the meantime: {schedule}. Update puts what you typed in its place"
SHOW_INPUTS = "form"
OF_INACTIVE = "It runs again when it is set active"


@blueprint.get("/exports/<uuid:id>/schedule")
@action("exports.change_schedule")
def change(id: uuid.UUID) -> Response:
    """The Change schedule tab."""
    export = _scheduled(id)
    return _page(export, _present(export))


@blueprint.post("/exports/<uuid:id>/schedule")
@action("exports.change_schedule")
def update(id: uuid.UUID) -> Response:
    """**Update**: a new version with another schedule. Without JavaScript also: other inputs, and nothing saved."""
    export = _scheduled(id)
    typed = _present(export)
    try:
        posted = _posted()
        typed = read_scheduling(posted, typed)
        if posted.op == SHOW_INPUTS:
            return _page(export, typed)
        wanted = schedule.read(document(typed))
        schedules.change_schedule(current_user._get_current_object(), export, wanted, _version(posted))
    except FormRefused as refused:
        return _page(export, typed, [Placed(refused.input, refused.message)], 422)
    except ValidationError:
        # Only what no form of ours sends: a type, or a day, that there is not.
        return _page(export, typed, [placed(Problem("schedule.type", "", "Choose from what is there"), typed)], 422)
    except DefinitionRefused as refused:
        return _page(export, typed, [placed(one, typed) for one in refused.problems], 422)
    except schedules.ExportChanged:
        now = schedule.sentence(exports.definition_of(_scheduled(id)).schedule)
        return _page(export, typed, [Placed("", CHANGED_ELSEWHERE.format(schedule=now))], 409)
    following = export.next_run_at
    told = f"Next run: {said(following, current_user.time_zone, present())}" if following else OF_INACTIVE
    flash(f"Schedule updated. {told}.", "ok")
    return go(url_for("schedules.change", id=id))


@blueprint.post("/exports/<uuid:id>/schedule/form")
@action("exports.change_schedule")
def form(id: uuid.UUID) -> Response:
    """Days of another kind were chosen: the inputs that they have."""
    return _fragment(id, "schedule/_form_swap.html")


@blueprint.post("/exports/<uuid:id>/schedule/next")
@action("exports.change_schedule")
def upcoming(id: uuid.UUID) -> Response:
    """The next five moments of what is typed."""
    return _fragment(id, "schedule/_next_swap.html")


@blueprint.post("/exports/<uuid:id>/inactive")
@action("exports.set_inactive")
def set_inactive(id: uuid.UUID) -> Response:
    """**Set inactive**; asked first where no dialog has."""
    export = find_export_or_404("exports.set_inactive", id)
    if export.schedule != "repeated":
        abort(404)
    if request.form.get("sure") != "1":
        return page("details/inactive.html", card=card_of(export))
    schedules.set_inactive(current_user._get_current_object(), export)
    return go(url_for("details.view", id=id))


@blueprint.post("/exports/<uuid:id>/active")
@action("exports.set_active")
def set_active(id: uuid.UUID) -> Response:
    """**Set active**, at once."""
    export = find_export_or_404("exports.set_active", id)
    if export.schedule != "repeated":
        abort(404)
    try:
        schedules.set_active(current_user._get_current_object(), export)
    except DefinitionRefused as refused:
        flash(f"It stays inactive: {refused.problems[0].message}. Change its schedule.", "bad")
    return go(url_for("details.view", id=id))


def _scheduled(id: uuid.UUID) -> Export:
    export = find_export_or_404("exports.change_schedule", id)
    if export.schedule == "now":
        abort(404)
    return export


def _present(export: Export) -> TypedSchedule:
    return as_typed(exports.definition_of(export).schedule)


def _posted() -> Posted:
    posted = Posted(request)
    posted.only({*INPUTS, "version"}, many="days")
    return posted


def _version(posted: Posted) -> int:
    text = posted.text("version")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _fragment(id: uuid.UUID, template: str) -> Response:
    export = _scheduled(id)
    try:
        typed = read_scheduling(_posted(), _present(export))
    except FormRefused:
        abort(400)
    return fragment(template, problem_at={}, **_context(export, typed))


def _page(export: Export, typed: TypedSchedule, problems: list[Placed] | None = None, status: int = 200) -> Response:
    told = [(one.input, one.message) for one in problems or []]
    export = _scheduled(export.id)  # as it is now: a refusal has let go of the row
    return page(
        "details/schedule.html", status=status, card=card_of(export), tab="schedules.change", problems=told,
        problem_at=dict(reversed(told)),
        other_type=schedule.OTHER_TYPE[export.schedule], **_context(export, typed),
    )  # fmt: skip


def _context(export: Export, typed: TypedSchedule) -> dict[str, Any]:
    return {
        **scheduling.context(typed.with_(type=export.schedule), current_user._get_current_object()),
        "form_url": url_for("schedules.form", id=export.id),
        "next_url": url_for("schedules.upcoming", id=export.id),
    }
