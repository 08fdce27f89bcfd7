"""Patterns of tokens, put together like the rules of a grammar: one after the other, either, maybe, repeated.

A pattern is asked where it may end when it begins at a token. It tells every such place once, with what it caught on
the way there; of two ways to one place the first counts. So a grammar is read as a grammar, not as a program with an
order of trial, and no text takes more than (number of tokens) x (size of the grammar) steps.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from exports.dates.tokens import Kind, Token

Value = TypeVar("Value")
Caught = tuple[Any, ...]
"""Nodes (see `node`) and pairs of label and value, in the order of the text."""
Ends = dict[int, Caught]
Pattern = Callable[[tuple[Token, ...], int], Ends]


def token(kind: Kind, label: str, read: Callable[[str], object | None]) -> Pattern:
    """One token of a kind whose text `read` gives a value for (None: it does not fit); caught under `label`, if any."""

    def ends(tokens: tuple[Token, ...], at: int) -> Ends:
        if at >= len(tokens) or tokens[at].kind != kind:
            return {}
        value = read(tokens[at].text)
        if value is None:
            return {}
        return {at + 1: ((label, value),) if label else ()}

    return ends


def word(*words: str, label: str = "") -> Pattern:
    """One of some words."""
    return token("word", label, lambda text: text if text in words else None)


def word_of(table: Mapping[str, object], label: str) -> Pattern:
    """A word of a table; what it stands for is caught."""
    return token("word", label, table.get)


def sign(*signs: str, label: str = "") -> Pattern:
    """One of some signs."""
    return token("sign", label, lambda text: text if text in signs else None)


def number(label: str, digits: range, most: int = 10**9, least: int = 0) -> Pattern:
    """A number of so many digits, between `least` and `most`."""

    def read(text: str) -> int | None:
        return int(text) if len(text) in digits and least <= int(text) <= most else None

    return token("number", label, read)


def one_after_another(*parts: Pattern) -> Pattern:
    """All parts, each where the one before it ends."""

    def ends(tokens: tuple[Token, ...], at: int) -> Ends:
        reached: Ends = {at: ()}
        for part in parts:
            following: Ends = {}
            for place, caught in reached.items():
                for end, more in part(tokens, place).items():
                    following.setdefault(end, caught + more)
            reached = following
        return reached

    return ends


def either(*parts: Pattern) -> Pattern:
    """Any of the parts."""

    def ends(tokens: tuple[Token, ...], at: int) -> Ends:
        reached: Ends = {}
        for part in parts:
            for end, caught in part(tokens, at).items():
                reached.setdefault(end, caught)
        return reached

    return ends


def maybe(*parts: Pattern) -> Pattern:
    """All parts one after another, or nothing."""
    whole = one_after_another(*parts)

    def ends(tokens: tuple[Token, ...], at: int) -> Ends:
        reached = whole(tokens, at)
        reached.setdefault(at, ())
        return reached

    return ends


def any_number_of(*parts: Pattern) -> Pattern:
    """All parts one after another, any number of times."""
    whole = one_after_another(*parts)

    def ends(tokens: tuple[Token, ...], at: int) -> Ends:
        reached: Ends = {at: ()}
        waiting = [at]
        while waiting:
            place = waiting.pop()
            for end, caught in whole(tokens, place).items():
                if end not in reached:
                    reached[end] = reached[place] + caught
                    waiting.append(end)
        return reached

    return ends


def node(make: Callable[..., Value], *parts: Pattern) -> Pattern:
    """All parts one after another, as one thing: made from what they caught, and from the text as `written`."""
    whole = one_after_another(*parts)

    def ends(tokens: tuple[Token, ...], at: int) -> Ends:
        return {end: (make(_written(tokens[at:end]), **dict(caught)),) for end, caught in whole(tokens, at).items()}

    return ends


def _written(tokens: tuple[Token, ...]) -> str:
    return "".join(" " if one.kind == "blank" else one.text for one in tokens)
