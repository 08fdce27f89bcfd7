"""Where each customer stands at the end of the part: points, purchases, tier, claims, challenges, from the events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from demo.maple.campaigns import Campaigns
from demo.maple.ledger import Ledger
from demo.maple.people import People
from demo.maple.purchases import Purchases
from demo.retailer import Ids, Moments

TIERS = (("bronze", "Bronze", 0), ("silver", "Silver", 600), ("gold", "Gold", 1_500), ("platinum", "Platinum", 4_000))
NO_DAY = np.datetime64("NaT", "D")


@dataclass(frozen=True)
class Standing:
    """One entry per household, ascending. `times` multiplies what is summed over events that are stored so often."""

    people: People
    campaigns: Campaigns
    purchases: Purchases
    ledger: Ledger
    times: int

    @cached_property
    def _place(self) -> Ids:
        return self.people.places(self.ledger.customer)

    def _sum(self, values: Ids, where: npt.NDArray[np.bool_]) -> Ids:
        sums = np.bincount(self._place[where], values[where], len(self.people.id))
        return sums.astype(np.int64) * self.times

    @cached_property
    def _rewarding(self) -> npt.NDArray[np.bool_]:
        return self.ledger.is_any(("reward",))

    @cached_property
    def _expiring(self) -> npt.NDArray[np.bool_]:
        return self.ledger.is_any(("point_sub",))

    @cached_property
    def score(self) -> Ids:
        """Points ever earned, less those of purchases that were taken back."""
        return self._sum(self.ledger.points, ~(self._rewarding | self._expiring))

    @cached_property
    def spent(self) -> Ids:
        """Points spent on rewards."""
        return self._sum(-self.ledger.points, self._rewarding)

    @cached_property
    def expired(self) -> Ids:
        """Points that expired."""
        return self._sum(-self.ledger.points, self._expiring)

    @cached_property
    def last_at(self) -> Ids:
        """Unix time of the last event."""
        last = np.zeros(len(self.people.id), np.int64)
        last[self._place] = self.ledger.at
        return last

    @cached_property
    def last_visit(self) -> Ids:
        """Unix time of the last visit to the app; 0 for none."""
        visits = self.ledger.is_any(("visit",))
        last = np.zeros(len(self.people.id), np.int64)
        last[self._place[visits]] = self.ledger.at[visits]
        return last

    def _last_day(self, where: npt.NDArray[np.bool_]) -> Moments:
        last = np.full(len(self.people.id), NO_DAY)
        last[self._place[where]] = self.ledger.day[where]
        return last

    @cached_property
    def last_earn(self) -> Moments:
        """Day of the last event that earned points."""
        return self._last_day(self.ledger.points > 0)

    @cached_property
    def last_spend(self) -> Moments:
        """Day of the last reward that cost points."""
        return self._last_day(self._rewarding)

    # --- purchases ----------------------------------------------------------------------------------------------------

    @cached_property
    def _kept(self) -> Ids:
        return np.flatnonzero(~self.purchases.taken_back)

    def _of_baskets(self, values: Ids | None = None) -> Ids:
        """A sum over the household's baskets that were not taken back."""
        household = self.people.places(self.purchases.retailer.baskets.household[self._kept])
        weights = None if values is None else values[self._kept]
        return np.bincount(household, weights, len(self.people.id)).astype(np.int64) * self.times

    @cached_property
    def purchase_count(self) -> Ids:
        """Checkouts that were neither refunded nor rejected."""
        return self._of_baskets()

    @cached_property
    def purchase_total(self) -> Ids:
        """Their value in cents."""
        return self._of_baskets(self.purchases.retailer.baskets.total)

    @cached_property
    def purchase_items(self) -> Ids:
        """Their checkout items."""
        return self._of_baskets(self.purchases.retailer.baskets.lines)

    @cached_property
    def purchase_days(self) -> tuple[Moments, Moments]:
        """Days of the first and the last of them."""
        baskets = self.purchases.retailer.baskets
        household = self.people.places(baskets.household[self._kept])
        first, last = (np.full(len(self.people.id), NO_DAY) for _ in range(2))
        first[household[::-1]] = baskets.day[self._kept[::-1]]
        last[household] = baskets.day[self._kept]
        return first, last

    # --- maps ---------------------------------------------------------------------------------------------------------

    def claims(self) -> Mapping[int, dict[str, int]]:
        """For each household `{reward: number of claims}`."""
        redeemed = self.campaigns.redemptions
        redeemed = redeemed[redeemed["claimed"] < self.people.retailer.until]
        reward = dict(zip(self.campaigns.id.tolist(), self.campaigns.reward.to_pylist(), strict=True))
        counted: dict[int, dict[str, int]] = {}
        for (household, campaign), count in redeemed.groupby(["household_id", "campaign_id"]).size().items():
            counted.setdefault(household, {})[reward[campaign]] = int(count) * self.times
        return counted

    def challenges(self) -> Mapping[int, dict[str, int]]:
        """For each household `{challenge: Unix time of its completion}`."""
        met = self.campaigns.completions
        challenge = dict(zip(self.campaigns.id.tolist(), self.campaigns.challenge.to_pylist(), strict=True))
        found: dict[int, dict[str, int]] = {}
        for campaign, household, line in zip(
            *(met[name].tolist() for name in ("campaign", "household", "line")), strict=True
        ):
            at = int(self.purchases.retailer.baskets.at[self.purchases.retailer.lines.basket[line]]) + 30
            if at < self.people.retailer.until:
                found.setdefault(household, {})[challenge[campaign]] = at
        return found

    def tiers(self) -> list[dict[str, Any]]:
        """Each household's tier, and since which event: the first after which the score was high enough."""
        reached = [self._reached(threshold) for _, _, threshold in TIERS]
        events = [self.ledger.ids(np.maximum(one, 0)).to_pylist() for one in reached]
        rows = []
        for row, score in enumerate(self.score.tolist()):
            level = max(level for level, one in enumerate(reached) if one[row] >= 0)
            since = int(self.ledger.at[reached[level][row]])
            rows.append({"level": level, "since": since, "event": events[level][row], "points": score})
        return rows

    def _reached(self, threshold: int) -> Ids:
        """Number of the event that first brought each household to a score; -1 for never."""
        there = np.flatnonzero(self.ledger.balances.score * self.times >= threshold)
        place, first = np.unique(self._place[there], return_index=True)
        reached = np.full(len(self.people.id), -1)
        reached[place] = there[first]
        return reached
