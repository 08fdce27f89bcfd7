"""Coupon pools (the 1,197 pairs of campaign and coupon) and the coupons that households of a campaign got of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import pyarrow as pa

from demo import columns, draw
from demo.copying import ROWS
from demo.maple.activity import pair_keys
from demo.maple.campaigns import Campaigns, group_of
from demo.retailer import Ids, Retailer

VALUES = {"amount": ("0.25", "0.50", "0.75", "1.00", "1.50", "2.00"), "percentage": ("5", "10", "15", "20", "25")}
DAY = 86_400


@dataclass(frozen=True)
class Coupons:
    """Pools ascending by campaign and coupon; coupons by start of the campaign, campaign, household, pool."""

    retailer: Retailer
    campaigns: Campaigns

    @cached_property
    def pool(self) -> pa.Array:
        """Ids of the pools."""
        return draw.object_ids("pool", np.arange(len(self.retailer.pools)))

    @cached_property
    def _types(self) -> pa.Array:
        return draw.choice("pool type", np.arange(len(self.pool)), ("amount", "amount", "amount", "percentage"))

    @cached_property
    def _values(self) -> pa.Array:
        given = zip(range(len(self.pool)), self._types.to_pylist(), strict=True)
        return pa.array([draw.one_of(VALUES[type], "pool value", number) for number, type in given], pa.string())

    @cached_property
    def names(self) -> list[str]:
        """What a pool is for: the commonest category of its products, in words."""
        listed = self.retailer.products.set_index("product_id")["product_category"]
        links = self.retailer.links.assign(category=self.retailer.links["product_id"].map(listed)).dropna()
        counted = links.groupby(["campaign_id", "coupon_upc", "category"], as_index=False).size()
        counted = counted.sort_values(["size", "category"], ascending=[False, True])
        first = counted.drop_duplicates(["campaign_id", "coupon_upc"])
        named = self.retailer.pools.merge(first, how="left", on=["campaign_id", "coupon_upc"])["category"]
        return [str(one).title() if isinstance(one, str) else "Groceries" for one in named]

    def pools(self) -> pa.Table:
        """The rows of loyalty.coupon_pools in key order."""
        pools = self.retailer.pools
        linked = self.retailer.links.sort_values(["campaign_id", "coupon_upc", "product_id"])
        products = linked.groupby(["campaign_id", "coupon_upc"])["product_id"].agg(list)
        starts, ends = (
            one[self.campaigns.places(pools["campaign_id"].to_numpy())]
            for one in (self.campaigns.starts, self.campaigns.ends)
        )
        ended = ends < self.retailer.until
        written = [self._pool(number, *row) for number, row in enumerate(pools.itertuples(index=False, name=None))]
        table = columns.table_of(written)
        for name, column in {
            "id": self.pool,
            "type": self._types,
            "value": self._values,
            "products": pa.array([columns.array_literal(map(str, one)) for one in products], pa.string()),
            "status": pa.array(np.where(ended, "inactive", "active").tolist(), pa.string()),
            "created_at": columns.timestamps(starts - 14 * DAY),
            "updated_at": columns.timestamps(np.where(ended, ends, starts)),
        }.items():
            table = table.append_column(name, column)
        return table.sort_by("id")

    def _pool(self, number: int, campaign: int, upc: int) -> dict[str, object]:
        weeks = draw.one_of((4, 5, 6, 8), "pool weeks", number)
        return {
            "external_id": f"{campaign}-{upc}",
            "name": f"{self.names[number]}, campaign {campaign}, {upc}",
            "source": draw.one_of(("uploaded", "generated", "bulk generation"), "pool source", number),
            "expiration_time": f"{weeks} weeks",
            "purchase_minimum": draw.one_of((None, None, 10, 25), "pool minimum", number),
            "aggregated": False,
            "pattern": f"C{campaign}-********",
            "group_id": [group_of(campaign)],
            "properties": {"coupon_upc": str(upc), "campaign": campaign},
        }

    # --- coupons ------------------------------------------------------------------------------------------------------

    @cached_property
    def _pairs(self) -> pd.DataFrame:
        """One row per coupon: campaign, household, upc, pool (number), redeemed and claimed (Unix seconds or 0).

        A household's coupon of a pool is there once, or as often as it was redeemed (27 were twice).
        """
        pools = self.retailer.pools.assign(pool=np.arange(len(self.retailer.pools)))
        begun = self.campaigns.id[self.campaigns.starts < self.retailer.until]
        members = self.retailer.memberships[self.retailer.memberships["campaign_id"].isin(begun)]
        pairs = members.merge(pools, on="campaign_id")
        order = self.campaigns.starts[self.campaigns.places(pairs["campaign_id"].to_numpy())]
        pairs = pairs.assign(starts=order).sort_values(
            ["starts", "campaign_id", "household_id", "pool"], ignore_index=True
        )
        real = self.campaigns.redemptions[["campaign_id", "household_id", "coupon_upc", "at", "claimed"]]
        return pairs.merge(real, how="left", on=["campaign_id", "household_id", "coupon_upc"])

    def tables(self) -> Iterator[pa.Table]:
        """The rows of loyalty.coupons in key order, in pieces."""
        until, pairs = self.retailer.until, self._pairs
        arrays = {
            name: pairs[name].to_numpy() for name in ("campaign_id", "household_id", "coupon_upc", "pool", "starts")
        }
        redeemed = np.where(pairs["at"] < until, pairs["at"], 0).astype(np.int64)
        keys = pair_keys(arrays["campaign_id"], arrays["household_id"], arrays["coupon_upc"])
        drawn = np.where(
            draw.chance("claims coupon", keys, 3), arrays["starts"] + draw.below("claimed at", keys, 20 * DAY), 0
        )
        claimed = np.where(pairs["claimed"].notna(), pairs["claimed"].fillna(0), drawn).astype(np.int64)
        arrays |= {"redeemed": redeemed, "claimed": np.where(claimed < until, claimed, 0), "key": keys}
        for start in range(0, len(pairs), ROWS):
            numbers = np.arange(start, min(start + ROWS, len(pairs)))
            yield self._piece(numbers, {name: one[numbers] for name, one in arrays.items()})

    def _piece(self, numbers: Ids, of: Mapping[str, Ids]) -> pa.Table:
        place = self.campaigns.places(of["campaign_id"])
        pool, household = pa.array(of["pool"]), columns.integers(of["household_id"])
        claimed, redeemed = of["claimed"] > 0, of["redeemed"] > 0
        rows = np.arange(len(numbers))
        sent = columns.members({"sent_to": columns.quoted(household), "campaign": columns.integers(of["campaign_id"])})
        moments = columns.timestamps(of["redeemed"], ~redeemed).cast(pa.string())
        return pa.table(
            {
                "_id": self._ids(of["starts"], numbers),
                "code": columns.joined(
                    "C", columns.integers(of["campaign_id"]), "-", draw.codes("coupon code", of["key"], 8)
                ),
                "customer": columns.one_element_arrays(household.take(pa.array(rows, mask=~claimed))),
                "name": self._translated.take(pool),
                "type": self._types.take(pool),
                "value": self._values.take(pool),
                "currency": columns.repeated("USD", len(numbers)),
                "pool": self.pool.take(pool),
                "parent": self.campaigns.reward.take(pa.array(place)),
                "aggregated": columns.repeated("false", len(numbers)),
                "claims": pa.array(claimed.astype(np.int64)),
                "redeems": pa.array(redeemed.astype(np.int64)),
                "transfers": columns.repeated("0", len(numbers)),
                "created_at": columns.timestamps(of["starts"]),
                "claimed_at": columns.timestamps(of["claimed"], ~claimed),
                "redeemed_at": columns.joined('{"', moments, '"}'),
                "expiration_date": columns.timestamps(self.campaigns.ends[place], ~claimed),
                "expires_in": columns.repeated("5 weeks", len(numbers)).take(pa.array(rows, mask=claimed)),
                "properties": columns.json_objects(sent),
            }
        )

    @cached_property
    def _translated(self) -> pa.Array:
        return pa.array([columns.compact({"en": f"Save on {one}", "es": f"Ahorra en {one}"}) for one in self.names])

    def _ids(self, starts: Ids, numbers: Ids) -> pa.Array:
        """Start of the campaign, then the coupon's number: in the order of both."""
        return draw.texts(draw.hexadecimal(starts, 8), draw.hexadecimal(numbers, 16))
