"""Whatever the grammar of `date:` allows is read, whatever else is typed is answered, and neither takes long."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from exports import definition, zones
from exports.dates import MAX_LENGTH, Expression, hints, parse, split_prefix
from exports.dates.words import ALL
from exports.errors import DateCombination, DateExpressionError, DateOutOfRange, DateUnreadable
from tests.campaigns import campaign

# The grammar of REFERENCE section 3.2, written down a second time, as what it produces.
WS = st.sampled_from([" ", " ", "  ", "\t", " \t "])
RELTEXTS = ["this", "next", "last", "previous"]
ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", *RELTEXTS,
]  # fmt: skip
DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
DAYS += [name[:3] for name in DAYS]
MONTHS = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
]  # fmt: skip
MONTHS += [name[:3] for name in MONTHS] + ["sept"]
UNITS = ["sec", "second", "min", "minute", "hour", "day", "week", "fortnight", "month", "year", "weekday"]
UNITS += [f"{name}s" for name in UNITS]


def joined(*parts: st.SearchStrategy[str] | str) -> st.SearchStrategy[str]:
    """The parts with blanks between them."""
    texts = [st.just(part) if isinstance(part, str) else part for part in parts]
    return st.tuples(*texts, WS).map(lambda found: found[-1].join(found[:-1]))


def any_of(words: list[str]) -> st.SearchStrategy[str]:
    return st.sampled_from(words)


def numbers(most: int) -> st.SearchStrategy[str]:
    return st.integers(0, most).map(str)


SIGNS = st.sampled_from(["", "+", "-", "+ ", "- "])
COUNTED = st.tuples(SIGNS, numbers(400), st.sampled_from(["", " ", "\t"]), any_of(UNITS)).map("".join)
HH_MM = st.tuples(st.integers(0, 23), st.integers(0, 59)).map(lambda pair: f"{pair[0]:02}:{pair[1]:02}")
H_AM = st.tuples(st.integers(1, 12).map(str), st.sampled_from(["am", "pm"])).map("".join)
CLOCK = st.one_of(HH_MM, HH_MM.map(lambda text: f"{text}:30"), H_AM, any_of(["noon", "midnight"]))
NOT_ORDINAL_WEEK = [f"{ordinal} {unit}" for ordinal in ORDINALS for unit in UNITS if unit != "week"]
AMOUNT = st.one_of(COUNTED, any_of(NOT_ORDINAL_WEEK), joined(COUNTED, "ago"))
RELATIVE = st.one_of(AMOUNT, CLOCK)
SPAN = st.one_of(
    joined(any_of(RELTEXTS), "month"),
    any_of(MONTHS),
    joined(any_of(MONTHS), st.integers(1000, 9999).map(str)),
    joined(any_of(MONTHS), any_of(RELTEXTS), "year"),
    joined(any_of(MONTHS), st.integers(1000, 9000).map(str), any_of(RELTEXTS), "year"),
    st.tuples(SIGNS, numbers(400), st.sampled_from(["month", " months"])).map("".join),
)
ANCHOR = st.one_of(
    any_of(["now", "today", "midnight", "noon", "tomorrow", "yesterday"]),
    joined(any_of(["first", "last"]), "day", "of", SPAN),
    joined(any_of(ORDINALS), any_of(DAYS), "of", SPAN),
    any_of(DAYS),
    joined(any_of(ORDINALS), any_of(DAYS)),
    joined(any_of(ORDINALS), any_of(DAYS), any_of(RELTEXTS), "week"),
    joined(any_of(DAYS), any_of(RELTEXTS), "week"),
    joined(any_of(RELTEXTS), "week"),
    joined(any_of(["back", "front"]), "of", st.one_of(numbers(23), st.sampled_from(["7pm", "5am", "11 pm"]))),
)
ISO_DAYS = st.dates(date(1000, 1, 1)).map(date.isoformat)
D = st.integers(1, 28).map(str)
YEAR = st.integers(1000, 9999).map(str)
ABSOLUTE = st.one_of(
    ISO_DAYS,
    joined(ISO_DAYS, HH_MM),
    st.tuples(ISO_DAYS, st.just("T"), HH_MM).map("".join),
    joined(D, any_of(MONTHS), YEAR),
    joined(any_of(MONTHS), D, YEAR),
    joined(any_of(MONTHS), D.map(lambda day: f"{day},"), YEAR),
    joined(any_of(MONTHS), YEAR),
    joined(any_of(MONTHS), D),
    joined(D, any_of(MONTHS)),
    any_of(MONTHS),
)


@st.composite
def expressions(draw: st.DrawFn, first: st.SearchStrategy[str] | None = None) -> str:
    """An expression of the grammar, with up to four pieces behind the first."""
    pieces = [draw(first if first is not None else st.one_of(ABSOLUTE, ANCHOR, RELATIVE))]
    pieces += draw(st.lists(RELATIVE, max_size=4))
    return draw(WS).join(pieces)


BASES = st.datetimes(datetime(1971, 1, 2), datetime(2199, 12, 30), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Budapest",
        "America/New_York",
        "Africa/Cairo",
        "America/Sao_Paulo",
        "Pacific/Apia",
        "Asia/Kathmandu",
    ]
).map(ZoneInfo)


def days_of(expression: Expression, base: datetime, zone: ZoneInfo) -> date | None:
    """The day, None beyond the calendar."""
    try:
        expression.resolve_moment(base, zone)
        return expression.resolve(base, zone)
    except DateOutOfRange:
        return None


def read(text: str) -> Expression | DateExpressionError:
    """What parsing comes to."""
    try:
        return parse(text)
    except DateExpressionError as refused:
        return refused


def seconds_to_read(text: str) -> float:
    start = time.process_time()
    read(text)
    return time.process_time() - start


# --- reading


@campaign("dates", short=100, long=5_000)
@given(expressions())
def test_all_that_the_grammar_allows_is_read(text: str) -> None:
    found = read(text)
    if isinstance(found, DateCombination):
        assert found.facts["lost"] in " ".join(text.lower().split())
    else:
        assert isinstance(found, Expression)


@campaign("dates", short=100, long=5_000)
@given(expressions(ABSOLUTE.filter(lambda text: ":" not in text)), st.data())
def test_capital_letters_and_blanks_do_not_matter(text: str, data: st.DataObject) -> None:
    other = "".join(data.draw(st.sampled_from([one.lower(), one.upper()])) for one in text)
    other = re.sub(r"[ \t]+", lambda _: data.draw(WS), other)
    outer = data.draw(st.sampled_from(["", " ", "\t "]))
    found, again = read(text), read(f"{outer}{other}{outer}")
    assert type(found) is type(again)
    if isinstance(found, Expression) and isinstance(again, Expression):
        assert found.parts == again.parts


WORDS = st.lists(st.sampled_from([*sorted(ALL), "1", "31", "2025", "-", "+", ":", "/", ",", "t", "z", "week", "date"]))
TYPED = st.one_of(
    st.text(max_size=MAX_LENGTH),
    st.tuples(WORDS, st.sampled_from(["", " ", "  "])).map(lambda found: found[1].join(found[0])[:MAX_LENGTH]),
    st.tuples(expressions(), st.text(max_size=3), st.integers(0, 40)).map(
        lambda found: found[0][: found[2]] + found[1] + found[0][found[2] :]
    ),
)


@campaign("dates", short=400, long=20_000)
@given(TYPED)
@example("+1 day " * 142)
@example("+1 day " * 140 + "x")
@example("1 " * 500)
@example("first " * 160)
@example("\ud800" * 1000)
@example("−" * 1000)  # minus signs of a typesetter, each of which would have to be corrected
@example("january 1 " * 100)
def test_anything_typed_is_read_or_refused_within_milliseconds(text: str) -> None:
    assert any(seconds_to_read(text) < 0.05 for _ in range(3))  # one of them may meet the collector of garbage
    found = read(text)
    if isinstance(found, DateExpressionError):
        assert found.code.startswith("date.")
        assert found.said.endswith(".")
        assert found.said.isprintable()
        assert len(found.said) < 400


def test_longer_texts_are_refused_unread() -> None:
    assert MAX_LENGTH == definition.MAX_VALUE
    assert parse("+1 day" + " " * (MAX_LENGTH - 6))
    refused = read("x" * 10_000_000)
    assert isinstance(refused, DateUnreadable)
    assert refused.advised == "Write at most 1,000 characters."


@campaign("dates", short=100, long=5_000)
@given(TYPED)
def test_what_is_proposed_instead_can_be_read(text: str) -> None:
    found = read(text)
    if isinstance(found, DateExpressionError):
        for proposed in re.findall("“([^”…]*)”", found.advised):
            assert parse(proposed)


@campaign("dates", short=100, long=5_000)
@given(expressions())
def test_the_same_text_gives_equal_expressions(text: str) -> None:
    found = read(text)
    if isinstance(found, Expression):
        assert (found, hash(found)) == (parse(text), hash(parse(text)))


# --- the prefix


@pytest.mark.parametrize("value", ["date:-3 months", "date: -3 months", "DATE:\t-3 months ", " Date: -3 months"])
def test_the_prefix_is_taken_with_a_blank_or_without(value: str) -> None:
    assert split_prefix(value) == ("date", "-3 months")


def test_datetime_is_a_prefix_of_its_own() -> None:
    assert split_prefix("DateTime: -36 hours") == ("datetime", "-36 hours")


@pytest.mark.parametrize(
    "value", ["2017-01-31", "dates: today", "date", "date today", "ｄａｔｅ: today", "", None, 5, ["date:"]]
)
def test_all_other_values_have_no_prefix(value: object) -> None:
    assert split_prefix(value) is None


# --- resolving


@campaign("dates", short=100, long=5_000)
@given(expressions(), st.datetimes(timezones=st.just(UTC)), st.sampled_from(sorted(zones.names())).map(zones.zone))
def test_resolving_gives_a_day_or_says_that_the_calendar_has_ended(text: str, base: datetime, zone: ZoneInfo) -> None:
    found = read(text)
    if not isinstance(found, Expression):
        return
    day = days_of(found, base, zone)
    if day is None:
        return
    moment = found.resolve_moment(base, zone)
    assert type(day) is date
    assert moment.tzinfo is zone
    assert moment.microsecond == 0
    assert all(one.endswith((".", "”.")) for one in hints(found, base, zone) + hints(found, base, zone, keep_time=True))


@campaign("dates", short=100, long=5_000)
@given(expressions(st.one_of(ANCHOR, RELATIVE).filter(lambda text: not re.search(r"\d{4}", text))), BASES, ZONES)
def test_days_within_some_centuries_always_resolve(text: str, base: datetime, zone: ZoneInfo) -> None:
    found = read(text)
    if isinstance(found, Expression):
        assert days_of(found, base, zone)


@pytest.mark.parametrize(
    "text", ["+999999 years", "-999999 months", "999999 fortnights", "9999-12-31 +1 day", "0001-01-01 -1 day"]
)
def test_beyond_the_calendar_is_an_error_of_ours(text: str) -> None:
    with pytest.raises(DateOutOfRange) as refused:
        parse(text).resolve(datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))
    assert refused.value.said == f"“{text}” leads out of the years 1 to 9999. Write smaller numbers."


@pytest.mark.parametrize("text", ["9999-12-31 +1 day -1 day", "+999999 years -999999 years"])
def test_only_the_end_of_the_way_must_be_within_the_calendar(text: str) -> None:
    assert parse(text).resolve(datetime(2026, 1, 1, tzinfo=UTC), ZoneInfo("UTC"))


@campaign("dates", short=100, long=5_000)
@given(
    st.one_of(ANCHOR.filter(lambda text: "of" not in text.split() or "day" in text or "mon" in text), ISO_DAYS),
    BASES,
    ZONES,
)
def test_the_day_does_not_depend_on_the_time_of_day(text: str, base: datetime, zone: ZoneInfo) -> None:
    plain = parse(text)
    if plain.parts.clock_typed:
        return
    day = days_of(plain, base, zone)
    for clock in ("00:00", "noon", "23:59:59", "7 pm"):
        assert days_of(parse(f"{text} {clock}"), base, zone) == day


@campaign("dates", short=100, long=5_000)
@given(st.integers(-400, 400), BASES, ZONES)
def test_days_weeks_and_fortnights_are_days_of_the_calendar(count: int, base: datetime, zone: ZoneInfo) -> None:
    today = base.astimezone(zone).date()
    for unit, days in (("day", 1), ("weeks", 7), ("fortnight", 14)):
        assert parse(f"{count:+d} {unit}").resolve(base, zone) == today + timedelta(days=count * days)
        assert parse(f"{count} {unit} ago").resolve(base, zone) == today - timedelta(days=count * days)


@campaign("dates", short=100, long=5_000)
@given(st.integers(-60, 60).filter(bool), BASES, ZONES)
def test_weekdays_skip_the_weekends_one_by_one(count: int, base: datetime, zone: ZoneInfo) -> None:
    day = base.astimezone(zone).date()
    for _ in range(abs(count)):
        day += timedelta(days=1 if count > 0 else -1)
        while day.isoweekday() > 5:
            day += timedelta(days=1 if count > 0 else -1)
    assert parse(f"{count:+d} weekdays").resolve(base, zone) == day


@campaign("dates", short=100, long=5_000)
@given(st.integers(-400, 400), BASES, ZONES)
def test_first_and_last_days_of_months_never_run_over(months: int, base: datetime, zone: ZoneInfo) -> None:
    today = base.astimezone(zone).date()
    number = today.year * 12 + today.month - 1 + months
    first = date(number // 12, number % 12 + 1, 1)
    last = date((number + 1) // 12, (number + 1) % 12 + 1, 1) - timedelta(days=1)
    assert parse(f"first day of {months:+d} months").resolve(base, zone) == first
    assert parse(f"last day of {months:+d} months").resolve(base, zone) == last


@campaign("dates", short=100, long=5_000)
@given(st.sampled_from(DAYS[:7]), BASES, ZONES)
def test_a_weekday_is_looked_for_from_today(name: str, base: datetime, zone: ZoneInfo) -> None:
    today = base.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    found = {word: parse(f"{word} {name}").resolve(base, zone) for word in ("this", "next", "last", "third")}
    found |= {"": parse(name).resolve(base, zone), "week": parse(f"{name} next week").resolve(base, zone)}
    assert {day.isoweekday() % 7 for day in found.values()} == {DAYS.index(name)}
    assert found[""] == found["this"]
    assert 0 <= (found["this"] - today).days <= 6
    assert 1 <= (found["next"] - today).days <= 7
    assert 15 <= (found["third"] - today).days <= 21
    assert 1 <= (today - found["last"]).days <= 7
    assert 7 <= (found["week"] - monday).days <= 13


@campaign("dates", short=100, long=5_000)
@given(st.sampled_from(ORDINALS[:5]), st.sampled_from(DAYS[:7]), BASES, ZONES)
def test_the_nth_weekday_of_a_month_is_counted_from_its_first_day(
    ordinal: str, name: str, base: datetime, zone: ZoneInfo
) -> None:
    first = parse("first day of this month").resolve(base, zone)
    found = parse(f"{ordinal} {name} of this month").resolve(base, zone)
    assert found.isoweekday() % 7 == DAYS.index(name)
    assert (found - first).days // 7 == ORDINALS.index(ordinal)
