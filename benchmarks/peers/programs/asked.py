"""What every peer is asked for, as a person writes it in SQL; and how a program is called and tells its time."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ZONE = "Europe/Budapest"
STORES = {str(number): f"Store {number}" for number in range(300, 320)}
WHOLE, CHUNKED, IN_SQL, IN_PYTHON = "whole", "chunked", "mapped in SQL", "mapped in Python"
CHUNK = 50_000

RAW = """
SELECT _id, customer, action, points, "timestamp",
       properties->>'product_id' AS product_id, properties->>'total' AS total, source
FROM loyalty.events
WHERE brand = 'maple' AND action = 'checkout_item'{until}
ORDER BY _id COLLATE "C"
"""
CHOSEN = """
WHERE brand = 'maple' AND action = 'checkout_item'
  AND "timestamp" >= '2017-01-01 00:00:00 Europe/Budapest' AND points >= 0{until}
ORDER BY _id COLLATE "C"
"""
UNMAPPED = (
    """
SELECT _id, customer, action, points, "timestamp",
       properties->>'product_id' AS product_id, properties->>'store' AS store, properties->>'total' AS total
FROM loyalty.events
"""
    + CHOSEN
)
"""The rows of the mapped case for those who do the rest themselves."""
_CASES = " ".join(f"WHEN '{store}' THEN '{name}'" for store, name in STORES.items())
MAPPED = f"""
SELECT _id AS "Event", coalesce(customer, 'n/a') AS "Customer",
       CASE action WHEN 'checkout_item' THEN 'Item' ELSE action END AS "What", coalesce(points, 0) AS "Points",
       to_char("timestamp" AT TIME ZONE '{ZONE}', 'YYYY-MM-DD HH24:MI:SS') AS "When",
       coalesce(properties->>'product_id', 'unknown') AS "Product",
       CASE properties->>'store' {_CASES} ELSE properties->>'store' END AS "Store", properties->>'total' AS "Total"
FROM loyalty.events
{CHOSEN}
"""  # noqa: S608 - constants
HEADERS = ["Event", "Customer", "What", "Points", "When", "Product", "Store", "Total"]


def query(case: str, variant: str, until: str | None) -> str:
    """The SELECT of a case; `until` bounds the moment of the rows, for smaller tries."""
    bound = "" if until is None else f" AND \"timestamp\" <= '{until}'"
    text = RAW if case == "raw" else UNMAPPED if variant.startswith((WHOLE, CHUNKED, IN_PYTHON)) else MAPPED
    return " ".join(text.format(until=bound).split("\n"))


def answer(make: Callable[[dict[str, Any]], None]) -> None:
    """Make the file that the first argument describes; print the seconds from the first statement to the closed file.

    The argument is JSON: `url` of the source, `case`, `variant`, `until`, `out`. Everything is imported before.
    """
    asked = json.loads(sys.argv[1])
    Path(asked["out"]).unlink(missing_ok=True)
    began = time.perf_counter()
    make(asked)
    print(json.dumps({"seconds": time.perf_counter() - began}))
