"""The computed fields of the built-in catalogue in plain Python, by what their descriptions promise."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from exports.catalogue import DataField
from tests.exports.zoo import MOMENT

if TYPE_CHECKING:
    from tests.exports.customers_oracle import World

Row = dict[str, Any]


def with_value(row: Row, model: str, field: DataField, world: World, zone: ZoneInfo) -> Row:
    """The row, with the value of a field of its model if that is computed."""
    return {**row, field.id: COMPUTED[f"{model}.{field.id}"](row, world, zone)} if field.sql else row


def _age(row: Row, _world: World, zone: ZoneInfo) -> int | None:
    born: date | None = row["birth_date"]
    if born is None:
        return None
    today = MOMENT.astimezone(zone).date()
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    # Of someone not yet born: less than a year to go is none.
    return years + 1 if years < 0 and (today.month, today.day) != (born.month, born.day) else years


def _spendable(row: Row, _world: World, _zone: ZoneInfo) -> Decimal | None:
    if row["score"] is None:
        return None
    with localcontext(prec=200):
        return row["score"] - sum(((row[one] or Decimal(0)) for one in ("spent", "reserved", "expired")), Decimal(0))


def _average(row: Row, _world: World, _zone: ZoneInfo) -> Decimal | None:
    total, number = row["purchase_total"], row["purchase_count"]
    if total is None or not number:
        return None
    with localcontext(prec=200):
        return (total / number).quantize(Decimal("1e-10"), ROUND_HALF_UP)


def _coupon_status(row: Row, _world: World, _zone: ZoneInfo) -> str:
    used, gift, balance = bool(row["redeemed_at"]), row["type"] == "gift_card", row["balance"]
    if _over(row["invalidated_at"]):
        return "invalid"
    if used and not (gift and (balance or 0) > 0):
        return "redeemed"
    if gift and balance is not None and row["min_amount"] is not None and balance < row["min_amount"]:
        return "invalid"
    if _over(row["expiration_date"]):
        return "expired"
    if used:
        return "partially_redeemed"
    return "claimed" if row["claimed_at"] is not None or row["customer"] else "unassigned"


def _over(moment: datetime | None) -> bool:
    return moment is not None and moment <= MOMENT


def _reward_status(row: Row, _world: World, _zone: ZoneInfo) -> str:
    if row["status"] != "active":
        return "inactive"
    if row["starts_at"] is not None and row["starts_at"] > MOMENT:
        return "scheduled"
    return "expired" if _over(row["ends_at"]) else "active"


def _pool(counts: Callable[[Row], bool]) -> Callable[[Row, World, ZoneInfo], int]:
    def number(row: Row, world: World, _zone: ZoneInfo) -> int:
        return sum(one["pool"] == row["id"] and counts(one) for one in world.rows["coupons"])

    return number


def _claimed(coupon: Row) -> bool:
    return coupon["claimed_at"] is not None or bool(coupon["customer"])


def _left(coupon: Row) -> bool:
    return not _claimed(coupon) and coupon["invalidated_at"] is None and not _over(coupon["expiration_date"])


def _completions(row: Row, world: World, _zone: ZoneInfo) -> list[Any]:
    maps = [one["activities"] or {} for one in world.rows["customers"]]
    return [one[row["id"]] for one in maps if row["id"] in one]


def _last_completed(row: Row, world: World, zone: ZoneInfo) -> datetime | None:
    """Of Unix times of up to eleven digits; what else stands there is none."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in _completions(row, world, zone)]
    times = [float(one) for one in texts if re.fullmatch(r"[0-9]{1,11}(\.[0-9]+)?", one, re.ASCII)]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def _label(row: Row, world: World, _zone: ZoneInfo) -> str:
    known = dict(world.models["events"].fields["action"].choices)
    own = {one["id"]: one["label"] for one in world.rows.get("custom_events", [])}
    action: str = row["action"]
    return known.get(action) or own.get(action) or action


COMPUTED: Final[dict[str, Callable[[Row, World, ZoneInfo], Any]]] = {
    "customers.age": _age,
    "customers.spendable": _spendable,
    "customers.purchase_avg": _average,
    "coupons.status": _coupon_status,
    "rewards.effective_status": _reward_status,
    "coupon_pools.stock": _pool(_left),
    "coupon_pools.claimed_count": _pool(_claimed),
    "coupon_pools.redeemed_count": _pool(lambda coupon: bool(coupon["redeemed_at"])),
    "challenges.completions": lambda row, world, zone: len(_completions(row, world, zone)),
    "challenges.last_completed_at": _last_completed,
    "content_approval.changes_count": lambda row, _world, _zone: len(row["changes"] or []),
    "events.label": _label,
}
