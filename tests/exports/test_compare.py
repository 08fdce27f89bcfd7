"""**Compare**: random tables in random formats against a plain dict; order, keys, options, and what is refused."""

from __future__ import annotations

import csv
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.catalogue import builtin
from exports.compare import Comparison, Layout, Side, compare, layout_of, same_columns, sorting
from exports.definition import File
from exports.errors import Cancelled
from exports.errors.compare import ColumnsDiffer, FileMisread, ModelsDiffer
from exports.render import guarded
from exports.sinks import Sink
from tests.campaigns import campaign
from tests.compare_writer import written
from tests.fix_app import stores

HEADERS = ("id", "name", "note")


class Memory(Sink):
    """A file in memory."""

    def __init__(self) -> None:
        self.data = b""
        self.is_whole = False

    def write(self, data: bytes | bytearray) -> None:
        self.data += data

    def close(self) -> None:
        self.is_whole = True

    def abort(self) -> None:
        self.data = b""


def layout(file: File | None = None, key: tuple[int, ...] = (0,), headers: tuple[str, ...] = HEADERS) -> Layout:
    return Layout("stores", file or File(protect_spreadsheets=False), headers, key)


def side(rows: list[tuple[str, ...]], of: Layout) -> Side:
    data = written(of.file, of.headers, rows)
    return Side(of, lambda: (data[at : at + 7] for at in range(0, len(data), 7)))


def run(before: Side, after: Side, watch: Any = lambda *_: None) -> tuple[Comparison, list[list[str]]]:
    """The comparison, and the lines of its file."""
    sinks: list[Memory] = []

    def sink() -> Memory:
        sinks.append(Memory())
        return sinks[-1]

    found = compare(before, after, sink, "differences.csv", watch)
    assert sinks[-1].is_whole
    assert [one.data for one in sinks[:-1]] == [b""] * (len(sinks) - 1), "what was begun in vain is given up"
    with zipfile.ZipFile(io.BytesIO(sinks[-1].data)) as archive:
        text = archive.read("differences.csv").decode()
    return found, list(csv.reader(io.StringIO(text, newline="")))


def counts(found: Comparison) -> tuple[int, int, int, int]:
    return found.added, found.removed, found.changed, found.unchanged


def expected(before: list[tuple[str, ...]], after: list[tuple[str, ...]], *, keyed: bool) -> tuple[int, int, int, int]:
    """By a dict of multisets: rows of a key that are alike are the same ones, the others changed, added or removed."""
    olds: dict[Any, Counter[Any]] = defaultdict(Counter)
    news: dict[Any, Counter[Any]] = defaultdict(Counter)
    for rows, into in ((before, olds), (after, news)):
        for row in rows:
            into[row[0] if keyed else row][row] += 1
    added = removed = changed = unchanged = 0
    for key in olds.keys() | news.keys():
        same = (olds[key] & news[key]).total()
        was, now = olds[key].total() - same, news[key].total() - same
        unchanged, changed = unchanged + same, changed + min(was, now)
        added, removed = added + max(0, now - was), removed + max(0, was - now)
    return added, removed, changed, unchanged


FILES = st.one_of(
    st.builds(
        File,
        extension=st.just("csv"),
        delimiter=st.sampled_from([",", ";", "\t", "|", " ", "~"]),
        enclosure=st.sampled_from(['"', "'"]),
        newline=st.sampled_from(["\n", "\r\n", "\r"]),
        header=st.booleans(),
        bom=st.booleans(),
        protect_spreadsheets=st.just(False),
    ),
    st.sampled_from([File(extension=one, protect_spreadsheets=False) for one in ("psv", "json", "jsonl")]),
)
LETTERS = st.one_of(
    st.sampled_from(",;\t|~\"'\r\n 0ab=\ufeff\u2028é😀"), st.characters(codec="utf-8", exclude_characters="\x00")
)
KEYS = st.sampled_from(["1", "2", "10", "a", "B", "é", "é", "😀", "\uffff", ",", '"', "\r\n", "\ufeffx"])
TABLES = st.lists(st.tuples(KEYS, st.text(LETTERS, max_size=5), st.sampled_from(["", "x"])), max_size=12)


@campaign("compares", short=80, long=20_000)
@given(data=st.data(), files=st.tuples(FILES, FILES), keyed=st.booleans())
def test_counts_are_those_of_a_plain_dict_and_the_file_turns_the_one_into_the_other(
    data: st.DataObject, files: tuple[File, File], keyed: bool
) -> None:
    before, after = ([*data.draw(TABLES)] for _ in files)
    for rows in (before, after):
        if data.draw(st.booleans()):
            rows.sort(key=lambda row: row[0])
    key = (0,) if keyed else ()
    found, lines = run(side(before, layout(files[0], key)), side(after, layout(files[1], key)))
    assert counts(found) == expected(before, after, keyed=keyed)
    assert found.key == (("id",) if keyed else ())
    assert lines[0] == ["change", *HEADERS]
    kinds = Counter(line[0] for line in lines[1:])
    assert kinds["added"] == found.added
    assert kinds["removed"] == found.removed
    assert kinds["changed: was"] == kinds["changed: now"] == found.changed
    _turns(before, after, lines[1:])


def _turns(before: list[tuple[str, ...]], after: list[tuple[str, ...]], lines: list[list[str]]) -> None:
    rows = Counter(tuple(map(guarded, row)) for row in before)
    for kind, *cells in lines:
        rows[tuple(cells)] += 1 if kind in ("added", "changed: now") else -1
    assert min(rows.values(), default=0) >= 0
    assert +rows == Counter(tuple(map(guarded, row)) for row in after)


def test_what_was_and_what_is_now_stand_side_by_side() -> None:
    before = [("1", "Main", "a"), ("2", "Station", ""), ("3", "Park", "x" * 300)]
    after = [("1", "Main", "b"), ("3", "Park", "x" * 300 + "y"), ("4", "=1+1", "-5")]
    found, lines = run(side(before, layout()), side(after, layout()))
    assert counts(found) == (1, 1, 2, 0)
    assert lines[1:] == [
        ["changed: was", "1", "Main", "a"],
        ["changed: now", "1", "Main", "b"],
        ["removed", "2", "Station", ""],
        ["changed: was", *before[2]],
        ["changed: now", *after[1]],
        ["added", "4", "'=1+1", "-5"],
    ], "what a spreadsheet takes for a formula is text, a number stays"
    first = found.first.rows
    assert [one["kind"] for one in first["all"]] == ["changed", "removed", "changed", "added"]
    assert first["changed"][0]["cells"] == ["1", "Main", ["a", "b"]]
    assert first["changed"][1]["cells"][2] == ["x" * 100 + "…"] * 2, "they differ where they are cut"
    assert first["added"] == [{"kind": "added", "cells": ["4", "=1+1", "-5"]}]


def test_only_the_first_of_each_kind_are_kept_for_showing() -> None:
    before = [(f"{n:03}", "", "") for n in range(120)]
    after = [(f"{n:03}", "", "") for n in range(100, 300)]
    first = run(side(before, layout()), side(after, layout()))[0].first.rows
    assert {kind: len(rows) for kind, rows in first.items()} == {"all": 50, "added": 50, "removed": 50, "changed": 0}
    assert first["added"][0]["cells"][0] == "120"


def test_the_same_values_in_other_formats_are_no_difference() -> None:
    json, csv_ = layout(File(extension="json")), layout(File(extension="csv", protect_spreadsheets=False))
    text = b'[\n{"id":7,"name":true,"note":{"b":[1.50,null,"\xc3\xa9\\n"]}},\n{"id":8,"name":null,"note":-1e3}\n]\n'
    other = b'id,name,note\n7,true,"{""b"":[1.50,null,""\xc3\xa9\\n""]}"\n8,,-1e3\n'
    found, _ = run(Side(json, lambda: iter([text])), Side(csv_, lambda: iter([other])))
    assert counts(found) == (0, 0, 0, 2)


def test_a_guard_against_formulas_is_no_difference() -> None:
    rows = [("=a", "@b", ""), ("b", "'c", "")]
    shown = [tuple(map(guarded, row)) for row in rows]
    found, _ = run(side(rows, layout()), side(shown, layout(File(protect_spreadsheets=True))))
    assert counts(found) == (0, 0, 0, 2)


def test_columns_may_have_changed_their_places() -> None:
    before, after = layout(), layout(headers=("note", "id", "name"), key=(1,))
    found, lines = run(side([("1", "Main", "a")], before), side([("a", "1", "Park")], after))
    assert found.key == ("id",)
    assert lines[1:] == [["changed: was", "1", "Main", "a"], ["changed: now", "1", "Park", "a"]]


def test_a_column_that_too_many_rows_share_names_no_row() -> None:
    before, after = [("1", "a", "")] * 1_001, [("1", "a", "")] * 1_000 + [("1", "b", "")]
    found, _ = run(side([("0", "", ""), *before], layout()), side(after, layout()))
    assert found.key == ("id",), "those that are alike are passed by"
    other = [("1", str(n), "") for n in range(1_001)]
    found, _ = run(side(before, layout()), side(other, layout()))
    assert (found.key, counts(found)) == ((), (1_001, 1_001, 0, 0))


def test_what_is_not_in_order_is_sorted_and_said_to_be() -> None:
    rows = 10_000
    before = [(str(n), "", "") for n in range(rows)]
    after = [*reversed(before[1:])]
    doing: list[str] = []
    found, lines = run(side(before, layout()), side(after, layout()), lambda what, _rows: doing.append(what))
    assert counts(found) == (0, 1, 0, rows - 1)
    assert lines[1:] == [["removed", "0", "", ""]]
    assert [what for what, _ in groupby(doing)] == ["sorting", "comparing"], "told while they are sorted, and after it"


def test_rows_are_sorted_on_disk_in_as_many_spools_as_they_need() -> None:
    rows = [[str(n * 7919 % 10_007), "é\n\u2028😀"] for n in range(10_000)]
    ticks: list[int] = []
    with ExitStack() as stack:
        found = list(sorting.Sorter(lambda row: row[0], stack, lambda: ticks.append(1), budget=10_000).take(iter(rows)))
    assert found == sorted(rows, key=lambda row: row[0])
    assert ticks, "also while spools are merged"


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        (("a", "b"), ("a", "b", "Store"), "Store was added"),
        (("a", "b", "c", "d", "e", "f"), ("a", "g"), "g was added, b, c, d and 2 others were removed"),
        (("a", "a", "b"), ("a", "b", "a"), "two columns have the same name, and the order has changed"),
    ],
)
def test_other_columns_are_refused_and_named(before: tuple[str, ...], after: tuple[str, ...], what: str) -> None:
    with pytest.raises(ColumnsDiffer) as refused:
        same_columns(layout(headers=before), layout(headers=after))
    assert refused.value.message == (f"These runs have different columns ({what}): choose runs of the same definition.")


def test_other_models_are_refused() -> None:
    with pytest.raises(ModelsDiffer):
        same_columns(layout(), Layout("events", File(), HEADERS, (0,)))


@pytest.mark.parametrize(
    ("data", "row"),
    [
        (b"id,name,note\n1,a,b\n2,a\n", "2"),
        (b'id,name,note\n1,a,"b', "1"),
        (b"id,name,note\n1,a,\xff\n", "1"),
    ],
)
def test_a_file_that_is_not_as_it_says_is_refused_with_its_row(data: bytes, row: str) -> None:
    with pytest.raises(FileMisread) as refused:
        run(side([], layout()), Side(layout(), lambda: iter([data])))
    assert refused.value.facts == {"row": row}


def test_what_the_watch_raises_ends_it_and_nothing_is_left() -> None:
    rows = [(f"{n:05}", "", "") for n in range(3_000)]
    sink = Memory()

    def cancelled(_doing: str, _rows: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        compare(side(rows, layout()), side(rows, layout()), lambda: sink, "x.csv", cancelled)
    assert (sink.data, sink.is_whole) == (b"", False)


def test_the_key_is_the_models_unless_it_is_replaced_and_the_groups_of_what_is_aggregated() -> None:
    model = builtin().models["stores"]
    assert layout_of(stores(), model).key == (0,)
    replaced = [{"from": "id", "to": "Store", "replace": [{"value": "1", "new": "one"}]}, {"from": "name"}]
    assert layout_of(stores(fields=replaced), model).key == ()
    assert layout_of(stores(fields=[{"from": "name"}]), model).key == ()
    assert layout_of(stores(), None).key == ()
    groups = [
        {"from": "id", "aggregation": "count"},
        {"from": "name", "aggregation": "group"},
        {"from": "city", "aggregation": "group"},
    ]
    assert layout_of(stores(aggregation=True, fields=groups), model).key == (1, 2)


def test_all_fields_are_those_that_the_file_has() -> None:
    model = builtin().models["stores"]
    whole = layout_of(stores(all_fields=True, fields=[], file={"protect_spreadsheets": False}), model)
    assert whole.headers[whole.key[0]] == "id"
    older = Layout("stores", whole.file, ("name", "id"), (1,), is_open=True)
    rows: Iterator[bytes] = iter([written(whole.file, ("name", "id"), [("Main", "1")])])
    found, lines = run(side([("Main", "1")], older), Side(whole, lambda: rows))
    assert (found.key, counts(found), lines[0]) == (("id",), (0, 0, 0, 1), ["change", "name", "id"])
