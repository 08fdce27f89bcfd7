"""What the database says of a table or view: columns, types, keys, comments. The catalogue of any PostgreSQL role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

if TYPE_CHECKING:
    from exports.source.base import Source

_COLUMNS: Final = """
    SELECT n.nspname::text, c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
           t.typtype = 'e', a.attnotnull, coalesce(col_description(c.oid, a.attnum), ''),
           coalesce(obj_description(c.oid, 'pg_class'), ''),
           coalesce((SELECT bool_or(i.indisprimary) FROM pg_index i
                     WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)), false),
           coalesce((SELECT bool_or(i.indisunique AND i.indnkeyatts = 1 AND i.indpred IS NULL) FROM pg_index i
                     WHERE i.indrelid = c.oid AND a.attnum = ANY (i.indkey)), false)
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.oid = to_regclass(:named) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    ORDER BY a.attnum
"""


@dataclass(frozen=True)
class Column:
    """A column: its name, its type as PostgreSQL writes it, and what can be said of all its values."""

    name: str
    type: str
    is_enum: bool = False
    mandatory: bool = False
    comment: str = ""
    in_key: bool = False
    unique: bool = False


@dataclass(frozen=True)
class Table:
    """A table or view with its columns in their order."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    comment: str = ""


def read(source: Source, named: str) -> Table | None:
    """The table of a name as SQL writes it (`shop.orders`, `"Orders"`); None if there is none, or it is no name.

    Raises:
        SourceError: the source cannot be read.
    """
    if "\x00" in named or not named.strip():
        return None
    found = sa.text(f"({_COLUMNS}) AS found").bindparams(named=_quoted(named))
    rows = source.select(sa.select(sa.literal_column("*")).select_from(found), seconds=5.0)
    if not rows:
        return None
    columns = tuple(
        Column(name, type, is_enum, not_null, comment, in_key, unique)
        for _schema, _table, name, type, is_enum, not_null, comment, _about, in_key, unique in rows
    )
    schema, table = rows[0][0], rows[0][1]
    return Table(schema, table, columns, rows[0][7])


def _quoted(named: str) -> str:
    """A name that is no identifier would be an error of the statement: it is put in quotes."""
    parts = named.split(".") if '"' not in named else [named]
    plain = all(part and (part[0].isalpha() or part[0] == "_") and part.replace("_", "a").isalnum() for part in parts)
    return named if plain or '"' in named else ".".join('"' + part + '"' for part in parts)
