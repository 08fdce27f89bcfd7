"""What the special operators mean, in plain Python over the same rows: REFERENCE 2.3 read once more, by other means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from exports.catalogue import DataModel, builtin
from tests.exports import computed_oracle, oracle
from tests.exports.oracle import NUMBER, Row

DENYING = {
    "not_in_group": "in_group", "not_in_segment": "in_segment", "reward_not_claimed": "reward_claimed",
    "activity_not_earned": "activity_earned", "action_not_taken": "action_taken",
    "item_not_purchased": "item_purchased",
}  # fmt: skip
SPECIAL = {*DENYING, *DENYING.values()}


@dataclass(frozen=True)
class World:
    """The rows of one brand by table, and its segments' filters by id. `models` are those whose filters it can tell."""

    brand: str
    rows: dict[str, list[Row]] = field(repr=False)
    segments: dict[str, list[list[Row]]] = field(default_factory=dict, repr=False)
    models: Mapping[str, DataModel] = field(default_factory=lambda: builtin().models, repr=False)

    def matching(self, model: str, filters: list[list[Row]], zone: ZoneInfo) -> set[str]:
        """The keys of the records that match: for which any set holds completely."""
        everything = self.keys(model)
        return set().union(*(
            everything.intersection(*(self.holding(model, one, zone) for one in set_)) for set_ in filters
        ))  # fmt: skip

    def keys(self, model: str) -> set[str]:
        """The keys of all records."""
        return {row[self.models[model].key] for row in self.rows[model]}

    def holding(self, model: str, criterion: Row, zone: ZoneInfo) -> set[str]:
        """The keys of the records for which one criterion holds."""
        operator, key = criterion["operator"], self.models[model].key
        if operator not in SPECIAL:
            read = self.models[model]
            asked = read.fields[criterion["attribute"]]
            rows = [computed_oracle.with_value(one, model, asked, self, zone) for one in self.rows[model]]
            return {row[key] for row in rows if oracle.holds(row, criterion, zone, read)}
        affirming = DENYING.get(operator, operator)
        through = criterion["attribute"].startswith("customer.")
        asked_rows = self.rows["customers" if through else model]
        found = self.affirmed(asked_rows, "_id" if through else key, affirming, criterion["value"], zone)
        if through:
            found = {row[key] for row in self.rows[model] if found.intersection(named(row))}
        return self.keys(model) - found if operator in DENYING else found

    def affirmed(self, rows: list[Row], key: str, operator: str, value: Row, zone: ZoneInfo) -> set[str]:
        """The keys of the records for which an operator that affirms does."""
        if operator == "in_segment":
            return set().union(*(self.matching("customers", self.segments[id], zone) for id in value["ids"]))
        return {row[key] for row in rows if self.affirms(row, operator, value, zone)}

    def affirms(self, row: Row, operator: str, value: Row, zone: ZoneInfo) -> bool:
        """The operators that affirm, about one record."""
        ids, times = value["ids"], [value.get("from"), value.get("to")]
        if operator == "in_group":
            return any(self.above(group) & set(ids) for group in row.get("group_id") or [])
        if operator == "reward_claimed" and times == [None, None]:
            return any((number(count(row, "rewards", id)) or 0) >= (value.get("min") or 1) for id in ids)
        if operator == "activity_earned":
            earned = [id for id in ids if id in object_of(row, "activities")]
            return any(times == [None, None] or earned_in(count(row, "activities", id), times, zone) for id in earned)
        done = [
            one
            for one in self.done.get(row["_id"], [])
            if times == [None, None] or in_time(one["timestamp"], times, zone)
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
                if one["action"] == "checkout_item" and not self.taken_back(one["properties"])
            ]
        return max(Counter(one for one in what if one in ids).values(), default=0)

    @cached_property
    def done(self) -> dict[str, list[Row]]:
        """The events of each customer."""
        found: dict[str, list[Row]] = {}
        for one in self.rows["events"]:
            found.setdefault(one["customer"], []).append(one)
        return found

    @cached_property
    def back(self) -> set[tuple[str, str | None]]:
        """What was taken back: a transaction as a whole (None), or a product of it."""
        found = set()
        for one in self.rows["events"]:
            transaction = one["properties"].get("transaction_id")
            if transaction is not None and one["action"] in ("checkout_reject", "refund"):
                found.add((transaction, None))
            if transaction is not None and one["action"] == "refund_item":
                found.add((transaction, one["properties"].get("product_id")))
        return found

    def taken_back(self, item: Row) -> bool:
        """Whether its transaction was rejected or refunded, or this product of it was."""
        transaction = item.get("transaction_id")
        return not self.back.isdisjoint({(transaction, None), (transaction, item["product_id"])})

    def above(self, group: str) -> set[str]:
        """A group and all groups that it is part of."""
        parents = {one["id"]: one["parent"] for one in self.rows["user_groups"]}
        found: set[str] = set()
        while group and group not in found:
            found.add(group)
            group = parents.get(group) or ""
        return found


def named(row: Row) -> list[str]:
    """The customers whom a record names."""
    customers = row["customer"]
    return customers if isinstance(customers, list) else [customers]


def object_of(row: Row, map: str) -> Row:
    """An object of the customer; what is none has nothing in it."""
    found = row.get(map)
    return found if isinstance(found, dict) else {}


def count(row: Row, map: str, id: str) -> Any:
    """What an object of the customer has at an id."""
    return object_of(row, map).get(id)


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
    return oracle.moment(at, "in_date", oracle.resolved(times, zone), zone)
