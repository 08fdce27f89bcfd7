"""What the file will be, before it is made: about how many records, how many exactly, and its first rows.

Each of these has a limit of time, after which there is no answer rather than a long wait (SPEC section 5).
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from exports import rules
from exports.catalogue import Catalogue
from exports.definition import Definition
from exports.errors import SourceTimeout
from exports.query import Query, build
from exports.source.base import Source
from exports.surroundings import Surroundings, known_ids

COUNT_WITHIN: Final = 5.0
ROWS_WITHIN: Final = 5.0
FIRST_ROWS: Final = 20
SAMPLE_ROWS: Final = 3
BY_KEY_BELOW: Final = 200_000
"""With fewer matches it is quicker to find all their keys than to walk along the key (DESIGN section 2, "Preview")."""
LONGEST_CELL: Final = 2**30
"""As much as PostgreSQL puts into one value; the csv module's own limit is 131,072."""
_FIRST_TRY: Final = 0.3
"""The share of the time that the form which should be quicker gets before the other one is tried."""


@dataclass(frozen=True)
class Preview:
    """The first rows of a file: headers, texts of the cells, and `sample`, the file's first bytes as they stand."""

    headers: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    sample: bytes


def estimate(definition: Definition, catalogue: Catalogue, surroundings: Surroundings, source: Source) -> int:
    """About how many records match, as the database's planner expects: a millisecond, whatever the size.

    Raises:
        DefinitionRefused: the definition breaks a rule.
        SourceError: the source cannot be read.
    """
    return source.estimate(_query(definition, catalogue, surroundings, source))


def count(
    definition: Definition,
    catalogue: Catalogue,
    surroundings: Surroundings,
    source: Source,
    seconds: float = COUNT_WITHIN,
) -> int | None:
    """How many records match; None if counting takes longer than `seconds`. Raises as `estimate`."""
    try:
        return source.count(_query(definition, catalogue, surroundings, source), seconds=seconds)
    except SourceTimeout:
        return None


def first_rows(
    definition: Definition,
    catalogue: Catalogue,
    surroundings: Surroundings,
    source: Source,
    limit: int = FIRST_ROWS,
    seconds: float = ROWS_WITHIN,
) -> Preview | None:
    """The beginning of the file as it will be; None if it cannot be had within `seconds`. Raises as `estimate`, and

    Raises:
        EnclosureNeeded: one of these rows cannot be written without an enclosure.
    """
    query = _query(definition, catalogue, surroundings, source)
    for select, share in _forms(query, source, limit):
        try:
            with source.rows(select, query, seconds=seconds * share) as rows:
                return _preview(query, b"".join(bytes(batch) for batch in rows))
        except SourceTimeout:
            continue
    return None


def _forms(query: Query, source: Source, limit: int) -> list[tuple[sa.Select[Any], float]]:
    """The statements that give the first rows, the likely quicker one first, each with its share of the time."""
    if query.groups is not None:
        return [(query.first(limit), 1.0)]
    forms = [query.first_by_key(limit), query.first(limit)]
    if source.estimate(query) >= BY_KEY_BELOW:
        forms.reverse()
    return list(zip(forms, (_FIRST_TRY, 1 - _FIRST_TRY), strict=True))


def _query(definition: Definition, catalogue: Catalogue, surroundings: Surroundings, source: Source) -> Query:
    known = known_ids(definition, source, catalogue, surroundings.brand)
    rules.check(definition, catalogue, segments=surroundings.segments, known=known)
    return build(definition, catalogue, surroundings)


def _preview(query: Query, copied: bytes) -> Preview:
    how = query.format.copying
    csv.field_size_limit(LONGEST_CELL)
    lines = io.StringIO(copied.decode(), newline="")
    read = list(csv.reader(lines, delimiter=how.delimiter, quotechar=how.quote))
    rows = tuple(tuple(query.format.values(row)) for row in read)
    return Preview(query.headers, rows, _sample(query, copied, read))


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
