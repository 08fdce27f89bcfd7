"""`flask date` says which day an expression means, without database and Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from exports import zones
from webapp.cli import COMMANDS
from webapp.cli.date import date

ROWS: list[dict[str, Any]] = json.loads(Path("tests/data/date_expressions.json").read_text())
AT = ("--base", "2026-07-29 10:00:00")


def ask(*arguments: str, typed: str | bytes | None = None) -> Result:
    return CliRunner().invoke(date, list(arguments), input=typed)


def program(*arguments: str, typed: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The whole command, in a process of its own, where no address is set and no instance folder can be made."""
    command = [sys.executable, "-m", "webapp", "date", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, env={**os.environ, **environment}, timeout=60)


def test_it_prints_the_day_and_nothing_else() -> None:
    answer = ask("first day of last month", *AT)
    assert (answer.stdout, answer.stderr, answer.exit_code) == ("2026-06-01\n", "", 0)


@pytest.mark.parametrize("expression", ["-3 months", "- 3 months", "-3months"])
def test_an_expression_that_begins_with_a_minus_is_taken_as_it_is(expression: str) -> None:
    for arguments in ([expression, *AT], [*AT, expression], [*AT, "--", expression]):
        assert ask(*arguments).stdout == "2026-04-29\n"


def test_two_minus_signs_are_an_expression_as_well_and_refused() -> None:
    answer = ask("--1 day", *AT)
    assert answer.stdout == "error: “--1 day” cannot be read. Write one sign only: “-1 day” or “+1 day”.\n"
    assert answer.exit_code == 2


def test_the_base_is_wall_clock_time_in_the_zone() -> None:
    late = ("--base", "2026-07-29 23:30:00", "--timezone", "America/New_York")
    assert ask("today", *late).stdout == "2026-07-29\n"
    assert ask("now", *late, "--keep-time").stdout == "2026-07-29 23:30:00-04:00\n"


def test_without_a_base_it_counts_from_now() -> None:
    before = datetime.now(UTC)
    found = datetime.fromisoformat(ask("-36 hours", "--keep-time").stdout.strip())
    assert before - timedelta(hours=36, seconds=2) < found <= datetime.now(UTC) - timedelta(hours=36)


def test_a_base_that_the_clock_leaves_out_is_the_time_it_shows_then() -> None:
    gap = ("--base", "2027-03-28 02:30:00", "--timezone", "Europe/Budapest")
    assert ask("now", *gap, "--keep-time").stdout == "2027-03-28 03:30:00+02:00\n"


@pytest.mark.parametrize("base", ["2026-07-29", "2026-07-29 00:00", "2026-07-29T00:00", "2026-07-29T00:00:00"])
def test_a_base_may_be_shorter(base: str) -> None:
    assert ask("now", "--base", base, "--keep-time").stdout == "2026-07-29 00:00:00+00:00\n"


@pytest.mark.parametrize(
    "arguments",
    [(), ("today", "tomorrow"), ("today", "--base", "29/07/2026"), ("today", "--base", "2026-02-30"),
     ("today", "--timezone", "Mars/Olympus"), ("today", "--timezone", "/etc/localtime"),
     ("today", "--base", "0001-01-01", "--timezone", "Asia/Tokyo")],
    ids=" ".join,
)  # fmt: skip
def test_wrong_arguments_are_told_on_standard_error(arguments: tuple[str, ...]) -> None:
    answer = ask(*arguments)
    assert (answer.stdout, answer.exit_code) == ("", 2)
    assert "Error: " in answer.stderr


def test_the_sentence_stands_in_the_place_of_a_refused_one() -> None:
    typed = "today\nfirst day of this year\r\n\n-1 day\n+9999 years"
    answer = ask("-", *AT, typed=typed)
    assert answer.stdout.split("\n") == [
        "2026-07-29",
        "error: “first day of this year” cannot be read. Write “first day of january” for 1 January.",
        "error: “” cannot be read. Write an expression such as “-3 months” or “first day of last month”.",
        "2026-07-28",
        "error: “+9999 years” leads out of the years 1 to 9999. Write smaller numbers.",
        "",
    ]
    assert answer.exit_code == 2


def test_a_list_without_a_refused_one_exits_with_0() -> None:
    assert ask("-", typed="today\n").exit_code == 0
    assert ask("-", typed="").stdout == ""


def test_whatever_a_line_holds_the_answer_is_one_line() -> None:
    lines = [
        b"\xff\xfe",
        b"a\x0bb\x0cc\x1cd",
        "x\u2028y\u0085z".encode(),
        b"\x00",
        b"x" * 100_000,
        b"\r",
        "\u202e-1 day".encode(),
    ]
    answer = ask("-", typed=b"\n".join(lines))
    found = answer.stdout.splitlines()
    assert len(found) == len(lines)
    assert all(line.startswith("error: ") and len(line) < 200 for line in found)


def test_every_measured_row_is_answered_by_the_command() -> None:
    for base, zone in {(row["base"], row["tz"]) for row in ROWS}:
        rows = [
            row for row in ROWS if (row["base"], row["tz"]) == (base, zone) and row["tier"] in ("documented", "php")
        ]
        typed = "\n".join(row["expr"] for row in rows)
        days = ask("-", "--base", base, "--timezone", zone, typed=typed)
        assert days.stdout.split() == [row["date"] for row in rows]
        moments = ask("-", "--base", base, "--timezone", zone, "--keep-time", typed=typed)
        assert moments.stdout.splitlines() == [row["result"].replace(" +", "+").replace(" -", "-") for row in rows]


def test_a_thousand_expressions_take_less_than_three_seconds_and_no_service() -> None:
    typed = "\n".join((ROWS[place % len(ROWS)]["expr"]) for place in range(1000)).encode()
    start = time.monotonic()
    answer = program("-", typed=typed)
    took = time.monotonic() - start
    assert (answer.stderr, answer.returncode) == (b"", 2)
    assert len(answer.stdout.splitlines()) == 1000
    assert took < 3


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_has_not_the_characters_is_answered_too(encoding: str) -> None:
    answer = program("--1 day", PYTHONIOENCODING=encoding)
    assert answer.stdout.startswith(b"error: ")
    assert answer.returncode == 2


def test_the_list_of_commands_names_it_and_starts_nothing() -> None:
    answer = subprocess.run([sys.executable, "-m", "webapp", "--help"], capture_output=True, text=True, timeout=60)
    assert answer.returncode == 0
    assert {*COMMANDS, "db"} <= {line.split()[0] for line in answer.stdout.splitlines() if line.startswith("  ")}
    assert answer.stderr == ""


def test_every_zone_of_the_list_can_be_named() -> None:
    for name in sorted(zones.names())[::40]:
        assert ask("2017-01-31", "--timezone", name).stdout == "2017-01-31\n"
