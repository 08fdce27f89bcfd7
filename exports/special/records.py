"""The operators whose value names records: groups, segments, rewards, challenges, actions, products (REFERENCE 2.3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from exports.catalogue import Special
from exports.columns import Context, Expression
from exports.conditions import not_true
from exports.criteria import Test
from exports.operators import BY_SPECIAL
from exports.special import events, groups, maps
from exports.special.reading import Chosen
from exports.special.rows import of_customer

Affirms = Callable[[Test, Context], Expression]


def condition(test: Test, context: Context) -> Expression:
    """A criterion with one of these operators: what it affirms, or the complement of that."""
    special = test.field.asks
    if special is None:
        raise ValueError(f"{test.field.id} asks for nothing")  # and has no such operator
    affirms = AFFIRM[special]
    if test.field.through:
        holds = of_customer(test.field, context, lambda customer: affirms(test, customer))
    else:
        holds = affirms(test, context)
    if test.operator == BY_SPECIAL[special][0]:
        return holds
    # NOT EXISTS can become an anti-join, IS NOT TRUE cannot; EXISTS is never NULL, so they are the same.
    return sa.not_(holds) if isinstance(holds, sa.Exists) else not_true(holds)


def _in_segment(test: Test, context: Context) -> Expression:
    from exports.segments import belongs  # a segment's filter is made of conditions: a circle otherwise

    chosen: Chosen = test.value
    return sa.or_(*(belongs(id, context) for id in chosen.ids))


AFFIRM: Final[dict[Special, Affirms]] = {
    Special.GROUPS: groups.belongs,
    Special.SEGMENTS: _in_segment,
    Special.REWARDS: maps.claimed,
    Special.ACTIVITIES: maps.completed,
    Special.ACTIONS: events.taken,
    Special.PURCHASES: events.bought,
}
