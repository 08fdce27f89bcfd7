"""The operators of each type of attribute: their ids, what the screen calls them, what kind of value they take.

REFERENCE 2.2. The SQL of each is in `conditions.py`; a new operator is one entry here and one function there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exports.catalogue import DataField, FieldType


class Input(StrEnum):
    """What is entered as the value of a criterion, and so the shape of its value in the definition."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    CHOICES = "choices"
    LIST = "list"
    NUMBERS = "numbers"
    RANGE = "range"
    DATE = "date"
    DATES = "dates"
    TRUTH = "truth"
    SEGMENTS = "segments"
    NONE = "none"

    @property
    def many(self) -> bool:
        """Whether the value is a list of any length."""
        return self in (Input.LIST, Input.CHOICES, Input.NUMBERS)

    @property
    def pair(self) -> bool:
        """Whether the value is `[from, to]`, of which one may be null."""
        return self in (Input.RANGE, Input.DATES)


@dataclass(frozen=True)
class Operator:
    """One way to test an attribute. `label` is a part of a sentence: "Points | is at least | 10"."""

    id: str
    label: str
    input: Input


IS_EMPTY: Final = Operator("is_empty", "is empty", Input.NONE)
IS_NOT_EMPTY: Final = Operator("is_not_empty", "is not empty", Input.NONE)
_EMPTINESS: Final = (IS_EMPTY, IS_NOT_EMPTY)

_TEXT: Final = (
    Operator("equals", "equals", Input.TEXT),
    Operator("not_equals", "does not equal", Input.TEXT),
    Operator("contains", "contains", Input.TEXT),
    Operator("not_contains", "does not contain", Input.TEXT),
    Operator("starts_with", "starts with", Input.TEXT),
    Operator("ends_with", "ends with", Input.TEXT),
    Operator("in", "is one of", Input.LIST),
    Operator("not_in", "is none of", Input.LIST),
    *_EMPTINESS,
)
_CHOICE: Final = (
    Operator("equals", "equals", Input.CHOICE),
    Operator("not_equals", "does not equal", Input.CHOICE),
    Operator("in", "is one of", Input.CHOICES),
    Operator("not_in", "is none of", Input.CHOICES),
    *_EMPTINESS,
)
_NUMBER: Final = (
    Operator("equals", "equals", Input.NUMBER),
    Operator("not_equals", "does not equal", Input.NUMBER),
    Operator("lt", "is less than", Input.NUMBER),
    Operator("lte", "is at most", Input.NUMBER),
    Operator("gt", "is more than", Input.NUMBER),
    Operator("gte", "is at least", Input.NUMBER),
    Operator("between", "is between", Input.RANGE),
    Operator("in", "is one of", Input.NUMBERS),
    *_EMPTINESS,
)
_DATE: Final = (
    Operator("equals", "on", Input.DATE),
    Operator("not_equals", "not on", Input.DATE),
    Operator("lt", "before", Input.DATE),
    Operator("lte", "on or before", Input.DATE),
    Operator("gt", "after", Input.DATE),
    Operator("gte", "on or after", Input.DATE),
    Operator("in_date", "between", Input.DATES),
    *_EMPTINESS,
)
_LIST: Final = (
    Operator("contains", "contains", Input.TEXT),
    Operator("not_contains", "does not contain", Input.TEXT),
    Operator("contains_any", "contains any of", Input.LIST),
    Operator("contains_all", "contains all of", Input.LIST),
    *_EMPTINESS,
)
_CHOICE_LIST: Final = (
    Operator("contains", "contains", Input.CHOICE),
    Operator("not_contains", "does not contain", Input.CHOICE),
    Operator("contains_any", "contains any of", Input.CHOICES),
    Operator("contains_all", "contains all of", Input.CHOICES),
    *_EMPTINESS,
)
_DATE_LIST: Final = (
    Operator("contains", "contains one on", Input.DATE),
    Operator("not_contains", "contains none on", Input.DATE),
    *_EMPTINESS,
)
_TRUTH: Final = (Operator("equals", "is", Input.TRUTH), *_EMPTINESS)
_OBJECT: Final = (
    Operator("has_key", "has the key", Input.TEXT),
    Operator("not_has_key", "does not have the key", Input.TEXT),
    *_EMPTINESS,
)
_SEGMENT: Final = (
    Operator("in_segment", "is in", Input.SEGMENTS),
    Operator("not_in_segment", "is not in", Input.SEGMENTS),
)

BY_TYPE: Final[dict[FieldType, tuple[Operator, ...]]] = {
    FieldType.STRING: _TEXT,
    FieldType.TEXT: _TEXT,
    FieldType.ENUM: _CHOICE,
    FieldType.REFERENCE: _CHOICE,
    FieldType.INTEGER: _NUMBER,
    FieldType.FLOAT: _NUMBER,
    FieldType.BOOLEAN: _TRUTH,
    FieldType.DATE: _DATE,
    FieldType.DATETIME: _DATE,
    FieldType.LIST: _LIST,
    FieldType.JSON: _OBJECT,
}
BY_SPECIAL: Final[dict[str, tuple[Operator, ...]]] = {"segments": _SEGMENT}
"""Operators that a field has instead of those of its type, by the field's `special` in the catalogue."""

NOT_YET: Final = frozenset({
    "in_group", "not_in_group", "reward_claimed", "reward_not_claimed", "activity_earned", "activity_not_earned",
    "action_taken", "action_not_taken", "item_purchased", "item_not_purchased", "anniversary", "age_range",
})  # fmt: skip
"""Operators of SPEC section 5 that this version cannot use: refused in their own words, not as unknown."""


def operators_for(field: DataField) -> tuple[Operator, ...]:
    """The operators that an attribute has, in the order in which the screen offers them."""
    if field.special is not None:
        return BY_SPECIAL[field.special]
    if field.type == FieldType.LIST and field.items in (FieldType.REFERENCE, FieldType.ENUM):
        return _CHOICE_LIST
    if field.type == FieldType.LIST and field.items in (FieldType.DATE, FieldType.DATETIME):
        return _DATE_LIST
    return BY_TYPE[field.type]


def operator_of(field: DataField, id: str) -> Operator | None:
    """The operator with this id, if the attribute has it."""
    return next((one for one in operators_for(field) if one.id == id), None)
