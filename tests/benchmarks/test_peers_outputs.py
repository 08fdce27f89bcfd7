"""The files of peers are compared with ours value by value, however each of them writes a value."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from benchmarks.peers import ways
from benchmarks.peers.environment import NEWEST, SUPERSET, name_of, requirements
from benchmarks.peers.outputs import difference

OURS = [["58", "900", "Item", "2", "2017-01-01 17:53:26", "Store 300", "a", "0.50"] for _ in range(3_000)]
CASE = "mapped"


def written(folder: Path, name: str, rows: list[list[str]]) -> Path:
    """A csv file with a header."""
    file = folder / name
    with file.open("w", newline="") as stream:
        csv.writer(stream).writerows([list("abcdefgh"), *rows])
    return file


def changed(column: int, cell: str, row: int = 2_000) -> list[list[str]]:
    """Our rows with another cell in one of them."""
    rows = [list(row) for row in OURS]
    rows[row][column] = cell
    return rows


@pytest.mark.parametrize(("column", "cell"), [(3, "2.0"), (7, "0.5"), (4, "2017-01-01 17:53:26.000000")])
def test_the_same_value_in_another_spelling_is_the_same(tmp_path: Path, column: int, cell: str) -> None:
    theirs = written(tmp_path, "theirs.csv", changed(column, cell))
    assert difference(CASE, written(tmp_path, "ours.csv", OURS), theirs) == ""


@pytest.mark.parametrize("cell", ["2017-01-01 16:53:26+00:00", "2017-01-01 17:53:26 +01", "2017-01-01T16:53:26Z"])
def test_moments_with_an_offset_are_compared_in_utc(tmp_path: Path, cell: str) -> None:
    ours = written(tmp_path, "ours.csv", changed(4, "2017-01-01 16:53:26"))
    assert difference(CASE, ours, written(tmp_path, "theirs.csv", changed(4, cell))) == ""


@pytest.mark.parametrize(
    ("column", "cell"),
    [(0, "59"), (1, ""), (2, "checkout_item"), (3, ""), (4, "2017-01-01 16:53:26"), (6, "n/a"), (7, "0.51")],
)
def test_another_value_is_told_with_its_row(tmp_path: Path, column: int, cell: str) -> None:
    theirs = written(tmp_path, "theirs.csv", changed(column, cell))
    assert difference(CASE, written(tmp_path, "ours.csv", OURS), theirs).startswith("row 2001: ")


def test_fewer_and_more_rows_are_told(tmp_path: Path) -> None:
    ours = written(tmp_path, "ours.csv", OURS)
    assert difference(CASE, ours, written(tmp_path, "less.csv", OURS[:-1])) == "2,999 rows, not 3,000"
    assert difference(CASE, ours, written(tmp_path, "more.csv", [*OURS, OURS[0]])) == "3,001 rows, not 3,000"


@pytest.mark.parametrize("pins", [NEWEST, SUPERSET])
def test_every_package_that_a_peer_needs_is_pinned(pins: str) -> None:
    pinned = {name_of(line) for line in requirements(pins)}
    needed = {name for peer in ways.PEERS if peer.pins == pins for name in peer.needs}
    assert needed - pinned <= {f"sling-linux-{ways.SLING}"}
    assert all(re.search(r"==\d", line) for line in requirements(pins))
