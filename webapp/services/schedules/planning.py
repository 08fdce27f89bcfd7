"""When an export runs next: **Create**, **Change schedule**, **Set inactive**, **Set active** (SPEC section 4)."""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select

from exports import schedule as schedules
from exports.definition import Definition, parse
from exports.errors import DefinitionRefused
from exports.schedule import Now, OnDate
from exports.schedule.clock import ANY_SCHEDULE, moment_of
from webapp.entries import arrange_after_commit
from webapp.extensions import db
from webapp.models import Export, ExportVersion, User
from webapp.permissions import authorize
from webapp.services import audit, definitions, names
from webapp.services.moves import allows, move
from webapp.services.progress import present
from webapp.services.schedules.firing import fire


class ExportChanged(Exception):
    """Somebody saved another version of the export after the page was shown."""


def plan(export: Export, schedule: ANY_SCHEDULE, now: datetime) -> None:
    """Let an export run by a schedule from now on; the caller commits. At once has no moment: nothing is to come."""
    export.schedule = schedule.type
    export.schedule_words = schedules.brief(schedule)
    if schedule.type == "repeated" and export.active is None:
        export.active = True
    export.next_run_at = None if export.active is False else _first(schedule, now)
    if not isinstance(schedule, Now):
        arrange_after_commit(export.id, export.next_run_at)


def _first(schedule: ANY_SCHEDULE, now: datetime) -> datetime | None:
    # A date that came between the check and here is due, not gone.
    return moment_of(schedule) if isinstance(schedule, OnDate) else schedules.next_moment(schedule, now)


def change_schedule(user: User, export: Export, schedule: ANY_SCHEDULE, version: int) -> Export:
    """**Change schedule**: a new version that differs in its schedule. The same schedule again changes nothing.

    `version` is the one that the user saw.

    Raises:
        Refused: the user may not change this export.
        DefinitionRefused: the schedule breaks a rule, or is of another type.
        ExportChanged: there is another version by now.
    """
    authorize(user, "exports.change_schedule", export)
    definition = _definition(hold(export))
    if definition.schedule == schedule and not _was_cancelled(export, schedule):
        db.session.rollback()
        return export
    try:
        _check_change(user, definition.schedule, schedule)
        if export.version != version:
            raise ExportChanged
    except (DefinitionRefused, ExportChanged):
        db.session.rollback()
        raise
    now = settle(export)
    save_version(user, export, definition.model_copy(update={"schedule": schedule}))
    plan(export, schedule, now)
    audit.record(
        "export.schedule_changed", user, export, version=export.version,
        before=schedules.sentence(definition.schedule), after=schedules.sentence(schedule),
    )  # fmt: skip
    db.session.commit()
    return export


def _was_cancelled(export: Export, schedule: ANY_SCHEDULE) -> bool:
    """Whether the date is still to come and nothing waits for it: chosen once more it counts again."""
    return isinstance(schedule, OnDate) and export.state == "idle" and moment_of(schedule) > present()


def _check_change(user: User, present_one: ANY_SCHEDULE, wanted: ANY_SCHEDULE) -> None:
    problems = list(schedules.type_kept(present_one, wanted)) or definitions.schedule_problems(user, wanted)
    if problems:
        raise DefinitionRefused(problems)


def set_inactive(user: User, export: Export) -> Export:
    """**Set inactive**: it does not run until it is set active again. A run in progress goes on.

    Raises:
        Refused: the user may not do this to this export.
    """
    authorize(user, "exports.set_inactive", export)
    if allows(hold(export), "set_inactive"):
        now = settle(export)
        move(export, "set_inactive")
        export.inactive_since, export.inactive_by_id = now, user.id
        audit.record("export.set_inactive", user, export)
    db.session.commit()
    return export


def set_active(user: User, export: Export) -> Export:
    """**Set active**: it runs at its next moment; what passed meanwhile is not caught up.

    Raises:
        Refused: the user may not do this to this export.
        DefinitionRefused: its schedule breaks a rule by now, so that nobody can say when it would run.
    """
    authorize(user, "exports.set_active", export)
    schedule = _definition(hold(export)).schedule
    if problems := schedules.problems(schedule):
        db.session.rollback()
        raise DefinitionRefused(problems)
    if move(export, "set_active"):
        export.inactive_since = export.inactive_by_id = export.inactive_reason = None
        plan(export, schedule, present())
        audit.record("export.set_active", user, export)
    db.session.commit()
    return export


def hold(export: Export) -> Export:
    """Read the export's row again and keep others, the clock among them, from changing it until the commit."""
    wanted = select(Export).where(Export.id == export.id).with_for_update(key_share=True)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).one()


def settle(export: Export) -> datetime:
    """Fire what has come by now: it belongs to the schedule as it was. Returns the present moment."""
    now = present()
    while export.next_run_at is not None and export.next_run_at <= now:
        fire([export], now)
        db.session.flush()
    return now


def _definition(export: Export) -> Definition:
    wanted = select(ExportVersion.definition).where(
        ExportVersion.export_id == export.id, ExportVersion.number == export.version
    )
    return parse(db.session.execute(wanted).scalar_one())


def save_version(user: User, export: Export, definition: Definition) -> None:
    """Add the next version of an export whose row the caller holds; the caller commits."""
    export.version += 1
    db.session.add(
        ExportVersion(
            id=uuid.uuid4(), brand_id=export.brand_id, export_id=export.id, number=export.version,
            definition=definition.as_json(), author_id=user.id,
        )
    )  # fmt: skip
    names.remember(export.id, names.names_of(definition))
    db.session.flush()
