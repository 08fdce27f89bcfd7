"""The acceptance lines 2 to 17 of REFERENCE.md section 8, each through the wizard, the command line or both."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import psycopg
import pytest

from tests.fix_app import stores
from tests.fix_hostile import Ways

EVERYONE = [[{"attribute": "_id", "operator": "is_not_empty"}]]
MOMENT = ("--moment", "2017-06-01T00:00:00Z")
CRITERION = {"filters-A-1-attribute": "_id", "filters-A-1-operator": "is_not_empty"}
STORES = [[{"attribute": "id", "operator": "is_not_empty"}]]


def customers(**members: Any) -> dict[str, Any]:
    """A definition for all customers."""
    return {**stores().as_json(), "model": "customers", "filters": EVERYONE, "fields": [{"from": "_id"}], **members}


def one(attribute: str, operator: str, value: Any) -> dict[str, Any]:
    """A criterion."""
    return {"attribute": attribute, "operator": operator, "value": value}


def rows_of(file: bytes) -> list[list[str]]:
    """A csv read again."""
    return list(csv.reader(io.StringIO(file.decode(), newline="")))


def ids(ways: Ways, filters: Any, **members: Any) -> set[str]:
    """The ids of the customers in the file."""
    return {row[0] for row in rows_of(ways.run(customers(filters=filters, **members)))[1:]}


@pytest.fixture
def source(source_dsn: str) -> Any:
    """The rows of a query to the source, asked by other means."""

    def ask(query: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(source_dsn) as connection:
            return connection.execute(query.encode()).fetchall()

    return ask


def test_2_at_least_one_criterion_is_mandatory(ways: Ways) -> None:
    told = ways.told_alike({**stores().as_json(), "filters": []})
    assert told == [("filters.none", "Add at least one criterion")]
    ways.begin("stores")
    assert ways.by_form("filters", {}) == ("here", ["Add at least one criterion"])


def test_3_and_holds_inside_a_set_and_or_between_sets(plain_ways: Ways, source: Any) -> None:
    female, budget = one("gender", "equals", "female"), one("age", "lt", 40)
    both = ids(plain_ways, [[female, budget]])
    either = ids(plain_ways, [[female], [budget]])
    women = {id for (id,) in source("SELECT _id FROM loyalty.customers WHERE brand = 'maple' AND gender = 'female'")}
    young = ids(plain_ways, [[budget]])
    assert both == women & young != women
    assert either == women | young != women


def test_4_equals_looks_at_capital_letters(plain_ways: Ways, source: Any) -> None:
    [(id, name)] = source("SELECT _id, last_name FROM loyalty.customers WHERE brand = 'maple' ORDER BY _id LIMIT 1")
    assert name != name.upper()
    assert id in ids(plain_ways, [[one("last_name", "equals", name)]])
    assert id not in ids(plain_ways, [[one("last_name", "equals", name.upper())]])
    assert id in ids(plain_ways, [[one("last_name", "contains", name.upper())]])


def test_5_a_date_expression_is_taken_with_and_without_a_space(ways: Ways) -> None:
    """In a filter of the wizard and in files of a fixed moment, which are the same as with the day written out."""
    made = [customers(filters=[[one("last_login_at", "gte", v)]]) for v in ("date: -3 months", "date:-3 months")]
    for document in made:
        assert ways.told_alike(document) == []
    moment = ("--moment", "2017-03-31T12:00:00Z")
    files = [ways.run(document, *moment) for document in made]
    written = customers(filters=[[one("last_login_at", "gte", "2016-12-31")]])
    assert files[0] == files[1] == ways.run(written, *moment)
    assert files[0].count(b"\n") > 1
    ways.begin("customers")
    for value in ("date: -3 months", "date:-3 months"):
        inputs = {"filters-A-1-attribute": "last_login_at", "filters-A-1-operator": "gte", "filters-A-1-value": value}
        assert ways.by_form("filters", inputs) == ("on", [])


def aggregated(*fields: tuple[str, str], **members: Any) -> dict[str, Any]:
    """A definition that aggregates customers."""
    columns = [{"from": field, "to": f"{field} {method}", "aggregation": method} for field, method in fields]
    return customers(aggregation=True, fields=columns, **members)


def test_6_all_fields_cannot_be_ticked_with_aggregation(ways: Ways) -> None:
    sentence = "All fields cannot be used with Aggregation"
    told = ways.told_alike(customers(aggregation=True, all_fields=True, fields=[]))
    assert sentence in [said for _code, said in told]
    ways.begin("customers")
    boxes = []
    for inputs in (CRITERION, {**CRITERION, "aggregation": "1"}):
        assert ways.by_form("filters", inputs) == ("on", [])
        ways.tab.open("fields")
        boxes.append(re.findall(r'<input[^>]* id="all_fields"[^>]*>', ways.tab.html)[0])
    assert ["disabled" in box for box in boxes] == [False, True]
    where, sentences = ways.by_form("fields", {"all_fields": "1"})
    assert (where, sentence in sentences) == ("here", True)


REFUSED = {
    "7 at least one field is Group": (
        [("gender", "count")], "Choose Group for at least one field",
    ),
    "7 an identifier cannot be Group": (
        [("_id", "group"), ("gender", "group")],
        "Customer ID identifies one record, so it cannot be Group. Choose Count, Min or Max, or remove the field.",
    ),
    "8 only one field can be Count": (
        [("gender", "group"), ("_id", "count"), ("email", "count")],
        "Only one field can be Count: Customer ID already is",
    ),
    "9 Sum needs a number": (
        [("gender", "group"), ("country", "sum")], "Sum and Average need a number: Country is text",
    ),
    "9 Average needs a number": (
        [("gender", "group"), ("birth_date", "average")], "Sum and Average need a number: Date of birth is a date",
    ),
    "10 computed fields are refused": (
        [("gender", "group"), ("age", "max")], "Age is computed and cannot be aggregated",
    ),
}  # fmt: skip


@pytest.mark.parametrize("line", REFUSED)
def test_7_to_10_what_cannot_be_aggregated_is_refused_with_the_same_words_everywhere(ways: Ways, line: str) -> None:
    fields, sentence = REFUSED[line]
    assert [said for _code, said in ways.told_alike(aggregated(*fields))] == [sentence]
    ways.begin("customers")
    ways.by_form("filters", {**CRITERION, "aggregation": "1"})
    inputs = {}
    for place, (field, method) in enumerate(fields, 1):
        inputs |= {f"fields-{place}-from": field, f"fields-{place}-aggregation": method}
    assert ways.by_form("fields", inputs) == ("here", [sentence])


def test_9_sum_and_average_of_numbers_are_those_of_the_records(plain_ways: Ways, source: Any) -> None:
    file = plain_ways.run(aggregated(("gender", "group"), ("score", "sum"), ("_id", "count")))
    wanted = source(
        "SELECT coalesce(gender, ''), coalesce(sum(score)::text, ''), count(*)::text FROM loyalty.customers "
        "WHERE brand = 'maple' GROUP BY coalesce(gender, '') ORDER BY coalesce(gender, '') COLLATE \"C\""
    )
    assert [tuple(row) for row in rows_of(file)[1:]] == wanted


def test_11_an_empty_value_is_the_min_of_its_group(plain_ways: Ways, source: Any) -> None:
    told = dict(rows_of(plain_ways.run(aggregated(("country", "group"), ("birth_date", "min"))))[1:])
    wanted = source(
        "SELECT coalesce(country, ''), CASE WHEN bool_or(birth_date IS NULL) THEN '' ELSE min(birth_date)::text END "
        "FROM loyalty.customers WHERE brand = 'maple' GROUP BY 1"
    )
    assert told == dict(wanted)
    assert "" in told.values(), "some group has a record without a birthday"


def test_12_an_empty_to_makes_the_id_the_header(plain_ways: Ways) -> None:
    fields = [{"from": "_id", "to": ""}, {"from": "gender"}, {"from": "status", "to": "State"}]
    assert rows_of(plain_ways.run(customers(fields=fields)))[0] == ["_id", "gender", "State"]


def test_13_the_default_fills_empty_cells_alone(plain_ways: Ways, source: Any) -> None:
    fields = [{"from": "_id"}, {"from": "gender", "default": "unknown"}]
    wanted = source("SELECT _id, coalesce(nullif(gender, ''), 'unknown') FROM loyalty.customers WHERE brand = 'maple'")
    assert {tuple(row) for row in rows_of(plain_ways.run(customers(fields=fields)))[1:]} == set(wanted)
    assert {"unknown", "female"} <= {gender for _id, gender in wanted}


def test_14_female_becomes_ladies_and_the_age_of_a_child_underage(plain_ways: Ways, source: Any) -> None:
    ages = [{"value": str(age), "new": "underage"} for age in range(18)]
    fields = [
        {"from": "_id"},
        {"from": "gender", "replace": [{"value": "female", "new": "ladies"}]},
        {"from": "age", "replace": [*ages, {"value": "40", "new": "forty"}]},
    ]
    plain = rows_of(plain_ways.run(customers(fields=[{"from": one["from"]} for one in fields]), *MOMENT))[1:]
    told = rows_of(plain_ways.run(customers(fields=fields), *MOMENT))[1:]
    genders, numbers = {"female": "ladies"}, {**{str(age): "underage" for age in range(18)}, "40": "forty"}
    assert told == [[id, genders.get(gender, gender), numbers.get(age, age)] for id, gender, age in plain]
    assert "ladies" in {gender for _id, gender, _age in told}
    assert "forty" in {age for _id, _gender, age in told}


def test_15_challenges_come_as_json_alone(ways: Ways) -> None:
    made = {**stores().as_json(), "model": "challenges", "filters": STORES, "fields": [{"from": "id"}]}
    for extension in ("csv", "psv", "jsonl"):
        told = ways.told_alike({**made, "file": {"extension": extension}})
        assert told == [("file.json_only", "Challenges can only be exported as .json")]
    del made["file"]
    assert all(set(record) == {"id"} for record in json.loads(ways.run(made)))
    ways.begin("challenges")
    ways.tab.open("file")
    assert [value for name, value in ways.tab.form.boxes if name == "extension"] in ([], ["json"])
    assert ways.by_form("file", {"extension": "csv"}) == ("here", ["Challenges can only be exported as .json"])


def test_16_delimiter_enclosure_and_newline_are_choices_of_csv_alone(plain_ways: Ways) -> None:
    for extension in ("psv", "json", "jsonl"):
        for option, value in (("delimiter", ";"), ("enclosure", "'"), ("newline", "\r\n")):
            [(code, sentence)] = plain_ways.told_alike(
                {**stores().as_json(), "file": {"extension": extension, option: value}}
            )
            assert (code, sentence) == ("file.option", f"A .{extension} file has no {option}: leave it out")
    file = plain_ways.run({**stores().as_json(), "file": {"extension": "csv", "delimiter": ";", "newline": "\r\n"}})
    assert file.startswith(b"Store;name\r\n")
    psv = plain_ways.run({**stores().as_json(), "file": {"extension": "psv"}})
    assert psv.startswith(b"Store|name\n")


def test_17_no_header_leaves_out_the_first_line_of_csv_and_psv(plain_ways: Ways) -> None:
    for extension in ("csv", "psv"):
        with_, without = (
            plain_ways.run({**stores().as_json(), "file": {"extension": extension, "header": header}})
            for header in (True, False)
        )
        head, rest = with_.split(b"\n", 1)
        assert head in (b"Store,name", b"Store|name")
        assert without == rest
