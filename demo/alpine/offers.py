"""Coupon pools, coupons, rewards and challenges of Alpine Sports: every type and every status."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demo import draw
from demo.alpine.events import CUSTOMERS
from demo.columns import Json

Row = dict[str, Any]
POOLS, REWARDS, CHALLENGES, COUPONS = 26, 26, 26, 240
TYPES = ("amount", "percentage", "free_shipping", "gift_card")
STATUSES = ("active", "active", "inactive", "draft", "archived")
REWARD_TYPES = (
    "coupon", "physical", "virtual", "bundle", "content", "custom", "gift_card", "download", "dynamic",
    "dynamic_coupon", "promotion", "bidding",
)  # fmt: skip
FUTURE, PAST, SPENT = "2099-12-31T22:59:59Z", "2017-02-28T22:59:59Z", "2017-02-03T09:30:00Z"


def pools() -> list[Row]:
    """Pools with ids ...e1 on."""
    return [_pool(number) for number in range(POOLS)]


def _pool(number: int) -> Row:
    type = TYPES[number % 4]
    card = type == "gift_card"
    return {
        "id": f"{0xE1 + number:024x}",
        "external_id": f"pool-{number}" if number % 2 else None,
        "name": f'Gutschein «{type}», "{number}"',
        "source": ("uploaded", "generated", "remote", "bulk generation")[number % 4],
        "type": type,
        "value": {"amount": "7.50", "percentage": "12.5", "gift_card": "50"}.get(type),
        "minimum_value": 5 if card else None,
        "minimum_redemption_value": 10 if card else None,
        "currency": "CHF" if card else None,
        "purchase_minimum": "99.90" if number % 3 == 0 else None,
        "expiration_time": "2 months" if number % 2 else None,
        "aggregated": number % 13 == 0,
        "products": [str(1_001 + number), str(1_002 + number)] if number % 5 == 0 else [],
        "stores": ["1", "2"] if number % 6 == 0 else [],
        "pattern": "SKI-###^^",
        "group_id": [["101"], ["103"], []][number % 3],
        "status": ("active", "active", "inactive", "archived", "draft")[number % 5],
        "created_at": f"2016-11-{1 + number:02d}T08:00:00Z",
        "updated_at": None,
        "properties": {"kostenstelle": f"K-{100 + number}"},
    }


def coupons(pools: Sequence[Row], rewards: Sequence[Row]) -> list[Row]:
    """Coupons of every status: one in six each, and a generic code that all customers share."""
    return [_coupon(number, pools[number % len(pools)], rewards[number % len(rewards)]) for number in range(COUPONS)]


def _coupon(number: int, pool: Row, reward: Row) -> Row:
    fate = ("unassigned", "claimed", "redeemed", "partly", "expired", "invalid")[number % 6]
    card = fate == "partly" or pool["type"] == "gift_card"
    owner = None if fate == "unassigned" else str(1 + draw.number(CUSTOMERS, "alpine coupon", number))
    balance = {"redeemed": 0, "partly": "17.35"}.get(fate, 50)
    return {
        "_id": f"coupon_{number:06d}",
        "code": "HÜTTE" if number % 40 == 7 else f"SKI-{number:03d}",
        "customer": [owner] if owner else None,
        "name": {"de": f"Gutschein {number}", "en": f"Voucher {number}", "fr": f"Bon n° {number}"},
        "type": "gift_card" if card else pool["type"],
        "value": 50 if card else pool["value"],
        "currency": "CHF" if card else None,
        "balance": balance if card else None,
        "min_amount": 5 if card and fate != "redeemed" else None,
        "min_redemption_value": 10 if card else None,
        "purchase_threshold": "49.90" if number % 8 == 0 else None,
        "pool": pool["id"],
        **_coupon_life(number, fate, owner, reward),
        "stores": ["1", "4"] if number % 9 == 0 else [],
        "products": ["1001"] if number % 10 == 0 else [],
        "properties": {"kampagne": "Winter, 2017", "druck": number % 2 == 0},
    }


def _coupon_life(number: int, fate: str, owner: str | None, reward: Row) -> Row:
    redeemed = {"redeemed": [SPENT], "partly": [SPENT, "2017-03-04T17:05:59.75Z"]}.get(fate)
    return {
        "parent": reward["id"] if owner else None,
        "original": "299" if number % 60 == 4 else None,
        "aggregated": number % 40 == 7,
        "claims": 1 if owner else 0,
        "redeems": len(redeemed or []),
        "transfers": 1 if number % 60 == 4 else 0,
        "created_at": "2016-12-01T08:00:00Z",
        "claimed_at": "2017-01-20T18:45:10Z" if owner else None,
        "redeemed_at": redeemed,
        "expiration_date": PAST if fate == "expired" else (FUTURE if number % 2 else None),
        "expires_in": "2 months" if fate == "unassigned" else None,
        "invalidated_at": "2017-03-15T10:00:00Z" if fate == "invalid" else None,
        "invalidated_by": 2 if fate == "invalid" else None,
    }


def rewards(pools: Sequence[Row]) -> list[Row]:
    """Rewards with ids ...a1 on; the events claim the first 25 of them."""
    return [_reward(number, pools[number % len(pools)]["id"]) for number in range(REWARDS)]


def _reward(number: int, pool: str) -> Row:
    type = REWARD_TYPES[number % len(REWARD_TYPES)]
    return {
        "id": f"{0xA1 + number:024x}",
        "name": {"de": f"Prämie «{number}», {type}", "en": f'Reward "{number}"', "fr": f"Récompense n° {number}"},
        "description": {"de": "Für Gipfelstürmer;\nsolange Vorrat.", "it": "Finché c’è."},
        "terms": {"de": "Keine Barauszahlung."} if number % 2 else None,
        "redeem_instructions": {"de": "An der Kasse zeigen"},
        "claim_button_label": {"de": "Holen!"},
        "restricted_message": {"de": "Nur für Mitglieder"} if number % 5 == 0 else None,
        "type": type,
        "status": STATUSES[number % 5],
        "category": ("coupons", "gifts", None)[number % 3],
        "account": ("main", "bonus")[number % 2],
        "price": {"CHF": 100 + number, "EUR": 95 + number} if number % 2 else Json(100 + number),
        "cost": "12.345" if number % 4 == 0 else None,
        "stock": None if number % 4 else 0,
        "max_claims": 1 + number % 3,
        "repeat_interval": "1 week" if number % 3 == 0 else None,
        "starts_at": (None, "2017-01-01T00:00:00+01:00", "2099-01-01T00:00:00+01:00")[number % 3],
        "ends_at": (FUTURE, PAST, None)[number % 3] if number % 3 != 2 else None,
        "segments": [["heavy_buyers"], [], ["freeriders", "lapsed"]][number % 3],
        "hidden": number % 7 == 0,
        "hide_restricted": False,
        "notifications": True,
        "user_notifications": number % 2 == 0,
        "countdown_until_start": False,
        "countdown_until_end": number % 2 == 1,
        "display_coming_soon": number % 3 == 2,
        **_reward_by_type(number, type, pool),
        "image": {"small": f"https://img.alpinesports.example/r/{number}-s.png"},
        "gallery": Json(
            [{"small": f"https://img.alpinesports.example/g/{number}-{one}.png"} for one in range(number % 3)]
        ),
        "stores": ["1"] if number % 4 == 1 else [],
        "custom_data": {"lager": "Zürich, Halle 3"} if number % 2 else None,
        "group_id": [["101"], []][number % 2],
        "created_at": f"2016-12-{1 + number:02d}T09:15:00Z",
        "properties": {"partner": ("Hüttenwerk AG", "Firn & Co.")[number % 2]},
    }


def _reward_by_type(number: int, type: str, pool: str) -> Row:
    coupon = type in ("coupon", "dynamic_coupon", "gift_card")
    dynamic = type.startswith("dynamic")
    return {
        "coupon_pool": pool if coupon else None,
        "exchange_rate": "0.015" if dynamic else None,
        "max_price": 5_000 if dynamic else None,
        "price_step": 100 if dynamic else None,
        "transferable": coupon,
        "transfer_points": 5 if coupon else None,
        "transfer_limit": 1 if coupon else None,
        "transfer_coupon_expiration": ("remain", "modify", "extend")[number % 3] if coupon else None,
        "transfer_coupon_expires_in": "2 weeks" if coupon and number % 3 == 1 else None,
    }


def challenges() -> list[Row]:
    """Challenges with ids ...c1 on; the events complete the first 25 of them."""
    return [_challenge(number) for number in range(CHALLENGES)]


def _challenge(number: int) -> Row:
    steps = [
        {
            "action": action,
            "message": {"de": f"Schritt «{action}»"},
            "threshold": 1 + number % 4,
            "filters": {"store": "1"} if number % 2 else None,
            "period": {"count": 3, "unit": "week"} if number % 3 == 0 else None,
        }
        for action in ("checkout", "summit", "ski_service")[: 1 + number % 3]
    ]
    return {
        "id": f"{0xC1 + number:024x}",
        "title": {"de": f"{1 + number} Höhenmeter, täglich", "en": f'Climb "{1 + number}"'},
        "description": {"de": "Erste Zeile\nZweite Zeile"} if number % 2 else None,
        "cta_label": {"de": "Los geht’s"},
        "message": None,
        "hidden": number % 6 == 0,
        "status": STATUSES[number % 5],
        "category": ("Sommer", "Winter", None)[number % 3],
        "points": 15 if number % 4 else None,
        "url": f"https://alpinesports.example/ch/{number}?ü=1",
        "image": {"small": f"https://img.alpinesports.example/c/{number}.png"} if number % 2 else None,
        "starts_at": "2016-12-01T00:00:00+01:00",
        "ends_at": FUTURE if number % 2 else None,
        "created_at": f"2016-11-{1 + number:02d}T10:00:00Z",
        "max_completions": 1 + number % 5,
        "tags": ["hoch", "weit, lang"][: number % 3],
        "segments": ["heavy_buyers"] if number % 8 == 0 else [],
        "lists": ["1"] if number % 9 == 0 else [],
        "resettable": number % 3 == 0,
        "criteria": Json(steps),
        "account": "main",
        "group_id": [],
        "properties": {"sponsor": ("Höhenweg", None)[number % 2]},
    }
