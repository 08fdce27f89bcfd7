"""Filters as the page shows them: every criterion with its operators and the input that fits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Final
from zoneinfo import ZoneInfo

from flask import request

from exports.catalogue import DataField, DataModel, FieldType
from exports.choices import Choice, table_of
from exports.operators import Input, Operator, operators_for
from webapp.htmx import is_htmx
from webapp.services import brands, choices
from webapp.services.choices import Offer
from webapp.services.drafts import Typed, TypedCriterion, input_of, inputs, picks, searches, takes_others
from webapp.views.wizard import beside
from webapp.views.wizard.beside import Beside
from webapp.views.wizard.place import Place

COUNTING: Final = frozenset({"equals", "not_equals", "in", "not_in", "starts_with", "ends_with"})
NOT_COUNTING: Final = frozenset({"contains", "not_contains"})
"""Operators of text for which capital letters count, and for which they do not (REFERENCE 2.2)."""
TEXTS: Final = frozenset({FieldType.STRING, FieldType.TEXT})


class Around:
    """What the criteria of a draft have in common: the zone, the moment, and what the chosen records are called.

    The source is asked for the names when the first of them is shown: most answers show none.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.now = datetime.now(UTC)

    @cached_property
    def zone(self) -> ZoneInfo:
        """The clock of the export, as the source tells it."""
        known = self.place.typed.timezone in brands.zones()
        return brands.clock(self.place.typed.timezone if known else self.place.user.brand.time_zone)

    @cached_property
    def _named(self) -> dict[str, dict[str, Choice]]:
        chosen: dict[DataField, set[str]] = {}
        for one in (one for set_ in self.place.typed.sets for one in set_):
            field = self.place.model.attribute(one.attribute) if self.place.model else None
            if field is not None:
                chosen.setdefault(field, set()).update(_ids(one, field, input_of(one, self.place.model)))
        return choices.named(self.place.user, self.place.catalogue, chosen)

    def named(self, field: DataField) -> Mapping[str, Choice] | None:
        """The chosen records of an attribute by their ids, None if they cannot be looked up; for actions the choices
        of the dropdown.
        """
        if field.choices:
            return {id: Choice(id, label) for id, label in field.choices}
        table = table_of(field, self.place.catalogue)
        return self._named.get(table.id) if table else None


def _ids(typed: TypedCriterion, field: DataField, kind: Input | None) -> Collection[str]:
    if picks(field, kind):
        return typed.values
    return [typed.value] if typed.value and searches(field, kind) else []


@dataclass(frozen=True)
class Row:
    """A criterion: `label` is A2, `name` the beginning of its inputs' names, `widget` the kind of its value's input."""

    label: str
    name: str
    typed: TypedCriterion
    field: DataField | None
    kind: Input | None
    operators: tuple[Operator, ...]
    widget: str
    hints: tuple[str, ...]
    is_first: bool
    around: Around

    @property
    def choices(self) -> tuple[tuple[str, str], ...]:
        """The choices of a dropdown."""
        return self.field.choices if self.field else ()

    @property
    def members(self) -> tuple[str, ...]:
        """What is asked beside the records of a special operator: from, to, min."""
        return self.kind.members if self.kind else ()

    @property
    def takes_others(self) -> bool:
        """Whether values beside the choices can be typed."""
        return self.field is not None and takes_others(self.field, self.kind)

    @property
    def is_number(self) -> bool:
        """Whether numbers are typed."""
        return self.kind is Input.AGES or (self.field is not None and self.field.type in NUMBERS)

    @property
    def chosen(self) -> list[Choice]:
        """The records that were chosen, with their names; by their ids where these are not known."""
        named = (self.around.named(self.field) if self.field else None) or {}
        return [named.get(id, Choice(id, id)) for id in self.typed.values]

    def beside(self, part: str) -> Beside | None:
        """What an input's text means: the day of an expression, the record that an id names."""
        if self.field is None or self.kind is None:
            return None
        text: str = getattr(self.typed, part)
        if searches(self.field, self.kind) and part == "value":
            return beside.record(text, self.field.label, self.around.named(self.field))
        if part not in beside.date_parts(self.typed, self.kind):
            return None
        bound = beside.bound_of(self.typed.operator, part)
        is_day = FieldType.DATE in (self.field.type, self.field.items) or self.kind is Input.ANNIVERSARY
        return beside.moment(text, self.around.now, self.around.zone, bound=None if is_day else bound)

    def offer(self) -> Offer | None:
        """What was found for a page without JavaScript, whose button names this criterion in the address."""
        if is_htmx() or request.args.get("find") != self.label:
            return None
        if self.field is None or not (picks(self.field, self.kind) or searches(self.field, self.kind)):
            return None
        wanted = self.typed.find if picks(self.field, self.kind) else self.typed.value
        place = self.around.place
        return choices.offered(place.user, place.draft, place.catalogue, self.field, wanted)


NUMBERS: Final = (FieldType.INTEGER, FieldType.FLOAT)


@dataclass(frozen=True)
class SetOfRows:
    """A set of criteria, all of which must hold."""

    letters: str
    rows: tuple[Row, ...]


def sets(place: Place) -> list[SetOfRows]:
    """All sets as they are typed."""
    around = Around(place)
    return [
        SetOfRows(inputs.letters(number), tuple(_row(around, number, position) for position in range(len(set_))))
        for number, set_ in enumerate(place.typed.sets)
    ]


def row(place: Place, label: str) -> Row | None:
    """The criterion A2; None if there is none."""
    found = inputs.place_of_label(label)
    if found is None or not _is_there(place.typed, *found):
        return None
    return _row(Around(place), *found)


def _is_there(typed: Typed, set_: int, position: int) -> bool:
    return set_ < len(typed.sets) and position < len(typed.sets[set_])


def _row(around: Around, set_: int, position: int) -> Row:
    typed, model = around.place.typed.sets[set_][position], around.place.model
    field = model.attribute(typed.attribute) if model else None
    kind = input_of(typed, model)
    return Row(
        label=inputs.label(set_, position),
        name=inputs.criterion(set_, position, "")[:-1],
        typed=typed,
        field=field,
        kind=kind,
        operators=operators_for(field) if field else (),
        widget=_widget(kind, field),
        hints=_hints(typed.operator, kind, field),
        is_first=position == 0,
        around=around,
    )


def attributes(model: DataModel | None) -> list[DataField]:
    """Everything that a criterion can be about: the fields, then what can only be filtered by."""
    return [*model.fields.values(), *model.attributes.values()] if model else []


def _widget(kind: Input | None, field: DataField | None) -> str:
    """The input of a value. Choices beside which others occur are suggestions."""
    if kind is None or field is None:
        return "none"
    if searches(field, kind):
        return "record"
    if kind is Input.CHOICE:
        return "text" if not field.choices else ("suggest" if field.open else "select")
    if picks(field, kind):
        return "records"
    if kind is Input.CHOICES:
        return "checks" if field.choices else "list"
    return {Input.NUMBERS: "list", Input.NUMBER: "text", Input.AGES: "range"}.get(kind, kind.value)


def _hints(operator: str, kind: Input | None, field: DataField | None) -> tuple[str, ...]:
    hints = []
    if kind in (Input.LIST, Input.NUMBERS):
        hints.append("One a line, or with commas between")
    if field is not None and field.type in TEXTS:
        hints += ["Capital letters count"] if operator in COUNTING else []
        hints += ["Capital letters do not count"] if operator in NOT_COUNTING else []
    if kind in (Input.DATES, Input.RANGE):
        hints.append("Both are included. One of them may stay empty")
    if kind is Input.AGES:
        hints.append("Completed years on the day of the run, both included. One of them may stay empty")
    if kind is Input.ANNIVERSARY:
        hints.append("Month and day count, in every year after. Who was born on 29 February has it on 28 February")
    if kind is not None and "from" in kind.members:
        hints.append("Both days are included. Leave them empty for any time")
    if kind in (Input.DATE, Input.DATES, Input.ANNIVERSARY) or (kind is not None and "from" in kind.members):
        hints.append("Also in words, such as date: -3 months")
    return tuple(hints)
