"""What servers say in words alone, where no code tells it: that a disk is full, or that a TLS session is to be resumed.

Such words stand beside the names of files and folders, which may be made of the same ones: a name never decides what
an answer means.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

_GAP: Final = "…"
"""Stands for a name that was taken out: no word, so that those around it make no phrase."""
_PATH: Final = re.compile(r"(?<!\S)[\"'(<]*(?:/|[A-Za-z]:[/\\])\S*")
"""What begins a path, as only the server knows it: where its folder of the login stands."""
_ROOM: Final = (
    r"(?:(?:free|disk|storage|system|available|more|enough|remaining|server)\s+){0,3}(?:space|room|storage|quota)"
)
_FULL: Final = re.compile(
    rf"\b(?:no|not\s+enough|insufficient|out\s+of|low\s+on|lack\s+of)\s+{_ROOM}\b"
    r"|\b(?:disk|drive|device|volume|file\s?system|storage|partition|quota)\s+(?:(?:is|was)\s+)?full\b"
    r"|\bquota[\s_-]+(?:\w+\s+){0,3}?(?:exceeded|exhausted|reached)\b"
    r"|\b(?:exceed(?:s|ed|ing)?|over|reached)\s+(?:\w+\s+){0,3}?(?:quota|storage\s+allocation|storage\s+limit)\b",
    re.IGNORECASE,
)
_SESSION: Final = re.compile(
    r"\b(?:session|TLS|SSL)\b.{0,60}?\b(?:re-?us(?:e|ed|ing)|resum(?:e|ed|ing|ption))\b", re.IGNORECASE
)
_CLOSED: Final = re.compile(
    r"\b(?:socket|file|connection|channel)\s+(?:(?:is|was|has\s+been)\s+)?closed\b", re.IGNORECASE
)


def is_full(answer: str, named: Collection[str]) -> bool:
    """Whether it says that there is no room left. `named`: all files and folders that the server was told of."""
    return _says(_FULL, answer, named)


def wants_session(answer: str, named: Collection[str]) -> bool:
    """Whether it says that the TLS session of the control connection is to be used again."""
    return _says(_SESSION, answer, named)


def is_closed(answer: str, named: Collection[str]) -> bool:
    """Whether it says that the connection is closed."""
    return _says(_CLOSED, answer, named)


def _says(meaning: re.Pattern[str], answer: str, named: Collection[str]) -> bool:
    return meaning.search(_PATH.sub(_GAP, _without(answer, named))) is not None


def _without(answer: str, named: Collection[str]) -> str:
    known = {one for name in named for one in (name, re.split(r"[/\\]", name)[-1]) if one.strip("/\\")}
    if not known:
        return answer
    longest_first = sorted(known, key=len, reverse=True)
    return re.sub("|".join(map(_spelt, longest_first)), _GAP, answer, flags=re.IGNORECASE)


def _spelt(name: str) -> str:
    """A name as it may be written by a server, with slashes of its own.

    One that has neither dot nor slash may be a plain word of the answer as well: it is a name beside a slash or quotes.
    """
    begins, ends = (r"\b" if re.match(r"\w", name[place]) else "" for place in (0, -1))
    spelt = begins + r"[/\\]+".join(map(re.escape, re.split(r"[/\\]+", name))) + ends
    if re.search(r"[./\\]", name):
        return spelt
    return rf"(?<=[/\\]){spelt}|{spelt}(?=[/\\])|(?<=[\"']){spelt}(?=[\"'])"
