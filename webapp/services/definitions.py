"""What a definition must keep to for one user of one brand: the rules of exports/rules.py and the own rights."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

from exports import checking, rules, schedule
from exports.catalogue import Catalogue
from exports.definition import Definition
from exports.errors import Problem, SourceError
from exports.schedule.clock import ANY_SCHEDULE
from exports.target import Upload
from webapp.models import User
from webapp.services import brands, connections, guarding, personal
from webapp.services.mail import notify
from webapp.services.progress import present

MODEL_KEPT: Final = "An export keeps its data model. For another one, create a new export."


def problems(
    user: User,
    definition: Definition,
    saved: Definition | None = None,
    making: uuid.UUID | None = None,
    seen: Catalogue | None = None,
) -> list[Problem]:
    """Every rule that a definition breaks for this user, warnings included, in the order of the wizard's steps.

    `saved` is the version that it will follow, if it is an export's: its model and the type of its schedule stay, and
    a date that was to come when it was saved may have come. `making` is the connection that will be made with it.
    `seen` is the catalogue as the brand sees it, if it was read already.
    """
    catalogue, zones, guard = seen or brands.catalogue_of(user.brand), brands.zones(), guarding.guard()
    now = present()
    try:
        around = brands.surroundings(user.brand, now, about=definition, seen=catalogue)
        found = checking.problems(definition, catalogue, around, brands.source(), zones, guard)
    except SourceError:
        found = rules.problems(
            definition, catalogue, zones, guard=guard
        )  # the run asks again, and says that it cannot be read
    found += _of_schedule(user, definition, saved, now)
    found += connections.problems_of_target(user, definition, making)
    found += notify.problems(user.brand, definition)
    model = catalogue.models.get(definition.model)
    return found if model is None else [*found, *personal.rights(user, definition, model)]


def schedule_problems(user: User, chosen: ANY_SCHEDULE) -> list[Problem]:
    """Every rule that a schedule breaks that this user wants to save."""
    return schedule.problems(chosen) or _when_saved(user, chosen, present())


def _when_saved(user: User, chosen: ANY_SCHEDULE, now: datetime) -> list[Problem]:
    return schedule.problems_when_saved(chosen, now, user.brand.minimum_minutes)


def _of_schedule(user: User, definition: Definition, saved: Definition | None, now: datetime) -> list[Problem]:
    if saved is None:
        return _when_saved(user, definition.schedule, now)
    if saved.model != definition.model:
        return [Problem("model", "model.kept", MODEL_KEPT)]
    if saved.schedule == definition.schedule:
        return []
    return [*schedule.type_kept(saved.schedule, definition.schedule)] or _when_saved(user, definition.schedule, now)


def check(
    user: User, definition: Definition, saved: Definition | None = None, *, making: uuid.UUID | None = None
) -> None:
    """Let pass what this user may export. `saved`, `making`: see `problems`.

    Raises:
        DefinitionRefused: with every problem that is no warning.
    """
    found = problems(user, definition, saved, making)
    if isinstance(upload := definition.target, Upload):
        connections.keep_refused(user, found, connections.Server.of_upload(upload))
    rules.refuse(found)
