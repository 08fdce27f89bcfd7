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
from exports.dates.tokens import cut
from exports.dates.wording import first_instant, in_words, place

__all__ = ["MAX_LENGTH", "Expression", "Prefix", "first_instant", "hints", "in_words", "parse", "place", "split_prefix"]

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
