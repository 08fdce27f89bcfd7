"""Facts that are words of the product themselves: each is translated as the kind of part that it is named for.

`{weekdays}` of a template is a list of weekdays, and `Monday and Friday` becomes `Montag und Freitag`. A fact whose
name is no kind stays as it is. `day2` is of the kind `day`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from functools import cache
from string import Formatter
from typing import Final

from exports.words import SHOWN
from webapp.words import formats
from webapp.words.parts import LISTS, PARTS

Speak = Callable[[str, str], str]
"""The translation of a template in a kind: what the catalogue has for it."""

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
LONG_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY: Final = re.compile(
    rf"(?:({'|'.join(WEEKDAYS)}) )?([0-9]{{1,2}}) ({'|'.join((*LONG_MONTHS, *MONTHS))})(?: ([0-9]{{1,4}}))?", re.ASCII
)


def _day(text: str, language: str) -> str:
    """Tue 1 Dec 2026, 31 January."""
    weekday, number, month, year = DAY.fullmatch(text).groups()  # type: ignore[union-attr]
    is_long = month not in MONTHS
    place = (LONG_MONTHS if is_long else MONTHS).index(month) + 1
    for meant in _days(int(year) if year else None, place, int(number)):
        if year or weekday in (None, WEEKDAYS[meant.weekday()]):
            return formats.day(meant, language, weekday=bool(weekday), year=bool(year), whole=is_long)
    return text


def _days(year: int | None, month: int, day: int) -> Iterator[date]:
    """That day; without a year in 28 in a row, among which its weekday is any of seven."""
    for one in range(2000, 2028) if year is None else [year]:
        with suppress(ValueError):
            yield date(one, month, day)


def _count(text: str, language: str) -> str:
    return formats.number(int(text.replace(",", "")), language)


def _as_it_is(text: str, _language: str) -> str:
    return text


COMPUTED: Final[dict[str, tuple[str, Callable[[str, str], str]]]] = {
    "day": (re.sub(r"\((?!\?)", "(?:", DAY.pattern), _day),
    "count": (r"[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+", _count),
    "time": (r"[0-9]{2}:[0-9]{2}(?::[0-9]{2})?", _as_it_is),
    "date": (r"[0-9]{4}-[0-9]{2}-[0-9]{2}", _as_it_is),
    "number": (r"[0-9]{1,2}", _as_it_is),
    "ordinal": (r"[0-9]{1,2}(?:st|nd|rd|th)?", lambda text, _: re.sub("[a-z]*$", ".", text, count=1)),
    "place": (r"[^,() ]+(?: [^,() ]+)*(?:, [+-][0-9:]{5})?", _as_it_is),
    "many": (rf"(?:[^,]*,){{{SHOWN - 1}}}.+?", _as_it_is),  # fewer are never cut off: "Rock and 3 more" is a name
    "extension": (r"\.[a-z]+", _as_it_is),
    "newline": ("LF|CRLF|CR", _as_it_is),
}
"""Kinds that are read and written by a rule, with what they look like."""


def kind_of(fact: str) -> str:
    """The kind that a fact is named for; empty if it stays as it is."""
    if fact.isupper():
        return "count"
    name = fact.rstrip("0123456789")
    return name if name in PARTS or name in LISTS or name in COMPUTED else ""


@cache
def shape(kind: str) -> str:
    """What a part of a kind looks like, as a pattern without groups."""
    if kind in COMPUTED:
        return f"(?:{COMPUTED[kind][0]})"
    if kind in LISTS:
        one = shape(LISTS[kind])
        return f"(?:{one}(?:(?:, | and | & ){one})*)"
    return f"(?:{'|'.join(re.sub(r'[(][?]P<[^>]*>', '(?:', pattern(one)) for one in PARTS[kind])})"


def pattern(template: str, *, loose: bool = False) -> str:
    """What a sentence made of a template looks like, with its facts as groups; the same fact twice must be the same.

    `loose`: facts may be anything, whatever kind they are named for.
    """
    parts, seen = [], set()
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(re.escape(literal))
        if name:
            wanted = shape(kind_of(name)) if kind_of(name) and not loose else ".+?"
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{wanted})")
            seen.add(name)
    return "".join(parts)


@cache
def compiled(template: str, *, loose: bool = False) -> re.Pattern[str]:
    """The pattern, ready for use."""
    return re.compile(pattern(template, loose=loose), re.DOTALL)


def said(text: str, kind: str, language: str, speak: Speak) -> str:
    """A part in the language; as it is if it is none of its kind. `speak` knows the catalogue."""
    if kind in COMPUTED:
        shape_, rule = COMPUTED[kind]
        return rule(text, language) if re.fullmatch(shape_, text, re.ASCII) else text
    if kind in LISTS:
        return _listed(text, LISTS[kind], language, speak)
    for template in PARTS[kind]:
        if match := compiled(template).fullmatch(text):
            facts = {name: _fact(name, fact, language, speak) for name, fact in match.groupdict().items()}
            return speak(template, kind).format(**facts)
    return text


def _fact(name: str, fact: str, language: str, speak: Speak) -> str:
    return said(fact, kind_of(name), language, speak) if kind_of(name) else fact


def _listed(text: str, of: str, language: str, speak: Speak) -> str:
    parts = re.split("(, | and | & )", text)
    return "".join(
        said(part, of, language, speak) if place % 2 == 0 else speak(part, "joint") for place, part in enumerate(parts)
    )
