"""Alpine Sports: a small made-up brand whose ids are, on purpose, those of Maple Grocers.

Customers "1" to "300", stores, groups, accounts and some events have ids that maple has as well: whatever forgets the
brand shows another company's rows, and a test sees it. Its texts hold what breaks careless files: commas, quotes, line
ends, tabs, formulas, and letters of many scripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from demo.alpine import customers, events, offers, program, records
from demo.columns import table_of
from demo.copying import in_pieces

KEY = "alpine"
NAMES_OF_KEYS = dict.fromkeys(("customers", "events", "coupons", "changes", "content_approval", "webhook_logs"), "_id")
WITH_STATUS = ("user_groups", "segments")


def tables(shared: Sequence[tuple[str, int]]) -> Iterator[tuple[str, Iterable[pa.Table]]]:
    """Every table with its rows in key order. `shared`: ids and Unix times of events of maple, taken as well."""
    happened = events.events(shared)
    stood = customers.customers(happened)
    pools = offers.pools()
    rewards, challenges = offers.rewards(pools), offers.challenges()
    given: Mapping[str, Sequence[dict[str, Any]]] = {
        **program.TABLES,
        "stores": program.stores(),
        "products": program.products(),
        "coupon_pools": pools,
        "rewards": rewards,
        "challenges": challenges,
        "customers": stood,
        "events": happened,
        "coupons": offers.coupons(pools, rewards),
        "changes": records.changes(rewards),
        "content_approval": records.approvals(rewards),
        "webhook_logs": records.webhook_logs(happened),
    }
    for table, rows in given.items():
        key = NAMES_OF_KEYS.get(table, "id")
        yield (
            table,
            in_pieces(
                table_of(
                    sorted(
                        map(_complete, rows) if table in WITH_STATUS else rows, key=lambda row: str(row[key]).encode()
                    )
                )
            ),
        )


def _complete(row: dict[str, Any]) -> dict[str, Any]:
    """A row of the program with the status that most have."""
    return {"status": "active", **row}
