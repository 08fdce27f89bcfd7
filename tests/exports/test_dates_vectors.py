"""`date:` expressions give what the reference product gives: every row that was measured, and its time as well."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exports.dates import parse
from exports.errors import DateExpressionError

pytestmark = pytest.mark.campaign("dates")
ROWS: list[dict[str, Any]] = json.loads(Path("tests/data/date_expressions.json").read_text())
DRAWN: list[dict[str, Any]] = json.loads(Path("tests/data/date_expressions_drawn.json").read_text())
"""Drawn from the grammar and measured with PHP 8.2.36 like those of the reference, in seven zones."""
ANSWERED_TRAPS = {"Jan", "sun", "noon yesterday", "00:00", "19:00:30", "7 pm", "12am", "12pm", "12:30 am"}
REFUSED_TRAPS = {row["expr"] for row in ROWS if row["tier"] == "trap"} - ANSWERED_TRAPS


def answered(row: dict[str, Any]) -> bool:
    return row["tier"] in ("documented", "php") or row["expr"] in ANSWERED_TRAPS


def name(row: dict[str, Any]) -> str:
    return f"{row['expr']!r} at {row['base']} {row['tz']}"


def base(row: dict[str, Any]) -> tuple[datetime, ZoneInfo]:
    zone = ZoneInfo(row["tz"])
    return datetime.fromisoformat(row["base"]).replace(tzinfo=zone), zone


def test_there_are_as_many_rows_as_the_reference_says() -> None:
    tiers = [row["tier"] for row in ROWS]
    assert {tier: tiers.count(tier) for tier in tiers} == {"documented": 80, "php": 462, "trap": 162, "reject": 66}
    assert len(REFUSED_TRAPS) == 18


@pytest.mark.parametrize("row", [row for row in ROWS if answered(row)], ids=name)
def test_an_expression_gives_the_measured_day(row: dict[str, Any]) -> None:
    assert parse(row["expr"]).resolve(*base(row)).isoformat() == row["date"]


@pytest.mark.parametrize("row", [row for row in ROWS if answered(row)], ids=name)
def test_with_the_time_kept_it_gives_the_measured_moment(row: dict[str, Any]) -> None:
    moment = parse(row["expr"]).resolve_moment(*base(row))
    measured = datetime.strptime(row["result"], "%Y-%m-%d %H:%M:%S %z")
    assert (moment, moment.utcoffset()) == (measured, measured.utcoffset())


def test_what_was_drawn_from_the_grammar_gives_the_measured_moments_as_well() -> None:
    assert len(DRAWN) == 600
    for row in DRAWN:
        moment = parse(row["expr"]).resolve_moment(*base(row))
        assert moment == datetime.strptime(row["result"], "%Y-%m-%d %H:%M:%S %z"), name(row)


@pytest.mark.parametrize("row", [row for row in ROWS if not answered(row)], ids=name)
def test_what_cannot_be_certain_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises(DateExpressionError):
        parse(row["expr"])


def test_the_days_that_the_reference_tells_in_its_text() -> None:
    sunday = datetime(2025, 11, 23, 9, 12, 14, tzinfo=ZoneInfo("UTC"))
    told = {
        "-3 months": "2025-08-23",
        "first day of last month": "2025-10-01",
        "last day of last month": "2025-10-31",
        "monday this week": "2025-11-17",
        "sunday this week": "2025-11-23",
        "next monday": "2025-11-24",
        "last monday": "2025-11-17",
        "sunday": "2025-11-23",
        "next sunday": "2025-11-30",
        "-7 weekdays": "2025-11-13",
        "second tuesday of next month": "2025-12-09",
        "first sat of July 2008": "2008-07-05",
        "last day of february": "2025-02-28",
        "8 days ago 14:00": "2025-11-15",
        "2 months 5 days ago": "2025-09-18",
    }
    found = {text: parse(text).resolve(sunday, ZoneInfo("UTC")).isoformat() for text in told}
    assert found == told
