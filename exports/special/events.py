"""What customers did: actions, purchases that were not taken back, claims in a range of time."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from exports.columns import Context, Expression, literal
from exports.conditions import moment, texts
from exports.criteria import Test
from exports.special.reading import Chosen
from exports.special.rows import ONE, Rows, key


@dataclass(frozen=True)
class Done:
    """What counts of a customer's events: rows of the role that meet all of `where`, told apart by the part `each`."""

    rows: Rows
    each: str
    where: tuple[Expression, ...]

    def so_often(self, least: int, context: Context) -> Expression:
        """Whether there is one of the customer; with a number, so many of one of what was chosen."""
        customer = self.rows.text("customer")
        found: sa.Select[tuple[int]]
        if least == 1:
            found = sa.select(ONE).select_from(self.rows.table).where(customer == key(context), *self.where)
            return sa.exists(found.correlate(context.relation))
        often = (
            sa.select(customer.label("customer"))
            .select_from(self.rows.table)
            .where(*self.where)
            .group_by(customer, self.rows.text(self.each))
            .having(sa.func.count() >= sa.literal(least, sa.BigInteger()))
            .subquery("often")
        )
        found = sa.select(ONE).select_from(often).where(often.c.customer == key(context))
        return sa.exists(found.correlate(context.relation))

    def ids(self, context: Context) -> Expression:
        """What was chosen and done, each as often as the customer did it, as a JSON list."""
        each = sa.func.jsonb_agg(self.rows.text(self.each))
        found = sa.select(each).select_from(self.rows.table)
        mine = found.where(self.rows.text("customer") == key(context), *self.where)
        return mine.correlate(context.relation).scalar_subquery()


def taken(test: Test, context: Context) -> Expression:
    """Whether a customer has done one of the actions so often (each is counted by itself), in a range of time."""
    chosen: Chosen = test.value
    return actions(chosen, context).so_often(chosen.least, context)


def claimed(chosen: Chosen, context: Context) -> Expression:
    """Whether a customer has claimed one of the rewards so often in a range of time."""
    return claims(chosen, context).so_often(chosen.least, context)


def bought(test: Test, context: Context) -> Expression:
    """Whether a customer has bought one of the products, in a range of time, and not given it back."""
    chosen: Chosen = test.value
    return purchases(chosen, context).so_often(chosen.least, context)


def actions(chosen: Chosen, context: Context) -> Done:
    """The chosen actions."""
    rows = _rows(context)
    return _done(rows, chosen, context, "action", rows.text("action") == sa.any_(texts(chosen.ids)))


def claims(chosen: Chosen, context: Context) -> Done:
    """Claims of the chosen rewards."""
    rows = _rows(context)
    is_claim = rows.text("action") == literal(rows.role["claim"])
    return _done(rows, chosen, context, "reward", is_claim, rows.text("reward") == sa.any_(texts(chosen.ids)))


def purchases(chosen: Chosen, context: Context) -> Done:
    """Purchases of the chosen products that were not taken back.

    Taken back is what the roles of the catalogue say: everything of a transaction that was rejected or refunded as a
    whole, and of others each product that was returned, however many of it.
    """
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
    return _done(
        rows,
        chosen,
        context,
        "product",
        rows.text("action") == literal(role["purchase"]),
        rows.text("product") == sa.any_(texts(chosen.ids)),
        sa.not_(sa.exists(taken_back.correlate(rows.table))),
    )


def _rows(context: Context, name: str = "done") -> Rows:
    return Rows.of(context.catalogue.roles["events"], name, context)


def _done(rows: Rows, chosen: Chosen, context: Context, each: str, *holds: Expression) -> Done:
    where = [rows.brand, *holds]
    if chosen.in_time:
        where.append(moment("in_date", rows.moment("timestamp"), (chosen.first, chosen.last), context))
    return Done(rows, each, tuple(where))
