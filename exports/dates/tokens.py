"""Cut an expression into words, numbers, blanks and signs; nothing is decided here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["blank", "number", "word", "sign", "other"]

BLANKS: Final = " \t"
SIGNS: Final = "+-:/,"
DIGITS: Final = "0123456789"
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
SHOWN: Final = 60
"""A longer text is cut where a sentence quotes it."""


@dataclass(frozen=True)
class Token:
    """A piece of the text. Words are lower case; `start` and `end` are its place in the text."""

    kind: Kind
    text: str
    start: int

    @property
    def end(self) -> int:
        """The place behind it."""
        return self.start + len(self.text)


def _kind(character: str) -> Kind:
    # Compared with ASCII itself: isdigit(), isalpha() and lower() know digits and letters of other scripts.
    if character in BLANKS:
        return "blank"
    if character in DIGITS:
        return "number"
    if character in LETTERS or character in LETTERS.upper():
        return "word"
    return "sign" if character in SIGNS else "other"


def cut(text: str) -> tuple[Token, ...]:
    """The tokens of a text, all of it: signs and foreign characters one by one, the others as long as they go on."""
    tokens = []
    start = 0
    while start < len(text):
        kind = _kind(text[start])
        end = start + 1
        while kind in ("blank", "number", "word") and end < len(text) and _kind(text[end]) == kind:
            end += 1
        piece = text[start:end]
        tokens.append(Token(kind, piece.lower() if kind == "word" else piece, start))
        start = end
    return tuple(tokens)


def shown(text: str) -> str:
    """A text as a sentence quotes it: on one line, not too long, without what cannot be seen."""
    visible = "".join(character if character.isprintable() else " " for character in text[: 4 * SHOWN])
    one_line = " ".join(visible.split())
    return one_line if len(one_line) <= SHOWN else f"{one_line[: SHOWN - 1]}…"
