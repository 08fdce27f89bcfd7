"""Claimed rewards and completed challenges: objects by id on the customer, and claims in a range of time as events."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from exports.columns import IS_NUMBER, Context, Expression, literal, matches
from exports.conditions import can_have_members, moment, texts
from exports.criteria import Test
from exports.errors import DefinitionRefused, Problem
from exports.special import events
from exports.special.reading import Chosen
from exports.special.rows import ONE, of_role


def claimed(test: Test, context: Context) -> Expression:
    """Whether a customer has claimed one of the rewards so often: by the counts, in a range of time by the events.

    Raises:
        DefinitionRefused: a range of time, and the source has no events.
    """
    chosen: Chosen = test.value
    roles = context.catalogue.roles
    if chosen.in_time:
        if "events" not in roles:
            message = "There are no events here: leave out when the reward was claimed"
            raise DefinitionRefused([Problem("filters", "reward.no_events", message)])
        return events.claimed(chosen, context)
    least = sa.literal(chosen.least, sa.BigInteger())
    return of_role(
        roles["rewards"], "rewards", context, lambda counts: _has(counts, chosen, lambda number: number >= least)
    )


def completed(test: Test, context: Context) -> Expression:
    """Whether a customer has completed one of the challenges, in a range of time: for the last time then."""
    chosen: Chosen = test.value
    role = context.catalogue.roles["challenges"]

    def known(times: Expression) -> Expression:
        return sa.and_(_has_key(times, chosen), can_have_members(times))

    def in_time(times: Expression) -> Expression:
        return _has(times, chosen, lambda at: moment("in_date", at, (chosen.first, chosen.last), context))

    return of_role(role, "challenges", context, in_time if chosen.in_time else known)


def _has_key(map: Expression, chosen: Chosen) -> Expression:
    """Served by a GIN index on the column."""
    return sa.type_coerce(map, JSONB()).op("?|", is_comparison=True)(texts(chosen.ids))


def _has(map: Expression, chosen: Chosen, holds: Callable[[Expression], Expression]) -> Expression:
    """Whether the number at one of the ids passes a test; what is no number does not."""
    is_object = sa.func.jsonb_typeof(map) == literal("object")
    entries = sa.func.jsonb_each_text(sa.case((is_object, map))).table_valued("key", "value")
    entry = entries.render_derived(name="entry")
    written = sa.type_coerce(entry.c.value, sa.Text())
    number = sa.case((matches(written, IS_NUMBER), sa.cast(written, sa.Numeric())))
    chosen_key = entry.c.key == sa.any_(texts(chosen.ids))
    found = sa.select(ONE).select_from(entry).where(chosen_key, holds(sa.type_coerce(number, sa.Numeric())))
    return sa.and_(_has_key(map, chosen), sa.exists(found))
