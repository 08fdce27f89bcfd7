"""A value as it stands in the file, in SQL: type, time zone, Replace values, Default, the spreadsheet guard.

SPEC sections 3.4 and 6. The forms are the fastest of those measured (DESIGN section 2, "Best forms"). The session sets
TimeZone to the export's zone and DateStyle to ISO.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as made_by
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

from exports import masks
from exports.catalogue import DataField, DataModel, FieldType
from exports.columns import NUMBERS, TEXTS, Context, Expression, Form, literal, member_json, once, stored, value
from exports.definition import Aggregation, Column, Definition

GUARDED: Final = (*map(ord, "=+-@\t\r\n"), 0xFF1D, 0xFF0B, 0xFF0D, 0xFF20)
"""Code points by which a spreadsheet takes a text for a formula (SPEC section 6): = + - @, TAB, CR, LF, full-width."""
NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_TEXT = sa.Text()
_as_json = json.JSONEncoder(ensure_ascii=False).encode
_STRING_OR_GAP = r'("(?:[^"\\]|\\.)*")|([:,]) '
"""A JSON string, or a colon or comma with the space that jsonb prints behind it."""


@dataclass(frozen=True)
class Cell:
    """One column of the file: which field, under which header, with what in place of some values and of empty ones.

    `method` is what makes one value of a group's, if the file is aggregated.
    """

    field: DataField
    header: str
    default: str = ""
    replace: Mapping[str, str] = made_by(default_factory=dict)
    method: Aggregation | None = None


def cells(definition: Definition, model: DataModel) -> tuple[Cell, ...]:
    """The columns of the file, in order: those chosen, or all fields of the model."""
    if definition.all_fields:
        return tuple(Cell(one, one.id) for one in model.all_fields)
    shown = {(one.from_, one.mask): masks.masked(model.fields[one.from_], one.mask) for one in definition.fields}
    return tuple(
        Cell(shown[one.from_, one.mask], one.header, one.default, _replaced(one), one.aggregation)
        for one in definition.fields
    )


def _replaced(column: Column) -> dict[str, str]:
    return {one.value: one.new for one in column.replace}


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text and ord(text[0]) in GUARDED else text


# --- csv and psv: the text of a cell, NULL for an empty one


def text_cell(cell: Cell, context: Context, protect: bool) -> Expression:
    """The value of a csv cell as COPY is to print it; NULL where the cell is empty."""
    if not cell.replace and not cell.default and not (protect and _can_be_text(cell.field)):
        return _plain(cell.field, context)
    text = as_text(cell.field, context)
    shown = _guarded(cell.field, context) if protect and _can_be_text(cell.field) else text
    if cell.replace:
        put = {old: _put(new or cell.default, cell.field, protect) for old, new in cell.replace.items()}
        shown = _looked_up(put, text, shown)
    if _can_be_text(cell.field) or cell.replace:
        shown = Form("nullif({}, '')", shown)
    default = _put(cell.default, cell.field, protect)
    return Form("coalesce({}, {})", shown, literal(default)) if default else shown


def _looked_up(put: Mapping[str, str], text: Expression, otherwise: Expression) -> Expression:
    """The new value, by one constant whatever the number of entries, or another if this is none of the old ones."""
    constant = literal(_as_json(put))
    return Form("coalesce(CAST({} AS JSONB) ->> ({}), {})", constant, text, otherwise)


def _put(new: str, field: DataField, protect: bool) -> str:
    """What a person put in place of a value: in a column of numbers or dates, a number stays as it is."""
    if not protect or (field.type not in TEXTS and NUMBER.fullmatch(new)):
        return new
    return guarded(new)


@once
def _guarded(field: DataField, context: Context) -> Expression:
    """A member of an object need not be of the type that its field says: what is no number is guarded there too."""
    text = as_text(field, context)
    formula: Expression = sa.func.ascii(text).in_([sa.literal_column(str(code)) for code in GUARDED])
    if field.type not in TEXTS:
        formula = sa.and_(formula, text.op("!~", is_comparison=True)(literal(f"^{NUMBER.pattern}$")))
    return sa.case((formula, literal("'").concat(text)), else_=text)


def _can_be_text(field: DataField) -> bool:
    """Whether the cell is any text, the empty one too: a member of an object need not be of its field's type."""
    loose = bool(field.path) or field.stored == "text"
    return field.type in TEXTS or (loose and field.type not in (FieldType.LIST, FieldType.JSON))


@once
def _plain(field: DataField, context: Context) -> Expression:
    """An unchanged value in the type that COPY prints as it is to stand in the file."""
    if _can_be_text(field):
        return sa.func.nullif(as_text(field, context), literal(""))
    if field.type in NUMBERS and not field.stored:
        return stored(field, context)
    if field.type == FieldType.DATE:
        return stored(field, context)
    if field.type == FieldType.DATETIME:
        return _local(stored(field, context), context)
    return as_text(field, context)


_SCALARS: Final = NUMBERS | {FieldType.BOOLEAN, FieldType.DATE}


@once
def as_text(field: DataField, context: Context) -> Expression:
    """The rendered text of a value, which Replace values compares with: under a mask what the mask leaves of it."""
    if field.unmasked is not None:
        return masks.text(field.mask, as_text(field.unmasked, context))
    if field.type in TEXTS or field.stored == "text":
        return value(field, context)
    if field.path and field.type in _SCALARS:
        return stored(field, context)
    if field.type in NUMBERS and field.stored == "double precision":
        return sa.cast(exact(stored(field, context)), _TEXT)
    if field.type == FieldType.DATETIME:
        local = sa.cast(_local(value(field, context), context), _TEXT)
        return sa.func.coalesce(local, stored(field, context)) if field.path else local
    if field.type == FieldType.LIST and not field.path:
        return sa.cast(_array(field, context), _TEXT)
    if field.type in (FieldType.LIST, FieldType.JSON):
        return compact(_json(field, context))
    return sa.cast(stored(field, context), _TEXT)


def exact(number: Expression) -> Expression:
    """The shortest digits of a double precision that read back equal, as numeric: without an exponent."""
    return sa.cast(sa.cast(number, _TEXT), sa.Numeric())


def _local(moment: Expression, context: Context) -> Expression:
    """The wall clock in the session's zone, fractions of a second cut; as ISO 8601 has it with the offset behind it.

    to_char alone would tell years before Christ as years after it; of infinity it tells nothing.
    """
    local: Expression = sa.func.date_trunc(sa.literal_column("'second'"), sa.cast(moment, sa.DateTime()))
    if not context.iso:
        return local
    zoned = sa.cast(moment, sa.DateTime(timezone=True))
    offset = sa.func.coalesce(sa.func.to_char(zoned, literal("TZH:TZM")), literal(""))
    return sa.func.regexp_replace(sa.cast(local, _TEXT), literal(" "), literal("T"), type_=_TEXT).concat(offset)


def _array(field: DataField, context: Context) -> Expression:
    """A list as json, which PostgreSQL prints without spaces; its moments in the session's zone."""
    column = value(field, context)
    if field.items == FieldType.DATETIME:
        element = sa.func.unnest(column).column_valued("element")
        local = sa.cast(_local(element, context), _TEXT)
        column = sa.case((column.is_not(None), sa.func.array(sa.select(local).scalar_subquery())))
    return sa.func.to_json(column, type_=JSON())


def _json(field: DataField, context: Context) -> Expression:
    whole = member_json(context.relation.c[field.column], field.path) if field.path else stored(field, context)
    for nothing in ("null", '""'):
        whole = sa.func.nullif(whole, sa.cast(literal(nothing), JSONB()), type_=JSONB())
    return whole


def compact(whole: Expression) -> Expression:
    """The text of a jsonb value without the spaces that PostgreSQL prints.

    json_strip_nulls writes JSON anew without spaces, in 0.3 us; where a null (or the word) occurs, which it would drop,
    the spaces outside of strings are taken out by a regular expression, in 5 us.
    """
    text = sa.cast(whole, _TEXT)
    written = sa.cast(sa.func.json_strip_nulls(sa.cast(whole, JSON())), _TEXT)
    squeezed = sa.func.regexp_replace(text, literal(_STRING_OR_GAP), literal(r"\1\2"), literal("g"))
    return sa.case((sa.func.strpos(text, literal("null")) == 0, written), else_=squeezed)


# --- json: the JSON text of a value


def json_cell(cell: Cell, context: Context) -> Expression:
    """The JSON text of a value: native if unchanged, a string if replaced or defaulted, null if empty."""
    empty = _as_json(cell.default) if cell.default else "null"
    shown = Form("coalesce({}, {})", as_json(cell.field, context), literal(empty))
    if not cell.replace:
        return shown
    put = {old: _as_json(new) if new else empty for old, new in cell.replace.items()}
    return _looked_up(put, as_text(cell.field, context), shown)


@once
def as_json(field: DataField, context: Context) -> Expression:
    """The JSON text of an unchanged value; NULL for an empty one."""
    if field.type in (FieldType.LIST, FieldType.JSON):
        return as_text(field, context)
    if field.path and field.type in NUMBERS | {FieldType.BOOLEAN}:
        return sa.cast(_json(field, context), _TEXT)
    if field.type in NUMBERS:
        return _json_number(field, stored(field, context))
    if field.type == FieldType.BOOLEAN:
        return as_text(field, context)
    return sa.cast(sa.func.to_json(sa.func.nullif(as_text(field, context), literal(""))), _TEXT)


def _json_number(field: DataField, number: Expression) -> Expression:
    """JSON has no NaN and no infinity: they are null there (SPEC section 6)."""
    if field.type == FieldType.INTEGER and not field.stored:
        return sa.cast(number, _TEXT)
    digits = exact(number) if field.stored else number
    finite = sa.func.abs(digits) < sa.cast(literal("Infinity"), sa.Numeric())
    return sa.case((finite, sa.cast(digits, _TEXT)))
