"""The operators of each type of attribute: their ids, what the screen calls them, what kind of value they take.

REFERENCE 2.2 and 2.3. The SQL of each is in `conditions.py` or `special/`; a new operator is one entry here and one
function there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from exports.catalogue import DataField, FieldType, Special


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
    GROUPS = "groups"
    REWARDS = "rewards"
    ACTIVITIES = "activities"
    ACTIONS = "actions"
    PURCHASES = "purchases"
    ANNIVERSARY = "anniversary"
    AGES = "ages"
    NONE = "none"

    @property
    def many(self) -> bool:
        """Whether the value is a list of any length."""
        return self in (Input.LIST, Input.CHOICES, Input.NUMBERS)

    @property
    def pair(self) -> bool:
        """Whether the value is `[from, to]`, of which one may be null."""
        return self in (Input.RANGE, Input.DATES)

    @property
    def members(self) -> tuple[str, ...]:
        """The members of the value, if it is an object with the ids of what was chosen (SPEC section 11)."""
        return _MEMBERS.get(self, ())


_MEMBERS: Final[dict[Input, tuple[str, ...]]] = {
    Input.SEGMENTS: ("ids",),
    Input.GROUPS: ("ids",),
    Input.REWARDS: ("ids", "from", "to", "min"),
    Input.ACTIVITIES: ("ids", "from", "to"),
    Input.ACTIONS: ("ids", "from", "to", "min"),
    Input.PURCHASES: ("ids", "from", "to"),
}


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
    Operator("anniversary", "has its anniversary", Input.ANNIVERSARY),
    Operator("age_range", "is so many years ago", Input.AGES),
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
BY_SPECIAL: Final[dict[Special, tuple[Operator, ...]]] = {
    Special.GROUPS: (
        Operator("in_group", "is in", Input.GROUPS),
        Operator("not_in_group", "is not in", Input.GROUPS),
    ),
    Special.SEGMENTS: (
        Operator("in_segment", "is in", Input.SEGMENTS),
        Operator("not_in_segment", "is not in", Input.SEGMENTS),
    ),
    Special.REWARDS: (
        Operator("reward_claimed", "claimed", Input.REWARDS),
        Operator("reward_not_claimed", "did not claim", Input.REWARDS),
    ),
    Special.ACTIVITIES: (
        Operator("activity_earned", "completed", Input.ACTIVITIES),
        Operator("activity_not_earned", "did not complete", Input.ACTIVITIES),
    ),
    Special.ACTIONS: (
        Operator("action_taken", "did", Input.ACTIONS),
        Operator("action_not_taken", "did not do", Input.ACTIONS),
    ),
    Special.PURCHASES: (
        Operator("item_purchased", "bought", Input.PURCHASES),
        Operator("item_not_purchased", "did not buy", Input.PURCHASES),
    ),
}
"""The operators that attributes have beside those of their type, first the one that affirms, then the one that denies.

Which attributes ask for what, and with which module: special/attributes.py.
"""

ALL: Final = tuple(
    one for group in (*BY_TYPE.values(), _CHOICE_LIST, _DATE_LIST, *BY_SPECIAL.values()) for one in group
)


def operators_for(field: DataField) -> tuple[Operator, ...]:
    """The operators that an attribute has: those of its type, then the special ones."""
    special = BY_SPECIAL[field.asks] if field.asks else ()
    if field.filter_only:
        return special
    if field.special is not None:
        return special or _EMPTINESS
    return _of_type(field) + special


def _of_type(field: DataField) -> tuple[Operator, ...]:
    if field.type == FieldType.LIST and field.items in (FieldType.REFERENCE, FieldType.ENUM):
        return _CHOICE_LIST
    if field.type == FieldType.LIST and field.items in (FieldType.DATE, FieldType.DATETIME):
        return _DATE_LIST
    return BY_TYPE[field.type]


def operator_of(field: DataField, id: str) -> Operator | None:
    """The operator with this id, if the attribute has it."""
    return next((one for one in operators_for(field) if one.id == id), None)
