"""When households joined and left, and what they are told to be: drawn, but never against what they really did."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from demo import draw
from demo.retailer import Ids, Retailer, to_utc

DAY = 86_400
NEVER = 2**40
REWARD_POINTS = {"Type A": 50, "Type B": 30, "Type C": 20}
"""Price of a campaign's coupon in points."""


@dataclass(frozen=True)
class People:
    """One entry per household, ascending; times in Unix seconds."""

    retailer: Retailer

    @property
    def id(self) -> Ids:
        """Household numbers, ascending."""
        return self.retailer.households

    def places(self, households: Ids) -> Ids:
        """Where these households stand."""
        return np.searchsorted(self.id, households)

    @cached_property
    def joined(self) -> Ids:
        """Between March 2014 and October 2016, so before the first campaign."""
        seconds = draw.below("joined", self.id, 960) * DAY + 8 * 3_600 + draw.below("joined at", self.id, 12 * 3_600)
        return to_utc(np.datetime64("2014-03-01T00:00:00", "s") + seconds.astype("timedelta64[s]"))

    @cached_property
    def left(self) -> Ids:
        """A third of those who stopped buying before October left a month later; NEVER for the others."""
        baskets = self.retailer.every_basket
        last = np.zeros(len(self.id), np.int64)
        last[self.places(baskets.household)] = baskets.at
        leaves = (last < to_utc(np.array(["2017-10-01"], "datetime64[s]"))[0]) & draw.chance("leaves", self.id, 3)
        return np.where(leaves, last + 30 * DAY, NEVER)

    @cached_property
    def opted_out(self) -> npt.NDArray[np.bool_]:
        """Who has left before the part ends."""
        return self.left < self.retailer.until

    @cached_property
    def opening(self) -> Ids:
        """Points from before 2017: enough for every reward the household ever claims, and 100 to 500 more."""
        of_campaign = self.retailer.campaigns.set_index("campaign_id")["campaign_type"].map(REWARD_POINTS)
        prices = self.retailer.redemptions["campaign_id"].map(of_campaign).to_numpy()
        claimed = np.bincount(self.places(self.retailer.redemptions["household_id"].to_numpy()), prices, len(self.id))
        return claimed.astype(np.int64) + self.spare

    @cached_property
    def spare(self) -> Ids:
        """The part of the opening points that no reward needs."""
        return 100 + draw.below("opening", self.id, 401)

    @cached_property
    def expires(self) -> npt.NDArray[np.bool_]:
        """Whose spare points expired, in part, on the last day of 2016."""
        return draw.chance("expires", self.id, 5)
