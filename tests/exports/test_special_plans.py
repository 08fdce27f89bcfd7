"""No special operator is quadratic: on the demo data no plan reads a large table once for each of many rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from demo.brands import BRANDS
from exports.definition import Definition, parse
from exports.operators import BY_SPECIAL
from exports.query import Surroundings, build, surroundings_of
from exports.source.postgresql import PostgresSource
from exports.source.statements import composed
from exports.special.attributes import ATTRIBUTES
from tests.exports.test_models_in_full import catalogue_of

MOMENT = datetime(2017, 4, 1, tzinfo=UTC)
CATALOGUE = catalogue_of(next(one for one in BRANDS if one.source_key == "maple"))
LARGE = ("events", "customers", "coupons", "webhook_logs")
IDS = {
    "group_id": "select id from loyalty.user_groups where brand = 'maple' and parent is null",
    "rewards": "select id from loyalty.rewards where brand = 'maple'",
    "activities": "select id from loyalty.challenges where brand = 'maple'",
    "action_history": "select 'checkout'",
    "purchases": "select id from loyalty.products where brand = 'maple'",
}
MORE: dict[str, list[dict[str, Any]]] = {
    "rewards": [{"min": 2}, {"from": "2017-01-02"}, {"to": "2017-03-01", "min": 2}],
    "activities": [{"from": "2017-01-02"}],
    "action_history": [{"from": "2017-01-02", "min": 3}, {"to": "2017-01-05"}],
    "purchases": [{"from": "2017-01-02", "to": "2017-01-05"}],
}
CASES = [
    (model, attribute, operator.id, more)
    for model in ("customers", "events", "coupons", "webhook_logs")
    for attribute, special in ATTRIBUTES.items()
    for operator in BY_SPECIAL[special]
    for more in [{}, *MORE.get(attribute, [])]
]


@pytest.fixture(scope="module")
def connection(source_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A session on the demo data."""
    with psycopg.connect(source_dsn, autocommit=True) as session:
        yield session


@pytest.fixture(scope="module")
def around(source_dsn: str) -> Surroundings:
    """Of the real brand."""
    return surroundings_of(PostgresSource(source_dsn), CATALOGUE, "maple", MOMENT)


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A node and all below it."""
    yield plan
    for one in plan.get("Plans", []):
        yield from nodes(one)


def hashed(plan: dict[str, Any]) -> set[str]:
    """The sub-plans that are read once, into a hash table."""
    return set(re.findall(r"hashed (SubPlan \d+)", str(plan)))


def repeated(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is done once for each row of something else."""
    once = hashed(plan)
    for node in nodes(plan):
        for child in node.get("Plans", []):
            name = child.get("Subplan Name", "")
            inner = node["Node Type"] == "Nested Loop" and child["Parent Relationship"] == "Inner"
            if inner or (child.get("Parent Relationship") == "SubPlan" and name not in once):
                yield from nodes(child)


def compared(plan: dict[str, Any]) -> int:
    """How many pairs of rows were looked at that did not fit: all but some, where each is compared with each."""
    return sum(each.get("Rows Removed by Join Filter", 0) * each["Actual Loops"] for each in nodes(plan))


def asking(
    connection: psycopg.Connection[Any],
    around: Surroundings,
    model: str,
    attribute: str,
    operator: str,
    more: dict[str, Any],
    *others: list[dict[str, Any]],
) -> Definition:
    """A definition with the operator about ids that occur, alone or beside other sets."""
    ids = list(around.segments) if attribute == "segments" else None
    ids = ids or [row[0] for row in connection.execute(f"{IDS[attribute]} limit 3".encode())]
    prefix = "" if model == "customers" else "customer."
    one = {"attribute": prefix + attribute, "operator": operator, "value": {"ids": ids, **more}}
    fields = [{"from": CATALOGUE.models[model].key}]
    filters = [[one], *others]
    return parse({"name": "x", "model": model, "timezone": "UTC", "filters": filters, "fields": fields})


@pytest.mark.parametrize(("model", "attribute", "operator", "more"), CASES)
def test_no_large_table_is_read_once_for_each_row(
    connection: psycopg.Connection[Any],
    around: Surroundings,
    model: str,
    attribute: str,
    operator: str,
    more: dict[str, Any],
) -> None:
    key = CATALOGUE.models[model].key
    beside = [{"attribute": key, "operator": "equals", "value": "x"}]
    for others in ([], [beside]):
        query = build(asking(connection, around, model, attribute, operator, more, *others), CATALOGUE, around)
        for select in (query.count, query.first_by_key(20), query.rows):
            text = f"EXPLAIN (FORMAT JSON) {composed(select, connection)}"
            plan = connection.execute(text.encode()).fetchone()[0][0]["Plan"]  # type: ignore[index]
            scans = [each for each in repeated(plan) if each["Node Type"] in ("Seq Scan", "Index Scan")]
            assert [each for each in scans if each["Relation Name"] in LARGE and whole(each)] == [], told(plan)


@pytest.mark.parametrize(("model", "attribute", "operator", "more"), CASES)
def test_rows_are_not_compared_each_with_each(
    connection: psycopg.Connection[Any],
    around: Surroundings,
    model: str,
    attribute: str,
    operator: str,
    more: dict[str, Any],
) -> None:
    query = build(asking(connection, around, model, attribute, operator, more), CATALOGUE, around)
    for select in (query.count, query.rows):
        text = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {composed(select, connection)}"
        plan = connection.execute(text.encode()).fetchone()[0][0]["Plan"]  # type: ignore[index]
        assert compared(plan) < 500_000, told(plan)


def test_the_planner_knows_how_many_completed_a_challenge(source_dsn: str, around: Surroundings) -> None:
    source = PostgresSource(source_dsn)
    with psycopg.connect(source_dsn) as session:
        ids = [row[0] for row in session.execute(IDS["activities"].encode())]
    earned = {"attribute": "activities", "operator": "activity_earned", "value": {"ids": ids}}
    wanted = {"name": "x", "model": "customers", "timezone": "UTC", "filters": [[earned]], "fields": [{"from": "_id"}]}
    query = build(parse(wanted), CATALOGUE, around)
    [(number,)] = source.select(query.count, seconds=5)
    assert number > 25
    assert number / 3 < source.estimate(query) < number * 3


def told(plan: dict[str, Any], depth: int = 0) -> str:
    """A plan as people read it."""
    words = [plan["Node Type"], plan.get("Join Type"), plan.get("Alias"), plan.get("Index Name"), plan["Plan Rows"]]
    words += [plan.get("Subplan Name"), plan.get("Index Cond") or plan.get("Hash Cond")]
    line = "  " * depth + " ".join(str(one) for one in words if one is not None)
    return "\n".join([line, *(told(one, depth + 1) for one in plan.get("Plans", []))])


def whole(scan: dict[str, Any]) -> bool:
    """Whether a scan reads everything that the brand has: no condition, or the brand alone."""
    condition = re.sub(r"\(brand = [^)]*\)", "", scan.get("Index Cond", ""))
    return re.search(r"[a-z]", condition.replace("AND", "")) is None


def test_the_plans_are_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/filters.md").read_text(encoding="utf-8")
    specials = {one.id for operators in BY_SPECIAL.values() for one in operators}
    for id in sorted(specials | {"in_date", "anniversary", "age_range"}):
        assert f"`{id}`" in page
