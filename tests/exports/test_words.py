"""A definition said in words, as the details of an export show it."""

from __future__ import annotations

from typing import Any

import pytest

from exports import catalogue, words
from exports.definition import Definition, parse

TWENTY = ", ".join(map(str, range(20)))
EVENTS = catalogue.builtin().models["events"]


def events(**changes: Any) -> Definition:
    """A definition of events."""
    document = {
        "name": "x", "model": "events", "timezone": "UTC", "fields": [{"from": "_id"}],
        "filters": [[{"attribute": "action", "operator": "is_not_empty"}]],
    }  # fmt: skip
    return parse({**document, **changes})


@pytest.mark.parametrize(
    ("criterion", "said"),
    [
        (("action", "equals", "checkout_item"), "Action equals Checkout item"),
        (("action", "is_empty"), "Action is empty"),
        (("points", "gte", 10), "Points is at least 10"),
        (("points", "between", [10, 20]), "Points is between 10 and 20"),
        (("points", "between", [10, None]), "Points is between 10 and anything above"),
        (("points", "between", [None, 20]), "Points is between anything and 20"),
        (("timestamp", "gte", "date: -1 month"), "Occurred at on or after date: -1 month"),
        (("timestamp", "in_date", ["2017-01-01", "2017-12-31"]), "Occurred at between 2017-01-01 and 2017-12-31"),
        (("signed", "equals", True), "Signed request is Yes"),
        (("cid", "in", ["a", "b"]), "Correlation ID is one of a, b"),
        (("cid", "in", [str(n) for n in range(22)]), f"Correlation ID is one of {TWENTY} and 2 more"),
        (("gone", "equals", "x"), "gone equals x"),
        (("points", "sounds_like", [True, None]), "points sounds_like true,"),
    ],
)
def test_a_criterion_is_a_part_of_a_sentence(criterion: tuple[Any, ...], said: str) -> None:
    one = dict(zip(("attribute", "operator", "value"), criterion, strict=False))
    [[phrase]] = words.filters(events(filters=[[one]]), EVENTS)
    assert f"{phrase.attribute} {phrase.test}" == said


def test_columns_say_what_becomes_of_them() -> None:
    fields = [
        {"from": "action", "to": "What", "default": "n/a", "replace": [{"value": "a", "new": "b"}]},
        {"from": "gone"},
    ]
    action, gone = words.columns(events(fields=fields), EVENTS)
    assert (action.from_, action.to, action.default, action.replaced) == ("action", "What", "n/a", 1)
    assert action.field is EVENTS.fields["action"]
    assert (gone.to, gone.field) == ("gone", None)


def test_columns_of_an_aggregation_name_their_method() -> None:
    fields = [{"from": "action", "aggregation": "group"}, {"from": "points", "aggregation": "average"}]
    said = words.columns(events(fields=fields, aggregation=True), EVENTS)
    assert [one.method for one in said] == ["Group", "Average"]


def test_all_fields_are_those_of_the_model() -> None:
    columns = words.columns(events(fields=[], all_fields=True), EVENTS)
    assert [column.from_ for column in columns] == [field.id for field in EVENTS.all_fields]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, '.csv, comma, enclosure ", LF, header, UTF-8, spreadsheets protected'),
        (
            {
                "delimiter": "\t",
                "enclosure": None,
                "newline": "\r\n",
                "header": False,
                "bom": True,
                "protect_spreadsheets": False,
            },
            ".csv, tab, no enclosure, CRLF, no header, UTF-8 with BOM, spreadsheets not protected",
        ),
        (
            {"delimiter": "#", "enclosure": "'"},
            ".csv, delimiter #, enclosure ', LF, header, UTF-8, spreadsheets protected",
        ),
        ({"extension": "psv"}, ".psv, header, UTF-8, spreadsheets protected"),
        ({"extension": "jsonl"}, ".jsonl, UTF-8"),
    ],
)
def test_the_file_in_words(given: dict[str, Any], said: str) -> None:
    assert ", ".join(words.file(events(file=given).file)) == said
