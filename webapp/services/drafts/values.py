"""The value of one criterion: from what was typed in its inputs to the definition's value, and from a problem with a
member of that value back to the input it stands in.
"""

from __future__ import annotations

import csv
import re
from typing import Any, Final

from exports.catalogue import DataField, DataModel
from exports.operators import Input, operator_of
from webapp.services.drafts.typed import TypedCriterion

TRUTHS: Final = {"true": True, "false": False}
WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
"""What JSON's numbers carry through every reader; anything else stays the text that was typed."""

OF_THE_BRAND: Final = frozenset({Input.SEGMENTS, Input.GROUPS, Input.REWARDS, Input.ACTIVITIES})
"""What is chosen must be there; products and actions need not be (exports/surroundings.py)."""
ANNIVERSARY: Final = ("run", "day", "range")
"""When an anniversary is looked for: on the day of the run, on one day, between two."""


def input_of(typed: TypedCriterion, model: DataModel | None) -> Input | None:
    """What kind of value a criterion takes; None if its attribute or operator is unknown."""
    field = model.attribute(typed.attribute) if model else None
    operator = operator_of(field, typed.operator) if field else None
    return operator.input if operator else None


def picks(field: DataField, kind: Input | None) -> bool:
    """Whether several records, or actions, are searched for and chosen one by one."""
    return kind is not None and (bool(kind.members) or (kind is Input.CHOICES and _is_reference(field)))


def searches(field: DataField, kind: Input | None) -> bool:
    """Whether one record is searched for; its id may be typed as well."""
    return kind is Input.CHOICE and _is_reference(field)


def takes_others(field: DataField, kind: Input | None) -> bool:
    """Whether values can be typed: the attribute has no list of choices, or other values than those occur."""
    return kind not in OF_THE_BRAND and (not field.choices or field.open)


def _is_reference(field: DataField) -> bool:
    return bool(field.reference) and not field.choices


def value(typed: TypedCriterion, field: DataField, kind: Input) -> Any:
    """The value in the definition (SPEC section 11)."""
    if kind.members:
        return _chosen(typed, field, kind)
    if kind is Input.ANNIVERSARY:
        return _anniversary(typed)
    if kind is Input.NUMBER:
        return _number(typed.value)
    if kind is Input.TRUTH:
        return TRUTHS.get(typed.value, typed.value)
    if kind is Input.NUMBERS:
        return [_number(one) for one in entries(typed.value)]
    if kind.many:
        return _several(typed, field, kind)
    if kind in (Input.RANGE, Input.AGES):
        return [_number(one) if one else None for one in (typed.low, typed.high)]
    if kind.pair:
        return _days(typed)
    return typed.value.strip() if kind is Input.DATE else typed.value


def _several(typed: TypedCriterion, field: DataField, kind: Input) -> list[str]:
    ticked = typed.values if field.choices or picks(field, kind) else ()
    return [*ticked, *(entries(typed.value) if takes_others(field, kind) else ())]


def _chosen(typed: TypedCriterion, field: DataField, kind: Input) -> dict[str, Any]:
    first, last = _days(typed)
    least = _number(typed.least) if typed.least else None
    made = {"ids": _several(typed, field, kind), "from": first, "to": last, "min": least}
    return {member: made[member] for member in kind.members}


def _anniversary(typed: TypedCriterion) -> Any:
    if typed.when in ("", "run"):
        return None
    if typed.when == "range":
        return _days(typed)
    return typed.value.strip() if typed.when == "day" else typed.when


def _days(typed: TypedCriterion) -> list[str | None]:
    return [one.strip() or None for one in (typed.low, typed.high)]


def _number(text: str) -> int | str:
    return int(text) if WHOLE.fullmatch(text) else text


def entries(text: str) -> list[str]:
    """The values of a typed list: separated by commas or line ends; one in double quotes may hold commas."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = [one.strip() for line in lines for one in _fields(line)]
    return [one for one in found if one]


def _fields(line: str) -> list[str]:
    # An unbalanced quote is a character like any other: only a line that is whole csv is read as csv.
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], skipinitialspace=True, strict=True), [])
    except csv.Error:
        return line.split(",")


# --- back again

_OF_MEMBER: Final = {"from": "low", "to": "high", "min": "least"}


def part_of(typed: TypedCriterion, model: DataModel | None, path: list[str]) -> str:
    """The input in which a part of the value was typed: `["ids", "3"]`, `["0"]` or nothing, as problems name it."""
    field = model.attribute(typed.attribute) if model else None
    kind = input_of(typed, model)
    if field is None or kind is None:
        return "value"
    if kind.members or kind is Input.CHOICES:
        return _OF_MEMBER.get(path[0] if path else "") or _part_of_list(typed, field, kind, path)
    if kind.pair or kind is Input.AGES or (kind is Input.ANNIVERSARY and typed.when == "range"):
        return "high" if path == ["1"] else "low"
    return "when" if kind is Input.ANNIVERSARY and typed.when not in ANNIVERSARY else "value"


def _part_of_list(typed: TypedCriterion, field: DataField, kind: Input, path: list[str]) -> str:
    """Behind what was ticked stand those that were typed."""
    if path and path[-1].isdigit() and int(path[-1]) >= len(typed.values):
        return "value"
    return "find" if picks(field, kind) else "values"
