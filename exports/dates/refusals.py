"""What to write instead of an expression that cannot be read.

One function a mistake; each is asked in turn. What a correction proposes is tried by the grammar before it is shown.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from exports.dates.combine import combine
from exports.dates.grammar import nodes
from exports.dates.tokens import Token, cut, shown
from exports.dates.words import ALL, NUMBERED, RELATIVE, UNITS
from exports.errors import DateExpressionError, DateUnreadable

MAX_LENGTH: Final = 1_000
"""SPEC section 5: characters in a value."""
GENERAL: Final = "it like “-3 months”, “first day of last month” or “2017-01-31”"
LOOK_ALIKES: Final = str.maketrans({"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-"})
BEGINNINGS: Final = frozenset({"start", "beginning", "begin"})
MOST_TOKENS: Final = 40
"""Corrections are tried on texts up to this long: they are tried word by word, and nobody reads longer ones."""

LONGEST_WORD: Final = 2 * max(map(len, ALL))
"""A word beyond it is like none that is known; to compare one of 1,000 letters took 15 ms."""


@dataclass(frozen=True)
class Typed:
    """What was typed: the text, its tokens, and the texts of the tokens without the blanks."""

    text: str
    tokens: tuple[Token, ...]
    words: tuple[str, ...]


def unreadable(text: str) -> DateUnreadable:
    """The error for a text that is no expression."""
    if len(text) > MAX_LENGTH:
        return DateUnreadable(expression=shown(text), instead=f"at most {MAX_LENGTH:,} characters")
    tokens = cut(text.strip(" \t"))
    typed = Typed(text.strip(" \t"), tokens, tuple(one.text for one in tokens if one.kind != "blank"))
    asked = MISTAKES if len(tokens) <= MOST_TOKENS else ()
    instead = next((found for mistake in asked if (found := mistake(typed))), GENERAL)
    return DateUnreadable(expression=shown(text), instead=instead)


def _readable(text: str) -> bool:
    found = nodes(cut(text))
    try:
        return found is not None and combine(found) is not None
    except DateExpressionError:
        return False


def _is_number(word: str) -> bool:
    # Digits of other scripts are decimal for Python as well.
    return word.isascii() and word.isdecimal()


def _quoted(texts: Iterable[str]) -> str:
    """The first of some corrections that can be read."""
    return next((f"“{one}”" for text in texts if _readable(one := " ".join(text.split()))), "")


# --- mistakes of whole expressions


def _nothing(typed: Typed) -> str:
    return "" if typed.words else "an expression such as “-3 months” or “first day of last month”"


def _prefix_again(typed: Typed) -> str:
    if typed.words[0] not in ("date", "datetime") or typed.words[1:2] != (":",):
        return ""
    return _quoted([typed.text.partition(":")[2].strip()]) or "one prefix only"


def _edge(words: tuple[str, ...]) -> tuple[str, tuple[str, ...]] | None:
    """("first", the words behind "of") for "first day of …" and "start of …"; ("last", …) for their opposites."""
    if words[1:3] == ("day", "of") and words[0] in ("first", "last"):
        return words[0], words[3:]
    if words[1:2] == ("of",) and (words[0] in BEGINNINGS or words[0] == "end"):
        return "first" if words[0] in BEGINNINGS else "last", words[2:]
    return None


def _edge_of_period(typed: Typed) -> str:
    """Only months have a first and a last day; "first day of this year" would be the first of this month (trap 2)."""
    found = _edge(typed.words)
    if found is None:
        return ""
    side, rest = found
    which = rest[0] if rest[:1] and rest[0] in RELATIVE else "this"
    period = rest[1:] if rest[:1] == (which,) else rest
    if period == ("year",):
        year = "" if which == "this" else f" {which} year"
        return f"“{side} day of {'january' if side == 'first' else 'december'}{year}” for {_day_of_year(side)}"
    if period == ("week",):
        return f"“{'monday' if side == 'first' else 'sunday'} {which} week”"
    return f"“{side} day of {which} month”" if period == ("month",) else ""


def _day_of_year(side: str) -> str:
    return "1 January" if side == "first" else "31 December"


def _edge_of_amount(typed: Typed) -> str:
    """ "last day of -1 year", "first day of 2 months ago"."""
    found = _edge(typed.words)
    if found is None:
        return ""
    side, rest = found
    ago = rest[-1:] == ("ago",)
    amount = rest[:-1] if ago else rest
    sign = amount[0] if amount[:1] and amount[0] in "+-" else ""
    count, unit = (*amount[len(sign) :], "", "")[:2]
    if not _is_number(count) or len(count) > 6 or unit.removesuffix("s") not in ("month", "year"):
        return ""
    months = int(count) * (12 if unit.startswith("year") else 1) * (-1 if (sign == "-") != ago else 1)
    return _quoted([f"{side} day of {months:+d} months"])


def _quarter(typed: Typed) -> str:
    return "months: a quarter is “3 months”" if {"quarter", "quarters"} & set(typed.words) else ""


def _ordinal_week(typed: Typed) -> str:
    """ "sixth week": so refused by the reference product, though it knows "sixth weeks"."""
    if len(typed.words) == 2 and typed.words[0] in NUMBERED and typed.words[1] == "week":
        count = NUMBERED[typed.words[0]]
        return f"“+{count} week{'s' if count > 1 else ''}”"
    return ""


def _repeated(typed: Typed) -> str:
    """ "next next month"."""
    first, rest = typed.words[0], typed.words[1:]
    if first not in RELATIVE or not rest or any(one != first for one in rest[:-1]) or rest[-1] not in UNITS:
        return ""
    count = RELATIVE[first] * len(rest)
    return f"“{count:+d} {rest[-1].removesuffix('s')}s”" if abs(count) > 1 else ""


# --- mistakes of days and times


def _time_stamp(typed: Typed) -> str:
    return "the day itself, such as “2017-01-31”" if typed.words[0] == "@" else ""


def _figures(typed: Typed) -> str:
    """Days in figures that are not YYYY-MM-DD, and a year alone, which would be the time 20:25 (trap 4)."""
    if len(typed.words) == 1 and _is_number(typed.words[0]):
        return _digits_alone(typed.words[0])
    numbers = [one for one in typed.words if _is_number(one)]
    between = set(typed.words) - set(numbers)
    if len(numbers) != 3 or len(typed.words) != 5 or len(between) != 1 or not between <= {"/", "-", "."}:
        return ""
    year_first = len(numbers[0]) == 4
    return _quoted(_days(*(numbers if year_first else reversed(numbers)))) or "year, month and day: “2017-01-31”"


def _digits_alone(digits: str) -> str:
    if len(digits) == 4:
        month = _quoted([f"January {digits}"])
        return f"{month} or “{digits}-01-01”" if month else "the day as “2017-01-31”"
    if len(digits) == 8:
        found = _quoted(_days(digits[:4], digits[4:6], digits[6:]))
        if found:
            return found
    return f"what is counted as well: “{digits} days”" if len(digits) <= 6 else "the day as “2017-01-31”"


def _days(year: str, first: str, second: str) -> Iterator[str]:
    """The one day that is meant if the order of day and month is certain."""
    month, day = int(first) if len(first) < 3 else 0, int(second) if len(second) < 3 else 0
    if day <= 12 < month:
        month, day = day, month
    elif month != day and day <= 12 and len(year) == 4 and len(first) < 3 and not year.startswith("0"):
        return
    if len(year) == 4 and 1 <= month <= 12 and 1 <= day <= 31:
        yield f"{year}-{month:02}-{day:02}"


def _end_of_day(typed: Typed) -> str:
    return "“tomorrow” for the end of today" if typed.words[:3] == ("24", ":", "00") else ""


def _time_first(typed: Typed) -> str:
    """ "14:00 yesterday": the day would take the time back to 00:00."""
    places = [one.start for one in typed.tokens if one.kind == "blank"][:2]
    return _quoted(f"{typed.text[place:].strip()} {typed.text[:place].strip()}" for place in places)


def _zone(typed: Typed) -> str:
    """ "today UTC", "today Europe/Budapest"."""
    kept = [one for one in typed.text.split() if one.lower() not in ("utc", "gmt") and not _is_place(one)]
    if len(kept) == len(typed.text.split()):
        return ""
    rest = " ".join(kept)
    found = f"“{rest}”" if kept and _readable(rest) else "the expression"
    return f"{found} without a time zone: it is always that of the export"


def _is_place(word: str) -> bool:
    area, slash, place = word.partition("/")
    return bool(slash) and area.isalpha() and place[:1].isalpha()


# --- mistakes of amounts and words


def _amount_alone(typed: Typed) -> str:
    if len(typed.words) == 2 and typed.words[0] in ("+", "-") and _is_number(typed.words[1]):
        return _quoted([f"{typed.words[0]}{typed.words[1]} days"]) or "a number of at most six digits"
    return ""


def _large_number(typed: Typed) -> str:
    return "numbers of at most six digits" if any(_is_number(one) and len(one) > 6 for one in typed.words) else ""


def _fraction(typed: Typed) -> str:
    words = typed.words
    inside = range(1, len(words) - 1)
    if any(words[at] in ".," and _is_number(words[at - 1]) and _is_number(words[at + 1]) for at in inside):
        return "whole numbers: “-36 hours” for a day and a half"
    return ""


def _signs(typed: Typed) -> str:
    """ "--1 day" would be a day later."""
    if any(one in "+-" and other in "+-" for one, other in zip(typed.words, typed.words[1:], strict=False)):
        return "one sign only: “-1 day” or “+1 day”"
    return ""


def _look_alikes(typed: Typed) -> str:
    """Dashes, blanks and letters that are pasted from other programs."""
    plain = unicodedata.normalize("NFKC", typed.text).translate(LOOK_ALIKES)
    return _quoted([plain]) if plain != typed.text else ""


def _closer(typed: Typed) -> str:
    """Words that stand close together, where a blank belongs: "today-1 day"."""
    places = [one.start for one in typed.tokens if one.kind != "blank" and one.start > 0]
    return _quoted(f"{typed.text[:place]} {typed.text[place:]}" for place in places)


def _misspelt(typed: Typed) -> str:
    """One word that is not known; the text with a known one that is spelt like it."""
    strange = [one for one in typed.tokens if one.kind == "word" and one.text not in ALL]
    if len(strange) != 1 or len(strange[0].text) > LONGEST_WORD:
        return ""
    word = strange[0]
    known = get_close_matches(word.text, sorted(ALL), n=5, cutoff=0.6)
    return _quoted(f"{typed.text[: word.start]}{one}{typed.text[word.end :]}" for one in [*known, ""])


def _filler(typed: Typed) -> str:
    """ "3 days from now"."""
    kept = [one for one in typed.text.split() if one.lower() not in ("in", "from", "now", "the", "later", "of")]
    return _quoted([" ".join(kept)]) if 0 < len(kept) < len(typed.text.split()) else ""


MISTAKES: Final[tuple[Callable[[Typed], str], ...]] = (
    _nothing,
    _prefix_again,
    _edge_of_period,
    _edge_of_amount,
    _quarter,
    _ordinal_week,
    _repeated,
    _time_stamp,
    _figures,
    _end_of_day,
    _signs,
    _look_alikes,
    _zone,
    _amount_alone,
    _large_number,
    _fraction,
    _time_first,
    _misspelt,
    _closer,
    _filler,
)
"""In this order: the more certain before the more general."""
