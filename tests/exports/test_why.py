"""**Why?** says of a record what the file says of it, and what the record has where it is asked."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.catalogue import builtin
from exports.query import surroundings_of
from exports.why import HIDDEN, Judged, Verdict, why
from tests.exports import customers_world as made
from tests.exports.oracle import matches
from tests.exports.test_conditions_oracle import ROWS, criteria, things
from tests.exports.test_special_oracle import MODELS, MOMENT, ZONES, Asked, asked, criterion, questions
from tests.exports.zoo import CATALOGUE, Zoo, around, definition

__all__ = ["asked", "things"]  # fixtures


def ask(zoo: Zoo, id: str, *sets: list[dict[str, Any]], personal: bool = True, **members: Any) -> Verdict | None:
    """Ask about a thing."""
    wanted = definition(filters=list(sets), **members)
    return why(wanted, CATALOGUE, around(), zoo.source, id, personal=personal)


def test_every_criterion_is_told_with_the_records_own_value(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "name": "Anna", "count": 14, "at": "2016-12-31 22:58:00+00", "tags": ["a", "b"]}])
    first = [
        {"attribute": "name", "operator": "equals", "value": "Anna"},
        {"attribute": "at", "operator": "gte", "value": "2017-01-01"},
    ]
    second = [
        {"attribute": "count", "operator": "between", "value": [10, 20]},
        {"attribute": "tags", "operator": "not_contains", "value": "c"},
        {"attribute": "kind", "operator": "not_equals", "value": "a"},
    ]
    found = ask(zoo, "1", first, second, timezone="Europe/Budapest")
    assert found == Verdict(
        True,
        (
            (Judged(True, "is Anna"), Judged(False, "is 2016-12-31 23:58:00")),
            (Judged(True, "is 14"), Judged(True, 'is ["a","b"]'), Judged(True, "is empty")),
        ),
    )
    assert found.holding == (1,)
    alone = ask(zoo, "1", first, timezone="Europe/Budapest")
    assert alone is not None
    assert (alone.in_file, alone.holding) == (False, ())


def test_a_record_that_is_not_the_brands_is_not_there(zoo: Zoo) -> None:
    zoo.fill([{"id": "1"}])
    zoo.fill([{"id": "2"}], brand="alpine")
    everything = [{"attribute": "id", "operator": "is_not_empty"}]
    assert ask(zoo, "1", everything) is not None
    assert ask(zoo, "2", everything) is None
    assert ask(zoo, "1' OR '1'='1", everything) is None


def test_a_birthday_is_told_with_the_years_that_are_completed(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "day": "2000-11-23"}, {"id": "2", "day": "2000-11-24"}, {"id": "3", "day": "2024-02-29"}])
    grown = [{"attribute": "day", "operator": "age_range", "value": [26, None]}]
    told = {id: ask(zoo, id, grown).sets[0][0] for id in "123"}  # type: ignore[union-attr]
    assert told == {
        "1": Judged(True, "is 2000-11-23: 26 years"),
        "2": Judged(False, "is 2000-11-24: 25 years"),
        "3": Judged(False, "is 2024-02-29: 2 years"),
    }


def test_personal_values_are_shown_only_to_those_who_may_export_them(asked: Asked) -> None:
    filters = [
        [{"attribute": "email", "operator": "is_not_empty"}, {"attribute": "status", "operator": "is_not_empty"}]
    ]
    around_maple = surroundings_of(asked.source, builtin(), "maple", MOMENT)
    id = sorted(asked.worlds["maple"].matching("customers", [[]], ZoneInfo("UTC")))[0]
    wanted = asked.definition("customers", filters)
    shown = why(wanted, builtin(), around_maple, asked.source, id, personal=False)
    assert shown is not None
    assert shown.sets[0][0].own == HIDDEN
    assert shown.sets[0][1].own.startswith("is ")
    assert why(wanted, builtin(), around_maple, asked.source, id, personal=True).sets[0][0].own != HIDDEN  # type: ignore[union-attr]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(
    filters=st.lists(st.lists(criteria(), min_size=1, max_size=4), min_size=1, max_size=3),
    zone=st.sampled_from(ZONES),
    number=st.integers(0, len(ROWS) - 1),
)
def test_the_verdict_is_what_the_file_says(things: Zoo, filters: list[Any], zone: str, number: int) -> None:
    id = ROWS[number]["id"]
    found = ask(things, id, *filters, timezone=zone)
    assert found is not None
    assert found.in_file == (id in things.ids(filters, zone)) == bool(found.holding)
    assert found.in_file == matches(ROWS[number], filters, ZoneInfo(zone))
    for set_, told in zip(filters, found.sets, strict=True):
        assert [one.holds for one in told] == [id in things.ids([[one]], zone) for one in set_]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(question=questions(), zone=st.sampled_from(ZONES), brand=st.sampled_from(["maple", "alpine"]), data=st.data())
def test_the_verdict_of_special_operators_is_what_the_file_says(
    asked: Asked, question: Any, zone: str, brand: str, data: st.DataObject
) -> None:
    model, filters = question
    world = asked.worlds[brand]
    id = data.draw(st.sampled_from(sorted(world.matching(model, [[]], ZoneInfo(zone)))))
    found = why(
        asked.definition(model, filters, zone),
        builtin(),
        surroundings_of(asked.source, builtin(), brand, MOMENT),
        asked.source,
        id,
        personal=True,
    )
    assert found is not None
    assert found.in_file == (id in world.matching(model, filters, ZoneInfo(zone))) == bool(found.holding)
    assert all(one.own for set_ in found.sets for one in set_)


def test_what_special_operators_ask_for_is_told_in_words(asked: Asked) -> None:
    world = asked.worlds["maple"]
    around_maple = surroundings_of(asked.source, builtin(), "maple", MOMENT)
    asks = {
        "in_group": {"ids": list(made.GROUPS)},
        "in_segment": {"ids": list(made.SEGMENTS)[:1]},
        "reward_claimed": {"ids": made.REWARDS},
        "activity_earned": {"ids": made.CHALLENGES},
        "action_taken": {"ids": made.ACTIONS, "from": "2017-01-01", "to": None},
        "item_purchased": {"ids": made.PRODUCTS},
    }
    beginnings = {
        "in_group": ("is in ", "is in no group"),
        "in_segment": ("is in ", "is in no segment"),
        "reward_claimed": ("claimed ", "claimed none of these"),
        "activity_earned": ("completed ", "completed none of these"),
        "action_taken": ("did ", "did none of these in that time"),
        "item_purchased": ("bought ", "bought none of these"),
    }
    for operator, value in asks.items():
        filters = [[criterion("customers", operator, **value)]]
        inside = world.matching("customers", filters, ZoneInfo("UTC"))
        outside = world.matching("customers", [[]], ZoneInfo("UTC")) - inside
        wanted = asked.definition("customers", filters)
        some, nothing = beginnings[operator]
        for id in sorted(inside)[:3]:
            told = why(wanted, builtin(), around_maple, asked.source, id, personal=True).sets[0][0]  # type: ignore[union-attr]
            assert told.holds
            assert told.own.startswith(some), told.own
            assert told.own != nothing
        for id in sorted(outside)[:3]:
            told = why(wanted, builtin(), around_maple, asked.source, id, personal=True).sets[0][0]  # type: ignore[union-attr]
            assert not told.holds
            if operator not in ("in_group", "in_segment"):
                assert told.own == nothing


def test_the_number_of_times_is_told(asked: Asked) -> None:
    around_maple = surroundings_of(asked.source, builtin(), "maple", MOMENT)
    with_times = 0
    for id in sorted(asked.worlds["maple"].matching("customers", [[]], ZoneInfo("UTC")))[:20]:
        for action in made.ACTIONS:
            told = {}
            for least in range(1, 5):
                wanted = asked.definition(
                    "customers", [[criterion("customers", "action_taken", ids=[action], min=least)]]
                )
                found = why(wanted, builtin(), around_maple, asked.source, id, personal=True)
                assert found is not None
                told[least] = found.sets[0][0]
            often = sum(one.holds for one in told.values())
            words = {one.own for one in told.values()}
            assert len(words) == 1, "the record's own number does not depend on the one that is asked for"
            if 1 < often < 4:
                assert words == {f"did {action} {often} times"}
                with_times += 1
    assert with_times


@pytest.mark.parametrize("model", [one for one in MODELS if one != "customers"])
def test_a_record_without_a_customer_says_so(asked: Asked, model: str) -> None:
    nobody = asked.worlds["maple"].matching(
        model, [[{"attribute": "customer", "operator": "is_empty"}]], ZoneInfo("UTC")
    )
    if not nobody:
        pytest.skip("every record of this model names one")
    wanted = asked.definition(model, [[criterion(model, "not_in_group", ids=["top"])]])
    around_maple = surroundings_of(asked.source, builtin(), "maple", MOMENT)
    found = why(wanted, builtin(), around_maple, asked.source, min(nobody), personal=True)
    assert found == Verdict(True, ((Judged(True, "names no customer"),),))
