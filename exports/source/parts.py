"""Parts of a run: ranges of the key that several connections copy side by side (DESIGN section 2, "Parts").

Where the key is cut decides only how long a run takes: whatever the cuts are, each row is in one part, and the parts
one after the other are the rows in key order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from exports.columns import Expression, literal
from exports.query import Query
from exports.source.statements import composed, expected

PAYS_FROM: Final = 50_000
"""Rows: here two parts take 0.81 of the time of one, below 20,000 they gain nothing (DESIGN section 2, "Parts")."""
SAMPLED_PAGES: Final = 500
"""Pages of the table that the cuts are found from, in some milliseconds: they miss the middle by 3 % of the rows."""
SAMPLED_WITHIN: Final = 0.5
"""Seconds: a filter so slow on so few pages is work that parts would only do twice."""
_PAGES: Final = """
    SELECT sum(pg_relation_size(oid) / current_setting('block_size')::int)::bigint
    FROM pg_class, to_regclass(concat_ws('.', quote_ident(%(schema)s), quote_ident(%(name)s))) AS named
    WHERE relkind IN ('r', 'm') AND (oid = named OR oid IN (SELECT relid FROM pg_partition_tree(named)))
      AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = named AND attname = %(key)s AND attnotnull)
"""


@dataclass(frozen=True)
class Parts:
    """How many parts a run has, and from how many expected rows on."""

    number: int = 2
    pays_from: int = PAYS_FROM

    def of(self, select: sa.Select[Any], query: Query, connection: psycopg.Connection[Any]) -> list[sa.Select[Any]]:
        """The SELECTs that have the rows of `select` one after the other; `select` alone where parts do not pay.

        `connection` is in the transaction of the run. A key that may be NULL is not cut: such rows would be in no part.
        """
        if self.number < 2 or query.groups is not None or not isinstance(query.relation, sa.TableClause):
            return [select]
        pages = _pages(query.relation, query.key, connection)
        if not pages or expected(query, connection) < self.pays_from:
            return [select]
        return divided(select, query.key, self.cuts(query, connection, pages))

    def cuts(self, query: Query, connection: psycopg.Connection[Any], pages: int) -> list[str]:
        """Keys at which to cut, from a sample of those that match: about as many lie before each as behind it.

        None if no key is in the sample, or if taking it is slow.
        """
        shares = [place / self.number for place in range(1, self.number)]
        try:
            with connection.transaction(force_rollback=True):
                connection.execute(f"SET LOCAL statement_timeout TO {SAMPLED_WITHIN * 1000:.0f}".encode())
                found = connection.execute(composed(_sample(query, pages, shares), connection).encode()).fetchone()
        except psycopg.errors.QueryCanceled:
            return []
        return found[0] or [] if found else []


TWO: Final = Parts()


def divided(select: sa.Select[Any], key: Expression, cuts: Sequence[str]) -> list[sa.Select[Any]]:
    """The rows before the first cut, those from it up to the next one, ... , and those from the last one on."""
    ordered = sa.collate(key, "C")
    parts = []
    for low, high in pairwise([None, *cuts, None]):
        part = select if low is None else select.where(ordered >= literal(low))
        parts.append(part if high is None else part.where(ordered < literal(high)))
    return parts


def _pages(table: sa.TableClause, key: Expression, connection: psycopg.Connection[Any]) -> int:
    """The pages of a table with all its partitions; 0 for what is no table, or if its key may be NULL."""
    named = {"schema": table.schema, "name": table.name, "key": getattr(key, "name", None)}
    row = connection.execute(_PAGES, named).fetchone()
    return row[0] or 0 if row else 0


def _sample(query: Query, pages: int, shares: list[float]) -> sa.Select[Any]:
    """The keys at these shares of the rows that match, on a few pages here and there."""
    percent: Expression = sa.literal_column(f"{min(100.0, 100 * SAMPLED_PAGES / pages):.6f}")
    place: Expression = sa.column("ctid")
    sampled = sa.select(place).select_from(
        sa.tablesample(query.relation, sa.func.system(percent), seed=sa.literal_column("1"))
    )
    here = place == sa.any_(sa.func.array(sampled.scalar_subquery()))
    found = sa.func.percentile_disc(sa.cast(sa.literal(shares, ARRAY(sa.Float())), ARRAY(sa.Float())))
    keys = found.within_group(sa.collate(query.key, "C"))
    return sa.select(keys).select_from(query.relation).where(query.where, here)


__all__ = ["PAYS_FROM", "TWO", "Parts", "divided"]
