"""Loads the demo data into schema `loyalty`: all or nothing, in key order, by COPY.

Everything happens in one transaction. Whoever reads meanwhile sees the schema that was there before; whoever comes
after sees the new one, complete with keys and foreign keys. A load that dies leaves nothing behind.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

from demo import brands
from demo.parts import FIRST_QUARTER, TEST_PART, Part

# Each flask command imports this file: pandas, numpy and pyarrow (0.6 s, 90 MB) come with the first load.
if TYPE_CHECKING:
    import pyarrow as pa

    from demo import retailer

__all__ = ["TEST_PART", "Loaded", "SchemaTaken", "ensure_loaded", "load", "loaded"]

VERSION = 1
"""Raised with every change of what is loaded: an older load is replaced by the next `ensure_loaded`."""

READER = "exports_reader"
MAX_TIMES = 256
SHARED_EVENTS = 40
SCHEMA, INDEXES = Path(__file__).with_name("schema.sql"), Path(__file__).with_name("indexes.sql")
_LOADING, _ENSURING = 0x6C6F7961, 0x6C6F7962
_SETTINGS = {"synchronous_commit": "off", "maintenance_work_mem": "256MB", "statement_timeout": "0"}

Report = Callable[[str], None]


class SchemaTaken(Exception):
    """The schema `loyalty` is there, and the demo has not made it."""


@dataclass(frozen=True)
class Loaded:
    """What is loaded, as the comment on the schema tells it."""

    version: int
    part: str
    times: int


def loaded(connection: psycopg.Connection) -> Loaded | None:
    """What is loaded; None if there is no schema `loyalty`, or an empty one.

    Raises:
        SchemaTaken: for a schema that the demo has not made.
    """
    found = connection.execute(
        "SELECT obj_description(oid, 'pg_namespace'), EXISTS (SELECT FROM pg_class WHERE relnamespace = n.oid)"
        " FROM pg_namespace n WHERE nspname = 'loyalty'"
    ).fetchone()
    if found is None or found == (None, False):
        return None
    try:
        return Loaded(**json.loads(found[0])["demo"])
    except (TypeError, ValueError, KeyError) as error:
        raise SchemaTaken("The schema loyalty holds data that is not the demo's. Nothing was changed.") from error


def ensure_loaded(dsn: str, report: Report = lambda line: None) -> bool:
    """Load the first quarter of 2017 unless this version's data are there, whatever the part; True if it was loaded.

    Two at a time: the second waits and finds the data of the first.

    Raises:
        SchemaTaken: for a schema that the demo has not made.
    """
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (_ENSURING,))
        there = loaded(connection)
        if there is not None and there.version == VERSION:
            return False
        load(dsn, report=report)
    return True


def load(dsn: str, part: Part = FIRST_QUARTER, times: int = 1, report: Report = lambda line: None) -> dict[str, int]:
    """Replace schema `loyalty` by a part of the demo data; returns the number of rows of each table.

    `times` stores each event of maple so often, with ids of their own. The role needs the right to create a schema.

    Raises:
        SchemaTaken: for a schema that the demo has not made.
        ValueError: for a `times` outside 1 to 256: a copy's number is two hexadecimal digits of its id.
    """
    if not 1 <= times <= MAX_TIMES:
        raise ValueError(f"times must be from 1 to {MAX_TIMES}, not {times}")
    from demo import retailer

    begun = time.monotonic()
    data = retailer.read(part)
    with psycopg.connect(dsn) as connection:
        rows = _load(connection, data, times, report)
        state = Loaded(VERSION, part.name, times)
        comment = sql.SQL("COMMENT ON SCHEMA loyalty IS {}").format(sql.Literal(json.dumps({"demo": asdict(state)})))
        connection.execute(comment)
    with psycopg.connect(dsn, autocommit=True) as connection:
        report("vacuum and analyze")
        _tidy(connection)
    report(f"{sum(rows.values())} rows in {time.monotonic() - begun:.1f} s")
    return rows


def _load(connection: psycopg.Connection, data: retailer.Retailer, times: int, report: Report) -> dict[str, int]:
    """Everything but the final comment, inside the transaction."""
    from demo import multiply
    from demo.copying import copy

    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOADING,))
    for name, value in _SETTINGS.items():
        connection.execute("SELECT set_config(%s, %s, true)", (name, value))
    loaded(connection)
    _step_aside(connection)
    connection.execute(SCHEMA.read_bytes())
    rows: dict[str, int] = {}
    with connection.cursor() as cursor:
        if times > 1:
            multiply.prepare(cursor)
        for one in brands.BRANDS:
            cursor.execute(
                "INSERT INTO loyalty.brands (id, name, time_zone, language) VALUES (%s, %s, %s, %s)",
                (one.source_key, one.name, one.time_zone, one.language),
            )
        for brand, table, pieces in tables(data, times):
            report(f"{brand}: {table}")
            count = copy(cursor, multiply.target(table, times), brand, pieces)
            rows[table] = rows.get(table, 0) + count
        if times > 1:
            rows["events"] = multiply.multiply(cursor, times, report)
        for statement in _statements(INDEXES):
            report("keys and indexes: " + " ".join(re.sub(r"--.*", "", statement).split())[:70])
            cursor.execute(statement)
        _grant(cursor)
        cursor.execute("DROP SCHEMA IF EXISTS loyalty_before CASCADE")
    return rows


def _step_aside(connection: psycopg.Connection) -> None:
    """Rename the schema that is there: renaming disturbs no reader, dropping it has to wait until the end."""
    if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'loyalty'").fetchone():
        connection.execute("ALTER SCHEMA loyalty RENAME TO loyalty_before")


def tables(data: retailer.Retailer, times: int) -> Iterator[tuple[str, str, Iterable[pa.Table]]]:
    """Brand, table and rows of everything, alpine first: heaps are in the order of (brand, key)."""

    from demo import alpine, maple

    grocers = maple.Maple(data, times)
    for table, pieces in alpine.tables(grocers.first_checkouts(SHARED_EVENTS)):
        yield alpine.KEY, table, pieces
    for table, pieces in grocers.tables():
        yield maple.KEY, table, pieces


def _statements(file: Path) -> list[str]:
    """The statements of a file, each of which ends with a semicolon at the end of a line."""
    return [one for one in re.split(r";\s*$", file.read_text(encoding="utf-8"), flags=re.MULTILINE) if one.strip()]


def _grant(cursor: psycopg.Cursor) -> None:
    """Let the role that exports read with see the tables, where there is such a role."""
    if cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (READER,)).fetchone():
        for statement in ("GRANT USAGE ON SCHEMA loyalty TO {}", "GRANT SELECT ON ALL TABLES IN SCHEMA loyalty TO {}"):
            cursor.execute(sql.SQL(statement).format(sql.Identifier(READER)))


def _tidy(connection: psycopg.Connection) -> None:
    """VACUUM (ANALYZE) each table: the planner's numbers, and the map of what all can see (index-only scans)."""
    tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'loyalty'")
    for (table,) in tables.fetchall():
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier("loyalty", table)))
