"""What a record has of what the special operators ask for: its groups, segments, claims, completions, events.

As JSON, told by the database beside whether the criterion holds; and the words for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, array

from exports.catalogue import Special
from exports.columns import Context, Expression, literal, value
from exports.criteria import Test
from exports.errors import DefinitionRefused
from exports.special import events
from exports.special.reading import Chosen
from exports.special.rows import told_of_customer, told_of_role

Names = Callable[[str], str]
"""What an id is called."""


def told(test: Test, context: Context) -> Expression:
    """What the record, or the customer whom it names, has of what the criterion asks for; NULL: it has nothing."""
    of = _TOLD[_special(test)]
    if test.field.through:
        return told_of_customer(test.field, context, lambda inside: _as_json(of(test, inside)))
    return _as_json(of(test, context))


def _special(test: Test) -> Special:
    if test.field.asks is None:
        raise ValueError(f"{test.field.id} asks for nothing")
    return test.field.asks


def _as_json(found: Expression) -> Expression:
    """With an empty object in place of NULL, which stands for a customer who is not there."""
    return sa.func.coalesce(found, sa.cast(literal("{}"), JSONB()))


def _groups(test: Test, context: Context) -> Expression:
    own = context.model.fields.get("group_id" if test.field.through else test.field.id)
    if own is not None:
        return sa.func.to_jsonb(value(own, context))
    return told_of_role(context.catalogue.roles["group_membership"], "groups", context)


def _segments(test: Test, context: Context) -> Expression:
    """Of the chosen and the active segments those that the customer is in; one that cannot be used has no members."""
    from exports.segments import belongs  # a segment's filter is made of conditions: a circle otherwise

    chosen: Chosen = test.value
    active = {one.id for one in context.surroundings.segments.values() if one.status == "active"}
    found = []
    for id in sorted(active | set(chosen.ids)):
        try:
            found.append(sa.case((belongs(id, context), literal(id))))
        except DefinitionRefused:
            if id in chosen.ids:
                raise
    ids = sa.cast(array(found, type_=sa.Text()), ARRAY(sa.Text()))
    return sa.func.to_jsonb(sa.func.array_remove(ids, sa.null(), type_=ARRAY(sa.Text())))


def _rewards(test: Test, context: Context) -> Expression:
    chosen: Chosen = test.value
    if chosen.in_time:
        return events.claims(chosen, context).ids(context)
    return told_of_role(context.catalogue.roles["rewards"], "rewards", context)


def _activities(_test: Test, context: Context) -> Expression:
    return told_of_role(context.catalogue.roles["challenges"], "challenges", context)


_TOLD: Final[dict[Special, Callable[[Test, Context], Expression]]] = {
    Special.GROUPS: _groups,
    Special.SEGMENTS: _segments,
    Special.REWARDS: _rewards,
    Special.ACTIVITIES: _activities,
    Special.ACTIONS: lambda test, context: events.actions(test.value, context).ids(context),
    Special.PURCHASES: lambda test, context: events.purchases(test.value, context).ids(context),
}


# --- in words


def ids(test: Test, found: Any) -> list[str]:
    """The ids that the words will name."""
    return sorted(_times(test, found))


def words(test: Test, found: Any, names: Names, zone: ZoneInfo) -> str:
    """is in Gold, Silver · claimed Coffee 2 times · did none of these."""
    if found is None:
        return "names no customer" if test.field.through else "has nothing"
    if isinstance(found, int):
        return f"names {found} customers" if found > 1 else "names one customer"
    special = _special(test)
    times = _times(test, found)
    if special in (Special.GROUPS, Special.SEGMENTS):
        noun = "group" if special is Special.GROUPS else "segment"
        return f"is in {', '.join(map(names, sorted(times)))}" if times else f"is in no {noun}"
    verb = _VERBS[special]
    if not times:
        return f"{verb} none of these" + (" in that time" if test.value.in_time else "")
    if special is Special.ACTIVITIES:
        return f"{verb} {', '.join(f'{names(id)} {_at(found[id], zone)}' for id in sorted(times))}"
    return f"{verb} {', '.join(f'{names(id)} {_often(times[id])}' for id in sorted(times))}"


_VERBS: Final = {
    Special.REWARDS: "claimed",
    Special.ACTIVITIES: "completed",
    Special.ACTIONS: "did",
    Special.PURCHASES: "bought",
}


def _times(test: Test, found: Any) -> Mapping[str, Any]:
    """How often, by id: of groups and segments all of them, else of what was chosen."""
    if isinstance(found, list):
        return Counter(id for id in found if id is not None)
    if not isinstance(found, dict):
        return {}
    return {id: found[id] for id in test.value.ids if id in found}


def _often(times: Any) -> str:
    return "once" if times == 1 else f"{times} times"


def _at(stamp: Any, zone: ZoneInfo) -> str:
    try:
        at = datetime.fromtimestamp(int(stamp), UTC).astimezone(zone)
    except (TypeError, ValueError, OverflowError, OSError):
        return "at a time that cannot be read"
    return f"on {at:%Y-%m-%d at %H:%M:%S}"
