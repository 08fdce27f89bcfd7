"""Checkouts and their items, which are real, and the few that were taken back, which are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from demo import columns, draw
from demo.maple.ledger import Block, stored_texts
from demo.maple.products import Assortment
from demo.retailer import Ids, Retailer

DAY = 86_400
REASONS = ("Changed my mind", "Damaged goods", "Wrong item", "Bought twice")


@dataclass(frozen=True)
class Purchases:
    """The part's baskets and lines as events."""

    retailer: Retailer
    assortment: Assortment

    @cached_property
    def points(self) -> Ids:
        """Points of each line: the whole dollars of its sales value (REFERENCE 1.14)."""
        return self.retailer.lines.total // 100

    @cached_property
    def basket_points(self) -> Ids:
        """Points of all lines of each basket."""
        baskets = self.retailer.baskets
        return np.bincount(self.retailer.lines.basket, self.points, len(baskets.id)).astype(np.int64)

    def checkouts(self) -> Block:
        """One event per basket. Its points are 0: the items carry them, so that a sum over all events is right."""
        baskets = self.retailer.baskets
        nothing = np.zeros(len(baskets.id), np.int64)
        return Block("checkout", baskets.at, baskets.household, nothing, self._checkout_texts, baskets.id)

    def items(self) -> Block:
        """One event per transaction line; its parent is the checkout, which has what all its items share."""
        lines, baskets = self.retailer.lines, self.retailer.baskets
        at, customer, basket = (one[lines.basket] for one in (baskets.at, baskets.household, baskets.id))
        return Block("checkout_item", at, customer, self.points, self._item_texts, basket, "checkout", lines.basket)

    def _checkout_texts(self, rows: Ids) -> Mapping[str, pa.Array]:
        baskets = self.retailer.baskets
        more = columns.members(
            {
                "currency": columns.repeated('"USD"', len(rows)),
                "total": columns.amounts(baskets.total[rows]),
                "total_quantity": columns.integers(baskets.quantity[rows]),
                "lines": columns.integers(baskets.lines[rows]),
                "discount": columns.amounts(baskets.discount[rows]),
                "points_rewarded": columns.integers(self.basket_points[rows]),
            }
        )
        return {
            "cid": self._correlations.take(pa.array(rows)),
            "hash": columns.joined("checkout-", self._transactions.take(pa.array(rows))),
            "properties": columns.json_objects(self._basket_members.take(pa.array(rows)), more),
            **self._received(len(rows)),
        }

    def _item_texts(self, rows: Ids) -> Mapping[str, pa.Array]:
        lines = self.retailer.lines
        basket, quantity = pa.array(lines.basket[rows]), lines.quantity[rows]
        total, discount = lines.total[rows], lines.discount[rows]
        more = columns.members(
            {
                "quantity": columns.integers(quantity),
                "price": unit_prices(total + discount, quantity),
                "discount": columns.amounts(discount),
                "total": columns.amounts(total),
            }
        )
        product = self.assortment.places(lines.product[rows])
        transaction, products = self._transactions.take(basket), columns.integers(lines.product[rows])
        return {
            "hash": columns.joined("checkout_item-", transaction, "-", products),
            "properties": columns.json_objects(
                self._basket_members.take(basket), self.assortment.members.take(pa.array(product)), more
            ),
            **self._received(len(rows)),
        }

    def _received(self, rows: int) -> dict[str, pa.Array]:
        return {
            "source": columns.repeated("Events API", rows),
            "admin": columns.repeated("false", rows),
            "signed": columns.repeated("true", rows),
        }

    @cached_property
    def _transactions(self) -> pa.Array:
        return columns.integers(self.retailer.baskets.id)

    @cached_property
    def _correlations(self) -> pa.Array:
        return draw.uuids("correlation", self.retailer.baskets.id)

    @cached_property
    def _basket_members(self) -> pa.Array:
        store = columns.quoted(columns.integers(self.retailer.baskets.store))
        return columns.members({"transaction_id": columns.quoted(self._transactions), "store": store})

    # --- taken back ---------------------------------------------------------------------------------------------------

    @cached_property
    def _fate(self) -> Ids:
        """Of 2,400 baskets 10 are refunded (0 to 9), 3 rejected (10 to 12), 8 refunded in part (13 to 20)."""
        return draw.below("taken back", self.retailer.baskets.id, 2_400)

    @cached_property
    def _taken_at(self) -> Ids:
        baskets = self.retailer.baskets
        return baskets.at + DAY + draw.below("taken back after", baskets.id, 9 * DAY)

    @cached_property
    def taken_back(self) -> npt.NDArray[np.bool_]:
        """Which baskets were refunded or rejected as a whole before the part ends."""
        return (self._fate < 13) & (self._taken_at < self.retailer.until)

    def returns(self) -> list[Block]:
        """Rejections, refunds and refunds of one item, each after its checkout and within the part."""
        refunded, rejected = np.flatnonzero(self._fate < 10), np.flatnonzero((self._fate >= 10) & (self._fate < 13))
        partly = np.flatnonzero((self._fate >= 13) & (self._fate <= 20))
        lines = self.retailer.lines
        first = np.unique(lines.basket, return_index=True)[1]
        whole = np.flatnonzero(np.isin(lines.basket, refunded))
        blocks = [
            self._return("checkout_reject", rejected, -self.basket_points[rejected]),
            self._return("refund", refunded, np.zeros(len(refunded), np.int64)),
            self._return("partial_refund", partly, np.zeros(len(partly), np.int64)),
            self._returned_items(np.concatenate([whole, first[partly]])),
        ]
        return [block.before(self.retailer.until) for block in blocks]

    def _return(self, action: str, rows: Ids, points: Ids) -> Block:
        baskets = self.retailer.baskets
        transaction = self._transactions.take(pa.array(rows))
        reason = columns.quoted(draw.choice("reason", baskets.id[rows], REASONS))
        written = columns.members(
            {
                "transaction_id": columns.quoted(transaction),
                "reason": reason,
                "store": columns.quoted(columns.integers(baskets.store[rows])),
            }
        )
        texts = stored_texts(
            cid=draw.uuids(action, baskets.id[rows]),
            hash=columns.joined(f"{action}-", transaction),
            properties=columns.json_objects(written),
            **self._by_hand(baskets.id[rows]),
        )
        basket = baskets.id[rows]
        return Block(action, self._taken_at[rows], baskets.household[rows], points, texts, basket, "checkout", rows)

    def _returned_items(self, rows: Ids) -> Block:
        lines, baskets = self.retailer.lines, self.retailer.baskets
        basket = lines.basket[rows]
        transaction, product = columns.integers(baskets.id[basket]), columns.integers(lines.product[rows])
        written = columns.members(
            {
                "transaction_id": columns.quoted(transaction),
                "product_id": columns.quoted(product),
                "quantity": columns.integers(lines.quantity[rows]),
                "total": columns.amounts(lines.total[rows]),
            }
        )
        texts = stored_texts(
            cid=draw.uuids("refund_item", baskets.id[basket]),
            hash=columns.joined("refund_item-", transaction, "-", product),
            properties=columns.json_objects(written),
            **self._by_hand(baskets.id[basket]),
        )
        at, customer, basket_id = self._taken_at[basket], baskets.household[basket], baskets.id[basket]
        return Block("refund_item", at, customer, -self.points[rows], texts, basket_id, "checkout", basket)

    def _by_hand(self, baskets: Ids) -> dict[str, pa.Array | str]:
        user = draw.choice("clerk", baskets, [str(number) for number in range(1, 7)])
        return {"source": "Platform", "admin": "true", "signed": "false", "user_id": user}


def unit_prices(subtotal: Ids, quantity: Ids) -> pa.Array:
    """Price of one, in dollars; null where the quantity is 0 or a measure (fuel: thousandths of a gallon)."""
    single = (quantity > 0) & (quantity < 1_000)
    prices = np.rint(subtotal / np.where(single, quantity, 1)).astype(np.int64)
    return columns.amounts(prices).take(pa.array(np.arange(len(prices)), mask=~single))
