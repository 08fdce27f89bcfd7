"""**Why?** says of a record what the file says of it, and what the record has where it is asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from exports.catalogue import Catalogue, Special
from exports.why import HIDDEN, Judged, Verdict, why
from tests.campaigns import campaign
from tests.exports import twelve
from tests.exports.questions import ZONES
from tests.exports.test_models_oracle import DRAWN, Asked, asked, questions
from tests.exports.zoo import CATALOGUE, Zoo, around, definition

__all__ = ["asked"]  # a fixture


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


# --- on all twelve models


def about(asked: Asked, model: str, id: str, criterion: dict[str, Any], *, personal: bool = True) -> Judged:
    """One criterion about a record of maple."""
    wanted, surroundings = asked.asking("maple", model, [[criterion]], "UTC", [[]])
    found = why(wanted, twelve.CATALOGUE, surroundings, asked.source, id, personal=personal)
    assert found is not None
    return found.sets[0][0]


def ids(asked: Asked, model: str, *filters: dict[str, Any]) -> list[str]:
    """The records of maple that match."""
    return sorted(asked.worlds["maple"].matching(model, [list(filters)], ZoneInfo("UTC")))


@campaign("filters", short=60, long=3_000)
@given(question=questions(), zone=st.sampled_from(ZONES), brand=st.sampled_from(["maple", "alpine"]), data=st.data())
def test_the_verdict_is_what_the_file_and_plain_python_say(
    asked: Asked, question: Any, zone: str, brand: str, data: st.DataObject
) -> None:
    model, filters, segment = question
    world = asked.worlds[brand]
    world = replace(world, segments={**world.segments, DRAWN: segment})
    key = twelve.CATALOGUE.models[model].key
    id = data.draw(st.sampled_from(sorted(row[key] for row in world.rows[model])))
    wanted, surroundings = asked.asking(brand, model, filters, zone, segment)
    found = why(wanted, twelve.CATALOGUE, surroundings, asked.source, id, personal=True)
    assert found is not None
    assert found.in_file == (id in asked.keys(brand, model, filters, zone, segment)) == bool(found.holding)
    assert found.in_file == (id in world.matching(model, filters, ZoneInfo(zone)))
    for set_, told in zip(filters, found.sets, strict=True):
        assert [one.holds for one in told] == [id in world.holding(model, one, ZoneInfo(zone)) for one in set_]
        assert all(one.own for one in told)


def test_personal_values_are_shown_only_to_those_who_may_export_them(asked: Asked) -> None:
    [id, *_] = ids(asked, "customers")
    email = {"attribute": "email", "operator": "is_not_empty"}
    assert about(asked, "customers", id, email, personal=False).own == HIDDEN
    assert about(asked, "customers", id, email).own != HIDDEN
    status = {"attribute": "status", "operator": "is_not_empty"}
    assert about(asked, "customers", id, status, personal=False) == about(asked, "customers", id, status)


SPECIAL = {
    "in_group": ("group_id", "user_groups", "is in no group"),
    "in_segment": ("segments", "segments", "is in no segment"),
    "reward_claimed": ("rewards", "rewards", "claimed none of these"),
    "activity_earned": ("activities", "challenges", "completed none of these"),
    "action_taken": ("action_history", "actions", "did none of these"),
    "item_purchased": ("purchases", "products", "bought none of these"),
}


def test_what_special_operators_ask_for_is_told_in_words(asked: Asked) -> None:
    for operator, (attribute, _kind, nothing) in SPECIAL.items():
        field = twelve.CATALOGUE.models["customers"].attribute(attribute)
        assert field is not None
        assert field.asks is not None
        criterion = {"attribute": attribute, "operator": operator, "value": {"ids": twelve.CHOSEN[field.asks]}}
        inside = ids(asked, "customers", criterion)
        outside = sorted(set(ids(asked, "customers")) - set(inside))
        assert inside, operator
        for id in inside[:5]:
            told = about(asked, "customers", id, criterion)
            assert told.holds
            assert told.own.startswith(nothing.partition(" n")[0] + " "), told.own
            assert told.own != nothing
        for id in outside[:5]:
            told = about(asked, "customers", id, criterion)
            assert not told.holds
            assert told.own == nothing or operator in ("in_group", "in_segment")


def test_the_number_of_times_is_the_records_own_whatever_number_is_asked_for(asked: Asked) -> None:
    often_met = set()
    for id in ids(asked, "customers")[:15]:
        for action in twelve.CHOSEN[Special.ACTIONS][:3]:
            value = {"attribute": "action_history", "operator": "action_taken"}
            told = [about(asked, "customers", id, {**value, "value": {"ids": [action], "min": n}}) for n in range(1, 5)]
            [own] = {one.own for one in told}
            often = sum(one.holds for one in told)
            often_met.add(often)
            if 1 < often < 4:
                assert own == f"did {action} {often} times"
            if often == 1:
                assert own == f"did {action} once"
    assert {0, 1} < often_met


def test_names_from_a_personal_column_are_told_to_those_who_may_export_it(asked: Asked) -> None:
    known = twelve.CATALOGUE
    by_type = replace(known.references["rewards"], name="type", translated=False)
    known = replace(known, references={**known.references, "rewards": by_type})
    rewards = known.models["rewards"]
    fields = {**rewards.fields, "type": replace(rewards.fields["type"], personal=True)}
    catalogue = replace(known, models={**known.models, "rewards": replace(rewards, fields=fields)})
    chosen = {"ids": twelve.CHOSEN[Special.REWARDS]}
    criterion = {"attribute": "rewards", "operator": "reward_claimed", "value": chosen}
    [id, *_] = ids(asked, "customers", criterion)
    wanted, surroundings = asked.asking("maple", "customers", [[criterion]], "UTC", [[]])

    def own(may: bool, of: Catalogue) -> str:
        found = why(wanted, of, surroundings, asked.source, id, personal=may)
        assert found is not None
        return found.sets[0][0].own

    assert own(True, catalogue) == own(False, known) == own(True, known)
    assert "claimed custom" in own(True, catalogue)
    assert "custom" not in own(False, catalogue)


def test_a_record_that_names_several_customers_says_how_many(asked: Asked) -> None:
    criterion = {"attribute": "customer.action_history", "operator": "action_not_taken", "value": {"ids": ["x"]}}
    told = {}
    for row in asked.worlds["maple"].rows["coupons"]:
        named = row["customer"]
        number = len(named or [])
        told[number] = about(asked, "coupons", row[twelve.CATALOGUE.models["coupons"].key], criterion).own
    assert told.pop(0, "names no customer") == "names no customer"
    assert told.pop(1, "names one customer") == "names one customer"
    assert told
    assert all(own == f"names {number} customers" for number, own in told.items())


def test_a_record_without_a_customer_says_so(asked: Asked) -> None:
    [id, *_] = ids(asked, "events", {"attribute": "customer", "operator": "is_empty"})
    criterion = {"attribute": "customer.action_history", "operator": "action_not_taken", "value": {"ids": ["x"]}}
    assert about(asked, "events", id, criterion) == Judged(True, "names no customer")
