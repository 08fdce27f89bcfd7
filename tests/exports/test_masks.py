"""Masked personal fields: each cell against plain Python's hmac and slices, whatever type, format and order of work."""

from __future__ import annotations

import csv
import dataclasses
import hmac
import io
import json
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from exports import checking, masks, pipeline, preview, rules
from exports.catalogue import Catalogue
from exports.definition import Definition, parse
from exports.errors import DefinitionRefused
from exports.sinks import StreamSink
from exports.source.parts import Parts
from exports.source.postgresql import PostgresSource
from exports.source.statements import compiled
from tests.exports.zoo import FIELDS, THINGS, Zoo, around, definition

KEY = bytes(range(32))
PERSONAL = Catalogue(
    {"things": dataclasses.replace(THINGS, fields={one.id: dataclasses.replace(one, personal=True) for one in FIELDS})},
    {},
    {},
)
ROWS: list[dict[str, Any]] = [
    {"id": "1", "name": "ann@maple.example", "note": "Zürich\n\"x\"", "count": 4930123456, "flag": True,
     "title": {"en": "Hi"}, "amount": Decimal("1.50"), "ratio": 0.1, "day": date(1980, 5, 17),
     "at": datetime(2026, 3, 1, 12, tzinfo=UTC), "tags": ["a", "b"], "data": {"a": 1},
     "properties": {"text": "0123456789", "whole": 12345678, "list": [1]}},
    {"id": "2", "name": "1234567", "note": "日本語テキスト長い", "count": 7, "properties": {"text": "=SUM(A1)"}},
    {"id": "3", "name": "", "note": "12345678"},
    {"id": "4", "name": "ann@maple.example", "note": "x" * 10_000},
]  # fmt: skip


def hashed(text: str, key: bytes = KEY) -> str:
    """What a hash is."""
    return hmac.new(key, text.encode(), "sha256").hexdigest() if text else ""


def last4(text: str) -> str:
    """What Last 4 shows."""
    return ("****" + text[-4:] if len(text) >= 8 else "****") if text else ""


def made(zoo: Zoo, wanted: Definition, key: bytes = KEY, source: PostgresSource | None = None) -> bytes:
    """The file of a definition for a brand with this key."""
    out = io.BytesIO()
    surroundings = around(mask_key=lambda: key)
    pipeline.run(wanted, PERSONAL, surroundings, source or zoo.source, StreamSink(out))
    return out.getvalue()


def rows(zoo: Zoo, *fields: dict[str, Any], key: bytes = KEY, **members: Any) -> list[list[str]]:
    """The rows of a csv with these fields."""
    file = {"header": False, **members.pop("file", {})}
    data = made(zoo, definition(fields=list(fields), file=file, **members), key)
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@pytest.mark.parametrize("times", ["local", "iso"])
@pytest.mark.parametrize("extension", ["csv", "psv"])
def test_a_hash_is_the_hmac_of_the_text_that_would_stand_there(zoo: Zoo, extension: str, times: str) -> None:
    zoo.fill(ROWS)
    shape = {"extension": extension, "times": times, "header": False}
    plain = [{"from": one.id} for one in FIELDS]
    both = [*plain, *({**one, "mask": "hash"} for one in plain)]
    wanted = definition(fields=both, file=shape, timezone="Europe/Budapest")
    delimiter = "|" if extension == "psv" else ","
    found = list(csv.reader(io.StringIO(made(zoo, wanted).decode(), newline=""), delimiter=delimiter))
    assert len(found) == len(ROWS)
    for row in found:
        texts, shown = row[: len(FIELDS)], row[len(FIELDS) :]
        assert shown == [hashed(text) for text in texts]
    assert sum(map(bool, found[0])) > 2 * 15, "most fields of the first thing hold a value"


def test_a_hash_in_json_is_a_string_and_an_empty_one_null(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    fields = [{"from": "name", "mask": "hash"}, {"from": "count", "to": "n", "mask": "last4"}]
    found = json.loads(made(zoo, definition(fields=fields, file={"extension": "json"})))
    assert found[:3] == [
        {"name": hashed("ann@maple.example"), "n": "****3456"},
        {"name": hashed("1234567"), "n": "****"},
        {"name": None, "n": None},
    ]


def test_last_4_shows_the_end_of_texts_of_eight_characters_and_nothing_of_shorter_ones(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    ids = ("name", "note", "count", "p_text", "p_whole")
    found = rows(zoo, *({"from": one} for one in ids), *({"from": one, "mask": "last4"} for one in ids))
    for row in found:
        assert row[len(ids) :] == [last4(text) for text in row[: len(ids)]]
    assert [row[5] for row in found] == ["****mple", "****", "", "****mple"]


def test_equal_values_are_equal_hashes_within_a_brand_and_others_in_another(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    field = {"from": "name", "mask": "hash"}
    ours, theirs = rows(zoo, {"from": "id"}, field), rows(zoo, {"from": "id"}, field, key=b"another" * 8)
    assert ours[0][1] == ours[3][1] != ours[1][1]
    assert {row[1] for row in ours}.isdisjoint({row[1] for row in theirs} - {""})


def test_the_value_is_masked_first_then_replaced_then_defaulted(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    pairs = [{"value": "ann@maple.example", "new": "found"}, {"value": "****", "new": "short"}]
    found = rows(zoo, {"from": "name", "mask": "last4", "replace": pairs, "default": "none"})
    assert [row[0] for row in found] == ["****mple", "short", "none", "****mple"]


def test_a_masked_text_is_guarded_like_any_other(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "properties": {"text": "=SUM(A1)"}}])
    assert rows(zoo, {"from": "p_text", "mask": "last4"}, file={"protect_spreadsheets": True}) == [["****(A1)"]]


def test_groups_of_masked_values_are_the_groups_of_the_values(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    fields = [
        {"from": "name", "mask": "hash", "aggregation": "group"},
        {"from": "name", "to": "end", "mask": "last4", "aggregation": "group"},
        {"from": "id", "aggregation": "count"},
    ]
    found = rows(zoo, *fields, aggregation=True)
    names = Counter(one.get("name") or "" for one in ROWS)
    assert sorted(found) == sorted([hashed(name), last4(name), str(number)] for name, number in names.items())
    wanted = definition(fields=fields, aggregation=True)
    query = checking.query_of(wanted, PERSONAL, around(mask_key=lambda: KEY), zoo.source)
    counted = preview.count(query, zoo.source)
    assert counted is not None
    assert counted.rows == len(names)
    assert zoo.source.estimate(query) > 0, "the planner needs no key"


def test_the_preview_shows_the_cells_of_the_file_and_nothing_of_the_values(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    fields = [{"from": "name", "mask": "last4", "replace": [{"value": "****", "new": "short"}], "default": "none"}]
    query = checking.query_of(definition(fields=fields), PERSONAL, around(mask_key=lambda: KEY), zoo.source)
    shown = preview.first_rows(query.with_raws, zoo.source, 4)
    assert shown is not None
    assert [row[0] for row in shown.rows] == ["****mple", "short", "none", "****mple"]
    assert shown.was == ({}, {0: "****"}, {0: ""}, {})


def test_parts_hash_alike(zoo: Zoo) -> None:
    zoo.fill({"id": f"{number:05}", "name": f"somebody{number}"} for number in range(3_000))
    wanted = definition(fields=[{"from": "name", "mask": "hash"}], file={"header": False})
    parted = PostgresSource(zoo.url, parts=Parts(2, pays_from=1))
    expected = "".join(hashed(f"somebody{number}") + "\n" for number in range(3_000)).encode()
    assert made(zoo, wanted, source=parted) == expected == made(zoo, wanted)


def test_the_key_stands_in_no_statement_and_is_gone_with_the_transaction(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    wanted = definition(fields=[{"from": "name", "mask": "hash"}])
    query = checking.query_of(wanted, PERSONAL, around(mask_key=lambda: KEY), zoo.source)
    text, values = compiled(query.rows, folds_unicode=False)
    for one in (KEY.hex(), *masks.settings(KEY).values()):
        assert one not in text + repr(values) + repr(query)
    with zoo.source.rows(query.rows, query) as found, psycopg.connect(zoo.url) as beside:
        told = beside.execute("SELECT string_agg(query, ';') FROM pg_stat_activity").fetchall()[0][0]
        assert all(one not in told for one in masks.settings(KEY).values())
        assert b"".join(map(bytes, found)).count(b"\n") == len(ROWS)


def test_a_key_that_cannot_be_one_is_refused() -> None:
    for key in (b"", b"short", b"x" * 65):
        with pytest.raises(ValueError, match="32 to 64 bytes"):
            masks.settings(key)


@pytest.mark.parametrize(
    ("field", "code", "at", "message"),
    [
        ({"from": "day", "mask": "last4"}, "mask.last4", "mask",
         "Last 4 needs a text or a whole number: choose Hash for Day"),
        ({"from": "tags", "mask": "last4"}, "mask.last4", "mask",
         "Last 4 needs a text or a whole number: choose Hash for Tags"),
        ({"from": "count", "mask": "hash", "aggregation": "sum"}, "mask.aggregation", "aggregation",
         "Count is masked: only Group and Count can be used"),
        ({"from": "name", "mask": "hash", "aggregation": "min"}, "mask.aggregation", "aggregation",
         "Name is masked: only Group and Count can be used"),
    ],
)  # fmt: skip
def test_a_mask_that_does_not_fit_is_refused(field: dict[str, Any], code: str, at: str, message: str) -> None:
    grouped = "aggregation" in field
    fields = [{"from": "kind", "aggregation": "group"} if grouped else {"from": "kind"}, field]
    [problem] = rules.problems(definition(fields=fields, aggregation=grouped), PERSONAL)
    assert (problem.code, problem.at, problem.message) == (code, f"fields.1.{at}", message)


def test_what_is_not_personal_is_not_masked() -> None:
    plain = Catalogue({"things": THINGS}, {}, {})
    [problem] = rules.problems(definition(fields=[{"from": "name", "mask": "hash"}]), plain)
    assert (problem.code, problem.message) == ("mask.not_personal", "Name is not personal: keep it as it is")


def test_there_are_two_masks() -> None:
    with pytest.raises(DefinitionRefused) as refused:
        parse({"name": "x", "model": "things", "timezone": "UTC", "fields": [{"from": "name", "mask": "rot13"}]})
    [problem] = refused.value.problems
    assert (problem.at, problem.message) == ("fields.0.mask", "Personal data must be one of 'hash' or 'last4'")


def test_what_is_offered_says_what_does_not_fit() -> None:
    offered = {id: [(one.mask, one.refused) for one in masks.choices(THINGS.fields[id])] for id in ("name", "day")}
    assert offered["name"] == [("", ""), ("hash", ""), ("last4", "")]
    assert offered["day"][2] == ("last4", "needs a text or whole number")
    assert masks.choices(THINGS.fields["name"], "rot13")[-1].mask == "rot13"


def test_an_object_with_a_personal_member_is_personal_itself() -> None:
    member = dataclasses.replace(THINGS.fields["p_text"], id="secret", personal=True, path=("data", "secret"))
    whole = dataclasses.replace(THINGS.fields["data"], id="whole", column="properties", path=())
    part = dataclasses.replace(THINGS.fields["p_object"], id="part", path=("data",))
    fields = THINGS.with_fields([whole, part, member]).fields
    assert {one.id for one in fields.values() if one.personal} == {"whole", "part", "secret"}
    built_in = dataclasses.replace(THINGS, fields={one.id: one for one in (*FIELDS, whole, part, member)})
    seen = Catalogue({"things": built_in}, {}, {}).for_brand((), {}).models["things"].fields
    assert {one.id for one in seen.values() if one.personal} == {"whole", "part", "secret"}
