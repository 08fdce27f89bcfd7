"""Each rule of Aggregation has its own words, and each rule about groups and results holds in the file."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from exports import checking, pipeline, preview, rules
from exports.catalogue import FieldType, builtin
from exports.definition import parse
from exports.errors import DefinitionRefused, EnclosureNeeded, Problem
from exports.preview import Counts
from exports.sinks import StreamSink
from exports.source.statements import compiled
from tests.exports.zoo import CATALOGUE, THINGS, Zoo, around, definition

GROUP = {"from": "name", "aggregation": "group"}


def column(from_: str, method: str | None, **more: Any) -> dict[str, Any]:
    """A column with a method."""
    return {"from": from_, "aggregation": method, **more}


def found(*fields: dict[str, Any], **members: Any) -> list[Problem]:
    """What the rules say about an aggregated definition."""
    return rules.problems(definition(fields=list(fields), aggregation=True, **members), CATALOGUE)


def aggregated(
    zoo: Zoo, *fields: dict[str, Any], file: dict[str, Any] | None = None, **members: Any
) -> list[list[str]]:
    """The rows of an aggregated csv."""
    data = zoo.file(fields=list(fields), aggregation=True, file={"header": False, **(file or {})}, **members)
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


# --- Rules

REFUSED = [
    (column("note", None), "missing", "Choose an aggregation for Note"),
    (column("id", "group"), "identifier",
     "Id identifies one record, so it cannot be Group. Choose Count, Min or Max, or remove the field."),
    (column("kind", "sum"), "number", "Sum and Average need a number: Kind is text"),
    (column("ref", "average"), "number", "Sum and Average need a number: Ref is text"),
    (column("day", "sum"), "number", "Sum and Average need a number: Day is a date"),
    (column("at", "average"), "number", "Sum and Average need a number: At is a time"),
    (column("flag", "sum"), "number", "Sum and Average need a number: Flag is true or false"),
    (column("flag", "min"), "order", "Min and Max need a text, a number, a date or a time: Flag is true or false"),
    (column("flag", "max"), "order", "Min and Max need a text, a number, a date or a time: Flag is true or false"),
    (column("tags", "group"), "only_count", "Tags is a list: only Count can be used"),
    (column("tags", "max"), "only_count", "Tags is a list: only Count can be used"),
    (column("data", "sum"), "only_count", "Data is an object: only Count can be used"),
    (column("shout", "group"), "computed", "Shout is computed and cannot be aggregated"),
    (column("shout", "count"), "computed", "Shout is computed and cannot be aggregated"),
    (column("segments", "count"), "computed", "Segments is computed and cannot be aggregated"),
    (column("shout", None), "computed", "Shout is computed and cannot be aggregated"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "code", "message"), REFUSED)
def test_a_method_that_does_not_fit_its_field_is_refused(field: dict[str, Any], code: str, message: str) -> None:
    assert found(GROUP, field) == [Problem("fields.1.aggregation", f"aggregation.{code}", message)]


def test_at_least_one_field_is_group() -> None:
    assert found(column("amount", "sum"), column("id", "max")) == [
        Problem("fields", "aggregation.no_group", "Choose Group for at least one field")
    ]


def test_at_most_one_field_is_count() -> None:
    said = found(GROUP, column("id", "count"), column("tags", "count"), column("at", "count"))
    assert [(one.at, one.message) for one in said if one.code == "aggregation.second_count"] == [
        (f"fields.{place}.aggregation", "Only one field can be Count: Id already is") for place in (2, 3)
    ]


def test_all_fields_cannot_be_aggregated() -> None:
    wanted = definition(all_fields=True, aggregation=True)
    assert rules.problems(wanted, CATALOGUE) == [
        Problem("all_fields", "aggregation.all_fields", "All fields cannot be used with Aggregation")
    ]


def test_no_field_at_all_is_one_problem() -> None:
    assert [one.message for one in found()] == ["Choose at least one field"]


def test_a_method_without_aggregation_is_refused() -> None:
    wanted = definition(fields=[column("amount", "sum")])
    assert rules.problems(wanted, CATALOGUE) == [
        Problem(
            "fields.0.aggregation",
            "aggregation.off",
            "Aggregation is off: switch it on, or take Sum away from Amount",
        )
    ]


def test_a_field_that_does_not_exist_is_told_once() -> None:
    assert [one.code for one in found(GROUP, column("nothing", "sum"))] == ["field.unknown"]


@pytest.mark.parametrize("extension", ["csv", "json"])
def test_two_equal_headers_are_a_warning_or_refused(extension: str) -> None:
    [said] = found(GROUP, column("amount", "min"), column("amount", "max"), file={"extension": extension})
    assert said.warning == (extension == "csv")
    both = "Two columns are called amount: "
    assert said.message == both + ("the file will have both" if said.warning else "rename one")


def test_what_people_expect_otherwise_is_said_and_stops_nothing() -> None:
    replace = [{"value": "1", "new": "one"}]
    fields = [
        {**GROUP, "replace": replace},
        column("kind", "count"),
        column("amount", "sum", replace=replace),
        column("count", "min", replace=replace),
    ]
    assert [(one.at, one.code, one.message, one.warning) for one in found(*fields)] == [
        ("fields.1.aggregation", "aggregation.counts_entries", "Count counts entries, also where the field is empty",
         True),
        ("fields.2.replace", "aggregation.not_replaced",
         "Replace values are not applied to Sum: they work on Group", True),
        ("fields.3.replace", "aggregation.not_replaced",
         "Replace values are not applied to Min: they work on Group", True),
    ]  # fmt: skip
    rules.refuse(rules.problems(definition(fields=fields, aggregation=True), CATALOGUE))


def test_counting_the_key_needs_no_words() -> None:
    assert found(GROUP, column("id", "count")) == []


@pytest.mark.parametrize("type", list(FieldType))
def test_the_methods_of_each_type_are_those_of_the_table(type: FieldType) -> None:
    """SPEC section 3.4, read once more."""
    table = {
        "group": "string text integer float boolean enum reference date datetime",
        "count": "string text integer float boolean enum reference date datetime list json",
        "sum": "integer float",
        "average": "integer float",
        "min": "string text enum reference integer float date datetime",
        "max": "string text enum reference integer float date datetime",
    }
    for field in (one for one in THINGS.fields.values() if one.type is type and not one.computed):
        for method, types in table.items():
            said = [one for one in found(GROUP, column(field.id, method, to="x")) if not one.warning]
            refused = type.value not in types.split() or (method == "group" and field.identifier)
            assert bool(said) == refused, (field.id, method)


@pytest.mark.parametrize("model", sorted(builtin().models))
def test_computed_fields_and_identifiers_of_every_model_are_refused(model: str) -> None:
    for field in builtin().models[model].fields.values():
        document = {
            "name": "x", "model": model, "timezone": "UTC", "aggregation": True,
            "filters": [[{"attribute": builtin().models[model].key, "operator": "is_not_empty"}]],
            "fields": [column(field.id, "group")],
        }  # fmt: skip
        said = {one.code for one in rules.problems(parse(document), builtin()) if not one.warning}
        if field.computed:
            assert said == {"aggregation.computed"}
        elif field.identifier:
            assert said == {"aggregation.identifier"}
        else:
            assert said == ({"aggregation.only_count"} if field.type in (FieldType.LIST, FieldType.JSON) else set())


def test_a_run_refuses_what_the_form_refuses(zoo: Zoo) -> None:
    with pytest.raises(DefinitionRefused) as refused:
        aggregated(zoo, column("kind", "sum"))
    assert [one.message for one in refused.value.problems] == [
        "Sum and Average need a number: Kind is text",
        "Choose Group for at least one field",
    ]


# --- Groups


def test_two_values_replaced_by_the_same_new_one_form_one_group(zoo: Zoo) -> None:
    zoo.fill([{"id": str(number), "kind": kind, "count": number} for number, kind in enumerate("abcab")])
    replace = [{"value": "a", "new": "both"}, {"value": "b", "new": "both"}]
    kind = column("kind", "group", replace=replace)
    assert aggregated(zoo, kind, column("id", "count"), column("count", "sum")) == [["both", "4", "8"], ["c", "1", "2"]]


def test_what_is_empty_is_one_group_with_its_default(zoo: Zoo) -> None:
    names = [None, "", "a", "n/a", "gone"]
    zoo.fill([{"id": str(number), "name": name} for number, name in enumerate(names)])
    counted = column("id", "count")
    gone = [{"value": "gone", "new": ""}]
    assert aggregated(zoo, column("name", "group"), counted) == [["", "2"], ["a", "1"], ["gone", "1"], ["n/a", "1"]]
    assert aggregated(zoo, column("name", "group", default="n/a", replace=gone), counted) == [["a", "1"], ["n/a", "4"]]


def test_rows_come_in_the_order_of_the_rendered_keys_by_code_point(zoo: Zoo) -> None:
    names = ["a", "B", "é", "10", "9", "_", "Z", "\U0001f642", "ａ", None]
    zoo.fill([{"id": f"{n}{m}", "name": name, "count": m} for n, name in enumerate(names) for m in (10, 9, -1)])
    read = aggregated(zoo, column("id", "count"), column("count", "group"), column("name", "group"))
    assert read == [
        ["1", count, name or ""] for count in ("-1", "10", "9") for name in sorted(one or "" for one in names)
    ]


def test_moments_are_grouped_as_they_stand_in_the_zone_of_the_export(zoo: Zoo) -> None:
    moments = ["2017-10-29T00:30:00+00:00", "2017-10-29T01:30:00+00:00", "2017-10-29T01:30:00.9+00:00"]
    zoo.fill([{"id": one, "at": datetime.fromisoformat(one)} for one in moments])
    fields = [column("at", "group"), column("id", "count")]
    assert aggregated(zoo, *fields, timezone="Europe/Budapest") == [["2017-10-29 02:30:00", "3"]]
    assert aggregated(zoo, *fields) == [["2017-10-29 00:30:00", "1"], ["2017-10-29 01:30:00", "2"]]


def test_the_spreadsheet_guard_makes_no_one_group_of_two(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "name": "=a"}, {"id": "2", "name": "'=a"}, {"id": "3", "name": "-5", "count": -5}])
    guard = {"protect_spreadsheets": True}
    read = aggregated(zoo, column("name", "group"), column("count", "sum", default="-"), file=guard)
    assert read == [["'=a", "'-"], ["'-5", "-5"], ["'=a", "'-"]]


def test_nothing_that_matches_is_no_group(zoo: Zoo) -> None:
    zoo.fill([])
    assert aggregated(zoo, column("name", "group"), column("id", "count")) == []
    assert zoo.file(fields=[GROUP], aggregation=True, file={"extension": "json"}) == b"[\n]\n"


def test_one_group_key_alone_is_the_list_of_its_values(zoo: Zoo) -> None:
    zoo.fill([{"id": str(number), "name": name} for number, name in enumerate(["b", "a", "b", None])])
    assert zoo.file(fields=[GROUP], aggregation=True) == b'name\n""\na\nb\n'


def test_a_key_with_the_delimiter_needs_an_enclosure(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "name": "a,b"}])
    with pytest.raises(EnclosureNeeded):
        aggregated(zoo, GROUP, column("id", "count"), file={"enclosure": None})


# --- Results


def results(zoo: Zoo, field: str, values: list[Any], *methods: str) -> list[str]:
    """What methods make of the values of one group."""
    zoo.fill([{"id": str(number), "name": "all", field: value} for number, value in enumerate(values)])
    [row] = aggregated(zoo, GROUP, *(column(field, method, to=method) for method in methods))
    return row[1:]


@pytest.mark.parametrize(
    ("values", "average"),
    [
        ([1, 2], "1.5"),
        ([1, 1, 2], "1.3333333333"),
        ([2, 2, 1], "1.6666666667"),
        (["0.00000000005"], "0.0000000001"),
        (["-0.00000000005"], "-0.0000000001"),
        (["0.00000000004999999999999999999"], "0"),
        (["123456789012345678901234567890", 0, 0], "41152263004115226300411522630"),
        (["123456789012345678901234567891", 0, 0], "41152263004115226300411522630.3333333333"),
        ([10, 20], "15"),
        (["1.50", "1.50"], "1.5"),
        (["NaN", 1], "NaN"),
        (["Infinity", 1], "Infinity"),
        ([None, 3], "3"),
        ([None], ""),
        ([0], "0"),
    ],
)
def test_average_is_rounded_half_up_to_ten_decimals(zoo: Zoo, values: list[Any], average: str) -> None:
    given = [None if one is None else Decimal(one) for one in values]
    assert results(zoo, "amount", given, "average") == [average]


def test_sum_is_exact(zoo: Zoo) -> None:
    assert results(zoo, "ratio", [0.1, 0.2, 0.3, None], "sum") == ["0.6"]
    assert results(zoo, "count", [2**63 - 1, 2**63 - 1], "sum") == [str(2**64 - 2)]
    assert results(zoo, "amount", [Decimal("1e30"), Decimal("1e-20")], "sum") == [f"1{'0' * 30}.{'0' * 19}1"]
    assert results(zoo, "amount", [None, None], "sum") == [""]


@pytest.mark.parametrize(
    ("field", "values", "least", "greatest"),
    [
        ("note", ["b", "Z", "é", "\U0001f642", "ａ"], "Z", "\U0001f642"),
        ("note", ["b", None], "", "b"),
        ("note", ["b", ""], "", "b"),
        ("note", [None, ""], "", ""),
        ("amount", [Decimal("10"), Decimal("9")], "9", "10"),
        ("amount", [Decimal("1.50"), Decimal("1.5"), Decimal("1.500")], "1.5", "1.5"),
        ("amount", [Decimal("NaN"), Decimal("5")], "5", "NaN"),
        ("ratio", [1e-7, 1e22], "0.0000001", "1" + "0" * 22),
        ("count", [0, None], "", "0"),
        ("day", [date(2017, 1, 31), date(2016, 12, 31)], "2016-12-31", "2017-01-31"),
        ("properties", [{"number": 10}, {"number": "9"}], "9", "10"),
        ("properties", [{"number": 10}, {"number": "many"}], "", "10"),
    ],
)
def test_min_is_empty_if_a_value_is_and_max_looks_past_it(
    zoo: Zoo, field: str, values: list[Any], least: str, greatest: str
) -> None:
    zoo.fill([{"id": str(number), "name": "all", field: value} for number, value in enumerate(values)])
    field = "p_number" if field == "properties" else field
    [row] = aggregated(zoo, GROUP, column(field, "min", to="min"), column(field, "max", to="max"))
    assert row[1:] == [least, greatest]


def test_moments_are_compared_as_moments_and_told_in_the_zone(zoo: Zoo) -> None:
    first, second = (datetime(2017, 10, 29, hour, 59, 59, 900_000, tzinfo=UTC) for hour in (0, 1))
    zoo.fill([{"id": "1", "name": "x", "at": second}, {"id": "2", "name": "x", "at": first}])
    fields = [GROUP, column("at", "min", to="a"), column("at", "max", to="b")]
    assert aggregated(zoo, *fields) == [["x", "2017-10-29 00:59:59", "2017-10-29 01:59:59"]]
    assert aggregated(zoo, *fields, timezone="Europe/Budapest") == [["x", "2017-10-29 02:59:59", "2017-10-29 02:59:59"]]


def test_a_result_gets_the_default_and_no_replacement(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "name": "a", "count": 1}, {"id": "2", "name": "b"}])
    one = [{"value": "1", "new": "one"}]
    fields = [GROUP, *(column("count", method, to=method, default="none", replace=one) for method in ("sum", "min"))]
    assert aggregated(zoo, *fields) == [["a", "1", "1"], ["b", "none", "none"]]


def test_count_counts_entries_also_where_the_field_is_empty(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "tags": ["a"]}, {"id": "2", "tags": None}, {"id": "3"}])
    assert aggregated(zoo, GROUP, column("tags", "count")) == [["", "3"]]


def test_json_has_native_types_for_results_and_unchanged_keys(zoo: Zoo) -> None:
    zoo.fill([
        {"id": "1", "count": 1, "flag": True, "amount": Decimal("1.5"), "at": datetime(2017, 1, 2, tzinfo=UTC)},
        {"id": "2", "count": 1, "flag": True, "amount": Decimal("2")}, {"id": "3", "count": 2, "ratio": float("nan")},
        {"id": "4", "count": 3, "amount": Decimal("-1")}, {"id": "5"},
    ])  # fmt: skip
    replace = [{"value": "3", "new": "2"}]
    fields = [
        column("count", "group", replace=replace), column("flag", "group", default="?"), column("amount", "average"),
        column("id", "count", to="entries"), column("at", "max"), column("ratio", "sum", default="none"),
        column("amount", "max", to="most"),
    ]  # fmt: skip
    read = json.loads(zoo.file(fields=fields, aggregation=True, file={"extension": "json"}))
    assert [list(one.values()) for one in read] == [
        [None, "?", None, 1, None, "none", None],
        [1, True, 1.75, 2, "2017-01-02 00:00:00", "none", 2],
        ["2", "?", -1, 2, None, "none", -1],
    ]


# --- The statement, the first rows


def test_count_and_estimate_are_of_groups_and_the_first_rows_are_those_of_the_file(zoo: Zoo) -> None:
    zoo.fill([{"id": f"{number:03}", "name": f"n{number % 30:02}", "count": number} for number in range(600)])
    with psycopg.connect(zoo.url, autocommit=True) as connection:
        connection.execute("ANALYZE loyalty.things")
    fields = [GROUP, column("count", "sum"), column("id", "count")]
    wanted = definition(fields=fields, aggregation=True)
    where = (wanted, CATALOGUE, around(), zoo.source)
    query = checking.query_of(*where)
    assert preview.count(query, zoo.source) == Counts(rows=30, records=600, sets=(600,), several=0)
    expected = zoo.source.estimate(query)
    assert 10 <= expected <= 150, "groups, not the 600 records; what other brands have counts in a little"
    shown = preview.first_rows(query, zoo.source, expected)
    assert shown is not None
    written = io.BytesIO()
    assert pipeline.run(*where, StreamSink(written)).rows == 30
    lines = written.getvalue().decode().splitlines()
    assert [",".join(row) for row in shown.rows] == lines[1:21]
    assert written.getvalue().startswith(shown.sample)


def test_every_statement_of_an_aggregation_carries_the_condition_of_the_brand(zoo: Zoo) -> None:
    query = zoo.query(definition(fields=[GROUP, column("id", "count")], aggregation=True), brand="the brand")
    for select in (query.rows, query.count, query.matching, query.first(20), query.first_by_key(20)):
        text, values = compiled(select, folds_unicode=True)
        [name] = {name for name, value in values.items() if value == "the brand"}
        assert text.count("FROM loyalty.things") == 1
        assert f"WHERE loyalty.things.brand = %({name})s AND " in text


def test_a_lot_of_columns_and_replacements_is_one_statement(zoo: Zoo) -> None:
    zoo.fill([{"id": str(number), "name": f"v{number % 7}", "amount": Decimal(number)} for number in range(50)])
    replace = [{"value": f"v{number}", "new": f"w{number % 3}"} for number in range(500)]
    groups = [column("name", "group", to=f"g{number}", replace=replace) for number in range(4)]
    sums = [column("amount", "sum", to=f"s{number}") for number in range(496)]
    read = aggregated(zoo, *groups, *sums)
    assert [row[0] for row in read] == ["w0", "w1", "w2"]
    assert sum(int(row[-1]) for row in read) == sum(range(50))
