"""The names of the wizard's inputs: what the form posts, what problems point at, what focus goes to.

A criterion is named by the letters of its set and its number in it, A2; positions are counted from 1 and made anew
after every operation, so that their order is their position (DESIGN section 6).
"""

from __future__ import annotations

import re
from typing import Final

from exports import words

LABEL: Final = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,2})", re.ASCII)
"""A2: three letters and three digits name far more criteria than are allowed, and no list of that size is made."""

CRITERION: Final = re.compile(r"filters-([A-Z]{1,3})-([1-9][0-9]{0,2})-([a-z]+)", re.ASCII)


def place_of(name: str) -> int:
    """The place of a set by its letters."""
    place = 0
    for letter in name:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


letters: Final = words.letters


def label(set_: int, position: int) -> str:
    """A2, for the second criterion of the first set."""
    return f"{letters(set_)}{position + 1}"


def place_of_label(text: str) -> tuple[int, int] | None:
    """Set and position of A2; None for what is no label."""
    found = LABEL.fullmatch(text)
    return (place_of(found[1]), int(found[2]) - 1) if found else None


def criterion(set_: int, position: int, part: str) -> str:
    """filters-A-2-attribute."""
    return f"filters-{letters(set_)}-{position + 1}-{part}"


def part_of(name: str) -> tuple[int, int, str] | None:
    """Set, position and part of filters-A-2-value; None for what is no input of a criterion."""
    found = CRITERION.fullmatch(name)
    return (place_of(found[1]), int(found[2]) - 1, found[3]) if found else None


def column(place: int, part: str) -> str:
    """fields-3-to."""
    return f"fields-{place + 1}-{part}"


def replacements(place: int) -> str:
    """open-3: the button that unfolds Replace values, for what is to be said about all of them."""
    return f"open-{place + 1}"


def replacement(place: int, position: int, part: str) -> str:
    """fields-3-replace-2-new."""
    return f"fields-{place + 1}-replace-{position + 1}-{part}"


def upload(part: str, wants: str) -> str:
    """The input of a member of `target`; that of the credential depends on which kind is to be given."""
    if part == "credential":
        return "key" if wants == "key" else "password"
    return "target" if part == "type" else part
