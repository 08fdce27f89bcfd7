"""The file of the differences, with a column "change", and the first of them for showing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from exports.compare.merging import Difference
from exports.compare.reading import Row
from exports.render import NUMBER, guarded

CHANGE: Final = "change"
KINDS: Final = ("added", "removed", "changed")
WAS, NOW = "changed: was", "changed: now"
FIRST: Final = 50
"""Differences of each kind that are shown."""
CELL: Final = 100
"""Characters of a cell that are shown: 50 rows of 25 long cells are a page of 60 kB compressed."""
PIECE: Final = 64 * 1024


@dataclass
class First:
    """The first differences of each kind, and of all: cells as texts, in a changed row a pair where they differ."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {"all": [], **{one: [] for one in KINDS}})

    def add(self, kind: str, one: Difference) -> None:
        """Take a difference, if there are not enough yet."""
        wanted = [name for name in ("all", kind) if len(self.rows[name]) < FIRST]
        if wanted:
            shown = {"kind": kind, "cells": _cells(one)}
            for name in wanted:
                self.rows[name].append(shown)


def _cells(one: Difference) -> list[str | list[str]]:
    if one.was is None or one.now is None:
        return [_cut(cell) for cell in one.now or one.was or ()]
    return [_cut(was) if was == now else [_cut(was), _cut(now)] for was, now in zip(one.was, one.now, strict=True)]


def _cut(cell: str) -> str:
    return cell if len(cell) <= CELL else f"{cell[:CELL]}…"


def kind_of(one: Difference) -> str:
    """Which of KINDS it is."""
    return "added" if one.was is None else "removed" if one.now is None else "changed"


def written(
    found: Iterator[Difference], headers: Sequence[str], first: First, counts: dict[str, int]
) -> Iterator[bytes]:
    """The csv file, piece by piece. People open it: what a spreadsheet would take for a formula is made text."""
    text = io.StringIO()
    line = csv.writer(text, lineterminator="\r\n").writerow  # as RFC 4180 has it; it encloses what holds either of them
    line([CHANGE, *map(guarded, headers)])
    for one in found:
        kind = kind_of(one)
        counts[kind] += 1
        first.add(kind, one)
        if one.was is None or one.now is None:
            line([kind, *_safe(one.now or one.was or [])])
        else:
            line([WAS, *_safe(one.was)])
            line([NOW, *_safe(one.now)])
        if text.tell() >= PIECE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def _safe(row: Row) -> Row:
    return [cell if NUMBER.fullmatch(cell) else guarded(cell) for cell in row]
