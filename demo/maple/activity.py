"""Events beside the purchases: joining and leaving, points by hand, visits, claims, redemptions, challenges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from demo import columns, draw, words
from demo.maple.campaigns import Campaigns
from demo.maple.ledger import Block, constant_texts, stored_texts
from demo.maple.people import People
from demo.retailer import Ids, Retailer, to_utc


@dataclass(frozen=True)
class Activity:
    """All events of maple but checkouts and returns."""

    retailer: Retailer
    people: People
    campaigns: Campaigns

    def blocks(self) -> list[Block]:
        """One block per action, cut at the end of the part."""
        blocks = [
            self._joined(),
            self._told(),
            self._opening(),
            self._expiry(),
            self._visits(),
            self._claims(),
            self._redemptions(),
            self._challenges(),
            self._left(),
        ]
        return [block.before(self.retailer.until) for block in blocks]

    def _joined(self) -> Block:
        people = self.people
        way = draw.choice("joined by", people.id, ("Store", "Store", "Web", "App"))
        texts = stored_texts(
            source=draw.choice("joined through", people.id, ("Events API", "Events API", "Platform", "import")),
            admin="false",
            signed="true",
            cid=draw.uuids("opt_in", people.id),
            properties=columns.json_objects(columns.members({"channel": columns.quoted(way)})),
        )
        return Block("opt_in", people.joined, people.id, np.zeros_like(people.id), texts)

    def _told(self) -> Block:
        """The households that answered the questions on demographics did so in a form, a day after they joined."""
        told = self.retailer.demographics["household_id"].to_numpy()
        at = self.people.joined[self.people.places(told)] + 86_400 + draw.below("told", told, 3_600)
        texts = constant_texts(source="Platform", admin="false", signed="true", properties='{"form":"household"}')
        return Block("profile", at, told, np.zeros_like(told), texts)

    def _opening(self) -> Block:
        people = self.people
        texts = constant_texts(
            source="import", admin="true", signed="false", user_id="1", properties='{"reason":"Opening balance"}'
        )
        return Block("point_add", people.joined + 60, people.id, people.opening, texts)

    def _expiry(self) -> Block:
        people = self.people
        who = np.flatnonzero(people.expires)
        at = np.full(len(who), to_utc(np.array(["2016-12-31T23:00:00"], "datetime64[s]"))[0]) + who % 600
        texts = constant_texts(source="workflow", admin="false", signed="false", properties='{"reason":"Expired"}')
        return Block("point_sub", at, people.id[who], -(people.spare[who] // 4), texts)

    def _visits(self) -> Block:
        """Before one basket in ten somebody looked into the app; the basket may be of a later part."""
        baskets = self.retailer.every_basket
        rows = np.flatnonzero(draw.chance("visit", baskets.id, 10))
        key, customer = baskets.id[rows], baskets.household[rows]
        page = columns.quoted(draw.choice("page", key, ("/", "/offers", "/coupons", "/rewards", "/account?tab=points")))
        texts = stored_texts(
            source="Events API",
            admin="false",
            signed="true",
            ip_address=draw.addresses("ip", customer),
            user_agent=draw.choice("browser", customer, words.BROWSERS),
            properties=columns.json_objects(columns.members({"page": page})),
        )
        at = baskets.at[rows] - 600 - draw.below("visited before", key, 7_200)
        return Block("visit", at, customer, np.zeros_like(customer), texts)

    def _claims(self) -> Block:
        redeemed = self.campaigns.redemptions
        place = self.campaigns.places(redeemed["campaign_id"].to_numpy())
        key = np.arange(len(redeemed))
        given = {
            "reward": columns.quoted(self.campaigns.reward.take(pa.array(place))),
            "campaign": columns.integers(redeemed["campaign_id"].to_numpy()),
        }
        texts = stored_texts(
            source="Events API",
            admin="false",
            signed="true",
            cid=draw.uuids("claim", key),
            properties=columns.json_objects(columns.members(given)),
        )
        customer = redeemed["household_id"].to_numpy()
        return Block("reward", redeemed["claimed"].to_numpy(), customer, -self.campaigns.price[place], texts)

    def _redemptions(self) -> Block:
        redeemed = self.campaigns.redemptions
        basket = redeemed["basket"].to_numpy()
        paid = self.retailer.every_basket.id[np.maximum(basket, 0)]
        parent = np.where(basket < len(self.retailer.baskets.id), basket, -1)
        upc, campaign = redeemed["coupon_upc"].to_numpy(), redeemed["campaign_id"].to_numpy()
        transaction = columns.quoted(columns.integers(paid)).take(pa.array(np.arange(len(paid)), mask=basket < 0))
        given = {
            "code": columns.quoted(coupon_codes(redeemed)),
            "coupon_upc": columns.quoted(columns.integers(upc)),
            "campaign": columns.integers(campaign),
            "transaction_id": transaction,
        }
        texts = stored_texts(
            source="Events API",
            admin="false",
            signed="true",
            cid=draw.uuids("redemption", np.arange(len(redeemed))),
            properties=columns.json_objects(columns.members(given)),
        )
        at, customer = redeemed["at"].to_numpy(), redeemed["household_id"].to_numpy()
        return Block("coupon_redeem", at, customer, np.zeros_like(customer), texts, parents="checkout", parent=parent)

    def _challenges(self) -> Block:
        met = self.campaigns.completions
        place = self.campaigns.places(met["campaign"].to_numpy())
        line: Ids = met["line"].to_numpy()
        basket = self.retailer.lines.basket[line]
        given = {
            "challenge": columns.quoted(self.campaigns.challenge.take(pa.array(place))),
            "campaign": columns.integers(met["campaign"].to_numpy()),
            "product_id": columns.quoted(columns.integers(self.retailer.lines.product[line])),
        }
        texts = stored_texts(
            source="workflow", admin="false", signed="false", properties=columns.json_objects(columns.members(given))
        )
        at = self.retailer.baskets.at[basket] + 30
        points = self.campaigns.prize[place]
        return Block("challenge", at, met["household"].to_numpy(), points, texts, None, "checkout", basket)

    def _left(self) -> Block:
        who = np.flatnonzero(self.people.opted_out)
        why = draw.choice("left because", who, ("Moved away", "Too many emails", "No reason given"))
        texts = stored_texts(
            source="Platform",
            admin="true",
            signed="false",
            user_id=draw.choice("left with", who, ("2", "3", "4")),
            properties=columns.json_objects(columns.members({"reason": columns.quoted(why)})),
        )
        return Block("opt_out", self.people.left[who], self.people.id[who], np.zeros_like(who), texts)


def coupon_codes(redeemed: pd.DataFrame) -> pa.Array:
    """The codes of coupons: campaign, then eight letters and digits that belong to household, coupon and campaign."""
    keys = pair_keys(*(redeemed[name].to_numpy() for name in ("campaign_id", "household_id", "coupon_upc")))
    campaign = columns.integers(redeemed["campaign_id"].to_numpy())
    return columns.joined("C", campaign, "-", draw.codes("coupon code", keys, 8))


def pair_keys(campaign: Ids, household: Ids, upc: Ids) -> Ids:
    """One number for a household's coupon of a campaign (upc has 11 digits at most, household 4, campaign 2)."""
    return (upc * 2_503 + household) * 31 + campaign
