"""Exports by the API: create, list, show, clone, set active and inactive, change the schedule (docs/api.md)."""

from __future__ import annotations

import json
import uuid
from typing import Annotated, Final, Literal

from flask import Response, url_for
from flask_login import current_user
from pydantic import AfterValidator, Field

from exports import catalogue
from exports.definition import Definition, parse, storable
from exports.errors import DefinitionRefused, ExportArchived
from exports.errors.request import ExportNotRepeated, ExportVersionChanged
from webapp.bearer import scope
from webapp.models import Export, User
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import brands, exports, personal, schedules
from webapp.services.exports.listing import SORTS, STATUSES, ListQuery
from webapp.services.progress import present
from webapp.views.api.operations import answers, asks, json_body, operation, read, repeatable, reply, takes
from webapp.views.api.places import Limit, opaque, place
from webapp.views.api.shapes import CloneBody, ExportAnswer, ExportsPage, ScheduleBody, Shape
from webapp.views.lookups import find_export_or_404

MODELS: Final = tuple(catalogue.builtin().models)


class ExportsAsked(Shape):
    """Which exports, in which order."""

    search: Annotated[str, AfterValidator(storable)] = Field(
        default="", max_length=200, description="A part of the name; of fewer than three characters its beginning."
    )
    status: Literal[("", *STATUSES)] = ""  # type: ignore[valid-type]
    model: Literal[("", *MODELS)] = ""  # type: ignore[valid-type]
    owner: Literal["", "mine"] = Field(default="", description="mine: of the user that the token acts as.")
    last_run_failed: Literal["false", "true"] = "false"
    archived: Literal["false", "true"] = Field(default="false", description="true: those that were put aside alone.")
    sort: Literal[SORTS] = SORTS[0]  # type: ignore[valid-type]
    after: str = Field(default="", max_length=2_000, description="Where a page begins: `next` of the page before.")
    limit: Limit = 50


def me() -> User:
    """Whom the token acts as."""
    user: User = current_user._get_current_object()
    return user


@operation("GET", "/exports", "Exports")
@action("exports.list")
@scope("exports:read")
@answers(200, ExportsPage, "A page of the exports.")
@asks(ExportsAsked)
def list_exports(asked: ExportsAsked) -> ExportsPage:
    """List the exports of the brand, searched, filtered and sorted."""
    authorize(me(), "exports.list")
    found = exports.whole_page(
        me(),
        ListQuery(
            search=asked.search.strip(), status=asked.status, model=asked.model, mine=asked.owner == "mine",
            failed=asked.last_run_failed == "true", archived=asked.archived == "true", sort=asked.sort,
            at=place(asked.sort, asked.after), per_page=asked.limit,
        ),
    )  # fmt: skip
    return ExportsPage.of(
        found.rows, opaque(asked.sort, found.after), found.total, found.more_than_counted, present()
    )  # fmt: skip


@operation("POST", "/exports", "Exports")
@action("exports.create")
@scope("exports:write")
@answers(201, ExportAnswer, "The export. At once: its first run waits for a worker.")
@takes(Definition)
@repeatable
def create_export(made_with: uuid.UUID) -> Response:
    """Create an export from a definition; by its schedule it runs at once, on a date, or again and again."""
    authorize(me(), "exports.create")
    made = exports.create(me(), parse(json_body()), made_with)
    return _made(made.id)


@operation("GET", "/exports/<uuid:id>", "Exports")
@action("exports.see")
@scope("exports:read")
@answers(200, ExportAnswer, "The export.", is_found=True)
def get_export(id: uuid.UUID) -> ExportAnswer:
    """Show an export, with its newest run."""
    return _shown(id)


@operation("GET", "/exports/<uuid:id>/definition", "Exports")
@action("exports.see")
@scope("exports:read")
@answers(200, Definition, "The definition, which can be sent to create another export.", is_found=True)
def get_definition(id: uuid.UUID) -> Response:
    """Show the present definition of an export. Passwords of upload servers are in none; personal values that it
    asks for are hidden from who may not export personal fields.
    """
    export = find_export_or_404("exports.see", id)
    model = brands.catalogue_of(current_user.brand).models.get(export.model)
    found = personal.shown(current_user, exports.definition_of(export), model)
    return Response(json.dumps(found.as_json(), ensure_ascii=False) + "\n", content_type="application/json")


@operation("POST", "/exports/<uuid:id>/clone", "Exports")
@action("exports.clone")
@scope("exports:write")
@answers(201, ExportAnswer, "The new export.", is_found=True)
@takes(CloneBody)
@repeatable
def clone_export(id: uuid.UUID, made_with: uuid.UUID) -> Response:
    """Create another export with the same definition; it belongs to the user that the token acts as."""
    export = find_export_or_404("exports.clone", id)
    wanted = read(CloneBody, json_body())
    return _made(exports.clone(me(), export, wanted.name, token=made_with).id)


@operation("POST", "/exports/<uuid:id>/active", "Schedules")
@action("exports.set_active")
@scope("exports:write")
@answers(200, ExportAnswer, "The export.", [ExportNotRepeated, ExportArchived, DefinitionRefused], is_found=True)
def set_active(id: uuid.UUID) -> ExportAnswer:
    """Let a repeated export run again, from its next moment on."""
    export = _repeated("exports.set_active", id)
    if export.archived_at is not None:
        raise ExportArchived
    schedules.set_active(me(), export)
    return _shown(id)


@operation("POST", "/exports/<uuid:id>/inactive", "Schedules")
@action("exports.set_inactive")
@scope("exports:write")
@answers(200, ExportAnswer, "The export.", [ExportNotRepeated], is_found=True)
def set_inactive(id: uuid.UUID) -> ExportAnswer:
    """Let a repeated export not run until it is set active again."""
    schedules.set_inactive(me(), _repeated("exports.set_inactive", id))
    return _shown(id)


@operation("POST", "/exports/<uuid:id>/schedule", "Schedules")
@action("exports.change_schedule")
@scope("exports:write")
@answers(200, ExportAnswer, "The export, with its new version.", [ExportVersionChanged, ExportArchived], is_found=True)
@takes(ScheduleBody)
def change_schedule(id: uuid.UUID) -> ExportAnswer:
    """Change the schedule of an export: a new version. A date stays a date, repeated stays repeated."""
    export = find_export_or_404("exports.change_schedule", id)
    wanted = read(ScheduleBody, json_body())
    if export.archived_at is not None:
        raise ExportArchived
    try:
        schedules.change_schedule(me(), export, wanted.schedule, wanted.version or export.version)
    except schedules.ExportChanged as error:
        found = find_export_or_404("exports.change_schedule", id)
        raise ExportVersionChanged(version=found.version) from error
    return _shown(id)


def _repeated(action: str, id: uuid.UUID) -> Export:
    export = find_export_or_404(action, id)
    if export.schedule != "repeated":
        raise ExportNotRepeated
    return export


def _made(id: uuid.UUID) -> Response:
    return reply(_shown(id), 201, url_for("api.get_export", id=id))


def _shown(id: uuid.UUID) -> ExportAnswer:
    return ExportAnswer.of(find_export_or_404("exports.see", id), present())
