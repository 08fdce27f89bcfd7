"""The rules of a time zone as the database has them: it tells the times in the file, so filters must count by the same.

Laws change, and this machine's rules are of another day than the database's: Edmonton, Winnipeg, Casablanca and Havana
told 2026 differently here and there, 48 zones some year since 1900 (tzdata 2026.6 beside PostgreSQL 18.4).
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

FIRST: Final = datetime(1800, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""What is asked about: before it a zone keeps its first offset, behind it its last."""
STEP: Final = timedelta(days=7)
"""No zone changes its offset twice within so short a time and has the old one again."""
SECOND: Final = timedelta(seconds=1)
OFFSETS: Final = """
    SELECT extract(epoch FROM timezone(%s, at) - timezone('UTC', at))::int
    FROM unnest(%s::timestamptz[]) WITH ORDINALITY AS asked (at, place) ORDER BY place
"""
"""The offsets of a zone, in seconds, at some moments."""

Offsets = Callable[[Sequence[datetime]], list[int]]


def read(name: str, offsets: Offsets) -> ZoneInfo:
    """A zone by its offsets at moments that are asked about: some 25 questions."""
    moments = [FIRST + STEP * number for number in range((LAST - FIRST) // STEP + 1)]
    found = offsets(moments)
    changed = [place for place in range(1, len(found)) if found[place] != found[place - 1]]
    before, after = [moments[place - 1] for place in changed], [moments[place] for place in changed]
    old, new = [found[place - 1] for place in changed], [found[place] for place in changed]
    while any(late - early > SECOND for early, late in zip(before, after, strict=True)):
        middles = [early + (late - early) // 2 // SECOND * SECOND for early, late in zip(before, after, strict=True)]
        for place, (middle, offset) in enumerate(zip(middles, offsets(middles), strict=True)):
            if offset == old[place]:
                before[place] = middle
            else:
                after[place] = middle
    return _made(name, found[0], after, new)


def _made(name: str, first: int, changes: Sequence[datetime], offsets: Sequence[int]) -> ZoneInfo:
    """The file that zoneinfo reads (RFC 9636): nothing in its first, short part, then times, types and offsets."""
    kinds = list(dict.fromkeys([first, *offsets]))
    names = b"zone\0"
    empty = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, 0, 0, 0)
    head = struct.pack(">4sc15x6l", b"TZif", b"2", 0, 0, 0, len(changes), len(kinds), len(names))
    times = struct.pack(f">{len(changes)}q", *(int(one.timestamp()) for one in changes))
    which = bytes(kinds.index(one) for one in offsets)
    types = b"".join(struct.pack(">lBB", one, 0, 0) for one in kinds)
    return ZoneInfo.from_file(io.BytesIO(empty + head + times + which + types + names + b"\n\n"), key=name)
