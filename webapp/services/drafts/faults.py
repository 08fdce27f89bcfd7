"""The problems of a draft, at the inputs they belong to: computed from the definition it makes, never kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from exports.catalogue import Catalogue
from exports.definition import Definition, parse
from exports.errors import DefinitionRefused, Problem
from webapp.models import User
from webapp.services import connections, definitions
from webapp.services.drafts import inputs
from webapp.services.drafts.definition import document
from webapp.services.drafts.typed import Typed
from webapp.services.drafts.values import input_of, part_of, picks
from webapp.services.schedules.typed import placed as place_of_schedule

OVER_CAP: Final = frozenset(
    {
        "shape.string_too_long", "shape.too_long", "filters.too_many", "values.too_large", "value.too_long",
        "value.list_too_long", "replace.too_many",
    }
)  # fmt: skip
"""Problems with which a draft is not even stored (RELIABILITY section 5, "over its cap")."""

STEP_OF: Final = {
    "name": "localization",
    "timezone": "localization",
    "filters": "filters",
    "definition": "filters",
    "aggregation": "filters",
    "fields": "fields",
    "all_fields": "fields",
    "file": "file",
    "schedule": "schedule",
    "target": "target",
    "if_empty": "target",
    "notify": "target",
}
"""The step by the first part of a problem's path; `model` is its own."""


@dataclass(frozen=True)
class Fault:
    """A problem at an input of a step. `at` is its path in the definition."""

    step: str
    input: str
    message: str
    at: str
    code: str
    warning: bool = False


@dataclass(frozen=True)
class Checked:
    """A draft looked at: its definition, if it has one without mistakes, and everything that is to be said."""

    definition: Definition | None
    faults: tuple[Fault, ...]

    def errors(self, step: str | None = None) -> tuple[Fault, ...]:
        """What must be corrected, of one step or of all."""
        return tuple(one for one in self.faults if not one.warning and step in (None, one.step))

    def warnings(self, step: str | None = None) -> tuple[Fault, ...]:
        """What is only worth knowing."""
        return tuple(one for one in self.faults if one.warning and step in (None, one.step))

    @property
    def over_cap(self) -> tuple[Fault, ...]:
        """What forbids storing the draft."""
        return tuple(one for one in self.faults if one.code in OVER_CAP)


def check(typed: Typed, user: User, catalogue: Catalogue, saved: Definition | None = None) -> Checked:
    """What the rules say about a draft for this user. `saved`: the version of an export before it."""
    of_server = [
        Problem(f"target.{one.at}", one.code, one.message) for one in connections.problems_of_typed(typed.upload)
    ]
    try:
        definition = parse(document(typed, catalogue))
    except DefinitionRefused as refused:
        problems = _in_order(refused.problems, of_server)
        return Checked(None, _with_unchosen(placed(problems, typed, catalogue), typed, catalogue))
    making = typed.upload.server if typed.upload.by_hand else None
    problems = _in_order(definitions.problems(user, definition, saved, making, catalogue), of_server)
    found = _with_unchosen(placed(problems, typed, catalogue), typed, catalogue)
    usable = all(one.warning for one in found)
    return Checked(definition if usable else None, found)


def _in_order(problems: list[Problem], of_server: list[Problem]) -> list[Problem]:
    """Those of a server stand before those of the path, as their inputs do."""
    place = next((number for number, one in enumerate(problems) if one.at == "target.path"), len(problems))
    return [*problems[:place], *of_server, *problems[place:]]


def placed(problems: list[Problem], typed: Typed, catalogue: Catalogue) -> tuple[Fault, ...]:
    """Problems of a definition, at the inputs of the draft that it was made of."""
    return tuple(_fault(one, typed, catalogue) for one in problems)


NOT_CHOSEN: Final = "value.not_chosen"


def _with_unchosen(found: tuple[Fault, ...], typed: Typed, catalogue: Catalogue) -> tuple[Fault, ...]:
    """The problems, with what was typed to be looked for and stands there still: it is no part of the definition, and
    leaving it out without a word would filter by something else than what can be read.
    """
    model = catalogue.models.get(typed.model)
    waiting: dict[str, Fault] = {}
    for place, set_ in enumerate(typed.sets):
        for position, one in enumerate(set_):
            field = model.attribute(one.attribute) if model else None
            if field is not None and one.find.strip() and picks(field, input_of(one, model)):
                at = inputs.criterion(place, position, "find")
                wanted = one.find.strip()
                message = f"“{wanted}” is not chosen: choose it from the list, or empty this box"
                waiting[at] = Fault("filters", at, message, f"filters.{place}.{position}.value", NOT_CHOSEN)
    return (*waiting.values(), *(one for one in found if one.input not in waiting or one.code in OVER_CAP))


def _fault(problem: Problem, typed: Typed, catalogue: Catalogue) -> Fault:
    parts = problem.at.split(".")
    message = problem.message
    if parts[0] == "filters":
        at = _filters_input(parts, typed, catalogue)
        if parts[-1] == "attribute" and _is_blank(parts, typed):
            message = "Choose an attribute, or remove this criterion"
    elif parts[0] == "fields":
        at = _fields_input(parts, typed)
    elif parts[0] == "notify":
        at = _notify_input(parts, typed)
    elif parts[0] == "schedule":
        place = place_of_schedule(problem, typed.scheduling)
        at, message = place.input, place.message
    elif parts[0] == "target":
        at = inputs.upload(parts[-1], typed.upload.wants)
    else:
        at = _plain_input(parts)
    step = STEP_OF.get(parts[0], "model")
    return Fault(step, at, message, problem.at, problem.code, problem.warning)


def _is_blank(parts: list[str], typed: Typed) -> bool:
    return typed.sets[int(parts[1])][int(parts[2])].is_blank


def _filters_input(parts: list[str], typed: Typed, catalogue: Catalogue) -> str:
    """The input of `filters.0.1.value.3`: which one shows a value depends on what the operator takes."""
    set_, position = (int(parts[number]) if len(parts) > number else 0 for number in (1, 2))
    part = parts[3] if len(parts) > 3 else "attribute"
    if part != "value":
        return inputs.criterion(set_, position, part)
    criterion = typed.sets[set_][position]
    return inputs.criterion(set_, position, part_of(criterion, catalogue.models.get(typed.model), parts[4:]))


def _fields_input(parts: list[str], typed: Typed) -> str:
    if len(parts) < 2:
        return "pick"
    place = int(parts[1])
    if len(parts) > 4 and parts[2] == "replace":
        rows = [number for number, one in enumerate(typed.columns[place].replace) if not one.is_blank]
        return inputs.replacement(place, rows[int(parts[3])], parts[4])
    part = parts[2] if len(parts) > 2 else "to"
    if part == "replace":
        return inputs.replacements(place)
    return inputs.column(place, part if part in ("default", "aggregation", "mask") else "to")


def _notify_input(parts: list[str], typed: Typed) -> str:
    """Behind what is ticked stand those that were typed."""
    member = parts[1] if len(parts) > 1 else "success"
    is_typed = len(parts) > 2 and int(parts[2]) >= len(getattr(typed.notify, member))
    return f"notify-{member}-{'others' if is_typed else 'to'}"


def _plain_input(parts: list[str]) -> str:
    """The id of an input by the path of a member that is one input."""
    name = {"definition": "sets", "all_fields": "all_fields"}.get(parts[0], parts[0])
    return re.sub(r"[^a-z]", "-", "-".join([name, *parts[1:]])) if parts[0] == "file" else name
