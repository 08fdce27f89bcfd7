"""What a special operator is given is checked in its own words, and offered only where its module is on."""

from __future__ import annotations

from typing import Any

import pytest

from exports import rules
from exports.catalogue import builtin
from exports.definition import parse
from exports.errors import Problem
from exports.operators import BY_SPECIAL, Input, operators_for
from exports.special.attributes import ATTRIBUTES, MODULES
from exports.surroundings import Segment
from exports.words import filters as said


def definition(attribute: str, operator: str, *value: Any, model: str = "customers") -> Any:
    """A definition with this criterion."""
    one = {"attribute": attribute, "operator": operator, **({"value": value[0]} if value else {})}
    fields = [{"from": builtin().models[model].key}]
    return parse({"name": "x", "model": model, "timezone": "UTC", "filters": [[one]], "fields": fields})


def problems(*criterion: Any, model: str = "customers") -> list[Problem]:
    """What is wrong with a criterion; the brand has the group g, the reward r, the challenge c and the segment s."""
    known = {Input.GROUPS: {"g"}, Input.REWARDS: {"r"}, Input.ACTIVITIES: {"c"}}
    return rules.problems(
        definition(*criterion, model=model),
        builtin(),
        segments={"s": Segment.read("s", "S", "active", [])},
        known=known,
    )


ACTION, ACTIONS = ("action_history", "action_taken"), {"ids": ["visit"]}
BROKEN = [
    ("group_id", "in_group", {"ids": []}, ".ids", "value.none_chosen", "Choose at least one group"),
    ("rewards", "reward_not_claimed", {"ids": []}, ".ids", "value.none_chosen", "Choose at least one reward"),
    ("activities", "activity_earned", {"ids": []}, ".ids", "value.none_chosen", "Choose at least one challenge"),
    ("action_history", "action_not_taken", {"ids": []}, ".ids", "value.none_chosen", "Choose at least one action"),
    ("purchases", "item_purchased", {"ids": []}, ".ids", "value.none_chosen", "Choose at least one product"),
    ("segments", "in_segment", {"ids": []}, ".ids", "value.none_chosen", "Choose at least one segment"),
    ("group_id", "in_group", ["g"], "", "value.shape", 'User groups are given as {"ids": [...]}'),
    ("group_id", "in_group", {"ids": ["g"], "from": None}, "", "value.shape",
     'User groups are given as {"ids": [...]}'),
    ("group_id", "in_group", {"ids": "g"}, "", "value.shape", 'User groups are given as {"ids": [...]}'),
    ("group_id", "in_group", None, "", "value.shape", 'User groups are given as {"ids": [...]}'),
    ("purchases", "item_purchased", {"ids": ["p"], "min": 2}, "", "value.shape",
     'Products are given as {"ids": [...], "from": null, "to": null}'),
    (*ACTION, {"id": ["visit"]}, "", "value.shape",
     'Actions are given as {"ids": [...], "from": null, "to": null, "min": null}'),
    (*ACTION, {"ids": ["a"] * 1001}, ".ids", "value.list_too_long", "A list has at most 1,000 values"),
    (*ACTION, {"ids": ["a", "x" * 1001]}, ".ids.1", "value.too_long", "A value has at most 1,000 characters"),
    (*ACTION, {"ids": ["a", ""]}, ".ids.1", "value.unreadable", "Enter a text for this action"),
    (*ACTION, {"ids": ["a", 5]}, ".ids.1", "value.unreadable", "Enter a text for this action"),
    (*ACTION, {**ACTIONS, "from": "soon"}, ".from", "value.unreadable",
     "Enter a date or a time for the first day, such as 2017-01-31, 2017-01-31 08:30 or date: -3 months"),
    (*ACTION, {**ACTIONS, "to": ""}, ".to", "value.unreadable",
     "Enter a date or a time for the last day, such as 2017-01-31, 2017-01-31 08:30 or date: -3 months"),
    (*ACTION, {**ACTIONS, "to": "2017-02-30"}, ".to", "value.unreadable", "2017-02-30 is not a day of the calendar"),
    (*ACTION, {**ACTIONS, "from": "2017-02-02", "to": "2017-02-01"}, ".from", "value.order",
     "The first value must not be greater than the second"),
    (*ACTION, {**ACTIONS, "min": 0}, ".min", "value.min", "The number of times is 1 or more"),
    (*ACTION, {**ACTIONS, "min": 1.5}, ".min", "value.unreadable", "Enter a whole number for the number of times"),
    (*ACTION, {**ACTIONS, "min": True}, ".min", "value.unreadable", "Enter a whole number for the number of times"),
    ("group_id", "in_group", {"ids": ["g", "other"]}, ".ids.1", "record.unknown", "There is no group other"),
    ("rewards", "reward_claimed", {"ids": ["other"]}, ".ids.0", "record.unknown", "There is no reward other"),
    ("activities", "activity_earned", {"ids": ["other"]}, ".ids.0", "record.unknown", "There is no challenge other"),
    ("segments", "not_in_segment", {"ids": ["other"]}, ".ids.0", "segment.unknown", "There is no segment other"),
    ("birth_date", "anniversary", "soon", "", "value.unreadable",
     "Enter a date for Date of birth, such as 2017-01-31 or date: -3 months"),
    ("birth_date", "anniversary", [None, "soon"], ".1", "value.unreadable",
     "Enter a date for Date of birth, such as 2017-01-31 or date: -3 months"),
    ("birth_date", "anniversary", [None, None], "", "value.range", "Enter a first or a last value for Date of birth"),
    ("birth_date", "anniversary", ["2017-02-02"], "", "value.range", "Date of birth needs two values: from and to"),
    ("birth_date", "anniversary", ["2017-02-02", "2017-02-01"], "", "value.order",
     "The first value must not be greater than the second"),
    ("birth_date", "age_range", 18, "", "value.range", "Date of birth needs two values: from and to"),
    ("birth_date", "age_range", [None, None], "", "value.range", "Enter a first or a last value for Date of birth"),
    ("birth_date", "age_range", [20, 18], "", "value.order", "The first value must not be greater than the second"),
    ("birth_date", "age_range", [-1, 18], ".0", "value.years",
     "Enter a number of years from 0 to 999 for Date of birth"),
    ("birth_date", "age_range", [1, "old"], ".1", "value.unreadable", "Enter a whole number for Date of birth"),
]  # fmt: skip


@pytest.mark.parametrize(("attribute", "operator", "value", "at", "code", "message"), BROKEN)
def test_what_is_wrong_is_told_at_its_place(
    attribute: str, operator: str, value: Any, at: str, code: str, message: str
) -> None:
    place = f"filters.0.0.value{at}"
    assert problems(attribute, operator, value) == [Problem(place, code, message)]


def test_all_that_is_wrong_with_a_value_is_told_at_once() -> None:
    value = {"ids": ["a", ""], "from": "today", "to": "2017-02-30", "min": 0}
    assert [(one.at.removeprefix("filters.0.0.value."), one.code) for one in problems(*ACTION, value)] == [
        ("ids.1", "value.unreadable"),
        ("from", "date.unreadable"),
        ("to", "value.unreadable"),
        ("min", "value.min"),
    ]
    for operator, ends in (("anniversary", ["soon", "2017-02-30"]), ("age_range", ["old", 1000])):
        assert [one.at for one in problems("birth_date", operator, ends)] == [
            "filters.0.0.value.0",
            "filters.0.0.value.1",
        ]


GOOD = [
    ("group_id", "in_group", {"ids": ["g"]}),
    ("rewards", "reward_claimed", {"ids": ["r"], "from": "date: -30 days", "to": None, "min": 2}),
    ("activities", "activity_not_earned", {"ids": ["c"], "to": "datetime: -3 hours"}),
    ("action_history", "action_taken", {"ids": ["checkout"], "from": "date: -30 days", "to": None, "min": 2}),
    ("purchases", "item_purchased", {"ids": ["a product that is not in the catalogue"]}),
    ("segments", "in_segment", {"ids": ["s"]}),
    ("birth_date", "anniversary"),
    ("birth_date", "anniversary", None),
    ("created_at", "anniversary", "date: tomorrow"),
    ("created_at", "anniversary", ["2016-12-20", None]),
    ("created_at", "age_range", [1, None]),
]


@pytest.mark.parametrize("criterion", GOOD, ids=[f"{one[1]} {one[2:]}" for one in GOOD])
def test_values_of_the_documented_shapes_are_taken(criterion: tuple[Any, ...]) -> None:
    assert problems(*criterion) == []
    if criterion[0] in ATTRIBUTES:
        for model in ("events", "coupons", "webhook_logs"):
            assert problems(f"customer.{criterion[0]}", *criterion[1:], model=model) == []


def test_every_model_that_names_a_customer_has_the_six_attributes_about_that_customer() -> None:
    six = [f"customer.{id}" for id in ATTRIBUTES]
    found = {id: list(model.attributes) for id, model in builtin().models.items() if model.attributes}
    assert found == {
        "customers": ["action_history", "purchases"], "events": six, "coupons": six, "webhook_logs": six,
    }  # fmt: skip


@pytest.mark.parametrize("special", BY_SPECIAL, ids=str)
def test_an_operator_is_there_only_if_its_module_is_on(special: Any) -> None:
    attribute = next(id for id, one in ATTRIBUTES.items() if one is special)
    affirming, denying = (one.id for one in BY_SPECIAL[special])
    without = builtin().for_brand(set(builtin().modules) - {MODULES.get(special, "")}, {})
    needs_module = special in MODULES
    for model, prefix in (("customers", ""), ("events", "customer."), ("coupons", "customer.")):
        for catalogue, there in ((builtin(), True), (without, not needs_module)):
            field = catalogue.models[model].attribute(prefix + attribute)
            found = {one.id for one in operators_for(field)} if field else set()
            assert ({affirming, denying} <= found) == there, (model, attribute)


def test_rewards_stores_pools_and_challenges_are_in_groups_themselves() -> None:
    for model in ("rewards", "stores", "coupon_pools", "challenges"):
        assert problems("group_id", "in_group", {"ids": ["g"]}, model=model) == []
        field = builtin().for_brand(builtin().modules.keys() - {"user_groups"}, {}).models[model].fields["group_id"]
        assert "in_group" not in [one.id for one in operators_for(field)]


def test_what_can_only_be_filtered_by_is_no_field() -> None:
    wanted = parse({
        "name": "x", "model": "events", "timezone": "UTC",
        "filters": [[{"attribute": "_id", "operator": "is_not_empty"}]], "fields": [{"from": "customer.purchases"}],
    })  # fmt: skip
    assert [one.code for one in rules.problems(wanted, builtin())] == ["field.unknown"]
    assert problems("purchases", "is_empty") == [
        Problem("filters.0.0.operator", "operator.unknown", "Purchases has no operator is_empty")
    ]


WORDS = [
    (GOOD[0], "User groups", "is in g"),
    (GOOD[1], "Claimed rewards", "claimed r, at least 2 times, from date: -30 days"),
    (GOOD[2], "Completed challenges", "did not complete c, until datetime: -3 hours"),
    (("purchases", "item_purchased", {"ids": ["a", "b"], "from": "2017-01-01", "to": "2017-02-01"}), "Purchases",
     "bought a, b, from 2017-01-01 to 2017-02-01"),
    (GOOD[6], "Date of birth", "has its anniversary on the day of the run"),
    (GOOD[8], "Created at", "has its anniversary on date: tomorrow"),
    (("birth_date", "anniversary", ["2016-12-20", "2017-01-05"]), "Date of birth",
     "has its anniversary between 2016-12-20 and 2017-01-05"),
    (("birth_date", "age_range", [18, 30]), "Date of birth", "is so many years ago: between 18 and 30"),
    (("birth_date", "age_range", [18, None]), "Date of birth", "is so many years ago: at least 18"),
    (("birth_date", "age_range", [None, 30]), "Date of birth", "is so many years ago: at most 30"),
]  # fmt: skip


@pytest.mark.parametrize(("criterion", "attribute", "test"), WORDS)
def test_the_summary_says_it_in_words(criterion: tuple[Any, ...], attribute: str, test: str) -> None:
    [[phrase]] = said(definition(*criterion), builtin().models["customers"])
    assert (phrase.attribute, phrase.test) == (attribute, test)
