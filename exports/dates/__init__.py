"""`date:` and `datetime:` expressions: read, resolved against a base moment, said in words (REFERENCE section 3).

    parse("first day of last month").resolve(base, zone)          # -> date
    parse("-36 hours").resolve_moment(base, zone)                 # -> aware datetime
    in_words(first_instant(day, zone), zone)                      # -> Sun 1 Jan 2017, 00:00 (New York)

The grammar is `grammar.py`, the order of evaluation `evaluate.py`; docs/dates.md tells both to people.
"""

from __future__ import annotations

from typing import Literal

from exports.dates.combine import combine
from exports.dates.expression import Expression
from exports.dates.grammar import nodes
from exports.dates.hints import hints
from exports.dates.refusals import MAX_LENGTH, unreadable
from exports.dates.tokens import DIGITS, cut, shown
from exports.dates.wording import first_instant, in_words, place
from exports.dates.words import ALL
from exports.errors import DateExpressionError, DateUnreadable

__all__ = [
    "MAX_LENGTH",
    "Expression",
    "Prefix",
    "first_instant",
    "hints",
    "in_words",
    "parse",
    "place",
    "split_prefix",
    "without_prefix",
]

Prefix = Literal["date", "datetime"]


def parse(text: str) -> Expression:
    """Read an expression, given without its prefix.

    Raises:
        DateUnreadable: the grammar does not take it; the error says what to write instead.
        DateCombination: two of its pieces cannot stand beside each other.
        DateNotInCalendar: a day that no calendar has.
    """
    if len(text) > MAX_LENGTH:
        raise unreadable(text)
    found = nodes(cut(text))
    if found is None:
        raise unreadable(text)
    return Expression(text.strip(" \t"), found, combine(found))


def split_prefix(value: object) -> tuple[Prefix, str] | None:
    """`date: -3 months` as ("date", "-3 months"), and so for `datetime:`; None for everything else.

    Capital letters do not matter. What stands behind the prefix may be wrong: `parse` tells.
    """
    if not isinstance(value, str):
        return None
    prefix, colon, rest = value.partition(":")
    name = prefix.strip(" \t").lower()
    if not colon or not prefix.isascii():
        return None
    if name == "date":
        return "date", rest.strip(" \t")
    return ("datetime", rest.strip(" \t")) if name == "datetime" else None


def without_prefix(text: str, *, keep_time: bool = False) -> DateUnreadable | None:
    """The error for an expression that stands without its prefix; None for a text that is none.

    With `keep_time` a time in it is kept, by `datetime:`. What begins with a digit is a day that is written wrongly.
    """
    written = text.strip(" \t")
    if written[:1] in DIGITS or any(one.kind == "word" and one.text not in ALL for one in cut(written)):
        return None
    try:
        expression = parse(written)
    except DateUnreadable as refused:
        return _corrected(refused)
    except DateExpressionError:
        return None
    prefix = "datetime" if keep_time and expression.has_time else "date"
    typed = shown(written)
    return DateUnreadable(expression=typed, instead=f"{prefix}: before it: “{prefix}: {typed}”")


def _corrected(refused: DateUnreadable) -> DateUnreadable | None:
    """The same, if it quotes what to write instead, with the prefix there."""
    instead = str(refused.facts["instead"])
    if not instead.startswith("“"):
        return None
    return DateUnreadable(expression=refused.facts["expression"], instead=instead.replace("“", "“date: ", 1))
