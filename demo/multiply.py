"""`--times N`: every event of maple N times, made inside the database in key order.

The digits of an id that tell the copy stand at its end, so the copies of an event follow it directly: one walk through
the heap gives all of them in key order, with nothing to sort and nothing to remember. (INSERT puts one row in a hundred
a page or two earlier, where a larger one did not fit.)
"""

from __future__ import annotations

from collections.abc import Callable

import psycopg
from psycopg import sql

from demo import maple

ONCE = "events_once"
BLOCKS = 4_096
"""Blocks of the heap that one statement multiplies: 32 MB, about 50,000 events."""

# Copy 0 is the event itself. Parents and usages name events of the same copy.
_MULTIPLIED = {
    "_id": "case copy when '00' then _id else overlay(_id placing copy from 23) end",
    "parent": "overlay(parent placing copy from 23)",
    "usages": """regexp_replace(usages::text, '"([0-9a-f]{22})00"', '"\\1' || copy || '"', 'g')::jsonb""",
    "hash": "hash || coalesce('-' || nullif(copy, '00'), '')",
    "cid": "case copy when '00' then cid else overlay(cid placing copy from 35) end",
}


def target(table: str, times: int) -> str:
    """The table that rows are copied into: if events are to be multiplied, all of them wait in one of their own.

    Alpine's too, though they stay single: a COPY leaves free pages behind, and INSERT would fill those out of order.
    """
    return ONCE if table == "events" and times > 1 else table


def prepare(cursor: psycopg.Cursor) -> None:
    """Make the table in which events wait."""
    cursor.execute(
        sql.SQL("CREATE TABLE loyalty.{} (LIKE loyalty.events INCLUDING DEFAULTS)").format(sql.Identifier(ONCE))
    )


def multiply(cursor: psycopg.Cursor, times: int, report: Callable[[str], None]) -> int:
    """Move the waiting events into their table, maple's `times` each; returns how many that makes."""
    names = _columns(cursor)
    chosen = sql.SQL(", ").join(
        sql.SQL(_MULTIPLIED[name]) if name in _MULTIPLIED else sql.Identifier(name) for name in names
    )
    # generate_series in the list, not in FROM: the planner may join the other way round and lose the order of the heap.
    statement = sql.SQL(
        "INSERT INTO loyalty.events ({columns}) SELECT {chosen} FROM ("
        "SELECT *, lpad(to_hex(generate_series(0, CASE brand WHEN {brand} THEN %s ELSE 0 END)), 2, '0') AS copy"
        " FROM loyalty.{once}"
        " WHERE ctid >= %s::tid AND ctid < %s::tid) AS each"
    ).format(
        columns=sql.SQL(", ").join(map(sql.Identifier, names)),
        chosen=chosen,
        brand=sql.Literal(maple.KEY),
        once=sql.Identifier(ONCE),
    )
    blocks = _one(cursor, "SELECT pg_relation_size('loyalty.events_once') / current_setting('block_size')::bigint")
    made = 0
    for start in range(0, blocks, BLOCKS):
        cursor.execute(statement, (times - 1, f"({start},0)", f"({start + BLOCKS},0)"))
        made += cursor.rowcount
        report(f"events, {times} times: {min(100, 100 * (start + BLOCKS) // blocks)} %")
    cursor.execute(sql.SQL("DROP TABLE loyalty.{}").format(sql.Identifier(ONCE)))
    return made


def _columns(cursor: psycopg.Cursor) -> list[str]:
    cursor.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'loyalty.events'::regclass AND attnum > 0 ORDER BY attnum"
    )
    return [name for (name,) in cursor.fetchall()]


def _one(cursor: psycopg.Cursor, statement: str) -> int:
    found = cursor.execute(statement).fetchone()
    return int(found[0]) if found else 0
