"""What the special operators mean, in plain Python over the same rows: REFERENCE 2.3 read once more, by other means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from exports.catalogue import builtin
from tests.exports import oracle
from tests.exports.oracle import NUMBER, Row

DENYING = {
    "not_in_group": "in_group", "not_in_segment": "in_segment", "reward_not_claimed": "reward_claimed",
    "activity_not_earned": "activity_earned", "action_not_taken": "action_taken",
    "item_not_purchased": "item_purchased",
}  # fmt: skip
SPECIAL = {*DENYING, *DENYING.values()}


@dataclass(frozen=True)
class World:
    """The rows of one brand by table, and its segments' filters by id."""

    brand: str
    rows: dict[str, list[Row]] = field(repr=False)
    segments: dict[str, list[list[Row]]] = field(default_factory=dict, repr=False)

    def matching(self, model: str, filters: list[list[Row]], zone: ZoneInfo) -> set[str]:
        """The keys of the records that match."""
        key = builtin().models[model].key
        return {row[key] for row in self.rows[model] if self.matches(model, row, filters, zone)}

    def matches(self, model: str, row: Row, filters: list[list[Row]], zone: ZoneInfo) -> bool:
        """Whether any set holds completely."""
        return any(all(self.holds(model, row, one, zone) for one in set_) for set_ in filters)

    def holds(self, model: str, row: Row, criterion: Row, zone: ZoneInfo) -> bool:
        """Whether one criterion holds for a record."""
        operator = criterion["operator"]
        if operator not in SPECIAL:
            return oracle.holds(row, criterion, zone, builtin().models[model])
        affirming = DENYING.get(operator, operator)
        found = any(self.affirms(one, affirming, criterion["value"], zone) for one in self.about(row, criterion))
        return found != (operator in DENYING)

    def about(self, row: Row, criterion: Row) -> list[Row]:
        """The record itself, or the customers whom it names."""
        if not criterion["attribute"].startswith("customer."):
            return [row]
        named = row["customer"] if isinstance(row["customer"], list) else [row["customer"]]
        return [one for one in self.rows["customers"] if one["_id"] in named]

    def affirms(self, row: Row, operator: str, value: Row, zone: ZoneInfo) -> bool:
        """The operators that affirm."""
        ids, times = value["ids"], [value.get("from"), value.get("to")]
        if operator == "in_group":
            return any(self.above(group) & set(ids) for group in row.get("group_id") or [])
        if operator == "in_segment":
            return any(self.matches("customers", row, self.segments[id], zone) for id in ids)
        if operator == "reward_claimed" and times == [None, None]:
            return any((number(count(row, "rewards", id)) or 0) >= (value.get("min") or 1) for id in ids)
        if operator == "activity_earned":
            earned = [id for id in ids if id in (row.get("activities") or {})]
            return any(times == [None, None] or earned_in(count(row, "activities", id), times, zone) for id in earned)
        done = [
            one
            for one in self.rows["events"]
            if one["customer"] == row["_id"] and (times == [None, None] or in_time(one["timestamp"], times, zone))
        ]
        return self.often(done, operator, ids) >= (value.get("min") or 1)

    def often(self, done: Iterable[Row], operator: str, ids: list[str]) -> int:
        """How often that one happened which happened most."""
        if operator == "action_taken":
            what = [one["action"] for one in done]
        elif operator == "reward_claimed":
            what = [one["properties"].get("reward") for one in done if one["action"] == "reward"]
        else:
            what = [
                one["properties"].get("product_id")
                for one in done
                if one["action"] == "checkout_item" and not self.taken_back(one)
            ]
        return max(Counter(one for one in what if one in ids).values(), default=0)

    def taken_back(self, item: Row) -> bool:
        """Whether its transaction was rejected or refunded, or this product of it was."""
        told = item["properties"]
        for one in self.rows["events"]:
            same = one["properties"].get("transaction_id")
            if same is None or same != told.get("transaction_id"):
                continue
            if one["action"] in ("checkout_reject", "refund"):
                return True
            if one["action"] == "refund_item" and one["properties"].get("product_id") == told["product_id"]:
                return True
        return False

    def above(self, group: str) -> set[str]:
        """A group and all groups that it is part of."""
        parents = {one["id"]: one["parent"] for one in self.rows["user_groups"]}
        found: set[str] = set()
        while group and group not in found:
            found.add(group)
            group = parents.get(group) or ""
        return found


def count(row: Row, map: str, id: str) -> Any:
    """What an object of the customer has at an id."""
    return (row.get(map) or {}).get(id)


def number(value: Any) -> Decimal | None:
    """A number, also one that is written as a text."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        return Decimal(value) if NUMBER.fullmatch(value) else None
    return Decimal(str(value))


def earned_in(value: Any, times: list[str | None], zone: ZoneInfo) -> bool:
    """Whether a Unix time lies in the range."""
    at = number(value)
    if at is None:
        return False
    if at > 10**11:  # no calendar goes so far
        return times[1] is None
    return in_time(datetime.fromtimestamp(float(at), UTC), times, zone)


def in_time(at: datetime, times: list[str | None], zone: ZoneInfo) -> bool:
    """Whether a moment lies in the range, by the clock of the zone."""
    plain = [None if one is None else one.removeprefix("date: ") for one in times]
    return oracle.moment(at, "in_date", plain, zone)
