"""What happened at Alpine Sports: drawn baskets, and at least one event of every built-in action."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from demo import draw
from demo.alpine.program import GOODS, PRODUCTS, STORES, price

Row = dict[str, Any]
ZONE = ZoneInfo("Europe/Zurich")
CUSTOMERS, BASKETS = 300, 900
FIRST = int(datetime(2017, 1, 2, 7, tzinfo=UTC).timestamp())
SECONDS = 88 * 86_400
RARE = (
    "profile", "point_spend", "point_unspend", "checkout_update", "checkout_update_item", "checkout_accept",
    "checkout_accept_item", "checkout_claim", "reserve_points", "release_points", "daily_login", "challenge_reset",
    "pending_campaign_bonus", "profiling_answer", "profiling_flow", "share_intent_success", "visit", "club_create",
    "club_member_join", "club_member_remove", "club_member_ban", "club_member_unban", "club_applicant_accept",
    "club_point_add", "club_point_remove", "club_point_donation", "club_detail_change", "club_revoke_ownership",
    "club_disband", "ski_service", "summit",
)  # fmt: skip
POINTS = {"point_spend": -40, "point_unspend": 40, "summit": 25, "club_point_add": 5, "club_point_remove": -5}
NOTES = (
    'Sagte: "Grüezi, alles gut?"',
    "1. Zeile\n2. Zeile",
    "=SUM(A1:A9)",
    "Ski; Schuhe, Stöcke",
    "übermorgen\tabholen",
    "👍 çok iyi",
)


def events(shared: Sequence[tuple[str, int]]) -> list[Row]:
    """All events; those for `shared` have ids that events of maple have too."""
    rows = [*_joined(), *_baskets(), *_rare(), *_rewards()]
    rows += [_row("daily_login", at, 1 + number % CUSTOMERS, id=id) for number, (id, at) in enumerate(shared)]
    for number, row in enumerate(row for row in rows if "_id" not in row):
        row["_id"] = f"{row['unix_timestamp']:08x}{0x616C706E:08x}{number:06x}00"
    for row in rows:
        if isinstance(row.get("parent"), dict):
            row["parent"] = row["parent"]["_id"]
    return rows


def _row(action: str, at: int, customer: int | None, points: int | None = None, **more: Any) -> Row:
    moment = datetime.fromtimestamp(at, UTC)
    id = more.pop("id", None)
    return {
        **({"_id": id} if id else {}),
        "customer": None if customer is None else str(customer),
        "action": action,
        "account": None if points is None else "main",
        "points": points,
        "timestamp": moment,
        "unix_timestamp": at,
        "process_timestamp": moment + timedelta(milliseconds=at % 1_000),
        "date": moment.astimezone(ZONE).date(),
        "expdate": (moment + timedelta(days=730)).date() if points and points > 0 else None,
        "expired": False if points and points > 0 else None,
        "used_points": 0 if points and points > 0 else None,
        "admin": action in ("ski_service", "refund"),
        "signed": True,
        "source": "Platform" if action in ("ski_service", "refund") else "Events API",
        "properties": {},
        **more,
    }


def _joined() -> Iterator[Row]:
    for number in range(1, CUSTOMERS + 1):
        at = FIRST - 86_400 * (1 + draw.number(700, "alpine joined", number))
        yield _row("opt_in", at, number, properties={"channel": draw.one_of(("App", "Filiale"), "alpine way", number)})
        yield _row("point_add", at + 9, number, 50, properties={"reason": "Willkommen!"}, user_id=1)


def _baskets() -> Iterator[Row]:
    cids = draw.uuids("alpine cid", np.arange(BASKETS)).to_pylist()
    for number, cid in enumerate(cids):
        customer = None if number % 45 == 7 else 1 + draw.number(CUSTOMERS, "alpine buyer", number)
        at = FIRST + draw.number(SECONDS, "alpine basket", number)
        items = [_item(number, one) for one in range(1 + draw.number(4, "alpine items", number))]
        transaction = f"AS-{700_000 + number}"
        common = {"transaction_id": transaction, "store": str(1 + number % STORES), "currency": "CHF", "country": "CH"}
        total = sum(item["rappen"] for item in items)
        checkout = _row(
            "checkout", at, customer, 0, cid=cid, hash=f"checkout-{transaction}",
            properties={
                **common, "total": total / 100, "total_quantity": sum(item["quantity"] for item in items),
                "items": [{"product_id": item["product_id"], "quantity": item["quantity"]} for item in items],
                "discount": 0, "shipping": 7.9 if number % 3 == 0 else 0, "points_burned": 0,
                "points_rewarded": sum(item["rappen"] // 1_000 for item in items),
                "note": draw.one_of((*NOTES, None, None, None), "note", number),
            },
        )  # fmt: skip
        yield checkout
        for item in items:
            yield _line(checkout, common, customer, item, cid)
        if number % 60 == 5:
            yield from _refund(checkout, common, customer, items, cid)


def _item(basket: int, number: int) -> Row:
    product = 1 + draw.number(PRODUCTS, "alpine item", basket, number)
    quantity = 1 + draw.number(3, "alpine quantity", basket, number) // 2
    return {
        "product_id": str(1_000 + product),
        "product_name": GOODS[product % len(GOODS)][0],
        "product_url": f"https://shop.alpinesports.example/p/{1_000 + product}",
        "product_category": GOODS[product % len(GOODS)][1],
        "sku": f"AS-{product:04d}",
        "quantity": quantity,
        "price": price(product) / 100,
        "rappen": price(product) * quantity,
    }


def _line(checkout: Row, common: Row, customer: int | None, item: Row, cid: str) -> Row:
    told = {name: value for name, value in item.items() if name != "rappen"}
    paid = {"discount": 0, "subtotal": item["rappen"] / 100, "total": item["rappen"] / 100, "unit_burn": 0}
    return _row(
        "checkout_item",
        checkout["unix_timestamp"],
        customer,
        item["rappen"] // 1_000,
        cid=cid,
        hash=f"checkout_item-{common['transaction_id']}-{item['product_id']}",
        parent=checkout,
        properties={**common, **told, **paid},
    )


def _refund(checkout: Row, common: Row, customer: int | None, items: Sequence[Row], cid: str) -> Iterator[Row]:
    """Every other taken back purchase is rejected as a whole, the others are refunded item by item."""
    at = checkout["unix_timestamp"] + 3 * 86_400
    told = {"transaction_id": common["transaction_id"], "reason": 'Passt nicht, Farbe "falsch"'}
    if len(items) == 1:
        points = -sum(item["rappen"] // 1_000 for item in items)
        yield _row("checkout_reject", at, customer, points, cid=cid, parent=checkout, properties=told)
        return
    yield _row("refund", at, customer, 0, cid=cid, parent=checkout, properties=told)
    for item in items:
        given = {**told, "product_id": item["product_id"], "quantity": item["quantity"], "total": item["rappen"] / 100}
        yield _row("refund_item", at, customer, -(item["rappen"] // 1_000), cid=cid, parent=checkout, properties=given)


def _rare() -> Iterator[Row]:
    for number in range(6 * len(RARE)):
        action = RARE[number % len(RARE)]
        at = FIRST + draw.number(SECONDS, "alpine rare", number)
        customer = 1 + draw.number(CUSTOMERS, "alpine rare customer", number)
        corrected = {"id": f"{number:024x}", "at": "2017-03-01T10:00:00+01:00", "by": 2}
        yield _row(
            action, at, customer, POINTS.get(action),
            ip_address=f"2001:db8::{number:x}", user_agent='Alpine/3.1 (Android 7; "Größe L", de-CH)',
            change=corrected if number % 20 == 3 else None,
            original="299" if customer == 1 else None,
            user_id=3 if action == "ski_service" else None,
            properties={"note": NOTES[number % len(NOTES)], "altitude": 400 + number},
        )  # fmt: skip


def _rewards() -> Iterator[Row]:
    for number in range(80):
        at = FIRST + draw.number(SECONDS, "alpine reward", number)
        customer = 1 + draw.number(CUSTOMERS, "alpine rewarded", number)
        kind = number % 4
        if kind < 2:
            yield _row("reward", at, customer, -10, properties={"reward": f"{0xA1 + number % 25:024x}"})
        elif kind == 2:
            yield _row("challenge", at, customer, 15, properties={"challenge": f"{0xC1 + number % 25:024x}"})
        else:
            yield _row("coupon_redeem", at, customer, 0, properties={"code": f"SKI-{number:03d}"})
