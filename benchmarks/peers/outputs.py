"""Whether a peer's file says the same as ours: as many rows, and in a sample of them every cell."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

SAMPLE = 10_000


def text(cell: str) -> str | None:
    """NULL and the empty text count as equal."""
    return cell or None


def number(cell: str) -> Decimal | None:
    """2, 2.0 and 2.000000 are one number."""
    return Decimal(cell) if cell else None


def moment(cell: str) -> datetime | None:
    """To the second; with an offset as in UTC, without one as it stands."""
    if not cell:
        return None
    told = datetime.fromisoformat(cell.replace(" +", "+"))
    return (told.astimezone(UTC).replace(tzinfo=None) if told.tzinfo else told).replace(microsecond=0)


COLUMNS: dict[str, tuple[Callable[[str], object], ...]] = {
    "raw": (text, text, text, number, moment, text, number, text),
    "mapped": (text, text, text, number, moment, text, text, number),
}


def difference(case: str, ours: Path, theirs: Path) -> str:
    """The first difference in words; empty if there is none."""
    rows, wanted = _sampled(case, ours)
    count, found = _sampled(case, theirs, rows)
    if count != rows:
        return f"{count:,} rows, not {rows:,}"
    for place in wanted:
        if wanted[place] != found[place]:
            return f"row {place + 1}: {found[place]}, not {wanted[place]}"
    return ""


def _sampled(case: str, file: Path, rows: int | None = None) -> tuple[int, dict[int, list[object]]]:
    """How many rows a file has, and some of them, evenly spread, as values."""
    if rows is None:
        with file.open(newline="", encoding="utf-8") as stream:
            rows = sum(1 for _ in csv.reader(stream)) - 1
    step = max(1, rows // SAMPLE)
    count, kept = 0, {}
    with file.open(newline="", encoding="utf-8") as stream:
        lines = csv.reader(stream)
        next(lines, None)
        for count, line in enumerate(lines, 1):
            if (count - 1) % step == 0:
                kept[count - 1] = [read(cell) for read, cell in zip(COLUMNS[case], line, strict=True)]
    return count, kept
