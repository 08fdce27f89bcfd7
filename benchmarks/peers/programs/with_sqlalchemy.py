"""SQLAlchemy and the csv module: a streamed result (`yield_per`), its rows written as they come."""

from __future__ import annotations

import csv
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2  # noqa: F401 - loaded before the clock starts
from asked import HEADERS, IN_PYTHON, STORES, ZONE, answer, query
from sqlalchemy import create_engine, text

AT_ONCE = 10_000
BUDAPEST = ZoneInfo(ZONE)


def make(asked: dict[str, Any]) -> None:
    """One pass, partition by partition."""
    engine = create_engine(asked["url"].replace("postgresql:", "postgresql+psycopg2:", 1))
    select = text(query(asked["case"], asked["variant"], asked["until"]))
    mapping = asked["variant"] == IN_PYTHON
    with engine.connect() as connection, open(asked["out"], "w", newline="", encoding="utf-8") as file:
        result = connection.execution_options(yield_per=AT_ONCE).execute(select)
        writer = csv.writer(file)
        writer.writerow(HEADERS if mapping else result.keys())
        for rows in result.partitions():
            writer.writerows([mapped(*row) for row in rows] if mapping else rows)


def mapped(*row: Any) -> tuple[Any, ...]:
    """Time zone, Replace values and Default of a row."""
    id, customer, action, points, at, product, store, total = row
    return (
        id,
        "n/a" if customer is None else customer,
        "Item" if action == "checkout_item" else action,
        0 if points is None else points,
        at.astimezone(BUDAPEST).strftime("%Y-%m-%d %H:%M:%S"),
        "unknown" if product is None else product,
        STORES.get(store, store),
        total,
    )


answer(make)
