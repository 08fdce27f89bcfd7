"""Hostile headers, defaults, replacements and fields: one answer each, wherever they are given."""

from __future__ import annotations

import csv
import io
from typing import Any

from tests.fix_app import stores
from tests.fix_hostile import Inputs, Ways, group, is_storable, shown

OVER_CAP = {"shape.string_too_long", "shape.too_long", "replace.too_many"}


def column(from_: str = "city", to: str = "", default: str = "", replace: dict[str, str] | None = None) -> Any:
    """A field of a definition."""
    pairs = [{"value": old, "new": new} for old, new in (replace or {}).items()]
    return {"from": from_, "to": to, "default": default, "replace": pairs}


TWICE = {**column(), "replace": [{"value": "a", "new": "b"}, {"value": "a", "new": "c"}]}
CASES: dict[str, list[Any]] = {
    "to=two columns with the same name": [column("id"), column("city", "id")],
    'replace: "" -> "x"': [column(replace={"": "x"})],
    "replace: a->b and a->c": [TWICE],
    "replace: a->b, b->a": [column(replace={"a": "b", "b": "a"})],
    "replace: 10,000 pairs": [column(replace={str(n): "x" for n in range(10_000)})],
    "replace: ' -> ''": [column(replace={"'": "''"})],
    "replace: on a number column with text": [column("lat", replace={"1": "one"})],
    "from=customers.password_hash": [column("customers.password_hash")],
    "from=__class__": [column("__class__")],
    "fields: 1,665 columns": [column("id", str(n)) for n in range(1_665)],
    "fields: same field 1,000 times": [column("id")] * 1_000,
}
AGGREGATED: dict[str, dict[str, Any]] = {
    "aggregation=sum on text": {"fields": [{"from": "city", "aggregation": "sum"}]},
    "aggregation without group": {"fields": [{"from": "city", "aggregation": "count"}]},
    "aggregation=pg_sleep": {"fields": [{"from": "city", "aggregation": "pg_sleep"}]},
    "aggregation together with All fields": {"fields": [], "all_fields": True},
}


def fields_of(value: str) -> list[Any]:
    """The fields that an entry speaks of."""
    if value in CASES:
        return CASES[value]
    part, is_named, text = value.partition("=")
    # The entry of 300 characters is a header; every other one names what it is.
    return [column(**{part: text})] if is_named and part in ("to", "default") else [column(to=value)]


def inputs_of(fields: list[Any]) -> Inputs:
    """The inputs of these fields in the form."""
    made = {}
    for place, one in enumerate(fields, 1):
        made |= {f"fields-{place}-{part}": one[part] for part in ("from", "to", "default")}
        for row, pair in enumerate(one["replace"], 1):
            made |= {f"fields-{place}-replace-{row}-{end}": pair[end] for end in ("value", "new")}
    return made


def test_a_hostile_mapping_has_one_answer(ways: Ways) -> None:
    for value, is_refused in group("mapping"):
        if value in AGGREGATED:
            continue
        ways.begin("stores")
        fields = fields_of(value)
        told = ways.told_alike({**stores().as_json(), "fields": fields})
        assert bool(told) == (is_refused and "same name" not in value), shown(value)
        inputs = inputs_of(fields)
        where, sentences = ways.by_form("fields", inputs)
        assert sentences == [sentence for _code, sentence in told], shown(value)
        unstorable = not all(map(is_storable, inputs.values())) or {code for code, _ in told} & OVER_CAP
        assert where == ("on" if not told else "refused" if unstorable else "here"), shown(value)
        if not told:
            kept = ways.tab.typed.columns[0]
            assert (kept.to, kept.default) == (fields[0]["to"], fields[0]["default"]), shown(value)


def test_two_columns_of_one_name_are_refused_where_a_name_is_a_member(ways: Ways) -> None:
    fields = CASES["to=two columns with the same name"]
    for extension in ("json", "jsonl"):
        told = ways.told_alike({**stores().as_json(), "fields": fields, "file": {"extension": extension}})
        assert told == [("header.twice", "Two columns are called id: rename one")]
        ways.begin("stores")
        assert ways.by_form("file", {"extension": extension})[0] == "on"
        assert ways.by_form("fields", inputs_of(fields)) == ("here", [told[0][1]])


def test_a_hostile_aggregation_has_one_answer(ways: Ways) -> None:
    filters = {"filters-A-1-attribute": "id", "filters-A-1-operator": "is_not_empty", "aggregation": "1"}
    for value, members in AGGREGATED.items():
        told = ways.told_alike({**stores().as_json(), "aggregation": True, **members})
        assert told, value
        assert all(code.startswith(("aggregation.", "fields.", "shape.literal")) for code, _ in told), told
        ways.begin("stores")
        ways.by_form("filters", filters)
        inputs = {"all_fields": "1"} if "all_fields" in members else {}
        for place, one in enumerate(members["fields"], 1):
            inputs |= {f"fields-{place}-from": one["from"], f"fields-{place}-aggregation": one["aggregation"]}
        assert ways.by_form("fields", inputs) == ("here", [sentence for _code, sentence in told]), value


def test_what_is_accepted_stands_in_the_file_as_it_was_typed(ways: Ways) -> None:
    """All of it in one run, as headers and as defaults; read again by a standard reader, guarded and not."""
    typed = []
    for value, is_refused in group("mapping"):
        part, _, text = value.partition("=")
        if part in ("to", "default") and text and not is_refused and "same name" not in value:
            typed.append(text)
    fields = [column("_id"), *(column("referrer", to=one, default=one) for one in typed)]
    filters = [[{"attribute": "referrer", "operator": "is_empty"}]]
    for protect in (False, True):
        wish = {"model": "customers", "filters": filters, "fields": fields, "file": {"protect_spreadsheets": protect}}
        made = {**stores().as_json(), **wish}
        header, *rows = csv.reader(io.StringIO(ways.run(made).decode(), newline=""))
        wanted = [_guarded(one) if protect else one for one in typed]
        assert header[1:] == wanted
        assert rows
        assert all(row[1:] == wanted for row in rows)


def _guarded(text: str) -> str:
    return f"'{text}" if text[0] in "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20" else text
