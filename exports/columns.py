"""What the fields of a data model are in SQL: columns, members of JSONB columns, computed expressions.

Names come from the catalogue alone; whatever a person typed is a bound value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from dataclasses import field as made_by
from datetime import date, datetime
from functools import wraps
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from exports.catalogue import Catalogue, DataField, DataModel, FieldType
from exports.surroundings import Surroundings

Expression = sa.ColumnElement[Any]

TEXTS: Final = frozenset({FieldType.STRING, FieldType.TEXT, FieldType.ENUM, FieldType.REFERENCE})
NUMBERS: Final = frozenset({FieldType.INTEGER, FieldType.FLOAT})
TEXT: Final = sa.Text()
SQL_TYPES: Final[dict[FieldType, sa.types.TypeEngine[Any]]] = {
    **dict.fromkeys(TEXTS, sa.Text()),
    FieldType.INTEGER: sa.BigInteger(),
    FieldType.FLOAT: sa.Numeric(),
    FieldType.BOOLEAN: sa.Boolean(),
    FieldType.DATE: sa.Date(),
    FieldType.DATETIME: sa.DateTime(timezone=True),
    FieldType.LIST: ARRAY(sa.Text()),
    FieldType.JSON: JSONB(),
}

_DATE = (
    r"(?!0000)[0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)"
    r"|02-(0[1-9]|1[0-9]|2[0-8]))"
    r"|([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29"
)
"""Days that exist: PostgreSQL ends a whole COPY at a cast of `2021-02-30`, and takes words such as `tomorrow`."""
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]+)?)?"
IS_NUMBER: Final = r"^-?[0-9]+(\.[0-9]+)?$"
IS_DATE: Final = f"^({_DATE})$"
IS_LOCAL_TIME: Final = f"^({_DATE})[ T]{_CLOCK}$"
IS_TIME: Final = f"^({_DATE})[ T]{_CLOCK}(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$"


@dataclass(frozen=True)
class Context:
    """Where an expression stands: the model and the relation whose records are read, the export's zone, the run.

    `within` names the segments that are being written out right now: one that comes round again is a circle. `iso`:
    times in the file are told as ISO 8601 has them.
    """

    catalogue: Catalogue
    model: DataModel
    relation: sa.FromClause
    timezone: str
    surroundings: Surroundings
    within: tuple[str, ...] = ()
    iso: bool = False
    made: dict[tuple[str, int], tuple[DataField, Expression]] = made_by(init=False, default_factory=dict, repr=False)
    """What `once` has made for this relation already."""

    @property
    def zone(self) -> ZoneInfo:
        """The rules of the export's zone, by which the source tells times."""
        return self.surroundings.zone(self.timezone)

    @property
    def today(self) -> date:
        """The day of the run in the zone of the export."""
        return self.surroundings.moment.astimezone(self.zone).date()


class Written(sa.ColumnElement[Any]):
    """SQL that we write ourselves: in a statement of 500 columns SQLAlchemy's way to it (`ext.compiler`) costs 2 ms."""

    inherit_cache = False

    def written(self, compiler: Any) -> str:
        """The text of it."""
        raise NotImplementedError

    def _compiler_dispatch(self, visitor: Any, **options: Any) -> str:
        if told := options.get("add_to_result_map"):
            told(None, None, (self,), self.type)
        return self.written(visitor)


def _text_of(element: Any, compiler: Any) -> str:
    return element.written(compiler) if isinstance(element, Written) else compiler.process(element)


class Once(Written):
    """An expression that a statement holds in many places: each has the same text, which is written out once.

    500 columns show some 20 fields: writing each as if it were alone takes most of the time of a big statement.
    """

    def __init__(self, inner: Expression) -> None:
        self.inner = inner
        self.type = inner.type

    @property
    def _from_objects(self) -> Any:
        return self.inner._from_objects

    def self_group(self, against: Any = None) -> Any:
        """With parentheses where the expression itself would need them."""
        return self if self.inner.self_group(against) is self.inner else Form("({})", self)

    def written(self, compiler: Any) -> str:
        """See `Written`."""
        known: dict[Once, str] = vars(compiler).setdefault("written_once", {})
        if self not in known:
            known[self] = _text_of(self.inner, compiler)
        return known[self]


class Form(Written):
    """SQL of ours around some expressions, `coalesce({}, {})`: a tenth of the work of SQLAlchemy's own elements.

    For what stands in each of 500 columns. It must need no parentheses around it, and give them to what needs them.
    """

    def __init__(self, text: str, *parts: Expression, type_: sa.types.TypeEngine[Any] = TEXT) -> None:
        self.text = text
        self.parts = parts
        self.type = type_

    def written(self, compiler: Any) -> str:
        """See `Written`."""
        return self.text.format(*[_text_of(one, compiler) for one in self.parts])


Make = Callable[[DataField, Context], Expression]


def once(make: Make) -> Make:
    """What makes an expression of a field makes it once for each context, however often it is asked."""

    @wraps(make)
    def made(field: DataField, context: Context) -> Expression:
        key = (make.__qualname__, id(field))
        if key not in context.made:
            expression = make(field, context)
            plain = isinstance(expression, sa.ColumnClause | Once)
            context.made[key] = (field, expression if plain else Once(expression))
        return context.made[key][1]

    return made


class Bound(Written):
    """A text that stands beside the statement, never in it, at a quarter of the cost of SQLAlchemy's bindparam."""

    type = TEXT

    def __init__(self, value: str) -> None:
        self.value = value

    def written(self, compiler: Any) -> str:
        """See `Written`."""
        names: dict[Bound, str] = vars(compiler).setdefault("names_of_bound", {})
        return f"%({names.setdefault(self, f'text_{len(names)}')})s"


def bound_in(compiled: Any) -> dict[str, str]:
    """The bound texts of a compiled statement, by the names that stand in its text."""
    names: dict[Bound, str] = vars(compiled).get("names_of_bound", {})
    return {name: element.value for element, name in names.items()}


def literal(value: str) -> Expression:
    """A bound text."""
    return Bound(value)


def matches(value: Expression, pattern: str) -> Expression:
    """Whether a text matches one of the patterns of this module."""
    return value.op("~", is_comparison=True)(literal(pattern))


def relation(model: DataModel, surroundings: Surroundings) -> sa.FromClause:
    """What the records of a model are read from: its table, or for Customer fields the rows that are given along."""
    if model.table is None:
        columns = [sa.column(one.column, SQL_TYPES[one.type]) for one in model.fields.values()]
        rows = sa.cast(literal(_as_json(surroundings.customer_fields)), JSONB())
        function = sa.func.jsonb_to_recordset(rows).table_valued(*columns)
        return function.render_derived(name=model.id, with_types=True)
    schema, _, name = model.table.rpartition(".")
    return sa.table(name, *_columns(model), schema=schema or None)


def _as_json(rows: Iterable[Any]) -> str:
    def moment(value: Any) -> str:
        if isinstance(value, datetime):
            return value.isoformat()
        raise TypeError(f"{type(value).__name__} in a row of Customer fields")

    return json.dumps([dict(row) for row in rows], default=moment)


def _columns(model: DataModel) -> list[sa.ColumnClause[Any]]:
    names = {one.column for one in model.fields.values() if one.column and not one.sql}
    if model.brand != "all":
        names.add(model.brand)
    return [sa.column(name) for name in sorted(names)]


def stored(field: DataField, context: Context) -> Expression:
    """The value as it is stored, before any thought about its type: a column, a JSONB member, a computed expression."""
    if field.special is not None:
        from exports.segments import membership  # a segment's filter is made of columns: a circle otherwise

        return membership(context)
    if field.sql is not None:
        return computed(field, context)
    column = _column(field, context)
    return member(column, field.path) if field.path else column


def computed(field: DataField, context: Context) -> Expression:
    """A computed field's own SQL from the catalogue, with the brand, the day and the moment of the run bound."""
    written = sa.text(f"({field.sql})")
    used: dict[str, Any] = {"brand": context.surroundings.brand, "moment": context.surroundings.moment}
    used = {name: value for name, value in used.items() if f":{name}" in written.text}
    if ":today" in written.text:
        used["today"] = context.today
    return sa.type_coerce(written.bindparams(**used), SQL_TYPES[field.type])


def member(column: Expression, path: tuple[str, ...]) -> Expression:
    """The text of a JSONB member."""
    return _member(column, path, ("->>", "#>>"), sa.Text())


def member_json(column: Expression, path: tuple[str, ...]) -> Expression:
    """A JSONB member as it is."""
    return _member(column, path, ("->", "#>"), JSONB())


def _member(column: Expression, path: tuple[str, ...], operators: tuple[str, str], type_: Any) -> Expression:
    if len(path) == 1:
        return column.op(operators[0], return_type=type_)(literal(path[0]))
    return column.op(operators[1], return_type=type_)(
        sa.cast(sa.literal(list(path), ARRAY(sa.Text())), ARRAY(sa.Text()))
    )


@once
def value(field: DataField, context: Context) -> Expression:
    """The value in the type that the field says, for comparing; NULL for a JSONB member that is of another type."""
    column = stored(field, context)
    if field.path:
        return _MEMBER_AS[field.type](field, context, column)
    if field.translated:
        return translated(column)
    return column


def translated(column: Expression) -> Expression:
    """The text of a translated field in the default language: English, else the first there is (REFERENCE 5.3).

    An empty translation is none (REFERENCE 2.4).
    """
    first = sa.func.jsonb_path_query_first(column, sa.cast(literal('$.* ? (@ != "")'), _JSONPATH))
    plain = sa.case((sa.func.jsonb_typeof(column) == literal("string"), member(column, ())))
    return sa.func.coalesce(sa.func.nullif(member(column, ("en",)), literal("")), member(first, ()), plain)


class _JsonPath(sa.types.UserDefinedType[str]):
    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        return "JSONPATH"


_JSONPATH = _JsonPath()


def _member_text(field: DataField, context: Context, text: Expression) -> Expression:
    return translated(member_json(_column(field, context), field.path)) if field.translated else text


def _member_number(field: DataField, context: Context, text: Expression) -> Expression:
    """A number of JSON needs no look at its text, which takes twice as long; a text can be a number too."""
    whole = member_json(_column(field, context), field.path)
    is_number = sa.func.jsonb_typeof(whole) == literal("number")
    number = sa.Numeric()
    return sa.case((is_number, sa.cast(whole, number)), (matches(text, IS_NUMBER), sa.cast(text, number)))


def _member_truth(_field: DataField, _context: Context, text: Expression) -> Expression:
    return sa.case((text == literal("true"), sa.true()), (text == literal("false"), sa.false()))


def _member_day(_field: DataField, _context: Context, text: Expression) -> Expression:
    return sa.case((matches(text, IS_DATE), sa.cast(text, sa.Date())))


def _member_moment(_field: DataField, _context: Context, text: Expression) -> Expression:
    """A time without an offset is UTC (REFERENCE 5.2), whatever the zone of the session."""
    moment = sa.DateTime(timezone=True)
    return sa.case(
        (matches(text, IS_TIME), sa.cast(text, moment)),
        (matches(text, IS_LOCAL_TIME), sa.cast(text.concat(literal("Z")), moment)),
        (matches(text, IS_DATE), sa.cast(text.concat(literal(" 00:00Z")), moment)),
    )


def _member_list(field: DataField, context: Context, _text: Expression) -> Expression:
    array = member_json(_column(field, context), field.path)
    elements = sa.func.jsonb_array_elements_text(array).column_valued("element")
    return sa.case(
        (sa.func.jsonb_typeof(array) == literal("array"), sa.func.array(sa.select(elements).scalar_subquery()))
    )


def _member_object(field: DataField, context: Context, _text: Expression) -> Expression:
    return member_json(_column(field, context), field.path)


def _column(field: DataField, context: Context) -> Expression:
    column: Expression = context.relation.c[field.column]
    return column


_MEMBER_AS: Final = {
    **dict.fromkeys(TEXTS, _member_text),
    **dict.fromkeys(NUMBERS, _member_number),
    FieldType.BOOLEAN: _member_truth,
    FieldType.DATE: _member_day,
    FieldType.DATETIME: _member_moment,
    FieldType.LIST: _member_list,
    FieldType.JSON: _member_object,
}
