"""Records found by a part of their name or id, as a company's own tables keep them."""

from __future__ import annotations

import psycopg

from exports.catalogue import ReferencedTable, builtin
from exports.choices import find
from tests.exports.zoo import Zoo

IDS = ["a", "a-b", "ab", "A-b", "a-c", "abc", "a b"]


def test_ids_are_found_by_their_beginning_letter_by_letter(zoo: Zoo) -> None:
    """Most languages pass over hyphens and capital letters when they sort."""
    with psycopg.connect(zoo.url) as rows:
        rows.execute("CREATE TABLE IF NOT EXISTS loyalty.sorted (id text PRIMARY KEY)")
        rows.execute("TRUNCATE loyalty.sorted")
        rows.cursor().executemany("INSERT INTO loyalty.sorted VALUES (%s)", [(id,) for id in IDS])
    table = ReferencedTable("sorted", "Sorted", "loyalty.sorted", "id", "id", "all")
    for text in ("", "a", "a-", "ab", "A", "b"):
        found = find(text, table, builtin(), zoo.source, "maple")
        assert {one.id for one in found.choices} == {id for id in IDS if id.startswith(text)}
        assert found.more == 0
