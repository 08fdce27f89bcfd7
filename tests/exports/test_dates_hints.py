"""Beside an input stand hints where an expression may not be what was meant, and refusals say what to write instead."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from exports.dates import hints, parse
from exports.errors import DateCombination, DateExpressionError, DateNotInCalendar, DateUnreadable

TIME_IS_CUT = "“date:” means the whole day: the time is cut off. “datetime:” keeps it."


def hinted(text: str, base: str, zone: str = "UTC", *, keep_time: bool = False) -> tuple[str, ...]:
    place = ZoneInfo(zone)
    return hints(parse(text), datetime.fromisoformat(base).replace(tzinfo=place), place, keep_time=keep_time)


# --- hints


@pytest.mark.parametrize(
    ("text", "base", "hint"),
    [
        (
            "-1 month",
            "2025-10-31",
            "31 October − 1 month has no 31st: this gives 1 October. Try “last day of last month”.",
        ),
        (
            "last month",
            "2025-03-31",
            "31 March − 1 month has no 31st: this gives 3 March. Try “last day of last month”.",
        ),
        ("-3 months", "2025-05-31", "31 May − 3 months has no 31st: this gives 3 March. Try “last day of -3 months”."),
        (
            "-1 year",
            "2024-02-29",
            "29 February 2024 − 1 year has no 29th: this gives 1 March 2023. Try “last day of -12 months”.",
        ),
        (
            "+2 months",
            "2025-12-31",
            "31 December 2025 + 2 months has no 31st: this gives 3 March 2026. Try “last day of +2 months”.",
        ),
        (
            "2025-01-31 +1 month",
            "2025-06-01",
            "31 January + 1 month has no 31st: this gives 3 March. Try “last day of february 2025”.",
        ),
        ("sept", "2025-03-31", "September has no 31st: this gives 1 October. Try “last day of september”."),
        ("29 february", "2025-03-01", "February has no 29th: this gives 1 March. Try “last day of february”."),
        ("-1 month +3 days", "2025-10-31", "31 October − 1 month has no 31st: this gives 1 October."),
    ],
)
def test_a_month_that_runs_over_is_told(text: str, base: str, hint: str) -> None:
    assert hinted(text, base) == (hint,)


def test_what_the_hints_propose_is_what_they_promise() -> None:
    base, zone = datetime(2025, 10, 31, tzinfo=UTC), ZoneInfo("UTC")
    assert parse("last day of last month").resolve(base, zone) == date(2025, 9, 30)
    leap = datetime(2024, 2, 29, tzinfo=UTC)
    assert parse("last day of -12 months").resolve(leap, zone) == date(2023, 2, 28)


@pytest.mark.parametrize(
    "text", ["-1 month", "today", "first day of last month", "last day of -1 month", "monday", "ago"]
)
def test_what_is_clear_has_no_hint(text: str) -> None:
    expression = "3 months 2 days ago" if text == "ago" else text
    assert hinted(expression, "2025-11-19") == ()


@pytest.mark.parametrize(
    ("text", "base", "hint"),
    [
        (
            "last week",
            "2025-11-23",
            "“last week” is the Monday of that week. For the same weekday as today write “-7 days”.",
        ),
        (
            "this week",
            "2025-11-23",
            "“this week” is the Monday of that week. For the same weekday as today write “today”.",
        ),
        (
            "this friday of next month",
            "2025-11-23",
            "“this friday of” is the first one of the month after. Write “first friday of …” or “last friday of …”.",
        ),
        (
            "tomorrow 2 days ago",
            "2025-11-23",
            "“ago” turns round everything before it, “tomorrow” as well. Write amounts with “-” instead.",
        ),
        (
            "-2 days ago",
            "2025-11-23",
            "“ago” turns round everything before it, “-2 days” as well. Write amounts with “-” instead.",
        ),
        (
            "next monday -1 day",
            "2025-11-24",
            "It is Monday: with the days behind it “next monday” is found a week earlier than alone.",
        ),
        (
            "last monday +8 days",
            "2025-11-24",
            "It is Monday: with the days behind it “last monday” is found a week later than alone.",
        ),
        (
            "monday -1 month",
            "2025-11-25",
            "The weekday is found first, then “− 1 month” is counted: this is a Saturday.",
        ),
        ("-36 hours", "2025-11-25", TIME_IS_CUT),
        ("yesterday noon", "2025-11-25", TIME_IS_CUT),
        ("back of 7pm", "2025-11-25", TIME_IS_CUT),
    ],
)
def test_a_surprise_is_told(text: str, base: str, hint: str) -> None:
    assert hinted(text, base) == (hint,)


@pytest.mark.parametrize("base", ["2025-11-25", "2025-11-23"])
def test_a_weekday_on_another_day_is_no_surprise(base: str) -> None:
    assert hinted("next monday -1 day", base) == hinted("last monday +8 days", base) == ()


def test_with_the_time_kept_its_surprises_are_told() -> None:
    at = "2025-11-23"
    assert hinted("-36 hours", at, keep_time=True) == ()
    assert hinted("noon yesterday", at, keep_time=True) == (
        "“yesterday” takes the time of “noon” back: write the time last.",
    )
    assert hinted("2027-03-28 02:30", at, "Europe/Budapest", keep_time=True) == (
        "The clock in Budapest skips 02:30 that day: this gives 03:30.",
    )
    assert hinted("2027-10-31 02:30", at, "Europe/Budapest", keep_time=True) == (
        "The clock in Budapest shows 02:30 twice that day: this is the first time.",
    )
    assert hinted("2027-10-31 02:30+01:00", at, "Europe/Budapest", keep_time=True) == ()


# --- refusals


def said(text: str) -> str:
    with pytest.raises(DateExpressionError) as refused:
        parse(text)
    return refused.value.said


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("", "an expression such as “-3 months” or “first day of last month”"),
        ("date:now", "“now”"),
        ("first day of this year", "“first day of january” for 1 January"),
        ("last day of next year", "“last day of december next year” for 31 December"),
        ("beginning of year", "“first day of january” for 1 January"),
        ("first day of month", "“first day of this month”"),
        ("end of last month", "“last day of last month”"),
        ("last day of this week", "“sunday this week”"),
        ("last day of -1 year", "“last day of -12 months”"),
        ("first day of 2 months ago", "“first day of -2 months”"),
        ("-1 quarter", "months: a quarter is “3 months”"),
        ("sixth week", "“+6 weeks”"),
        ("next next month", "“+2 months”"),
        ("last last month", "“-2 months”"),
        ("@86400", "the day itself, such as “2017-01-31”"),
        ("2025", "“January 2025” or “2025-01-01”"),
        ("0000", "the day as “2017-01-31”"),
        ("20250131", "“2025-01-31”"),
        ("01/31/2025", "“2025-01-31”"),
        ("31/01/2025", "“2025-01-31”"),
        ("31.1.2025", "“2025-01-31”"),
        ("01/02/2025", "year, month and day: “2017-01-31”"),
        ("2025-1-31", "“2025-01-31”"),
        ("10000-01-01", "year, month and day: “2017-01-31”"),
        ("24:00", "“tomorrow” for the end of today"),
        ("--1 day", "one sign only: “-1 day” or “+1 day”"),
        ("−3 months", "“-3 months”"),
        ("-3\u00a0months", "“-3 months”"),
        ("２０２７-01-01", "“2027-01-01”"),
        ("today UTC", "“today” without a time zone: it is always that of the export"),
        ("-3 days Europe/Budapest", "“-3 days” without a time zone: it is always that of the export"),
        ("-7", "“-7 days”"),
        ("+1000000 years", "numbers of at most six digits"),
        ("-1.5 days", "whole numbers: “-36 hours” for a day and a half"),
        ("14:00 yesterday", "“yesterday 14:00”"),
        ("wednes", "“wednesday”"),
        ("eight day", "“eighth day”"),
        ("last mnoth", "“last month”"),
        ("1st january", "“1 january”"),
        ("today-1 day", "“today -1 day”"),
        ("in 3 days", "“3 days”"),
        ("3 days from now", "“3 days”"),
        ("now; select 1", "it like “-3 months”, “first day of last month” or “2017-01-31”"),
    ],
)
def test_a_refusal_says_what_to_write_instead(text: str, instead: str) -> None:
    assert said(text).endswith(f" cannot be read. Write {instead}.")


def test_the_sentence_is_the_one_of_the_screen() -> None:
    sentence = "“first day of this year” cannot be read. Write “first day of january” for 1 January."
    assert said("first day of this year") == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "2025-02-30",
            "“2025-02-30” is not a day of the calendar: February 2025 has 28 days. "
            "Write “last day of february 2025” for its last day.",
        ),
        (
            "30 february",
            "“30 february” is not a day of the calendar: February has 29 days. "
            "Write “last day of february” for its last day.",
        ),
        (
            "2025-13-01",
            "“2025-13-01” is not a day of the calendar: months are 01 to 12. Write year, month and day: “2017-01-31”.",
        ),
        ("0000-01-01", "“0000-01-01” is not a day of the calendar: years begin with 0001. Write a later year."),
    ],
)
def test_days_that_no_calendar_has_are_refused(text: str, sentence: str) -> None:
    assert said(text) == sentence
    with pytest.raises(DateNotInCalendar):
        parse(text)


LOST_DAYS = "“{0}” is applied last, so the days would be lost. Write {1}."


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("first day of this month -1 day", LOST_DAYS.format("first day of", "“last day of last month”")),
        ("last day of this month +1 day", LOST_DAYS.format("last day of", "“first day of next month”")),
        ("last day of last month +1 day", LOST_DAYS.format("last day of", "“first day of this month”")),
        (
            "first day of this month +14 days",
            LOST_DAYS.format("first day of", "hours: “first day of this month +336 hours”"),
        ),
        (
            "first day of january next week",
            LOST_DAYS.format("first day of", "hours: “first day of january +168 hours”"),
        ),
        ("14:00 15:00", "only one time of day can count. Write one of the two."),
        ("noon 14:00", "only one time of day can count. Write one of the two."),
        ("+1 weekday +2 weekdays", "only one number of weekdays can count. Write one number of weekdays."),
        (
            "first sat of july 2008 +1 weekday",
            "the weekday is looked for from another day then. Write days, such as “+7 days”.",
        ),
        (
            "first sat of july 2008 next week",
            "the weekday is looked for from another day then. Write days, such as “+7 days”.",
        ),
    ],
)
def test_nothing_that_was_typed_is_lost_silently(text: str, sentence: str) -> None:
    assert said(text).endswith(f": {sentence}")
    with pytest.raises(DateCombination):
        parse(text)


def test_hours_give_what_days_cannot() -> None:
    base, zone = datetime(2025, 3, 20, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Budapest")
    assert parse("first day of this month +336 hours").resolve(base, zone) == date(2025, 3, 15)


def test_a_quotation_stays_on_one_line_and_short() -> None:
    with pytest.raises(DateUnreadable) as refused:
        parse("a\nb\u2028c\x00" + "d" * 500)
    assert refused.value.message.isprintable()
    assert len(refused.value.message) < 90
