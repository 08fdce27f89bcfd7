"""`script/bench previews`: what the page beside the filters shows, and when (SPEC section 14), on 14.7 million events.

Each filter is asked as the page asks: a connection for previews, the rules, the estimate with the first rows of
all fields if they come at once; then what is missing of rows and exact numbers. On the ten times of `script/bench size`
(SIZE_HOME); `TIMES=1` takes the events of the year once (EXPORTS_HOME).
"""

from __future__ import annotations

import os
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks import engine, size, worst
from exports import preview
from exports.catalogue import builtin
from exports.checking import query_of
from exports.definition import Definition, parse
from exports.preview import Preview
from exports.query import Query, surroundings_of
from exports.source.base import Source
from exports.source.pool import PreviewPool
from exports.source.postgresql import PostgresSource
from webapp.services.previews.counting import ROWS_S, WITHIN_S
from webapp.services.previews.looking import QUICK_S

RESULTS: Final = engine.RESULTS.with_name("previews.json")
ROUNDS: Final = int(os.environ.get("ROUNDS", "3"))
TIMES: Final = int(os.environ.get("TIMES", "10"))
SERVED: Final = 10_000
"""Matches up to which a filter that an index serves has the narrow bars."""
Filters = list[list[dict[str, Any]]]


def _one(attribute: str, operator: str, value: Any = None) -> dict[str, Any]:
    made = {"attribute": attribute, "operator": operator}
    return made if value is None else {**made, "value": value}


ITEMS = _one("action", "equals", "checkout_item")
MINUTES = _one("timestamp", "in_date", ["2017-03-03 18:00", "2017-03-03 18:20"])
BOUGHT = _one("customer.purchases", "item_purchased", {"ids": ["1082185"]})
CASES: Final[dict[str, tuple[bool, Filters]]] = {
    "one event by its ID": (True, [[_one("_id", "equals", "58693cb36d61706c00186400")]]),
    "one customer": (True, [[_one("customer", "equals", "906")]]),
    "one customer, one month": (
        True, [[_one("customer", "equals", "906"), _one("timestamp", "in_date", ["2017-03-01", "2017-03-31"])]]),
    "three customers and an action": (True, [[_one("customer", "in", ["906", "83", "1873"]), ITEMS]]),
    "twenty minutes": (True, [[MINUTES]]),
    "an action on a day": (True, [[_one("action", "equals", "checkout"), _one("timestamp", "equals", "2017-03-03")]]),
    "a rare action": (True, [[_one("action", "equals", "coupon_redeem")]]),
    "two sets, both served": (True, [[_one("customer", "equals", "83")], [MINUTES, ITEMS]]),
    "a customer who bought a product": (True, [[_one("customer", "equals", "906"), BOUGHT]]),
    "all": (False, [[_one("_id", "is_not_empty")]]),
    "an action": (False, [[ITEMS]]),
    "two sets of most events": (False, [[ITEMS], [_one("points", "gte", 1)]]),
    "a month": (False, [[_one("timestamp", "in_date", ["2017-03-01", "2017-03-31"])]]),
    "a number without an index": (False, [[_one("points", "between", [10, 20])]]),
    "a member of an object": (False, [[_one("properties.store", "equals", "318")]]),
    "a word in a text": (False, [[_one("label", "contains", "refund")]]),
    "a word that nothing has": (False, [[_one("label", "contains", "no such word")]]),
    "the last days of the year": (False, [[_one("timestamp", "gte", "2017-12-30"), _one("points", "gt", 50)]]),
    "customers of a group": (False, [[_one("customer.group_id", "in_group", {"ids": ["GROUP"]})]]),
    "customers of a segment": (False, [[_one("customer.segments", "in_segment", {"ids": ["SEGMENT"]})]]),
    "customers who bought a product": (False, [[BOUGHT, ITEMS]]),
    "customers who did not buy it": (False, [[_one("customer.purchases", "item_not_purchased", {"ids": ["1082185"]})]]),
    "customers who often came": (
        False, [[_one("customer.action_history", "action_taken",
                      {"ids": ["checkout"], "from": "2017-06-01", "to": "2017-06-30", "min": 5})]]),
    "customers who claimed a reward": (False, [[_one("customer.rewards", "reward_claimed", {"ids": ["REWARD"]})]]),
}  # fmt: skip
"""Name, whether an index serves it, and the filter; what stands in capital letters is the first of the brand's."""


@dataclass
class Shown:
    """What a person saw and after how many seconds: `at_once` is the first answer, `all` the last one."""

    estimate: int
    at_once: float
    quick: bool
    all: float
    rows: str
    counted: int | None


def main() -> int:
    """Measure, print, write; exit status 1 over a bar."""
    from webapp import embedded

    home, _times = size.HOMES["ten times" if TIMES == 10 else "once"]
    engine.load_all(home, TIMES)
    pool = PreviewPool(PostgresSource(embedded.join(home).source_url), size=4)
    cases = {name: (served, _definition(filters, pool)) for name, (served, filters) in CASES.items()}
    cases["the worst legal definition"] = (False, worst.definition())
    found = {name: measure(name, served, definition, pool) for name, (served, definition) in cases.items()}
    engine.keep(RESULTS, ROUNDS, {"times": TIMES, **found})
    table = as_table(found)
    print(table)
    if TIMES == 10:
        engine.put_on_page(table, "previews")
    return engine.verdict({name: case["bars"] for name, case in found.items()})


def _definition(filters: Filters, pool: PreviewPool) -> Definition:
    """All fields, as the page shows them before any is chosen."""
    with pool.lease("bench", 0) as source:
        around = surroundings_of(source, builtin(), "maple", datetime.now(UTC))
        chosen = {"SEGMENT": min(around.segments), **{kind: _first(source, kind) for kind in ("GROUP", "REWARD")}}
    for one in (one for set_ in filters for one in set_):
        if isinstance(one.get("value"), dict):
            one["value"]["ids"] = [chosen.get(id, id) for id in one["value"]["ids"]]
    return parse({"name": "Preview", "model": "events", "timezone": "America/New_York", "filters": filters,
                  "all_fields": True})  # fmt: skip


def _first(source: Source, kind: str) -> str:
    import sqlalchemy as sa

    table = {"GROUP": "user_groups", "REWARD": "rewards"}[kind]
    column: sa.ColumnClause[str] = sa.column("id")
    of_maple = sa.column("brand") == sa.literal("maple", sa.Text())
    [(id,)] = source.select(
        sa.select(sa.func.min(column)).select_from(sa.table(table, schema="loyalty")).where(of_maple), seconds=5
    )
    return str(id)


def measure(name: str, served: bool, definition: Definition, pool: PreviewPool) -> dict[str, Any]:
    """One filter, after one round that warms the caches, which is told as `first`."""
    rounds = [once(definition, pool, number) for number in range(ROUNDS + 1)]
    first, later = rounds[0], rounds[1:]
    at_once, whole = (statistics.median(getattr(one, part) for one in later) for part in ("at_once", "all"))
    last = later[-1]
    print(f"{name}: {at_once * 1000:.0f} ms, {whole:.2f} s, {last.counted}, {last.rows}", flush=True)
    narrow = served and (last.counted or 0) <= SERVED
    told = f"{last.rows}{'' if last.counted is not None else ', about so many'}"
    return {
        "served": narrow, "matches": last.counted, "estimate": last.estimate, "rows": told,
        "at_once": round(at_once, 4), "all": round(whole, 3), "first": round(first.all, 3),
        "bars": {"estimate and first rows within 300 ms": at_once <= 0.3 and all(one.quick for one in later),
                 "exact numbers within 1 s": whole - at_once <= 1.0 and last.counted is not None}
        if narrow else
        {"estimate within 300 ms": at_once <= 0.3,
         "rows and numbers within 5 s, or the words": whole <= 5.0},
    }  # fmt: skip


def once(definition: Definition, pool: PreviewPool, rev: int) -> Shown:
    """What the two requests of the page do with the source."""

    def look(query: Query, source: Source) -> tuple[int, Preview | None]:
        expected = source.estimate(query)
        return expected, preview.quick_rows(query, source, expected, QUICK_S)

    began = time.perf_counter()
    expected, rows = _asked(definition, pool, rev, look)
    at_once = time.perf_counter() - began
    quick = rows is not None

    def rest(query: Query, source: Source) -> tuple[Preview | None, preview.Counts | None]:
        until = time.monotonic() + WITHIN_S
        source.estimate(query)
        late = rows or preview.first_rows(query, source, expected, ROWS_S)
        return late, preview.count(query, source, until - time.monotonic())

    rows, counted = _asked(definition, pool, rev, rest)
    how = "none in time" if rows is None else "a sample" if rows.is_sample else "first rows"
    whole = time.perf_counter() - began
    return Shown(expected, at_once, quick, whole, how, counted.rows if counted else None)


def _asked(definition: Definition, pool: PreviewPool, rev: int, what: Callable[[Query, Source], Any]) -> Any:
    with pool.lease("bench", rev) as source:
        around = surroundings_of(source, builtin(), "maple", datetime.now(UTC))
        return what(query_of(definition, builtin(), around, source), source)


def as_table(found: dict[str, Any]) -> str:
    """The figures as a table in Markdown."""
    lines = ["| filter | matches | at once | everything | the very first time | shown |", "|---|---|---|---|---|---|"]
    for name, case in found.items():
        matches = f"{case['matches']:,}" if case["matches"] is not None else f"about {case['estimate']:,}"
        lines.append(
            f"| {name}{' (index)' if case['served'] else ''} | {matches} | {case['at_once'] * 1000:.0f} ms "
            f"| {case['all']:.2f} s | {case['first']:.2f} s | {case['rows']} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
