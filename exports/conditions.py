"""The SQL of every operator. Values are bound, empty records follow REFERENCE 2.4, columns stay bare for their indexes.

Empty = NULL, a missing member, the empty text, list or object. The operators that deny ("does not equal", "is none of")
include empty records; orderings never match them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from exports.catalogue import DataField, FieldType
from exports.columns import NUMBERS, TEXTS, Context, Expression, literal, member_json, stored, value
from exports.criteria import Test, read
from exports.moments import starts
from exports.surroundings import Filters
from exports.values import LocalSpan

Compare = Callable[[Expression, Any], Expression]


class folded(FunctionElement[str]):
    """A text without the difference of capital letters (REFERENCE 2.2): how depends on the server."""

    inherit_cache = True
    name = "folded"
    type = sa.Text()


@compiles(folded)
def _folded(element: Any, compiler: Any, **options: Any) -> str:
    text = compiler.process(element.clauses, **options)
    return f'lower(({text}) COLLATE "pg_c_utf8")' if compiler.dialect.folds_unicode else f"lower({text})"


def each_of(filters: Filters, context: Context) -> tuple[tuple[Expression, ...], ...]:
    """Every criterion as a condition, in its set.

    Raises:
        CriterionRefused: one of them cannot be used; `rules.problems` says so before.
        DateOutOfRange: an expression leads out of the calendar from the moment of the run.
    """
    tests = ([meant(read(one, context.model), context) for one in set_] for set_ in filters if set_)
    return tuple(tuple(condition(one, context) for one in set_) for set_ in tests)


def any_of(sets: Iterable[Iterable[Expression]]) -> Expression:
    """OR sets of AND criteria as one condition; without any set all records."""
    wholes = [sa.and_(*set_) for set_ in sets]
    return sa.or_(*wholes) if wholes else sa.true()


def all_of(filters: Filters, context: Context) -> Expression:
    """OR sets of AND criteria as one condition. Raises as `each_of`."""
    return any_of(each_of(filters, context))


def meant(test: Test, context: Context) -> Test:
    """With the days and times of the run in place of expressions; only these ask the source for its clocks."""
    return test.at(context.surroundings.moment, context.zone) if test.is_relative else test


def condition(test: Test, context: Context) -> Expression:
    """One criterion as a condition."""
    field, id = test.field, test.operator.id
    if id in ("is_empty", "is_not_empty"):
        empty = _is_empty(field, context)
        return empty if id == "is_empty" else sa.not_(empty)
    if test.operator.input.members:
        from exports.special import records  # they are made of conditions: a circle otherwise

        return records.condition(test, context)
    column = value(field, context)
    if id in DENIED:
        return not_true(compare(field, DENIED[id], column, test.value, context))
    return compare(field, id, column, test.value, context)


DENIED: Final = {
    "not_equals": "equals",
    "not_contains": "contains",
    "not_in": "in",
    "not_has_key": "has_key",
}
"""What each denying operator denies: it is true where the other is false or cannot be told."""


def not_true(holds: Expression) -> Expression:
    """What denies: true where the other is false or cannot be told (REFERENCE 2.4)."""
    return holds.is_not(sa.true())


def compare(field: DataField, id: str, column: Expression, given: Any, context: Context) -> Expression:
    """One of the operators that affirm."""
    if id in ("anniversary", "age_range"):
        from exports.special import years

        return years.CONDITIONS[id](field, column, given, context)
    if field.type in TEXTS:
        return TEXT[id](column, given)
    if field.type in NUMBERS:
        return NUMBER[id](column, given)
    if field.type == FieldType.DATE:
        return DAY[id](column, given)
    if field.type == FieldType.DATETIME:
        return moment(id, column, given, context)
    if field.type == FieldType.BOOLEAN:
        return column.is_(sa.true() if given else sa.false())
    if field.type == FieldType.LIST:
        return _list(field, id, column, given, context)
    return sa.and_(can_have_members(column), column.op("?", is_comparison=True)(literal(given)))


def can_have_members(column: Expression) -> Expression:
    """Whether what `?` finds in a JSONB value is the name of a member, no entry of a list and no text.

    Told by what it is not: of a function that is to equal something the planner expects one row in 200, and for two
    rows it compared each of 1.6 million events with each of 345 customers.
    """
    return sa.func.jsonb_typeof(column).not_in([sa.literal_column("'array'"), sa.literal_column("'string'")])


# --- texts


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def texts(values: Iterable[str]) -> Expression:
    """Bound texts as one array."""
    type_ = ARRAY(sa.Text())
    return sa.cast(sa.literal(list(values), type_), type_)


def _one_of(column: Expression, values: Expression) -> Expression:
    return column == sa.any_(values)


TEXT: Final[dict[str, Compare]] = {
    "equals": lambda column, given: column == literal(given),
    "contains": lambda column, given: sa.func.strpos(folded(column), folded(sa.cast(literal(given), sa.Text()))) > 0,
    "starts_with": lambda column, given: column.like(literal(f"{_escaped(given)}%")),
    "ends_with": lambda column, given: column.like(literal(f"%{_escaped(given)}")),
    "in": lambda column, given: _one_of(column, texts(given)),
}


# --- numbers


def _number(given: int | Decimal) -> Expression:
    return sa.literal(given, sa.BigInteger() if isinstance(given, int) else sa.Numeric())


def _numbers(given: Iterable[int | Decimal]) -> Expression:
    values = list(given)
    type_ = ARRAY(sa.BigInteger() if all(isinstance(one, int) for one in values) else sa.Numeric())
    return sa.cast(sa.literal(values, type_), type_)


def _between(column: Expression, given: tuple[Any, Any], bound: Callable[[Any], Expression]) -> Expression:
    low, high = given
    bounds = [] if low is None else [column >= bound(low)]
    return sa.and_(*bounds, *([] if high is None else [column <= bound(high)]))


NUMBER: Final[dict[str, Compare]] = {
    "equals": lambda column, given: column == _number(given),
    "lt": lambda column, given: column < _number(given),
    "lte": lambda column, given: column <= _number(given),
    "gt": lambda column, given: column > _number(given),
    "gte": lambda column, given: column >= _number(given),
    "between": lambda column, given: _between(column, given, _number),
    "in": lambda column, given: _one_of(column, _numbers(given)),
}


# --- days and moments


def _day(given: date) -> Expression:
    return sa.literal(given, sa.Date())


DAY: Final[dict[str, Compare]] = {
    "equals": lambda column, given: column == _day(given),
    "lt": lambda column, given: column < _day(given),
    "lte": lambda column, given: column <= _day(given),
    "gt": lambda column, given: column > _day(given),
    "gte": lambda column, given: column >= _day(given),
    "in_date": lambda column, given: _between(column, given, _day),
}


def since(column: Expression, local: datetime, context: Context) -> Expression:
    """Whether the clock in the export's zone reads `local` or later: one bound on most days (see `moments.starts`)."""
    flips = [_instant(column, one) for one in starts(context.zone, local)]
    spans = []
    for position in range(0, len(flips), 2):
        after = flips[position + 1 : position + 2]
        spans.append(sa.and_(column >= flips[position], *(column < one for one in after)))
    return sa.or_(*spans) if spans else column != column  # never, and unknown where the column is empty


def _instant(column: Expression, moment: datetime) -> Expression:
    """A moment to compare a column with, which may hold Unix times."""
    if isinstance(column.type, sa.Numeric):
        return sa.literal(Decimal(int(moment.timestamp())), sa.Numeric())
    return sa.literal(moment, sa.DateTime(timezone=True))


def before(column: Expression, local: datetime, context: Context) -> Expression:
    """Whether the clock in the export's zone reads earlier than `local`."""
    return sa.not_(since(column, local, context))


MOMENT: Final = {
    "lt": (before, "first"),
    "lte": (before, "after"),
    "gt": (since, "after"),
    "gte": (since, "first"),
}


def moment(id: str, column: Expression, given: Any, context: Context) -> Expression:
    """A datetime against a local day or second, all of which counts: `on or before` a day means up to its end."""
    if id == "in_date":
        first, last = given
        bounds = [] if first is None else [since(column, first.first, context)]
        return sa.and_(*bounds, *([] if last is None else [before(column, last.after, context)]))
    span: LocalSpan = given
    if id == "equals":
        return sa.and_(since(column, span.first, context), before(column, span.after, context))
    test, bound = MOMENT[id]
    return test(column, getattr(span, bound), context)


# --- lists, objects, emptiness


def _list(field: DataField, id: str, column: Expression, given: Any, context: Context) -> Expression:
    if field.items in (FieldType.DATE, FieldType.DATETIME):
        entries = sa.func.unnest(column).table_valued("value").render_derived(name="entry")
        type_: Any = sa.Date() if field.items == FieldType.DATE else sa.DateTime(timezone=True)
        entry = sa.type_coerce(entries.c.value, type_)
        on = DAY["equals"](entry, given) if field.items == FieldType.DATE else moment("equals", entry, given, context)
        return sa.exists(sa.select(sa.literal_column("1")).select_from(entries).where(on))
    elements = texts((given,) if id == "contains" else given)
    return column.op("&&" if id == "contains_any" else "@>", is_comparison=True)(elements)


NOTHING: Final = ("null", '""', "[]", "{}")


def _is_empty(field: DataField, context: Context) -> Expression:
    if field.type == FieldType.JSON or (field.type == FieldType.LIST and field.path):
        whole = value(field, context) if field.type == FieldType.JSON else _member(field, context)
        return sa.or_(whole.is_(None), *(whole == sa.cast(literal(one), JSONB()) for one in NOTHING))
    if field.type == FieldType.LIST:
        return sa.func.coalesce(sa.func.cardinality(value(field, context)), 0) == 0
    if field.type in TEXTS or field.path:
        text = value(field, context) if field.translated else stored(field, context)
        return sa.or_(text.is_(None), text == literal(""))
    return stored(field, context).is_(None)


def _member(field: DataField, context: Context) -> Expression:
    return member_json(context.relation.c[field.column], field.path)
