"""User groups: who is in one is in every group above it (REFERENCE 2.3: "any chosen group or a descendant of it")."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from exports.columns import Context, Expression, value
from exports.conditions import texts
from exports.criteria import Test
from exports.special.attributes import CUSTOMERS
from exports.special.reading import Chosen
from exports.special.rows import Rows, of_role


def belongs(test: Test, context: Context) -> Expression:
    """Whether a customer, or a record that has groups of its own, is in one of the chosen groups or below it."""
    within = _chosen_and_below(test.value, context)

    def overlaps(groups: Expression) -> Expression:
        return sa.type_coerce(groups, ARRAY(sa.Text())).op("&&", is_comparison=True)(within)

    own = context.model.fields.get("group_id" if test.field.through else test.field.id)
    if own is not None:
        return overlaps(value(own, context))
    if context.model.id != CUSTOMERS:
        raise LookupError(f"{context.model.id} has no field {test.field.id}")
    return of_role(context.catalogue.roles["group_membership"], "groups", context, overlaps)


def _chosen_and_below(chosen: Chosen, context: Context) -> Expression:
    """All ids as one array, worked out once for the statement. UNION ends a circle of parents where it closes.

    Both parts of a recursive query need one collation; the array needs that of the index on lists of groups.
    """
    start = sa.select(sa.collate(sa.func.unnest(texts(chosen.ids)), "C").label("id"))
    below = start.cte(recursive=True)
    groups = Rows.of(context.catalogue.roles["group_parent"], "part", context)
    children = sa.select(sa.collate(groups.text("group"), "C")).select_from(
        groups.table.join(below, groups.text("parent") == below.c.id)
    )
    below = below.union(children.where(groups.brand))
    return sa.func.array(sa.select(sa.collate(below.c.id, "default")).scalar_subquery(), type_=ARRAY(sa.Text()))
