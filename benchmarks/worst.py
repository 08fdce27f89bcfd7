"""`script/bench worst`: how long the SQL of the worst legal definition takes to build (caps of SPEC section 5)."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import Any, Final

from exports.catalogue import builtin
from exports.definition import Definition, parse
from exports.query import Surroundings, build
from exports.source.statements import compiled, written_out

BAR: Final = 0.050
"""Seconds for everything from the definition to the text of its SELECT."""
AROUND: Final = Surroundings("maple", datetime(2026, 11, 23, 10, tzinfo=UTC))


def definition(**members: Any) -> Definition:
    """100 criteria, four of them with lists of 1,000 values, and 500 columns with 2,000 replacements."""
    fields = builtin().models["events"].all_fields
    shown = [
        {"from": fields[place % len(fields)].id, "to": f"Column {place}", "default": f"no {place}",
         "replace": [{"value": f"{place}.{one}", "new": f"new {one}"} for one in range(4)]}
        for place in range(500)
    ]  # fmt: skip
    criteria = [_criterion(place) for place in range(100)]
    return parse({
        "name": "Worst", "model": "events", "timezone": "Europe/Budapest", "fields": shown,
        "filters": [criteria[place : place + 10] for place in range(0, 100, 10)],
        "file": {"protect_spreadsheets": True}, **members,
    })  # fmt: skip


def _criterion(place: int) -> dict[str, Any]:
    """A criterion of each kind in turn, the values of each different."""
    if place < 4:
        values: list[Any] = [f"{place}{one:03}" for one in range(1000)] if place < 2 else list(range(1000))
        return {"attribute": "customer" if place < 2 else "points", "operator": "in", "value": values}
    return (
        {"attribute": "timestamp", "operator": "in_date", "value": ["2017-03-26", f"2017-10-{place % 28 + 1:02}"]},
        {"attribute": "timestamp", "operator": "gte", "value": f"date:-{place} days"},
        {"attribute": "points", "operator": "between", "value": [place, place + 1]},
        {"attribute": "properties.total", "operator": "gte", "value": place},
        {"attribute": "label", "operator": "contains", "value": f"x{place}"},
    )[place % 5]


def seconds(wanted: Definition) -> float:
    """Processor time of building and writing out the SELECT."""
    started = time.process_time()
    text, values = compiled(build(wanted, builtin(), AROUND).rows, folds_unicode=True)
    written_out(text, values, None)
    return time.process_time() - started


def main() -> int:
    """Measure, print; exit status 1 over the bar."""
    kinds = {"csv": definition(), "json": definition(file={"extension": "json"})}
    over = False
    for kind, wanted in kinds.items():
        best = min(seconds(wanted) for _ in range(9))
        over = over or best > BAR
        verdict = "OVER THE BAR" if best > BAR else "kept"
        print(f"worst legal definition, {kind}: SQL in {best * 1000:.0f} ms (bar {BAR * 1000:.0f}): {verdict}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())
