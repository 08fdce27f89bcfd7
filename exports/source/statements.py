"""SQLAlchemy's statements as text that psycopg composes with its values at the client: COPY takes no parameters."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.adapt import Transformer
from sqlalchemy.dialects.postgresql.base import PGDialect

from exports.columns import bound_in
from exports.formats import Copying
from exports.query import Query


class _Dialect(PGDialect):
    """PostgreSQL without a driver. `folds_unicode`: the server has the collation pg_c_utf8 (17 and later)."""

    supports_statement_cache = True
    folds_unicode = False


def compiled(select: sa.Select[Any], *, folds_unicode: bool) -> tuple[str, dict[str, Any]]:
    """The text of a SELECT, with %(name)s for its values, and the values."""
    dialect = _Dialect(paramstyle="pyformat")  # type: ignore[no-untyped-call]
    dialect.folds_unicode = folds_unicode
    statement = select.compile(dialect=dialect)
    return str(statement), dict(statement.params) | bound_in(statement)


def composed(select: sa.Select[Any], connection: psycopg.Connection[Any]) -> str:
    """The whole SELECT as text, its values written out by psycopg as the connection's server reads them."""
    return written_out(*compiled(select, folds_unicode=_folds_unicode(connection)), connection)


def written_out(text: str, values: dict[str, Any], connection: psycopg.Connection[Any] | None) -> str:
    """A text with its values in the place of their names; a value that stands in many places is quoted once."""
    quoted = Transformer(connection).as_literal
    return text % {name: quoted(value).decode() for name, value in values.items()}


def copying(select: str, how: Copying, connection: psycopg.Connection[Any]) -> str:
    """The COPY of a composed SELECT."""
    options = "FORMAT csv, DELIMITER %s, QUOTE %s, NULL '', ENCODING 'UTF8'"
    return (
        f"COPY ({select}) TO STDOUT ({psycopg.ClientCursor(connection).mogrify(options, (how.delimiter, how.quote))})"
    )


def expected(query: Query, connection: psycopg.Connection[Any]) -> int:
    """How many rows the planner expects."""
    statement = f"EXPLAIN (FORMAT JSON) {composed(query.matching, connection)}"
    row = connection.execute(statement.encode()).fetchone()
    return int(row[0][0]["Plan"]["Plan Rows"]) if row else 0


def _folds_unicode(connection: psycopg.Connection[Any]) -> bool:
    utf8 = connection.pgconn.parameter_status(b"server_encoding") == b"UTF8"
    return utf8 and connection.info.server_version >= 170000
