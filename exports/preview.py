"""What the file will be, before it is made: about how many records, how many exactly, and its first rows.

Each of these has a limit of time, after which there is no answer rather than a long wait (SPEC section 5).
"""

from __future__ import annotations

import csv
import io
import time
from dataclasses import dataclass, replace
from typing import Any, Final

import sqlalchemy as sa

from exports.errors import SourceTimeout
from exports.query import Query
from exports.source.base import Source

COUNT_WITHIN: Final = 5.0
ROWS_WITHIN: Final = 5.0
FIRST_ROWS: Final = 20
SAMPLE_ROWS: Final = 3
BY_KEY_BELOW: Final = 200_000
"""With fewer matches it is quicker to find all their keys than to walk along the key (DESIGN section 2, "Preview")."""
LONGEST_CELL: Final = 2**30
"""As much as PostgreSQL puts into one value; the csv module's own limit is 131,072."""
SHOWN: Final = 300
"""Characters of a cell that are shown: a page with twenty rows of the largest values would be hundreds of megabytes."""
_AT_LEAST: Final = 0.05
"""Seconds below which asking is not worth it."""
_COUNTED: Final = 0.8
"""Of the time for what would match without each criterion: for counting."""
_SHARES: Final = (0.4, 0.35, 0.25)
"""Of the time: for the form that should be quicker, for the other one, and for a sample."""


@dataclass(frozen=True)
class Preview:
    """The first rows of a file: headers, texts of the cells, and `sample`, the file's first bytes as they stand.

    Texts that are longer than SHOWN are cut there and end with "…".

    `is_sample`: they match, but others stand before them in the file. `was` has for each row, if it was asked for, the
    texts that were stored where Replace values or Default put another one, by the place of the cell.
    """

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sample: bytes
    is_sample: bool = False
    was: tuple[dict[int, str], ...] = ()


@dataclass(frozen=True)
class Counts:
    """How many rows the file has, `sets` of them by each set alone, and `several` by more than one.

    Aggregated, `rows` are groups; `records`, `sets` and `several` are records in any case.
    """

    rows: int
    records: int
    sets: tuple[int, ...]
    several: int


@dataclass(frozen=True)
class LeftOut:
    """How many records a set matches without one of its criteria; `exact` or about, None if there was no time left."""

    records: int | None
    exact: bool


def count(query: Query, source: Source, seconds: float = COUNT_WITHIN) -> Counts | None:
    """How many records match, in all and by set; None if counting takes longer than `seconds`.

    Raises:
        SourceError: the source cannot be read.
    """
    until = time.monotonic() + seconds
    try:
        groups = _number(query.count, query, source, seconds) if query.groups is not None else None
        left = max(until - time.monotonic(), _AT_LEAST)
        if len(query.criteria) > 1:
            [(records, several, *sets)] = source.select(query.count_sets, seconds=left, timezone=query.timezone)
        elif groups is None:
            records, several, sets = _number(query.count, query, source, left), 0, []
        else:
            records, several, sets = _number(query.count_records, query, source, left), 0, []
    except SourceTimeout:
        return None
    return Counts(records if groups is None else groups, records, tuple(sets or [records]), several)


def count_without_each(query: Query, source: Source, seconds: float = COUNT_WITHIN) -> list[list[LeftOut]]:
    """For every criterion how many records its set would match without it: which one leaves nothing.

    What is not counted in most of the `seconds`, which are for all of them together, is estimated in the rest.
    Raises as `count`.
    """
    until = time.monotonic() + seconds
    found: list[list[LeftOut]] = []
    for set_ in query.criteria:
        found.append([])
        for place in range(len(set_)):
            rest = sa.and_(sa.true(), *set_[:place], *set_[place + 1 :])
            found[-1].append(_left_out(rest, query, source, until, (1 - _COUNTED) * seconds))
    return found


def _left_out(rest: sa.ColumnElement[Any], query: Query, source: Source, until: float, for_estimates: float) -> LeftOut:
    left = until - time.monotonic() - for_estimates
    if left > _AT_LEAST:
        try:
            return LeftOut(_number(query.count_where(rest), query, source, left), exact=True)
        except SourceTimeout:
            pass
    if time.monotonic() > until:
        return LeftOut(None, exact=False)
    return LeftOut(source.estimate(replace(query, where=sa.and_(query.brand, rest), groups=None)), exact=False)


def _number(select: sa.Select[Any], query: Query, source: Source, seconds: float) -> int:
    left = max(seconds, _AT_LEAST)
    [(number,)] = source.select(select, seconds=left, timezone=query.timezone, settings=query.settings)
    return int(number)


def quick_rows(query: Query, source: Source, expected: int, seconds: float, limit: int = FIRST_ROWS) -> Preview | None:
    """The beginning of the file, if the form that should be quick for about `expected` records gives it in `seconds`.

    Raises as `first_rows`.
    """
    return _tried(_forms(query, expected, limit)[0], query, source, seconds)


def first_rows(
    query: Query, source: Source, expected: int, seconds: float = ROWS_WITHIN, limit: int = FIRST_ROWS
) -> Preview | None:
    """The beginning of the file as it will be, or if that takes too long a sample of it; None within `seconds`.

    Raises:
        EnclosureNeeded: one of these rows cannot be written without an enclosure.
        SourceError: the source cannot be read.
    """
    forms = _forms(query, expected, limit)
    for select, share in zip(forms, _SHARES if len(forms) > 1 else (1.0,), strict=False):
        if shown := _tried(select, query, source, seconds * share):
            return shown
    if query.groups is not None:
        return None  # groups of a sample would have other numbers than the file
    sample = _tried(query.some(limit), query, source, seconds * _SHARES[-1])
    return replace(sample, is_sample=True) if sample else None


def _forms(query: Query, expected: int, limit: int) -> list[sa.Select[Any]]:
    """The statements that give the first rows, the likely quicker one first."""
    if query.groups is not None:
        return [query.first(limit)]
    forms = [query.first_by_key(limit), query.first(limit)]
    return forms if expected < BY_KEY_BELOW else forms[::-1]


def _tried(select: sa.Select[Any], query: Query, source: Source, seconds: float) -> Preview | None:
    try:
        with source.rows(select, query, seconds=seconds) as rows:
            return _preview(query, b"".join(bytes(batch) for batch in rows))
    except SourceTimeout:
        return None


def _preview(query: Query, copied: bytes) -> Preview:
    how = query.format.copying
    csv.field_size_limit(LONGEST_CELL)
    lines = io.StringIO(copied.decode(), newline="")
    read = list(csv.reader(lines, delimiter=how.delimiter, quotechar=how.quote))
    if query.beside:
        return _compared(query, read)
    rows = tuple(_cells(query, row) for row in read)
    return Preview(query.headers, rows, _sample(query, copied, read))


def _compared(query: Query, read: list[list[str]]) -> Preview:
    """The rows, and what was stored where they show something else; the file's own bytes are not in what was read."""
    width = -len(query.beside)
    rows = tuple(_cells(query, row[:width]) for row in read)
    was = tuple(
        {raw.place: _cut(text) for raw, text in zip(query.beside, row[width:], strict=True) if raw.was_changed(text)}
        for row in read
    )
    return Preview(query.headers, rows, b"", was=was)


def _cells(query: Query, row: list[str]) -> tuple[str, ...]:
    return tuple(_cut(text) for text in query.format.values(row))


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _sample(query: Query, copied: bytes, read: list[list[str]]) -> bytes:
    """The first bytes of the file, as far as the first few rows reach."""
    how = query.format.copying
    encoder = query.format.encoder(query.headers)
    whole = len(read) <= SAMPLE_ROWS
    shown = bytearray(copied if whole else copied[: _end_of(copied, SAMPLE_ROWS, how.quote.encode())])
    return encoder.head() + (bytes(encoder.batch(shown)) if shown else b"") + (encoder.tail() if whole else b"")


def _end_of(copied: bytes, rows: int, quote: bytes) -> int:
    """Where a row ends: at a line end outside of enclosures."""
    enclosed = False
    for place in range(len(copied)):
        character = copied[place : place + 1]
        if character == quote:
            enclosed = not enclosed
        elif character == b"\n" and not enclosed:
            rows -= 1
            if rows == 0:
                return place + 1
    return len(copied)
