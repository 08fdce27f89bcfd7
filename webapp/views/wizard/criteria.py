"""Filters as the page shows them: every criterion with its operators and the input that fits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exports.catalogue import DataField, FieldType
from exports.errors import SourceError
from exports.operators import Input, Operator, offered
from webapp.services import brands
from webapp.services.drafts import TypedCriterion, input_of, inputs, takes_others
from webapp.views.wizard.place import Place

COUNTING: Final = frozenset({"equals", "not_equals", "in", "not_in", "starts_with", "ends_with"})
NOT_COUNTING: Final = frozenset({"contains", "not_contains"})
"""Operators of text for which capital letters count, and for which they do not (REFERENCE 2.2)."""
TEXTS: Final = frozenset({FieldType.STRING, FieldType.TEXT})


@dataclass(frozen=True)
class Row:
    """A criterion: `label` is A2, `name` the beginning of its inputs' names, `widget` the kind of its value's input."""

    label: str
    name: str
    typed: TypedCriterion
    field: DataField | None
    operators: tuple[Operator, ...]
    widget: str
    choices: tuple[tuple[str, str], ...]
    hint: str
    is_first: bool

    @property
    def takes_others(self) -> bool:
        """Whether values beside the choices can be typed."""
        return self.field is not None and self.widget != "segments" and takes_others(self.field)

    @property
    def is_number(self) -> bool:
        """Whether numbers are typed."""
        return self.field is not None and self.field.type in (FieldType.INTEGER, FieldType.FLOAT)


@dataclass(frozen=True)
class SetOfRows:
    """A set of criteria, all of which must hold."""

    letters: str
    rows: tuple[Row, ...]


def sets(place: Place) -> list[SetOfRows]:
    """All sets as they are typed."""
    return [
        SetOfRows(inputs.letters(number), tuple(row(place, number, position) for position in range(len(set_))))
        for number, set_ in enumerate(place.typed.sets)
    ]


def row(place: Place, set_: int, position: int) -> Row:
    """One criterion."""
    typed = place.typed.sets[set_][position]
    field = place.model.fields.get(typed.attribute) if place.model else None
    kind = input_of(typed, place.model)
    return Row(
        label=inputs.label(set_, position),
        name=inputs.criterion(set_, position, "")[:-1],
        typed=typed,
        field=field,
        operators=offered(field) if field else (),
        widget=_widget(kind, field),
        choices=_choices(place, kind, field),
        hint=_hint(typed.operator, kind, field),
        is_first=position == 0,
    )


def _widget(kind: Input | None, field: DataField | None) -> str:
    """The input of a value. Choices beside which others occur are suggestions; a reference has none: it is typed."""
    if kind is None or field is None:
        return "none"
    if kind is Input.CHOICE:
        return "text" if not field.choices else ("suggest" if field.open else "select")
    if kind is Input.CHOICES:
        return "checks" if field.choices else "list"
    return {Input.NUMBERS: "list", Input.NUMBER: "text", Input.TRUTH: "truth"}.get(kind, kind.value)


def _choices(place: Place, kind: Input | None, field: DataField | None) -> tuple[tuple[str, str], ...]:
    if kind is Input.SEGMENTS:
        return _segments(place)
    return field.choices if field and kind in (Input.CHOICE, Input.CHOICES) else ()


def _segments(place: Place) -> tuple[tuple[str, str], ...]:
    try:
        return brands.segments(place.user.brand)
    except SourceError:
        return ()  # the preview beside the filters says that the source cannot be read


def _hint(operator: str, kind: Input | None, field: DataField | None) -> str:
    hints = []
    if kind in (Input.LIST, Input.NUMBERS):
        hints.append("One a line, or with commas between")
    if field is not None and field.type in TEXTS:
        hints += ["Capital letters count"] if operator in COUNTING else []
        hints += ["Capital letters do not count"] if operator in NOT_COUNTING else []
    if kind in (Input.DATES, Input.RANGE):
        hints.append("Both are included. One of them may stay empty")
    return ". ".join(hints)
