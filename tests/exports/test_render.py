"""A value stands in the file as SPEC section 6 says, whatever type it has and wherever it is stored."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.exports.zoo import Zoo

HOSTILE = Path(__file__).parents[1] / "data" / "hostile_inputs.json"
DATA = [entry["value"] for entry in json.loads(HOSTILE.read_text()) if entry["group"] == "database_values"]


def one(zoo: Zoo, field: str, timezone: str = "UTC", **row: Any) -> str:
    """The cell of a field in a file with this thing alone."""
    zoo.fill([{"id": "1", **row}])
    [cell] = zoo.cells(field, timezone=timezone)
    return cell


@pytest.mark.parametrize(
    ("field", "row", "cell"),
    [
        ("count", {"count": -9223372036854775808}, "-9223372036854775808"),
        ("amount", {"amount": Decimal("1.50")}, "1.50"),
        ("amount", {"amount": Decimal("1E+30")}, "1" + "0" * 30),
        ("amount", {"amount": Decimal("0.00000000000000000001")}, "0.00000000000000000001"),
        ("amount", {"amount": Decimal("NaN")}, "NaN"),
        ("amount", {"amount": Decimal("-Infinity")}, "-Infinity"),
        ("ratio", {"ratio": 1e300}, "1" + "0" * 300),
        ("ratio", {"ratio": 1e-7}, "0.0000001"),
        ("ratio", {"ratio": 0.1 + 0.2}, "0.30000000000000004"),
        ("ratio", {"ratio": float("nan")}, "NaN"),
        ("ratio", {"ratio": float("inf")}, "Infinity"),
        ("flag", {"flag": True}, "true"),
        ("flag", {"flag": False}, "false"),
        ("day", {"day": date(2017, 2, 28)}, "2017-02-28"),
        ("tags", {"tags": ["a b", 'c"d', "e\\f", "ü"]}, '"[""a b"",""c\\""d"",""e\\\\f"",""ü""]"'),
        ("tags", {"tags": []}, "[]"),
        ("data", {"data": {"b": [1, {"c": None}], "a": "x: y, z"}}, '"{""a"":""x: y, z"",""b"":[1,{""c"":null}]}"'),
        ("data", {"data": {"b": 1.50, "a": '": '}}, '"{""a"":""\\"": "",""b"":1.5}"'),
        ("title", {"title": {"de": "Kaffee", "en": "Coffee"}}, "Coffee"),
        ("title", {"title": {"fr": "Café", "de": "Kaffee"}}, "Kaffee"),
        ("title", {"title": "plain"}, "plain"),
        ("p_text", {"properties": {"text": "x"}}, "x"),
        ("p_number", {"properties": {"number": 1e25}}, "1" + "0" * 25),
        ("p_flag", {"properties": {"flag": False}}, "false"),
        ("p_list", {"properties": {"list": ["a", 1]}}, '"[""a"",1]"'),
        ("p_object", {"properties": {"object": {"a": {"b": 1}}}}, '"{""a"":{""b"":1}}"'),
        ("p_object", {"properties": {"object": None}}, ""),
        ("p_list", {"properties": {"list": ""}}, ""),
        ("shout", {"name": "x"}, "x!maple"),
    ],
)  # fmt: skip
def test_a_value_is_written_plainly(zoo: Zoo, field: str, row: dict[str, Any], cell: str) -> None:
    assert one(zoo, field, **row) == cell


@pytest.mark.parametrize(
    "field", ["name", "kind", "count", "ratio", "flag", "at", "tags", "title", "data", "p_text", "p_at"]
)
def test_null_and_the_empty_text_are_an_empty_cell(zoo: Zoo, field: str) -> None:
    assert one(zoo, field) == ""
    assert one(zoo, "name", name="") == ""
    assert one(zoo, "p_text", properties={"text": ""}) == ""


def test_a_moment_is_told_in_the_zone_of_the_export_with_fractions_cut(zoo: Zoo) -> None:
    moment = datetime(2017, 3, 26, 0, 59, 59, 999999, tzinfo=UTC)
    assert one(zoo, "at", "UTC", at=moment) == "2017-03-26 00:59:59"
    assert one(zoo, "at", "Europe/Budapest", at=moment) == "2017-03-26 01:59:59"
    assert one(zoo, "at", "Europe/Budapest", at=moment.replace(hour=1)) == "2017-03-26 03:59:59"
    assert one(zoo, "at", "Asia/Kathmandu", at=moment) == "2017-03-26 06:44:59"


def test_a_day_is_never_shifted(zoo: Zoo) -> None:
    assert one(zoo, "day", "Pacific/Kiritimati", day=date(2017, 1, 1)) == "2017-01-01"


def test_a_moment_in_an_object_is_told_in_the_zone_of_the_export(zoo: Zoo) -> None:
    for stored, shown in [
        ("2017-01-01 10:00:00", "2017-01-01 11:00:00"),
        ("2017-01-01T10:00:00.9Z", "2017-01-01 11:00:00"),
        ("2017-07-01T10:00:00-02:30", "2017-07-01 14:30:00"),
        ("2017-02-30 10:00:00", "2017-02-30 10:00:00"),
        ("tomorrow", "tomorrow"),
        ("", ""),
    ]:
        assert one(zoo, "p_at", "Europe/Budapest", properties={"at": stored}) == shown


def test_moments_in_a_list_are_told_in_the_zone_of_the_export(zoo: Zoo) -> None:
    cell = one(
        zoo, "moments", "Europe/Budapest", moments=[datetime(2017, 1, 1, tzinfo=UTC), datetime(2017, 7, 1, tzinfo=UTC)]
    )
    assert json.loads(cell.strip('"').replace('""', '"')) == ["2017-01-01 01:00:00", "2017-07-01 02:00:00"]


@pytest.mark.parametrize("zone", ["UTC", "Europe/Budapest", "Asia/Kathmandu", "America/St_Johns", "Pacific/Kiritimati"])
def test_a_moment_as_iso_8601_reads_back_as_the_same_second(zoo: Zoo, zone: str) -> None:
    hours = [datetime(2017, 3, 25, 22, 59, 59, 999999, tzinfo=UTC) + timedelta(hours=one) for one in range(0, 6000, 7)]
    folds = [datetime(2017, 10, 29, 0, 30, tzinfo=UTC) + timedelta(hours=one) for one in range(3)]
    moments = [*hours, *folds]
    rows = [{"id": f"{place:04}", "at": one, "moments": [one]} for place, one in enumerate(moments)]
    zoo.fill(rows)
    read = [row.partition("|")[2] for row in zoo.file(
        fields=["id", "at"], timezone=zone, file={"times": "iso", "delimiter": "|", "header": False}
    ).decode().splitlines()]  # fmt: skip
    expected = [one.replace(microsecond=0).astimezone(ZoneInfo(zone)).isoformat() for one in moments]
    assert read == expected
    objects = json.loads(zoo.file(fields=["at", "moments"], timezone=zone, file={"times": "iso", "extension": "json"}))
    assert objects == [{"at": text, "moments": [text]} for text in expected]


def test_iso_8601_is_what_replacements_compare_with_groups_are_made_of_and_the_greatest_is_told_in(zoo: Zoo) -> None:
    twice = [datetime(2017, 10, 29, hour, 30, tzinfo=UTC) for hour in (0, 1)]  # 02:30 comes two times in Budapest
    zoo.fill([{"id": str(place), "at": one} for place, one in enumerate(twice)])
    file = {"times": "iso", "header": False}
    replace = [{"value": "2017-10-29T02:30:00+01:00", "new": "later"}]
    group = {"from": "at", "aggregation": "group", "replace": replace}
    counted = {"from": "id", "aggregation": "count"}
    made = zoo.file(fields=[group, counted], timezone="Europe/Budapest", file=file, aggregation=True)
    assert made == b"2017-10-29T02:30:00+02:00,1\nlater,1\n"
    kinds = {"from": "kind", "aggregation": "group", "default": "all"}
    most = {"from": "at", "aggregation": "max"}
    made = zoo.file(fields=[kinds, most], timezone="Europe/Budapest", file=file, aggregation=True)
    assert made == b"all,2017-10-29T02:30:00+01:00\n"


def test_an_infinite_moment_is_text_and_no_crash(zoo: Zoo) -> None:
    import psycopg

    zoo.fill([{"id": "1"}])
    with psycopg.connect(zoo.url) as connection:
        connection.execute("UPDATE loyalty.things SET at = 'infinity', day = '-infinity'")
    assert zoo.cells("at") == ["infinity"]
    assert zoo.cells("at", file={"times": "iso"}) == ["infinity"]
    assert zoo.cells("day") == ["-infinity"]
    assert zoo.objects(fields=["at", "day"]) == [{"at": "infinity", "day": "-infinity"}]


def test_json_has_native_types_and_null_for_what_is_empty_or_not_finite(zoo: Zoo) -> None:
    zoo.fill([
        {"id": "1", "name": 'a"\\\n\u2028', "count": 5, "amount": Decimal("1.50"), "ratio": 1e-7, "flag": True,
         "day": date(2017, 1, 2), "at": datetime(2017, 1, 2, 3, tzinfo=UTC), "tags": ["x"], "data": {"a": [None, 1]},
         "properties": {"number": 2.5, "flag": False, "list": [1, "a"], "object": {"b": {}}, "text": ""}},
        {"id": "2", "amount": Decimal("NaN"), "ratio": float("-inf"), "name": ""},
    ])  # fmt: skip
    fields = ["name", "count", "amount", "ratio", "flag", "day", "at", "tags", "data", "p_number", "p_flag", "p_list",
              "p_object", "p_text"]  # fmt: skip
    first, second = zoo.objects(fields=fields)
    assert first == {
        "name": 'a"\\\n\u2028', "count": 5, "amount": 1.5, "ratio": 1e-7, "flag": True, "day": "2017-01-02",
        "at": "2017-01-02 03:00:00", "tags": ["x"], "data": {"a": [None, 1]}, "p_number": 2.5, "p_flag": False,
        "p_list": [1, "a"], "p_object": {"b": {}}, "p_text": None,
    }  # fmt: skip
    assert set(second.values()) == {None}


# --- Replace values, Default


def mapped(
    zoo: Zoo, field: str, rows: list[Any], default: str = "", replace: dict[str, str] | None = None
) -> list[str]:
    """The cells of a mapped column for things with these values."""
    zoo.fill([{"id": str(number), field: value} for number, value in enumerate(rows)])
    pairs = [{"value": old, "new": new} for old, new in (replace or {}).items()]
    out = zoo.file(fields=["id", {"from": field, "default": default, "replace": pairs}], file={"header": False})
    return [row[1] for row in csv.reader(io.StringIO(out.decode(), newline=""))]


def test_values_are_replaced_whole_once_and_with_their_capitals(zoo: Zoo) -> None:
    cells = mapped(zoo, "name", ["a", "b", "A", "ab", ""], replace={"a": "b", "b": "a"})
    assert cells == ["b", "a", "A", "ab", ""]


def test_the_rendered_text_is_what_is_replaced(zoo: Zoo) -> None:
    assert mapped(zoo, "count", [14, 140, None], replace={"14": "underage"}) == ["underage", "140", ""]
    assert mapped(zoo, "amount", [Decimal("1.50"), Decimal("1.5")], replace={"1.50": "x"}) == ["x", "1.5"]
    assert mapped(zoo, "flag", [True, False, None], "n/a", {"true": "yes"}) == ["yes", "false", "n/a"]
    moment = datetime(2017, 1, 1, tzinfo=UTC)
    assert mapped(zoo, "at", [moment], replace={"2017-01-01 00:00:00": "New Year"}) == ["New Year"]


def test_the_default_stands_for_null_the_empty_text_and_what_was_replaced_by_nothing(zoo: Zoo) -> None:
    assert mapped(zoo, "name", ["a", "", None, "b"], "n/a", {"a": ""}) == ["n/a", "n/a", "n/a", "b"]
    assert mapped(zoo, "name", ["a", "b"], "", {"a": ""}) == ["", "b"]
    assert mapped(zoo, "count", [1, None], "none", {"1": ""}) == ["none", "none"]


@pytest.mark.parametrize("text", ["'", "%s", "\\N", "\\.", "%(a)s", "{}", "$1", '"', ":x", "?", "a\nb", "\u2028"])
def test_what_people_put_in_is_taken_literally(zoo: Zoo, text: str) -> None:
    assert mapped(zoo, "name", [None, "x", text], text, {"x": text, text: "found"}) == [text, text, "found"]


def test_in_json_a_replaced_or_defaulted_cell_is_a_string(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "count": 1}, {"id": "2", "count": 2}, {"id": "3"}, {"id": "4", "count": 4}])
    column = {"from": "count", "default": "0", "replace": [{"value": "1", "new": "10"}, {"value": "4", "new": ""}]}
    assert [row["count"] for row in zoo.objects(fields=[column])] == ["10", 2, "0", "0"]


# --- Protect spreadsheets


def protected(zoo: Zoo, field: str, value: Any, **column: Any) -> str:
    """The cell with Protect spreadsheets on."""
    zoo.fill([{"id": "1", **(value if isinstance(value, dict) else {field: value})}])
    out = zoo.file(fields=["id", {"from": field, **column}], file={"header": False, "protect_spreadsheets": True})
    return next(csv.reader(io.StringIO(out.decode(), newline="")))[1]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1"])
def test_texts_that_a_spreadsheet_would_calculate_are_guarded(zoo: Zoo, text: str) -> None:
    assert protected(zoo, "name", text) == f"'{text}"
    assert protected(zoo, "p_text", {"properties": {"text": text}}) == f"'{text}"
    assert protected(zoo, "name", None, default=text) == f"'{text}"
    assert protected(zoo, "name", "x", replace=[{"value": "x", "new": text}]) == f"'{text}"
    assert protected(zoo, "name", f"x{text}") == f"x{text}"


def test_numbers_and_dates_are_never_touched_by_the_guard(zoo: Zoo) -> None:
    assert protected(zoo, "count", -5) == "-5"
    assert protected(zoo, "amount", Decimal("-Infinity")) == "-Infinity"
    assert protected(zoo, "p_number", {"properties": {"number": -5.5}}) == "-5.5"
    assert protected(zoo, "count", None, default="-5") == "-5"
    assert protected(zoo, "count", 7, replace=[{"value": "7", "new": "-7.5"}]) == "-7.5"
    assert protected(zoo, "name", None, default="-5") == "'-5"


def test_what_is_no_number_is_guarded_in_columns_of_numbers_too(zoo: Zoo) -> None:
    assert protected(zoo, "count", None, default="+36 30 123") == "'+36 30 123"
    assert protected(zoo, "count", 7, replace=[{"value": "7", "new": "=1"}]) == "'=1"
    assert protected(zoo, "p_number", {"properties": {"number": "=cmd()"}}) == "'=cmd()"


def test_headers_are_guarded_as_texts_are(zoo: Zoo) -> None:
    zoo.fill([])
    column = {"from": "count", "to": '=HYPERLINK("http://evil","x")'}
    assert zoo.file(fields=[column], file={"protect_spreadsheets": True}) == b'"\'=HYPERLINK(""http://evil"",""x"")"\n'


@pytest.mark.parametrize("value", [value for value in DATA if isinstance(value, str) and "float" not in value])
def test_values_of_the_database_come_back_exactly_as_they_are(zoo: Zoo, value: str) -> None:
    zoo.fill([{"id": "1", "name": value, "properties": {"text": value}}])
    forms = [{"enclosure": quote, "newline": newline} for quote in ('"', "'") for newline in ("\n", "\r\n", "\r")]
    for file in (*forms, {"extension": "psv"}):
        out = zoo.file(fields=["id", "name", "p_text"], file=file)
        delimiter, quote = ("|" if file.get("extension") == "psv" else ","), file.get("enclosure", '"')
        rows = list(csv.reader(io.StringIO(out.decode(), newline=""), delimiter=delimiter, quotechar=quote))
        assert rows == [["id", "name", "p_text"], ["1", value, value]]
    assert zoo.objects(fields=["name"]) == [{"name": value or None}]
    [line] = zoo.file(fields=["name"], file={"extension": "jsonl"}).decode().removesuffix("\n").split("\n")
    assert json.loads(line) == {"name": value or None}
