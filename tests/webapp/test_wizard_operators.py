"""Every operator of every attribute of all models in the wizard: typed, stored, in the definition, shown again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from exports.catalogue import DataField, builtin
from exports.criteria import read
from exports.definition import MAX_CRITERIA, Criterion
from exports.operators import Input, Operator, operators_for

if TYPE_CHECKING:
    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]
Typed = dict[str, str | list[str]]

EXPRESSION = "date: first day of last month"
OF_KIND: dict[Input, tuple[Typed, Any]] = {
    Input.TEXT: ({"value": " Ősz, 100 % "}, " Ősz, 100 % "),
    Input.NUMBER: ({"value": "-10"}, -10),
    Input.LIST: ({"value": 'a, b\n"c, d"'}, ["a", "b", "c, d"]),
    Input.NUMBERS: ({"value": "1\n2"}, [1, 2]),
    Input.RANGE: ({"low": "", "high": "20"}, [None, 20]),
    Input.DATE: ({"value": EXPRESSION}, EXPRESSION),
    Input.DATES: ({"low": "2017-01-31", "high": EXPRESSION}, ["2017-01-31", EXPRESSION]),
    Input.TRUTH: ({"value": "false"}, False),
    Input.SEGMENTS: ({"values": ["s1", "s2"]}, {"ids": ["s1", "s2"]}),
    Input.GROUPS: ({"values": ["g1"]}, {"ids": ["g1"]}),
    Input.REWARDS: ({"values": ["r1"], "low": EXPRESSION, "high": "", "least": "2"},
                    {"ids": ["r1"], "from": EXPRESSION, "to": None, "min": 2}),
    Input.ACTIVITIES: ({"values": ["c1"], "low": "", "high": "datetime: -3 hours"},
                       {"ids": ["c1"], "from": None, "to": "datetime: -3 hours"}),
    Input.ACTIONS: ({"values": ["checkout"], "value": "our_own", "low": "", "high": "", "least": ""},
                    {"ids": ["checkout", "our_own"], "from": None, "to": None, "min": None}),
    Input.PURCHASES: ({"values": ["p1"], "value": "gone, away", "low": "2017-01-01", "high": "2017-01-31"},
                      {"ids": ["p1", "gone", "away"], "from": "2017-01-01", "to": "2017-01-31"}),
    Input.ANNIVERSARY: ({"when": "range", "low": "2016-12-20", "high": ""}, ["2016-12-20", None]),
    Input.AGES: ({"low": "18", "high": ""}, [18, None]),
    Input.NONE: ({}, None),
}  # fmt: skip


def typed_for(field: DataField, operator: Operator) -> tuple[Typed, Any]:
    """What somebody types for an operator, and the value that the definition then has."""
    keys = [key for key, _label in field.choices]
    if operator.input is Input.CHOICE:
        one = keys[-1] if keys else "an id"
        return {"value": one}, one
    if operator.input is not Input.CHOICES:
        return OF_KIND[operator.input]
    if keys:
        return {"values": keys[-2:]}, keys[-2:]
    return {"values": ["i1", "i 2"], "value": "i3\ni4"}, ["i1", "i 2", "i3", "i4"]


def pairs(model: str) -> Iterator[tuple[DataField, Operator]]:
    """Every operator of every attribute."""
    known = builtin().models[model]
    for field in (*known.fields.values(), *known.attributes.values()):
        for operator in operators_for(field):
            yield field, operator


@pytest.mark.parametrize("model", builtin().models)
def test_what_is_typed_for_an_operator_is_in_the_definition_and_shown_again(
    tab: Tab, people: People, source_dsn: str, model: str
) -> None:
    from webapp.services import brands, drafts

    someone = tab(people.admin)
    someone.begin(model)
    someone.open("filters")
    every = list(pairs(model))
    for some in (every[start : start + MAX_CRITERIA] for start in range(0, len(every), MAX_CRITERIA)):
        posted: list[tuple[str, str]] = []
        expected = []
        for number, (field, operator) in enumerate(some, 1):
            inputs, value = typed_for(field, operator)
            name = f"filters-A-{number}"
            posted += [(f"{name}-attribute", field.id), (f"{name}-operator", operator.id)]
            for part, text in inputs.items():
                posted += [(f"{name}-{part}", one) for one in (text if isinstance(text, list) else [text])]
            one = {"attribute": field.id, "operator": operator.id}
            expected.append(one if operator.input is Input.NONE else {**one, "value": value})
        answer = someone.post(posted, "and:A" if len(some) < MAX_CRITERIA else "next")
        assert answer.status_code == 303
        with people.admin.at_work() as user:
            made = drafts.document(someone.typed, brands.catalogue_of(user.brand))["filters"][0]
        assert made[: len(some)] == expected
        for one in expected:
            read(Criterion(**one), builtin().models[model])
        someone.open("filters")
        shown = someone.form.values
        assert [one for one in posted if one not in shown] == []
        someone.press("rm-set:A")


def test_the_operators_of_a_module_that_is_off_are_not_offered(tab: Tab, people: People) -> None:
    from webapp.extensions import db

    with people.admin.at_work() as user:
        user.brand.modules = [one for one in user.brand.modules if one not in ("rewards", "user_groups")]
        db.session.commit()
    someone = tab(people.admin)
    someone.begin("events")
    someone.open("filters")
    offered = someone.form.choices["filters-A-1-attribute"]
    assert "customer.segments" in offered
    assert "customer.action_history" in offered
    assert not {"customer.rewards", "customer.group_id"} & set(offered)


@pytest.mark.parametrize(
    ("inputs", "value"),
    [
        ({"when": "run"}, None),
        ({"when": "day", "value": " 2017-05-01 "}, "2017-05-01"),
        ({"when": "range", "low": "date: today", "high": "date: +7 days"}, ["date: today", "date: +7 days"]),
    ],
)
def test_an_anniversary_is_on_the_day_of_the_run_on_one_day_or_between_two(
    tab: Tab, people: People, inputs: dict[str, str], value: Any
) -> None:
    from tests.webapp.test_wizard_filters import at_filters, choose, documented

    someone = tab(people.exporter)
    at_filters(someone, "customers")
    choose(someone, "birth_date", "anniversary")
    someone.fill({f"filters-A-1-{part}": text for part, text in inputs.items()})
    someone.press("next")
    assert someone.step == "fields"
    assert documented(someone)[0][0]["value"] == value


BAD: list[tuple[str, str, Typed, str, str]] = [
    ("action_history", "action_taken", {}, "find", "Choose at least one action"),
    ("segments", "in_segment", {}, "find", "Choose at least one segment"),
    ("segments", "in_segment", {"values": ["nowhere"]}, "find", "There is no segment nowhere"),
    ("segments", "in_segment", {"find": "heavy"}, "find",
     "“heavy” is not chosen: choose it from the list, or empty this box"),
    ("rewards", "reward_claimed", {"values": ["nowhere"]}, "find", "There is no reward nowhere"),
    ("action_history", "action_taken", {"values": ["visit"], "least": "0"}, "least",
     "The number of times is 1 or more"),
    ("action_history", "action_taken", {"values": ["visit"], "least": "often"}, "least",
     "Enter a whole number for the number of times"),
    ("action_history", "action_taken", {"values": ["visit"], "low": "date: first day of this year"}, "low",
     "“first day of this year” cannot be read. Write “first day of january” for 1 January."),
    ("action_history", "action_taken", {"values": ["visit"], "high": "2017-02-30"}, "high",
     "2017-02-30 is not a day of the calendar"),
    ("purchases", "item_purchased", {"values": ["1"], "low": "2017-02-02", "high": "2017-02-01"}, "low",
     "The first value must not be greater than the second"),
    ("purchases", "item_purchased", {"values": ["1"], "value": "x" * 200}, "", ""),
    ("birth_date", "anniversary", {"when": "day", "value": "soon"}, "value",
     "Enter a date for Date of birth, such as 2017-01-31 or date: -3 months"),
    ("birth_date", "anniversary", {"when": "range", "low": "2017-01-01", "high": "soon"}, "high",
     "Enter a date for Date of birth, such as 2017-01-31 or date: -3 months"),
    ("birth_date", "age_range", {"low": "18", "high": "x"}, "high", "Enter a whole number for Date of birth"),
    ("birth_date", "age_range", {"low": "", "high": ""}, "low", "Enter a first or a last value for Date of birth"),
]  # fmt: skip


@pytest.mark.parametrize(("attribute", "operator", "typed", "input", "sentence"), BAD)
def test_a_bad_part_of_a_value_is_told_at_its_own_input_in_the_words_of_the_command_line(
    tab: Tab, people: People, source_dsn: str, attribute: str, operator: str, typed: Typed, input: str, sentence: str
) -> None:
    from tests.webapp.test_wizard_filters import at_filters, choose, documented
    from webapp.services import definitions

    someone = tab(people.exporter)
    at_filters(someone, "customers")
    choose(someone, attribute, operator)
    someone.fill({f"filters-A-1-{part}": text for part, text in typed.items()})
    someone.press("next")
    if not input:
        assert someone.step == "fields"
        return
    assert someone.problems == [(f"filters-A-1-{input}", sentence)]
    assert someone.beside(f"filters-A-1-{input}") == f"Error: {sentence}"
    if "find" in typed:
        return  # what is not chosen is in no definition
    with people.exporter.at_work() as user:
        from exports.definition import parse

        document = {"name": "x", "model": "customers", "timezone": "UTC", "filters": documented(someone)}
        wanted = parse({**document, "fields": [{"from": "_id"}]})
        assert sentence in [one.message for one in definitions.problems(user, wanted)]


def test_both_ends_of_a_range_are_told_at_once_each_at_its_input(tab: Tab, people: People, source_dsn: str) -> None:
    from tests.webapp.test_wizard_filters import at_filters, choose

    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "timestamp", "in_date")
    someone.fill({"filters-A-1-low": "first day of this month", "filters-A-1-high": "2017-13-01"})
    someone.press("next")
    assert someone.problems == [
        (
            "filters-A-1-low",
            "“first day of this month” cannot be read. Write date: before it: “date: first day of this month”.",
        ),
        ("filters-A-1-high", "2017-13-01 is not a day of the calendar"),
    ]
    for input, sentence in someone.problems:
        assert someone.beside(input) == f"Error: {sentence}"


def test_a_value_that_cannot_be_read_is_marked_while_it_is_typed_and_an_empty_one_is_not(
    tab: Tab, people: People, source_dsn: str
) -> None:
    from tests.webapp.test_wizard_filters import at_filters, choose

    someone = tab(people.exporter)
    at_filters(someone)
    choose(someone, "timestamp", "gte")
    assert 'class="err"' not in someone.save().get_data(as_text=True)
    someone.fill({"filters-A-1-value": "date: first day of this year"})
    page = someone.save().get_data(as_text=True)
    assert "cannot be read. Write “first day of january” for 1 January." in page
    assert 'id="errors"' not in page, "the summary comes with Next"
    someone.reload()
    someone.fill({"filters-A-1-value": "date: first day of january"})
    assert 'class="err"' not in someone.save().get_data(as_text=True)
