"""Rows into PostgreSQL by COPY: arrow writes the csv in one thread while the server reads it from the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pyarrow as pa
from psycopg import sql
from pyarrow import csv

ROWS = 25_000
"""Rows of one piece: at about 600 bytes a row, 15 MB of csv wait at most twice."""

_OPTIONS = csv.WriteOptions(include_header=False, quoting_style="needed")


def copy(cursor: psycopg.Cursor, table: str, brand: str, pieces: Iterable[pa.Table]) -> int:
    """Append pieces of a table's rows, which come in key order, to `loyalty.<table>`; returns their number.

    FREEZE makes the rows visible to all at once, so that the closing VACUUM has little to do; PostgreSQL allows it
    because the table is made in the same transaction.
    """
    waiting = iter(pieces)
    first = next(waiting, None)
    if first is None:
        return 0
    columns = sql.SQL(", ").join(map(sql.Identifier, ("brand", *first.column_names)))
    target = sql.Identifier("loyalty", table)
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, FREEZE)").format(target, columns)
    rows = 0
    with cursor.copy(statement) as stream:
        for count, text in _ahead(brand, first, waiting):
            stream.write(text)
            rows += count
    return rows


def _ahead(brand: str, first: pa.Table, waiting: Iterator[pa.Table]) -> Iterator[tuple[int, memoryview]]:
    """Each piece as csv, the next one being made while this one is sent."""

    def make(piece: pa.Table | None) -> tuple[int, memoryview] | None:
        piece = piece if piece is not None else next(waiting, None)
        return None if piece is None else (piece.num_rows, as_csv(brand, piece))

    with ThreadPoolExecutor(max_workers=1) as thread:
        coming: Future[tuple[int, memoryview] | None] = thread.submit(make, first)
        while (made := coming.result()) is not None:
            coming = thread.submit(make, None)
            yield made


def as_csv(brand: str, piece: pa.Table) -> memoryview:
    """A piece as PostgreSQL reads it: null bare, texts in quotes, the brand in front."""
    keyed = piece.add_column(0, "brand", pa.repeat(pa.scalar(brand), piece.num_rows))
    sink = pa.BufferOutputStream()
    csv.write_csv(keyed, sink, _OPTIONS)
    return memoryview(sink.getvalue())


def in_pieces(table: pa.Table) -> Iterator[pa.Table]:
    """A table that is already whole, in pieces of ROWS rows."""
    for start in range(0, table.num_rows, ROWS):
        yield table.slice(start, ROWS)
