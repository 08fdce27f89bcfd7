"""Maple Grocers: the retailer's real data, with what it lacks generated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from demo.columns import table_of
from demo.copying import in_pieces
from demo.maple import program, records, stores
from demo.maple.activity import Activity
from demo.maple.campaigns import Campaigns
from demo.maple.coupons import Coupons
from demo.maple.customers import Customers
from demo.maple.ledger import Ledger
from demo.maple.people import People
from demo.maple.products import Assortment
from demo.maple.purchases import Purchases
from demo.maple.standing import Standing
from demo.retailer import Retailer

KEY = "maple"
Tables = Iterator[tuple[str, Iterable[pa.Table]]]


def tables(retailer: Retailer, times: int = 1) -> Tables:
    """Every table of the brand with its rows in key order; `times`: how often the events will be stored."""
    assortment, people = Assortment(retailer), People(retailer)
    campaigns, purchases = Campaigns(retailer, people, assortment), Purchases(retailer, assortment)
    activity = Activity(retailer, people, campaigns)
    ledger = Ledger([*activity.blocks(), purchases.checkouts(), purchases.items(), *purchases.returns()])
    standing = Standing(people, campaigns, purchases, ledger, times)
    coupons = Coupons(retailer, campaigns)
    yield from _program(campaigns, retailer)
    yield "stores", in_pieces(stores.table(retailer))
    yield "products", in_pieces(assortment.table())
    yield "coupon_pools", in_pieces(coupons.pools())
    yield "customers", in_pieces(Customers(standing, campaigns.groups_of_households()).table())
    yield "coupons", coupons.tables()
    yield "webhook_logs", in_pieces(records.Records(ledger).webhook_logs())
    yield "events", ledger.tables()


def _program(campaigns: Campaigns, retailer: Retailer) -> Tables:
    rewards, challenges = program.rewards(campaigns), program.challenges(campaigns)
    given: dict[str, Sequence[dict[str, Any]]] = {
        "user_groups": campaigns.groups(),
        "accounts": program.ACCOUNTS,
        "segments": program.SEGMENTS,
        "customer_lists": program.LISTS,
        "clubs": program.CLUBS,
        "reward_categories": program.CATEGORIES,
        "platform_users": program.STAFF,
        "trusted_sites": program.SITES,
        "custom_events": program.CUSTOM_EVENTS,
        "rewards": sorted(rewards, key=lambda row: row["id"]),
        "challenges": sorted(challenges, key=lambda row: row["id"]),
        "changes": records.changes(rewards, challenges, list(map(str, retailer.stores.tolist()))),
        "content_approval": records.approvals(rewards),
    }
    for table, rows in given.items():
        yield table, in_pieces(table_of(rows))
