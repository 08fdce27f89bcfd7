"""The 27 campaigns: user groups with their households, a reward and a challenge each, and who met it when."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from demo import draw
from demo.maple.people import REWARD_POINTS, People
from demo.maple.products import Assortment
from demo.retailer import Ids, Retailer, to_utc

CHALLENGE_POINTS = {"Type A": 50, "Type B": 25, "Type C": 15}
GROUP_OF_TYPE = {"Type A": "101", "Type B": "102", "Type C": "103"}
DAY = 86_400


def group_of(campaign: int) -> str:
    """The id of a campaign's user group."""
    return str(200 + campaign)


@dataclass(frozen=True)
class Campaigns:
    """One entry per campaign, ascending by number."""

    retailer: Retailer
    people: People
    assortment: Assortment

    @property
    def id(self) -> Ids:
        """Campaign numbers, 1 to 27."""
        return np.asarray(self.retailer.campaigns["campaign_id"])

    @cached_property
    def type(self) -> list[str]:
        """Types A, B, C."""
        return list(self.retailer.campaigns["campaign_type"])

    @cached_property
    def starts(self) -> Ids:
        """First second of each campaign's first day."""
        return to_utc(self.retailer.campaigns["start_date"].to_numpy().astype("datetime64[s]"))

    @cached_property
    def ends(self) -> Ids:
        """Last second of each campaign's last day."""
        last = self.retailer.campaigns["end_date"].to_numpy().astype("datetime64[s]") + np.timedelta64(1, "D")
        return to_utc(last) - 1

    @cached_property
    def reward(self) -> pa.Array:
        """Ids of the rewards."""
        return draw.object_ids("reward", self.id)

    @cached_property
    def challenge(self) -> pa.Array:
        """Ids of the challenges."""
        return draw.object_ids("challenge", self.id)

    @cached_property
    def price(self) -> Ids:
        """What a claim costs in points."""
        return np.array([REWARD_POINTS[one] for one in self.type])

    @cached_property
    def prize(self) -> Ids:
        """What meeting the challenge earns in points."""
        return np.array([CHALLENGE_POINTS[one] for one in self.type])

    def places(self, campaigns: Ids) -> Ids:
        """Where these campaigns stand."""
        return np.searchsorted(self.id, campaigns)

    @cached_property
    def completions(self) -> pd.DataFrame:
        """Who bought a product of their campaign's coupons in its time: campaign, household, line (the first)."""
        return pd.concat([self._completions(number) for number in range(len(self.id))], ignore_index=True)

    def _completions(self, number: int) -> pd.DataFrame:
        lines, baskets = self.retailer.lines, self.retailer.baskets
        first, last = np.searchsorted(baskets.at, (self.starts[number], self.ends[number] + 1))
        rows = np.flatnonzero((lines.basket >= first) & (lines.basket < last))
        wanted = self.assortment.promoted(int(self.id[number]))
        members = self.retailer.memberships.loc[
            self.retailer.memberships["campaign_id"] == self.id[number], "household_id"
        ]
        household = baskets.household[lines.basket[rows]]
        met = np.isin(household, members) & wanted[self.product_places[rows]]
        found = pd.DataFrame({"household": household[met], "line": rows[met]}).drop_duplicates("household")
        return found.assign(campaign=self.id[number])

    @cached_property
    def product_places(self) -> Ids:
        """For every line, where its product stands in the assortment."""
        return self.assortment.places(self.retailer.lines.product)

    @cached_property
    def redemptions(self) -> pd.DataFrame:
        """The package's redemptions with their moments: at the till of that day's basket, else at an hour drawn.

        Columns as in the package and `at`, `claimed` (Unix seconds), `basket` (its number, or -1).
        """
        real = self.retailer.redemptions.reset_index(drop=True)
        key = np.arange(len(real))
        noon = real["redemption_date"].to_numpy().astype("datetime64[s]") + np.timedelta64(9, "h")
        drawn = to_utc(noon + draw.below("redeemed at", key, 10 * 3_600).astype("timedelta64[s]"))
        basket, at = self._till(real)
        at = np.where(basket >= 0, at, drawn)
        opens = self.starts[self.places(real["campaign_id"].to_numpy())] + 8 * 3_600
        lead = 3_600 + draw.below("claimed before", key, 10 * DAY)
        return real.assign(at=at, claimed=np.maximum(at - lead, np.minimum(opens, at - 60)), basket=basket)

    def _till(self, real: pd.DataFrame) -> tuple[Ids, Ids]:
        """For each redemption the household's first basket on that day: its number or -1, and its moment."""
        baskets = self.retailer.every_basket
        own = pd.DataFrame({"household_id": baskets.household, "redemption_date": baskets.day.astype("datetime64[ns]")})
        own = own.assign(basket=np.arange(len(own)), at=baskets.at + 20).drop_duplicates(
            ["household_id", "redemption_date"]
        )
        wanted = real.assign(redemption_date=real["redemption_date"].astype("datetime64[ns]"))
        found = wanted.merge(own, how="left", on=["household_id", "redemption_date"])
        return found["basket"].fillna(-1).astype(np.int64).to_numpy(), found["at"].fillna(0).astype(np.int64).to_numpy()

    def groups_of_households(self) -> dict[int, list[str]]:
        """For each household the groups of its campaigns, ascending."""
        joined: dict[int, list[str]] = {}
        for campaign, household in self.retailer.memberships.itertuples(index=False):
            joined.setdefault(household, []).append(group_of(campaign))
        return joined

    def groups(self) -> list[dict[str, Any]]:
        """User groups: campaign types, with campaigns as children."""
        types = [
            {
                "id": id,
                "name": f"Campaigns of {name.lower()}",
                "parent": None,
                "status": "active",
                "external_id": f"type-{name[-1]}",
            }
            for name, id in GROUP_OF_TYPE.items()
        ]
        ended = self.retailer.campaigns["end_date"].dt.date
        return types + [
            {
                "id": group_of(id),
                "name": f"Campaign {id} ({type})",
                "parent": GROUP_OF_TYPE[type],
                "status": "active" if end.year > 2017 or id % 9 else "inactive",
                "external_id": f"campaign-{id}",
            }
            for id, type, end in zip(self.id.tolist(), self.type, ended, strict=True)
        ]
