"""The program around the real data: accounts, segments, lists, staff, and rewards and challenges of the campaigns."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from demo import draw
from demo.columns import Json
from demo.maple.campaigns import Campaigns, group_of
from demo.maple.customers import moment

Row = dict[str, Any]

ACCOUNTS = [
    {"id": "main", "name": "Points", "type": "standard"},
    {"id": "status", "name": "Status points", "type": "status_points"},
]
LISTS = [
    {"id": "1", "name": "Recipe club"},
    {"id": "2", "name": "Store openings 2017"},
    {"id": "3", "name": "Feedback panel"},
    {"id": "4", "name": "Wine tasting guests"},
]
CLUBS = [{"id": id, "name": f"{id.title()} club"} for id in ("baby", "baking", "garden", "wine")]
CATEGORIES = [
    {"id": "coupons", "name": "Coupons"},
    {"id": "experiences", "name": "Experiences"},
    {"id": "gifts", "name": "Gifts"},
    {"id": "vouchers", "name": "Vouchers"},
]
STAFF = [
    {"id": str(number), "name": name, "email": f"{name.split()[0].lower()}@maplegrocers.example"}
    for number, name in enumerate(
        ("Import service", "Grace Abbott", "Luis Ortega", "Hannah Weiss", "Tom O'Neill", "Mei Lin", "Dana Petrov"),
        start=1,
    )
]
SITES = [
    {"id": "crm", "name": "CRM", "url": "https://crm.maplegrocers.example/hooks"},
    {"id": "mail", "name": "Mail provider", "url": "https://mail.maplegrocers.example/api"},
    {"id": "shop", "name": "Web shop", "url": "https://shop.maplegrocers.example/loyalty"},
]
CUSTOM_EVENTS = [{"id": "recipe_saved", "label": "Recipe saved"}, {"id": "survey_answered", "label": "Survey answered"}]


def _is(attribute: str, operator: str, value: Any) -> Row:
    return {"attribute": attribute, "operator": operator, "value": value}


_KIDS = _is("kids_count", "in", ["1", "2", "3+"])
SEGMENTS = [
    {
        "id": "heavy_buyers",
        "name": "Heavy buyers",
        "status": "active",
        "filter": Json([[_is("purchase_total", "gte", 1000), _is("status", "equals", "active")]]),
    },
    {
        "id": "lapsed",
        "name": "Lapsed: no purchase since February 2017",
        "status": "active",
        "filter": Json([[_is("purchase_last_date", "lt", "2017-03-01")]]),
    },
    {
        "id": "win_back",
        "name": "Win back: heavy buyers and young families who lapsed",
        "status": "inactive",
        "filter": Json(
            [
                [_is("segments", "in_segment", {"ids": ["lapsed"]}), _is("purchase_total", "gte", 250)],
                [
                    _is("segments", "in_segment", {"ids": ["lapsed"]}),
                    _is("segments", "in_segment", {"ids": ["young_families"]}),
                ],
            ]
        ),
    },
    {
        "id": "young_families",
        "name": "Young families",
        "status": "active",
        "filter": Json([[_KIDS, _is("age_group", "in", ["19-24", "25-34", "35-44"])]]),
    },
]


def rewards(campaigns: Campaigns) -> list[Row]:
    """One coupon reward per campaign, open as long as the campaign, and eight that anybody can claim."""
    return [
        *(_campaign_reward(campaigns, number) for number in range(len(campaigns.id))),
        *map(_other_reward, range(8)),
    ]


def _campaign_reward(campaigns: Campaigns, number: int) -> Row:
    campaign, price = int(campaigns.id[number]), int(campaigns.price[number])
    starts, ends = moment(campaigns.starts[number]), moment(campaigns.ends[number])
    return {
        "id": campaigns.reward[number].as_py(),
        "name": {"en": f"Coupon of campaign {campaign}", "es": f"Cupón de la campaña {campaign}"},
        "description": {"en": f"One coupon of your choice, {campaigns.type[number].lower()}.\nValid in all stores."},
        "terms": {"en": 'One coupon per claim; "buy one, get one" offers are excluded.'},
        "redeem_instructions": {"en": "Show the code at the till."},
        "claim_button_label": {"en": "Get it", "es": "Obtener"},
        "restricted_message": {"en": "This coupon is for invited households."},
        "type": "coupon",
        "status": "active" if campaign % 5 else "inactive",
        "category": "coupons",
        "account": "main",
        "price": {"USD": price} if campaign % 2 else Json(price),
        "cost": f"{price / 40:.2f}",
        "max_claims": 30,
        "repeat_interval": draw.one_of((None, "1 week", "1 day"), "repeat", campaign),
        "starts_at": starts,
        "ends_at": ends,
        "segments": [["young_families"], [], []][campaign % 3],
        **_switches(campaign),
        "transferable": False,
        "image": _images("rewards", campaign),
        "group_id": [group_of(campaign)],
        "created_at": starts - timedelta(days=21),
        "properties": {
            "campaign": campaign,
            "cost_center": draw.one_of(("4711", "4712", "4720"), "cost center", campaign),
        },
    }


_OTHERS = (
    ("Canvas bag", "physical", 120, "gifts"),
    ("Cooking class", "custom", 900, "experiences"),
    ("Gift card, $10", "gift_card", 1_000, "vouchers"),
    ("Gift card, $25", "gift_card", 2_400, "vouchers"),
    ("Recipe book (download)", "download", 80, "gifts"),
    ("Free delivery for a month", "virtual", 300, "vouchers"),
    ("Wine tasting, bidding", "bidding", 500, "experiences"),
    ("Donate a meal", "promotion", 150, None),
)


def _other_reward(number: int) -> Row:
    name, type, price, category = _OTHERS[number]
    return {
        "id": draw.object_ids("other reward", np.array([number]))[0].as_py(),
        "name": {"en": name},
        "description": {"en": f"{name} for {price} points."},
        "type": type,
        "status": ("active", "active", "draft", "archived")[number % 4],
        "category": category,
        "account": "main",
        "price": Json(price),
        "cost": f"{price / 50:.2f}",
        "stock": 40 * (number + 1),
        **_switches(number + 100),
        "max_price": price * 2 if type == "bidding" else None,
        "price_step": 10 if type == "bidding" else None,
        "transferable": number % 2 == 0,
        "transfer_points": 10 if number % 2 == 0 else None,
        "transfer_limit": 2 if number % 2 == 0 else None,
        "transfer_coupon_expiration": ("remain", "modify", "extend")[number % 3],
        "transfer_coupon_expires_in": "2 weeks" if number % 3 == 1 else None,
        "stores": ["367", "406"] if number % 3 == 0 else [],
        "custom_data": {"supplier": f"S-{100 + number}"},
        "created_at": moment(1_456_000_000 + number * 1_000_000),
        "properties": {"cost_center": "4799"},
    }


def _switches(key: int) -> Row:
    names = (
        "hidden", "hide_restricted", "notifications", "user_notifications",
        "countdown_until_start", "countdown_until_end", "display_coming_soon",
    )  # fmt: skip
    return {name: draw.number(4, name, key) == 0 for name in names}


def _images(kind: str, key: int) -> Row:
    return {size: f"https://img.maplegrocers.example/{kind}/{key}-{size}.jpg" for size in ("small", "medium", "large")}


def challenges(campaigns: Campaigns) -> list[Row]:
    """One challenge per campaign: buy what it promotes, in its time."""
    return [_challenge(campaigns, number) for number in range(len(campaigns.id))]


def _challenge(campaigns: Campaigns, number: int) -> Row:
    campaign = int(campaigns.id[number])
    starts, ends = moment(campaigns.starts[number]), moment(campaigns.ends[number])
    bought = {"action": "checkout_item", "message": {"en": "Buy a product of the flyer"}, "threshold": 1}
    return {
        "id": campaigns.challenge[number].as_py(),
        "title": {"en": f"Taste campaign {campaign}", "es": f"Prueba la campaña {campaign}"},
        "description": {
            "en": f'Buy one product of flyer {campaign} ("{campaigns.type[number]}")\nbefore {ends:%Y-%m-%d}.'
        },
        "cta_label": {"en": "See the flyer"},
        "message": {"en": "For invited households only."},
        "hidden": campaign % 6 == 0,
        "status": "active" if campaign % 4 else "inactive",
        "category": draw.one_of(("fresh", "pantry", "household"), "challenge category", campaign),
        "points": int(campaigns.prize[number]),
        "url": f"https://shop.maplegrocers.example/flyer/{campaign}",
        "image": _images("challenges", campaign),
        "starts_at": starts,
        "ends_at": ends,
        "created_at": starts - timedelta(days=10),
        "max_completions": 1,
        "tags": ["flyer", f"type {campaigns.type[number][-1]}"],
        "segments": ["heavy_buyers"] if campaign % 9 == 0 else [],
        "lists": ["3"] if campaign % 11 == 0 else [],
        "resettable": campaign % 5 == 0,
        "criteria": Json([{**bought, "filters": {"campaign": campaign}, "period": None}]),
        "account": "main",
        "group_id": [group_of(campaign)],
        "properties": {"campaign": campaign},
    }
