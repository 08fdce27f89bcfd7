"""Maple Grocers: the retailer's real data, with what it lacks generated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
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


@dataclass(frozen=True)
class Maple:
    """The brand's data of a part; `times`: how often its events will be stored."""

    retailer: Retailer
    times: int = 1

    @cached_property
    def _assortment(self) -> Assortment:
        return Assortment(self.retailer)

    @cached_property
    def _people(self) -> People:
        return People(self.retailer)

    @cached_property
    def _campaigns(self) -> Campaigns:
        return Campaigns(self.retailer, self._people, self._assortment)

    @cached_property
    def _purchases(self) -> Purchases:
        return Purchases(self.retailer, self._assortment)

    @cached_property
    def _ledger(self) -> Ledger:
        activity = Activity(self.retailer, self._people, self._campaigns)
        purchases = self._purchases
        return Ledger([*activity.blocks(), purchases.checkouts(), purchases.items(), *purchases.returns()])

    def first_checkouts(self, count: int) -> list[tuple[str, int]]:
        """Ids and Unix times of the first checkouts; the same in every part."""
        numbers = self._ledger.places("checkout", np.arange(count))
        return list(zip(self._ledger.ids(numbers).to_pylist(), self._ledger.at[numbers].tolist(), strict=True))

    def tables(self) -> Tables:
        """Every table of the brand with its rows in key order."""
        campaigns, coupons = self._campaigns, Coupons(self.retailer, self._campaigns)
        standing = Standing(self._people, campaigns, self._purchases, self._ledger, self.times)
        yield from _program(campaigns, self.retailer)
        yield "stores", in_pieces(stores.table(self.retailer))
        yield "products", in_pieces(self._assortment.table())
        yield "coupon_pools", in_pieces(coupons.pools())
        yield "customers", in_pieces(Customers(standing, campaigns.groups_of_households()).table())
        yield "coupons", coupons.tables()
        yield "webhook_logs", in_pieces(records.Records(self._ledger).webhook_logs())
        yield "events", self._ledger.tables()


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
