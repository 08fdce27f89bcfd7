"""The first lines of a file as they stand, with what cannot be seen made visible: tabs, line ends, the BOM."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

SIGNS: Final = {"\t": "→", "\r": "CR", "\n": "LF", "\ufeff": "BOM"}
LONGEST: Final = 400
"""Characters of a line that are shown."""
MOST: Final = 50
"""Lines that are shown; a single value may have a million."""

Line = list[tuple[str, bool]]
"""Pieces of a line; True: a sign in place of a character."""


def visible(sample: bytes) -> list[Line]:
    """The lines of a piece of a file; a record with line ends in a value takes several, as in any editor.

    What is cut, of a line or of the lines, ends with "…".
    """
    text = sample.decode("utf-8", errors="replace")
    lines = [one[0] for one in islice(re.finditer(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text), MOST + 1)]
    return [*(_pieces(line) for line in lines[:MOST]), *([[("…", False)]] if len(lines) > MOST else [])]


def _pieces(line: str) -> Line:
    end = re.search(r"[\r\n]*$", line)
    body = line[: end.start()] if end else line
    shown = body if len(body) <= LONGEST else f"{body[:LONGEST]}…"
    parts = re.split("([\t\ufeff])", shown) + list(line[len(body) :])
    return [(SIGNS.get(part, part), part in SIGNS) for part in parts if part]
