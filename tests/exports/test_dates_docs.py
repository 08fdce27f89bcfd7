"""docs/dates.md tells the truth: each example gives the day beside it, each proposal can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exports.dates import hints, parse
from exports.dates.words import DAYS, MONTHS, ORDINALS, RELATIVE, UNITS
from exports.errors import DateExpressionError

PAGE = Path("docs/dates.md").read_text()
UTC = ZoneInfo("UTC")
SUNDAY = datetime(2025, 11, 23, 9, 12, 14, tzinfo=UTC)


def rows(title: str, columns: int) -> Iterator[list[str]]:
    """The rows of the tables under a heading that have so many columns, without their heads."""
    part = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    for line in part.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if (
            line.startswith("|")
            and len(cells) == columns
            and not line.startswith(("|---", "| expression", "| counted"))
        ):
            yield cells


def quoted(cell: str) -> list[str]:
    return re.findall("`([^`]*)`", cell)


EXAMPLES = [(text, cells[1]) for cells in rows("What can be written", 2) for text in quoted(cells[0])]
SURPRISES = list(rows("Surprises", 4))
REFUSED = list(rows("Refused", 2))


@pytest.mark.parametrize(("text", "result"), EXAMPLES)
def test_an_example_gives_what_stands_beside_it(text: str, result: str) -> None:
    found = parse(text)
    if ":" in result:
        assert found.resolve_moment(SUNDAY, UTC).replace(tzinfo=None).isoformat(" ") == result
    else:
        assert found.resolve(SUNDAY, UTC).isoformat() == result


@pytest.mark.parametrize("cells", SURPRISES, ids=lambda cells: cells[1])
def test_a_surprise_is_one_and_has_its_hint(cells: list[str]) -> None:
    base = datetime.fromisoformat(cells[0]).replace(tzinfo=UTC)
    found = parse(quoted(cells[1])[0])
    assert found.resolve(base, UTC).isoformat() == cells[2]
    assert hints(found, base, UTC, keep_time="datetime:" in cells[3])


@pytest.mark.parametrize("cells", REFUSED, ids=lambda cells: cells[0])
def test_what_is_said_to_be_refused_is_refused(cells: list[str]) -> None:
    with pytest.raises(DateExpressionError):
        parse(quoted(cells[0])[0])
    for proposed in quoted(cells[1]):
        assert parse(proposed)


def test_the_tables_were_found() -> None:
    assert (len(EXAMPLES), len(SURPRISES), len(REFUSED)) == (47, 10, 16)


def test_every_word_of_the_grammar_is_told() -> None:
    told = {*re.findall("[a-z]+", PAGE.lower())}
    assert {unit.removesuffix("s") for unit in UNITS} - {"forthnight"} <= told
    assert {"first", "twelfth", *RELATIVE} <= told & set(ORDINALS)
    assert told & set(DAYS)
    assert told & set(MONTHS)


def test_the_commands_print_what_the_page_says() -> None:
    budapest = ZoneInfo("Europe/Budapest")
    base = SUNDAY.replace(tzinfo=budapest)
    assert parse("first day of last month").resolve(base, budapest).isoformat() == "2025-10-01"
    assert parse("-36 hours").resolve_moment(SUNDAY, UTC).isoformat(" ") == "2025-11-21 21:12:14+00:00"
