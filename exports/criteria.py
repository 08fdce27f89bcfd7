"""One criterion read: its attribute and operator looked up, its value in the type that the operator compares with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from exports.catalogue import DataField, DataModel, FieldType
from exports.definition import MAX_VALUE, MAX_VALUES_IN_LIST, Criterion
from exports.operators import Input, Operator, operator_of
from exports.special import reading
from exports.special.reading import Chosen
from exports.values import Relative, Unreadable, day, number, span, text, truth, whole_number


class CriterionRefused(ValueError):
    """A criterion that cannot be used. `member` is the part of it that is wrong; `place` the position in a list."""

    def __init__(self, member: str, code: str, message: str, place: int | None = None) -> None:
        super().__init__(message)
        self.member = member if place is None else f"{member}.{place}"
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Test:
    """A criterion that can be used. `value`: a str, int, Decimal, bool, date or LocalSpan; a tuple of these; a pair;
    what was chosen, of the operators that ask for records of other models.

    In the place of a date or a LocalSpan stands a Relative until `at` has told which one it means.
    """

    field: DataField
    operator: Operator
    value: Any

    @property
    def is_relative(self) -> bool:
        """Whether it holds an expression whose day or time the moment of a run has to tell."""
        value = (self.value.first, self.value.last) if isinstance(self.value, Chosen) else self.value
        return any(isinstance(one, Relative) for one in (value if isinstance(value, tuple) else (value,)))

    def at(self, moment: datetime, zone: ZoneInfo) -> Test:
        """The same with the days and times that its expressions mean at the moment of a run.

        Raises:
            DateOutOfRange: one of them lies outside the years 1 to 9999.
        """
        if isinstance(self.value, Chosen):
            return replace(self, value=self.value.at(moment, zone))
        is_day = FieldType.DATE in (self.field.type, self.field.items) or self.operator.input is Input.ANNIVERSARY

        def meant(one: Any) -> Any:
            if not isinstance(one, Relative):
                return one
            return one.day(moment, zone) if is_day else one.span(moment, zone)

        value = tuple(map(meant, self.value)) if isinstance(self.value, tuple) else meant(self.value)
        return replace(self, value=value)


Reader = Callable[[Any, str], Any]
READERS: Final[dict[FieldType, Reader]] = {
    FieldType.INTEGER: whole_number,
    FieldType.FLOAT: number,
    FieldType.BOOLEAN: truth,
    FieldType.DATE: day,
    FieldType.DATETIME: span,
}


def read(criterion: Criterion, model: DataModel) -> Test:
    """Look up and read one criterion.

    Raises:
        CriterionRefused: with the sentence for the person who made it.
    """
    field = model.attribute(criterion.attribute)
    if field is None:
        raise CriterionRefused(
            "attribute", "attribute.unknown", f"{model.label} has no attribute {criterion.attribute}"
        )
    operator = operator_of(field, criterion.operator)
    if operator is None:
        raise CriterionRefused("operator", "operator.unknown", f"{field.label} has no operator {criterion.operator}")
    if "value" in criterion.model_fields_set and criterion.value is not None and operator.input is Input.NONE:
        raise CriterionRefused("value", "value.unneeded", f"{operator.label} takes no value: leave it out")
    return Test(field, operator, _value(criterion.value, field, operator))


def _value(value: Any, field: DataField, operator: Operator) -> Any:
    if operator.input is Input.NONE:
        return None
    if operator.input.members:
        return _special(lambda: reading.chosen(value, operator.input))
    if operator.input is Input.ANNIVERSARY:
        return _special(lambda: reading.anniversary(value, field.label))
    if operator.input is Input.AGES:
        return _special(lambda: reading.ages(value, field.label))
    if operator.input.many:
        return _list(value, field)
    if operator.input.pair:
        return _pair(value, field)
    return _one(value, field)


def _one(value: Any, field: DataField, place: int | None = None) -> Any:
    return _reading(field)(value, place)


def _reading(field: DataField) -> Callable[[Any, int | None], Any]:
    """What reads a value of a field: made once for the thousand values of a list."""
    kind = field.items if field.type == FieldType.LIST else field.type
    reader: Reader = READERS.get(kind, text)
    choices = dict(field.choices) if kind == FieldType.ENUM and not field.open else None

    def one(value: Any, place: int | None) -> Any:
        if isinstance(value, str) and len(value) > MAX_VALUE:
            raise CriterionRefused("value", "value.too_long", f"A value has at most {MAX_VALUE:,} characters", place)
        try:
            read_value = reader(value, field.label)
        except Unreadable as refused:
            raise CriterionRefused("value", refused.code, str(refused), place) from None
        if choices is not None and read_value not in choices:
            raise CriterionRefused("value", "value.choice", f"{read_value} is no choice of {field.label}", place)
        return read_value

    return one


def _list(value: Any, field: DataField) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise CriterionRefused("value", "value.list", f"{field.label} needs a list of values")
    if not value:
        raise CriterionRefused("value", "value.empty_list", f"Enter at least one value for {field.label}")
    if len(value) > MAX_VALUES_IN_LIST:
        raise CriterionRefused("value", "value.list_too_long", f"A list has at most {MAX_VALUES_IN_LIST:,} values")
    read_one = _reading(field)
    return tuple([read_one(one, place) for place, one in enumerate(value)])


def _pair(value: Any, field: DataField) -> tuple[Any, Any]:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise CriterionRefused("value", "value.range", f"{field.label} needs two values: from and to")
    if value[0] is None and value[1] is None:
        raise CriterionRefused("value", "value.range", f"Enter a first or a last value for {field.label}")
    low, high = (None if one is None else _one(one, field, place) for place, one in enumerate(value))
    if _is_fixed(low) and _is_fixed(high) and _start(low) > _start(high):
        raise CriterionRefused("value", "value.order", "The first value must not be greater than the second")
    return low, high


def _is_fixed(value: Any) -> bool:
    """Whether it is known now: a range from an expression may be empty in one run and not in the next."""
    return value is not None and not isinstance(value, Relative)


def _start(value: Any) -> Any:
    return getattr(value, "first", value)


def _special(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except Unreadable as refused:
        member = f"value.{refused.at}" if refused.at else "value"
        raise CriterionRefused(member, refused.code, str(refused)) from None
