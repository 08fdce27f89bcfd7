"""Rows beside the record: of the referenced customer, and of the tables that the roles of the catalogue name.

All are semi-joins, EXISTS with an equality, so that the planner may hash them or walk an index, whichever is cheaper,
and none is done once for each pair of rows (REFERENCE 2.5). What denies is NOT of the same, which is never NULL.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from exports.catalogue import DataField, FieldType
from exports.columns import Context, Expression, literal, member, member_json, relation, value
from exports.special.attributes import CUSTOMERS, NO_COLUMNS

Role = Mapping[str, Any]
ONE: Final[Expression] = sa.literal_column("1")


def key(context: Context) -> Expression:
    """What tells the records of a context's model apart."""
    model = context.model
    column: Expression = context.relation.c[model.fields[model.key].column]
    return column


def of_customer(field: DataField, context: Context, holds: Callable[[Context], Expression]) -> Expression:
    """Whether something holds for the customer whom a record names in the field `field.through`.

    A record without a customer has none for whom it holds; of several customers one is enough.
    """
    from exports.query import of_brand  # statements are made of conditions: a circle otherwise

    model = context.catalogue.models[CUSTOMERS]
    inside = dataclasses.replace(context, model=model, relation=relation(model, context.surroundings))
    named = context.model.fields[field.through]

    def found(customer: Expression, outside: sa.FromClause) -> sa.Exists:
        where = (key(inside) == customer, of_brand(inside), holds(inside))
        return sa.exists(sa.select(ONE).select_from(inside.relation).where(*where).correlate(outside))

    if named.type == FieldType.LIST:
        return _one_of_several(named, context, found)
    return found(value(named, context), context.relation)


def _one_of_several(
    named: DataField, context: Context, found: Callable[[Expression, sa.FromClause], sa.Exists]
) -> Expression:
    """The records are read once more, with a row for each customer they name: an array by itself cannot be hashed.

    IS TRUE keeps the customers a sub-plan, hashed or looked up by key. As a join they came first where the planner
    expected only a few, and the records were read once for each of them.
    """
    from exports.query import of_brand

    again = dataclasses.replace(context, relation=relation(context.model, context.surroundings).alias("naming"))
    each = sa.func.unnest(value(named, again)).table_valued("id").render_derived(name="named")
    customer = sa.type_coerce(each.c.id, sa.Text())
    rows = sa.select(ONE).select_from(again.relation.join(each, sa.true()))
    where = (of_brand(again), key(again) == key(context), found(customer, each).is_(sa.true()))
    return sa.exists(rows.where(*where).correlate(context.relation))


def told_of_customer(field: DataField, context: Context, told: Callable[[Context], Expression]) -> Expression:
    """Something told of the customer whom a record names in `field.through`; NULL without one.

    Of a list of customers only how many there are, as more would be about nobody in particular.
    """
    from exports.query import of_brand

    model = context.catalogue.models[CUSTOMERS]
    inside = dataclasses.replace(context, model=model, relation=relation(model, context.surroundings))
    named = context.model.fields[field.through]
    if named.type == FieldType.LIST:
        return sa.func.to_jsonb(sa.func.nullif(sa.func.cardinality(value(named, context)), sa.literal_column("0")))
    of_one = sa.select(told(inside)).select_from(inside.relation)
    mine = of_one.where(key(inside) == value(named, context), of_brand(inside))
    return mine.correlate(context.relation).scalar_subquery()


def told_of_role(role: Role, part: str, context: Context) -> Expression:
    """The column `part` of a role with one row for a customer, as JSON."""
    if role["table"] == context.model.table:
        return sa.func.to_jsonb(_column(context.relation, role[part], json=True))
    rows = Rows.of(role, "told_of_customer", context)
    found = sa.select(sa.func.to_jsonb(_column(rows.table, role[part], json=True))).select_from(rows.table)
    mine = found.where(rows.brand, rows.text("customer") == key(context)).limit(1)
    return mine.correlate(context.relation).scalar_subquery()


def of_role(role: Role, part: str, context: Context, holds: Callable[[Expression], Expression]) -> Expression:
    """Whether something holds for the column `part` of a role with one row for a customer."""
    if role["table"] == context.model.table:
        return holds(_column(context.relation, role[part], json=True))
    rows = Rows.of(role, "of_customer", context)
    where = (rows.brand, rows.text("customer") == key(context), holds(_column(rows.table, role[part], json=True)))
    return sa.exists(sa.select(ONE).select_from(rows.table).where(*where).correlate(context.relation))


@dataclass(frozen=True)
class Rows:
    """The rows of a role's table under a name of their own, and the condition that holds them to the brand."""

    role: Role
    table: sa.FromClause
    brand: Expression

    @classmethod
    def of(cls, role: Role, name: str, context: Context) -> Rows:
        """The rows of the brand of a run."""
        schema, _, table = role["table"].rpartition(".")
        names = {one.partition(".")[0] for part, one in role.items() if part not in NO_COLUMNS}
        rows = sa.table(table, *map(sa.column, sorted(names)), schema=schema or None).alias(name)
        mine = sa.true() if role["brand"] == "all" else rows.c[role["brand"]] == literal(context.surroundings.brand)
        return cls(role, rows, mine)

    def text(self, part: str) -> Expression:
        """A column of the role as a text, also where it is the member of a JSONB column."""
        return _column(self.table, self.role[part])

    def moment(self, part: str) -> Expression:
        """A column of the role that holds moments."""
        return sa.type_coerce(self.text(part), sa.DateTime(timezone=True))


def _column(table: sa.FromClause, name: str, *, json: bool = False) -> Expression:
    first, *path = name.split(".")
    column: Expression = table.c[first]
    if not path:
        return column
    return member_json(column, tuple(path)) if json else member(column, tuple(path))
