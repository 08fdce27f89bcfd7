"""**Aggregation**: what each method takes, and the relation of groups that stands in place of the records.

SPEC section 3.4, REFERENCE 4.4. The groups are a relation like any other, so formats render its columns as they render
those of a table. Group keys come out of it as text that is finished but for the spreadsheet guard.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array

from exports.catalogue import DataField, DataModel, FieldType
from exports.columns import NUMBERS, TEXTS, Context, Expression, literal, value
from exports.definition import Column, Definition
from exports.errors import Problem
from exports.render import Cell, exact, guarded, json_cell, text_cell

LABELS: Final = {
    "group": "Group",
    "count": "Count",
    "sum": "Sum",
    "average": "Average",
    "min": "Min",
    "max": "Max",
}
_ORDERED: Final = TEXTS | NUMBERS | {FieldType.DATE, FieldType.DATETIME}
TAKEN: Final[dict[str, frozenset[FieldType]]] = {
    "group": _ORDERED | {FieldType.BOOLEAN},
    "count": frozenset(FieldType),
    "sum": NUMBERS,
    "average": NUMBERS,
    "min": _ORDERED,
    "max": _ORDERED,
}
"""The types of fields that a method takes (SPEC section 3.4, the table)."""

_NATIVE: Final = NUMBERS | {FieldType.BOOLEAN}
"""Types whose values json has types for; a value of any other scalar type is a string there anyway."""
KINDS: Final = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "a number"),
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: "a date",
    FieldType.DATETIME: "a time",
    FieldType.LIST: "a list",
    FieldType.JSON: "an object",
}


# --- Choosing


@dataclass(frozen=True)
class Choice:
    """A method as it is offered for a field; `refused` says in a few words why the field cannot take it."""

    method: str
    label: str
    refused: str = ""


def choices(field: DataField) -> tuple[Choice, ...]:
    """All methods, in the order of the screen."""
    return tuple(Choice(method, label, _refused(method, field)) for method, label in LABELS.items())


def _refused(method: str, field: DataField) -> str:
    if field.computed:
        return "not for computed fields"
    if method == "group" and field.identifier:
        return "identifies one record"
    if field.type in TAKEN[method]:
        return ""
    return "needs a number" if method in ("sum", "average") else f"not for {KINDS[field.type]}"


# --- Rules


def problems(definition: Definition, model: DataModel) -> Iterator[Problem]:
    """Every rule of Aggregation that a definition breaks, warnings included."""
    if not definition.aggregation:
        yield from _off(definition, model)
        return
    if definition.all_fields:
        yield Problem("all_fields", "aggregation.all_fields", "All fields cannot be used with Aggregation")
        return
    known = [(f"fields.{place}", one, model.fields.get(one.from_)) for place, one in enumerate(definition.fields)]
    for at, column, field in known:
        if field is not None:
            yield from _method(at, column, field)
            yield from _warnings(at, column, field, model)
    yield from _one_count(definition, model)
    if definition.fields and all(one.aggregation != "group" for one in definition.fields):
        yield Problem("fields", "aggregation.no_group", "Choose Group for at least one field")


def _off(definition: Definition, model: DataModel) -> Iterator[Problem]:
    """Options that do not apply are left out (SPEC section 11)."""
    for place, one in enumerate(definition.fields):
        if one.aggregation is not None:
            aggregate, label = LABELS[one.aggregation], _label(one, model)
            message = f"Aggregation is off: switch it on, or take {aggregate} away from {label}"
            yield Problem(f"fields.{place}.aggregation", "aggregation.off", message)


def _label(column: Column, model: DataModel) -> str:
    field = model.fields.get(column.from_)
    return field.label if field else column.from_


def _method(at: str, column: Column, field: DataField) -> Iterator[Problem]:
    """The field has a method, and one that fits it."""
    method = column.aggregation
    code, message = "", ""
    if field.computed:
        code, message = "computed", f"{field.label} is computed and cannot be aggregated"
    elif method is None:
        code, message = "missing", f"Choose an aggregation for {field.label}"
    elif method == "group" and field.identifier:
        said = f"{field.label} identifies one record, so it cannot be Group."
        code, message = "identifier", f"{said} Choose Count, Min or Max, or remove the field."
    elif field.type not in TAKEN[method]:
        code, message = _misfit(method, field)
    if code:
        yield Problem(f"{at}.aggregation", f"aggregation.{code}", message)


def _misfit(method: str, field: DataField) -> tuple[str, str]:
    sort = KINDS[field.type]
    if field.type in (FieldType.LIST, FieldType.JSON):
        return "only_count", f"{field.label} is {sort}: only Count can be used"
    if method in ("sum", "average"):
        return "number", f"Sum and Average need a number: {field.label} is {sort}"
    return "order", f"Min and Max need a text, a number, a date or a time: {field.label} is {sort}"


def _warnings(at: str, column: Column, field: DataField, model: DataModel) -> Iterator[Problem]:
    """What people expect otherwise. The key of a record is never empty: counting it needs no words."""
    method = column.aggregation
    if method == "count" and field.id != model.key and not field.computed:
        message = "Count counts entries, also where the field is empty"
        yield Problem(f"{at}.aggregation", "aggregation.counts_entries", message, warning=True)
    if method not in (None, "group") and column.replace:
        aggregate = LABELS[method]
        message = f"Replace values are not applied to {aggregate}: they work on Group"
        yield Problem(f"{at}.replace", "aggregation.not_replaced", message, warning=True)


def _one_count(definition: Definition, model: DataModel) -> Iterator[Problem]:
    counts = [(place, one) for place, one in enumerate(definition.fields) if one.aggregation == "count"]
    for place, _column in counts[1:]:
        label = _label(counts[0][1], model)
        message = f"Only one field can be Count: {label} already is"
        yield Problem(f"fields.{place}.aggregation", "aggregation.second_count", message)


# --- Groups


@dataclass(frozen=True)
class Groups:
    """The groups in place of the records: `cells` are the columns of the file over `relation`, `keys` their order."""

    relation: sa.FromClause
    cells: tuple[Cell, ...]
    keys: tuple[Expression, ...]

    @property
    def order(self) -> list[Expression]:
        """By the rendered group keys, by code point (SPEC section 6); an empty key is the empty text: the first."""
        return [sa.nulls_first(sa.collate(key, "C")) for key in self.keys]


def groups(cells: Sequence[Cell], context: Context, where: Expression, native: bool) -> Groups:
    """The groups of the records that match. `native`: the file has types of its own for numbers and truth values."""
    firsts: dict[Hashable, int] = {}
    places = [firsts.setdefault(_sameness(cell), place) for place, cell in enumerate(cells)]
    own = [(place, cells[place]) for place in firsts.values()]
    columns = [one for place, cell in own for one in _read(cell, context, place, native)]
    records: Any = sa.select(*columns).select_from(context.relation).where(where)
    if any(_is_slow(cell) for _place, cell in own):
        records = records.offset(0)  # a fence: without it the value is worked out anew at each place where it stands
    read = records.subquery("records")
    keys = [one for one in read.c if one.name.startswith("k")]
    results = [
        _result(cell, read.c.get(f"v{place}")).label(f"v{place}") for place, cell in own if _has_result(cell, native)
    ]
    found = sa.select(*keys, *results).group_by(*keys).subquery("groups")
    shown = tuple(
        _result_cell(cell, f"v{place}") if _has_result(cell, native) else _key_cell(cell, f"k{place}")
        for place, cell in zip(places, cells, strict=True)
    )
    return Groups(found, shown, tuple(found.c[key.name] for key in keys))


def _sameness(cell: Cell) -> Hashable:
    """What two columns that are worked out alike have in common: with 500 columns of few fields most are."""
    if cell.method == "group":
        return cell.field.id, cell.field.mask, cell.method, cell.default, *cell.replace.items()
    return cell.field.id, cell.method


def _has_result(cell: Cell, native: bool) -> bool:
    """Whether an aggregate is shown: always but for a key that is shown as its text."""
    return cell.method != "group" or (native and cell.field.type in _NATIVE)


def _is_slow(cell: Cell) -> bool:
    """Whether reading the value costs more than the fence, about 40 ns."""
    field = cell.field
    return cell.method not in ("group", "count") and bool(field.path or field.translated or field.stored)


def _read(cell: Cell, context: Context, place: int, native: bool) -> Iterator[sa.Label[Any]]:
    """What is read of each record: the finished text of a key (k), the value that a method works on (v)."""
    field = cell.field
    if cell.method == "group":
        key = sa.cast(text_cell(cell, context, protect=False), sa.Text())
        yield sa.collate(key, "C").label(f"k{place}")
        if _has_result(cell, native):
            yield sa.collate(json_cell(cell, context), "C").label(f"v{place}")
    elif field.type in TEXTS and cell.method != "count":
        yield sa.collate(sa.func.nullif(value(field, context), literal("")), "C").label(f"v{place}")
    elif cell.method in ("sum", "average") and field.stored:
        yield exact(value(field, context)).label(f"v{place}")
    elif cell.method != "count":
        yield value(field, context).label(f"v{place}")


def _result_cell(cell: Cell, column: str) -> Cell:
    """A result is shown as a value of its type is; of a key the Default is in it already."""
    field, type = cell.field, cell.field.type
    if cell.method == "group":
        type = FieldType.JSON
    elif cell.method == "count":
        type = FieldType.INTEGER
    elif type == FieldType.INTEGER and (field.path or cell.method in ("sum", "average")):
        type = FieldType.FLOAT
    stored = field.stored if cell.method in ("min", "max") else ""
    made = DataField(column, "", type, column=column, stored=stored)
    return Cell(made, cell.header, "" if cell.method == "group" else cell.default)


def _key_cell(cell: Cell, column: str) -> Cell:
    """A finished key: nothing is left to be done but the spreadsheet guard, which must not make one of two keys.

    A column of numbers or dates is guarded where a person put a text; a member of an object can be any text.
    """
    field = cell.field
    if field.type in TEXTS or field.path:
        return Cell(DataField(column, "", field.type, column=column, stored="text"), cell.header)
    # A moment's text is finished as a day's is, which nothing is done to.
    type = FieldType.DATE if field.type == FieldType.DATETIME else field.type
    put = {new: new for new in (*cell.replace.values(), cell.default) if guarded(new) != new}
    return Cell(DataField(column, "", type, column=column), cell.header, replace=put)


# --- Results


def _result(cell: Cell, value: Any) -> Expression:
    """The aggregate of a group's values."""
    if cell.method == "group":
        # A number and a text put in place of another can read alike: of the two the text, as its quote is the lesser.
        return sa.cast(sa.func.min(value), JSONB())
    if cell.method == "count":
        return sa.func.count()
    if cell.method == "sum":
        return sa.func.sum(value)
    return _average(value) if cell.method == "average" else _extreme(cell, value)


def _average(number: Expression) -> Expression:
    """Rounded half up (away from zero) to 10 decimals: avg() would round a first time, to about 16 digits."""
    total, entries = sa.func.sum(number), sa.func.count(number)
    quotient = sa.func.div(sa.func.abs(total) * sa.literal_column("20000000000") + entries, entries * 2)
    return sa.func.trim_scale(sa.func.sign(total) * quotient * sa.literal_column("0.0000000001"))


def _extreme(cell: Cell, value: Expression) -> Expression:
    """The least or greatest value as it is stored; one empty value makes an empty Min, Max looks past them."""
    least = cell.method == "min"
    aggregate: Any = sa.func.min if least else sa.func.max
    found: Expression
    if cell.field.type in NUMBERS and not cell.field.stored and (cell.field.path or cell.field.type == FieldType.FLOAT):
        # 1.5 and 1.50 are equal: the one with fewer decimals, lest chance decide which stands in the file.
        decimals = sa.func.scale(value) if least else -sa.func.scale(value)
        pair: Any = array([value, decimals], type_=sa.Numeric())
        found = aggregate(pair, type_=ARRAY(sa.Numeric())).filter(value.is_not(None))[sa.literal_column("1")]
    else:
        found = aggregate(value)
    return sa.case((sa.func.count(value) == sa.func.count(), found)) if least else found
