"""One criterion read: its attribute and operator looked up, its value in the type that the operator compares with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from exports.catalogue import DataField, DataModel, FieldType
from exports.definition import MAX_VALUE, MAX_VALUES_IN_LIST, Criterion
from exports.errors import Problem
from exports.operators import Input, Operator, operator_of
from exports.special import reading
from exports.special.reading import Chosen
from exports.values import Relative, Unreadable, day, number, span, text, truth, whole_number


class CriterionRefused(ValueError):
    """A criterion that cannot be used. `problems`: each `at` the part of it that is wrong, such as `value.1`."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("; ".join(one.message for one in problems))
        self.problems = problems


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
        CriterionRefused: with the sentences for the person who made it.
    """
    field = model.attribute(criterion.attribute)
    if field is None:
        raise CriterionRefused(
            Problem("attribute", "attribute.unknown", f"{model.label} has no attribute {criterion.attribute}")
        )
    operator = operator_of(field, criterion.operator)
    if operator is None:
        raise CriterionRefused(
            Problem("operator", "operator.unknown", f"{field.label} has no operator {criterion.operator}")
        )
    if "value" in criterion.model_fields_set and criterion.value is not None and operator.input is Input.NONE:
        raise CriterionRefused(Problem("value", "value.unneeded", f"{operator.label} takes no value: leave it out"))
    try:
        return Test(field, operator, _value(criterion.value, field, operator))
    except Unreadable as refused:
        raise CriterionRefused(*refused.under("value").problems) from None


def _value(value: Any, field: DataField, operator: Operator) -> Any:
    if operator.input is Input.NONE:
        return None
    if operator.input.members:
        return reading.chosen(value, operator.input)
    if operator.input is Input.ANNIVERSARY:
        return reading.anniversary(value, field.label)
    if operator.input is Input.AGES:
        return reading.ages(value, field.label)
    if operator.input.many:
        return _list(value, field)
    if operator.input.pair:
        return reading.pair(value, field.label, _reading(field))
    return _reading(field)(value)


def _reading(field: DataField) -> Callable[[Any], Any]:
    """What reads a value of a field: made once for the thousand values of a list."""
    kind = field.items if field.type == FieldType.LIST else field.type
    reader: Reader = READERS.get(kind, text)
    choices = dict(field.choices) if kind == FieldType.ENUM and not field.open else None

    def one(value: Any) -> Any:
        if isinstance(value, str) and len(value) > MAX_VALUE:
            raise Unreadable(f"A value has at most {MAX_VALUE:,} characters", "value.too_long")
        read_value = reader(value, field.label)
        if choices is not None and read_value not in choices:
            raise Unreadable(f"{read_value} is no choice of {field.label}", "value.choice")
        return read_value

    return one


def _list(value: Any, field: DataField) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise Unreadable(f"{field.label} needs a list of values", "value.list")
    if not value:
        raise Unreadable(f"Enter at least one value for {field.label}", "value.empty_list")
    if len(value) > MAX_VALUES_IN_LIST:
        raise Unreadable(f"A list has at most {MAX_VALUES_IN_LIST:,} values", "value.list_too_long")
    read_one = _reading(field)
    found = []
    for place, one in enumerate(value):
        try:
            found.append(read_one(one))
        except Unreadable as refused:
            raise refused.under(str(place)) from None
    return tuple(found)
