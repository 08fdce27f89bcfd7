"""A file that a standard reader re-reads with the same options gives back every value (SPEC section 3.5)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

import pyarrow
import pyarrow.csv
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports import pipeline
from exports.catalogue import Catalogue, DataField, DataModel, FieldType
from exports.definition import parse
from exports.errors import EnclosureNeeded
from exports.sinks import StreamSink
from exports.source.pool import PreviewPool
from tests.campaigns import campaign
from tests.exports.zoo import Zoo, around

DELIMITERS = [chr(code) for code in range(32, 127) if not chr(code).isalnum() and chr(code) not in "\"'\\.+-"] + ["\t"]
NASTY = [
    '"', "'", ",", ";", "|", "\t", " ", "\n", "\r", "\r\n", "\\", "\\.", "\\N", "=", "\x01", "\x02", "\x7f", "\u2028",
    "\ufeff", "é", "\U0001f642", "a", "0", "",
]  # fmt: skip
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=4)
TEXT = st.lists(st.sampled_from(NASTY) | ANY, max_size=4).map("".join)
EVERYTHING = [[{"attribute": "key", "operator": "is_not_empty"}]]
CLEAN = st.text("abc' é\"\\.0", min_size=1, max_size=5)
CSV_FILES = [{"enclosure": quote, "newline": newline} for quote in ('"', "'") for newline in ("\n", "\r\n", "\r")]
LONG = 10_000


@st.composite
def tables(draw: st.DrawFn, cell: st.SearchStrategy[str] = TEXT) -> list[list[str]]:
    """A table with a header: some columns, some rows, any texts."""
    width = draw(st.integers(1, 4))
    headers = draw(
        st.lists(cell.filter(lambda text: 0 < len(text) <= 200), min_size=width, max_size=width, unique=True)
    )
    return [headers, *draw(st.lists(st.lists(cell, min_size=width, max_size=width), max_size=5))]


@pytest.fixture(scope="module")
def one_connection(zoo: Zoo) -> Iterator[Zoo]:
    """The same database on a connection that stays: opening one takes most of the time of a small file."""
    pool = PreviewPool(zoo.source, size=1)
    with pool.lease("formats", 1) as source:
        yield Zoo(zoo.url, source)
    pool.close()


def written(zoo: Zoo, table: list[list[str]], **file: Any) -> bytes:
    """The file of a table, whose rows are given to the SELECT as a constant relation: all else is as in any run."""
    headers, *rows = table
    ids = [f"c{place}" for place in range(len(headers))]
    fields = {id: DataField(id=id, label=id, type=FieldType.STRING, column=id) for id in ["key", *ids]}
    model = DataModel("rows", "Rows", "", "row", None, "key", "all", None, fields)
    records = tuple({"key": f"{number:05}", **dict(zip(ids, row, strict=True))} for number, row in enumerate(rows))
    definition = parse({
        "name": "x", "model": "rows", "timezone": "UTC", "filters": EVERYTHING,
        "fields": [{"from": id, "to": header} for id, header in zip(ids, headers, strict=True)],
        "file": {"protect_spreadsheets": False, **file},
    })  # fmt: skip
    out = io.BytesIO()
    surroundings = around(customer_fields=records)
    result = pipeline.run(definition, Catalogue({"rows": model}, {}, {}), surroundings, zoo.source, StreamSink(out))
    assert result.rows == len(rows)
    return out.getvalue()


@pytest.mark.parametrize("file", CSV_FILES, ids=lambda file: ascii(file["enclosure"] + file["newline"]))
@campaign("formats", short=60, long=LONG)
@given(table=tables(), delimiter=st.sampled_from(DELIMITERS), bom=st.booleans(), header=st.booleans())
def test_csv_comes_back_cell_for_cell(
    one_connection: Zoo, file: dict[str, str], table: list[list[str]], delimiter: str, bom: bool, header: bool
) -> None:
    out = written(one_connection, table, delimiter=delimiter, bom=bom, header=header, **file)
    lines = table if header else table[1:]
    assert read(out.decode("utf-8-sig" if bom else "utf-8"), delimiter, file["enclosure"], file["newline"]) == lines


def read(text: str, delimiter: str, quote: str, newline: str) -> list[list[str]]:
    """Python's csv module takes any line end for one, outside of enclosures: there only the chosen one may stand."""
    outside = "".join(text.split(quote)[::2]).replace(newline, "")
    assert "\n" not in outside
    assert "\r" not in outside
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quotechar=quote, strict=True))
    assert not rows or by_arrow(text, delimiter, quote, len(rows[0])) == rows
    return rows


def by_arrow(text: str, delimiter: str, quote: str, width: int) -> list[list[str]]:
    """A reader that pandas and polars know how to use, with an implementation of its own."""
    names = [f"f{place}" for place in range(width)]
    table = pyarrow.csv.read_csv(
        io.BytesIO(text.encode()),
        read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True, use_threads=False),
        parse_options=pyarrow.csv.ParseOptions(
            delimiter=delimiter, quote_char=quote, newlines_in_values=True, ignore_empty_lines=False
        ),
        convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string())),
    )
    return [[row[name] for name in names] for row in table.to_pylist()]


@campaign("formats", short=60, long=LONG)
@given(table=tables())
def test_psv_comes_back_cell_for_cell(one_connection: Zoo, table: list[list[str]]) -> None:
    assert read(written(one_connection, table, extension="psv").decode(), "|", '"', "\n") == table


@campaign("formats", short=60, long=LONG)
@given(table=tables())
def test_json_and_jsonl_come_back_value_for_value(one_connection: Zoo, table: list[list[str]]) -> None:
    headers, *rows = table
    expected = [{header: cell or None for header, cell in zip(headers, row, strict=True)} for row in rows]
    assert json.loads(written(one_connection, table, extension="json")) == expected
    lines = written(one_connection, table, extension="jsonl").decode().split("\n")
    assert lines.pop() == ""
    assert [json.loads(line) for line in lines] == expected


@campaign("formats", short=60, long=LONG)
@given(
    table=tables(CLEAN), newline=st.sampled_from(["\n", "\r\n", "\r"]), delimiter=st.sampled_from([",", ";", "\t", "~"])
)
def test_without_enclosure_clean_values_come_back(
    one_connection: Zoo, table: list[list[str]], newline: str, delimiter: str
) -> None:
    out = written(one_connection, table, enclosure=None, newline=newline, delimiter=delimiter).decode()
    lines = out.split(newline)
    assert lines.pop() == ""
    assert [line.split(delimiter) for line in lines] == table


@pytest.mark.parametrize("value", ["a,b", "a\nb", "a\rb", "\x01"])
def test_without_enclosure_a_value_that_needs_one_stops_the_run_and_names_its_row(zoo: Zoo, value: str) -> None:
    table = [["x", "y"], *[["a", "b"]] * 70_000, [value, "c"], ["d", "e"]]
    with pytest.raises(EnclosureNeeded) as refused:
        written(zoo, table, enclosure=None)
    assert refused.value.message.startswith("Row 70,001 holds")


@pytest.mark.parametrize("header", [True, False])
def test_a_file_that_begins_like_a_byte_order_mark_keeps_its_first_value(zoo: Zoo, header: bool) -> None:
    """Readers drop U+FEFF at the beginning of a file: an enclosure before it keeps it."""
    table = [["\ufeffx", "y"], ["\ufeff", "\ufeff"]]
    out = written(zoo, table, header=header)
    assert out.startswith(b'"\xef\xbb\xbf')
    assert read(out.decode("utf-8-sig"), ",", '"', "\n") == table[not header :]
    with pytest.raises(EnclosureNeeded):
        written(zoo, table, header=header, enclosure=None)


def test_an_empty_cell_alone_in_its_row_is_two_enclosures_or_stops_the_run(zoo: Zoo) -> None:
    assert written(zoo, [["x"], [""], ["a"]]) == b'x\n""\na\n'
    assert written(zoo, [["x"], [""]], enclosure="'", newline="\r\n") == b"x\r\n''\r\n"
    with pytest.raises(EnclosureNeeded):
        written(zoo, [["x"], [""]], enclosure=None)
    assert written(zoo, [["x"], ["\\."]], enclosure=None) == b"x\n\\.\n"


@pytest.mark.parametrize(
    "table", [[["x", "y"]], [["x", "y"], ["1", "2"]], [["x"], *[["é" * 100]] * 9000]], ids=["0", "1", "9000"]
)
def test_files_begin_and_end_as_they_should(zoo: Zoo, table: list[list[str]]) -> None:
    names, rows = table[0], len(table) - 1
    assert written(zoo, table, bom=True).startswith(b"\xef\xbb\xbf" + ",".join(names).encode() + b"\n")
    assert written(zoo, table, header=False).count(b"\n") == rows
    assert len(json.loads(written(zoo, table, extension="json"))) == rows
    assert written(zoo, table, extension="jsonl").count(b"\n") == rows


def test_names_of_json_members_may_be_longer_than_the_databases_own_names(zoo: Zoo) -> None:
    name = 'é"\\' * 60
    assert json.loads(written(zoo, [[name, "y"], ["1", "2"]], extension="json")) == [{name: "1", "y": "2"}]
