"""What customers did: actions, purchases that were not taken back, claims in a range of time."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from exports.columns import Context, Expression, literal
from exports.conditions import moment, texts
from exports.criteria import Test
from exports.special.reading import Chosen
from exports.special.rows import ONE, Rows, key


def taken(test: Test, context: Context) -> Expression:
    """Whether a customer has done one of the actions so often (each is counted by itself), in a range of time."""
    chosen: Chosen = test.value
    rows = _rows(context)
    return _so_often(rows, chosen, context, "action", [rows.text("action") == sa.any_(texts(chosen.ids))])


def claimed(chosen: Chosen, context: Context) -> Expression:
    """Whether a customer has claimed one of the rewards so often in a range of time."""
    rows = _rows(context)
    claims = rows.text("action") == literal(rows.role["claim"])
    return _so_often(rows, chosen, context, "reward", [claims, rows.text("reward") == sa.any_(texts(chosen.ids))])


def bought(test: Test, context: Context) -> Expression:
    """Whether a customer has bought one of the products, in a range of time, and not given it back.

    Taken back is what the roles of the catalogue say: everything of a transaction that was rejected or refunded as a
    whole, and of others each product that was returned, however many of it.
    """
    chosen: Chosen = test.value
    rows, back = _rows(context), _rows(context, "back")
    role = rows.role
    whole, single = texts(role["taken_back"]), texts(role["item_taken_back"])
    taken_back = (
        sa.select(ONE)
        .select_from(back.table)
        .where(
            back.brand,
            back.text("transaction") == rows.text("transaction"),
            # Said first in the words of the partial index, so that the planner sees that it serves.
            back.text("action") == sa.any_(texts([*role["taken_back"], *role["item_taken_back"]])),
            sa.or_(
                back.text("action") == sa.any_(whole),
                sa.and_(back.text("action") == sa.any_(single), back.text("product") == rows.text("product")),
            ),
        )
    )
    items = [
        rows.text("action") == literal(role["purchase"]),
        rows.text("product") == sa.any_(texts(chosen.ids)),
        sa.not_(sa.exists(taken_back.correlate(rows.table))),
    ]
    return _so_often(rows, chosen, context, "product", items)


def _rows(context: Context, name: str = "done") -> Rows:
    return Rows.of(context.catalogue.roles["events"], name, context)


def _so_often(rows: Rows, chosen: Chosen, context: Context, each: str, holds: Iterable[Expression]) -> Expression:
    """At least one event of the customer; with a number, customers with so many of one of what was chosen."""
    where = [rows.brand, *holds]
    if chosen.in_time:
        where.append(moment("in_date", rows.moment("timestamp"), (chosen.first, chosen.last), context))
    customer = rows.text("customer")
    if chosen.least == 1:
        found = sa.select(ONE).select_from(rows.table).where(customer == key(context), *where)
        return sa.exists(found.correlate(context.relation))
    often = (
        sa.select(customer.label("customer"))
        .select_from(rows.table)
        .where(*where)
        .group_by(customer, rows.text(each))
        .having(sa.func.count() >= sa.literal(chosen.least, sa.BigInteger()))
        .subquery("often")
    )
    found = sa.select(ONE).select_from(often).where(often.c.customer == key(context))
    return sa.exists(found.correlate(context.relation))
