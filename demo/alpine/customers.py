"""The 300 customers of Alpine Sports; their balances and purchases follow from the events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from demo import draw
from demo.alpine.events import CUSTOMERS

Row = dict[str, Any]

PEOPLE = (
    ("Zoë", "Müller-Lüdenscheidt"), ("François", "D’Arcy, fils"), ("Łukasz", "Żółć"), ("Åsa", 'Björk "Bibi"'),
    ("Nuño", "Ibáñez"), ("Süleyman", "Öztürk"), ("Ελένη", "Παπαδοπούλου"), ("Иван", "Соколов"), ("美咲", "佐藤"),
    ("محمد", "العلي"), ("שרה", "כהן"), ("Sinéad", "O'Brien; Jr."), ("=Anna", "+Schmid"), ("@Beat", "-Meier"),
    ("Jean\nPaul", "Dupont"), ("Tab\tea", "Fischer"), ("José 👨‍👩‍👧", "Ñandú"), ("e\u0301mile", "Zola"),
    ("Reto", "Caduff"),
    ("Ursina", "Nussbaum-van der Meer"), ("'Peter'", "Weiß"), ("Nguyễn", "Văn An"), ("Maria|Luisa", "Rossi"),
    ("  Leon  ", "Graf"), ("Björn", "\\Backslash\\"),
)  # fmt: skip
SPORTS = ("ski", "freeride", "klettern", "lauf", "velo, MTB", "wandern")
SPENDING = ("reward", "point_spend")


def customers(events: Sequence[Row]) -> list[Row]:
    """Customers "1" to "300"; 299 was merged into 1, and eleven have never bought anything or left."""
    own: dict[str, list[Row]] = {}
    for event in sorted(events, key=lambda row: (row["unix_timestamp"], row["_id"])):
        own.setdefault(event["customer"] or "", []).append(event)
    return [_customer(number, own.get(str(number), [])) for number in range(1, CUSTOMERS + 1)]


def _customer(number: int, events: Sequence[Row]) -> Row:
    return {
        "_id": str(number),
        **_person(number),
        **_membership(number, events),
        **_points(events),
        **_purchases(events),
        **_maps(events),
        "properties": _properties(number),
    }


def _person(number: int) -> Row:
    first, last = PEOPLE[number % len(PEOPLE)]
    return {
        "external_ids": {"sap": f"{900_000 + number}", **({"crm_id": f"CRM-{number:06d}"} if number % 2 else {})},
        "email": None if number % 11 == 0 else f"kunde{number}+alpin@example.org",
        "first_name": first,
        "last_name": last,
        "handler": draw.one_of((None, f"gipfel_{number}", "«Bergziege», 1"), "alpine handler", number),
        "gender": ("female", "male", None)[number % 3],
        "birth_date": None if number % 13 == 0 else _birthday(number),
        "language": ("de", "fr", "it", "de", "en")[number % 5],
        "currency": ("CHF", "CHF", "EUR")[number % 3],
        "country": ("CH", "CH", "CH", "LI", "AT", "DE")[number % 6],
        "mobile_phone": f"+41 79 {number:03d} 00 00",
        "image_url": f"https://img.alpinesports.example/ä/{number}.png" if number % 4 == 0 else None,
    }


def _membership(number: int, events: Sequence[Row]) -> Row:
    joined: datetime = next(event["timestamp"] for event in events if event["action"] == "opt_in")
    logins = [event["timestamp"] for event in events if event["action"] in ("daily_login", "visit")]
    gone = number % 97 == 40
    status = {299: "merged", 298: "banned", 297: "suspended", 296: "pending", 295: "inactive"}.get(number, "active")
    return {
        "membership_id": [f"AS{number:05d}"] + (["alt, 'ersetzt'"] if number % 7 == 0 else []),
        "group_id": [["201"], ["103"], ["202", "101"], []][number % 4],
        "src": ("App", "Filiale", "import:5f1e")[number % 3],
        "referrer": str(number // 2) if number % 10 == 0 else None,
        "referrals": [str(2 * number)] if number % 5 == 0 and 2 * number <= CUSTOMERS else [],
        "status": "opted_out" if gone else status,
        "last_login_at": max(logins, default=None),
        "optin_at": joined,
        "optout_at": datetime(2017, 3, 26, 1, 30, tzinfo=UTC) if gone else None,
        "created_at": joined,
        "updated_at": events[-1]["timestamp"],
        "labels": ["VIP", "Presse, Blog"][: number % 3],
        "lists": ["1"] if number % 9 == 0 else [],
        "clubs": ["garden", "huetten"][: number % 3],
        "campaigns": None,
    }


def _birthday(number: int) -> date:
    """Every twentieth was born on 29 February."""
    return (
        date(1976, 2, 29)
        if number % 20 == 1
        else date(1940, 1, 1) + timedelta(days=draw.number(22_000, "alpine born", number))
    )


def _points(events: Sequence[Row]) -> Row:
    booked = [(event, event["points"]) for event in events if event["points"] is not None]
    spent = -sum(points for event, points in booked if event["action"] in SPENDING)
    score = sum(points for event, points in booked if event["action"] not in SPENDING)
    reserved = 10 if score > 400 else 0
    account = {"earned": score, "reserved": reserved, "spent": spent, "pending": 0, "expired": 0, "negative_points": 0}
    level, name, threshold = ("gipfel", "Gipfel", 150) if score >= 150 else ("tal", "Tal", 0)
    joined = events[0]["timestamp"]
    return {
        "score": score,
        "spent": spent,
        "reserved": reserved,
        "expired": 0,
        "pending": "2.5" if score % 7 == 0 else 0,
        "last_earn_date": max(event["date"] for event, points in booked if points > 0),
        "last_spend_date": max((event["date"] for event, _ in booked if event["action"] in SPENDING), default=None),
        "tiers": {
            "status": {
                "_id": level, "name": name, "points": score, "threshold": threshold, "since": joined.isoformat(),
                "expdate": f"{joined.year + 2}-12-31", "manual": False, "event": events[0]["_id"],
            }
        },
        "accounts": {"main": {"name": "Gipfelpunkte", "type": "standard", **account}},
    }  # fmt: skip


def _purchases(events: Sequence[Row]) -> Row:
    back = {
        event["properties"]["transaction_id"] for event in events if event["action"] in ("refund", "checkout_reject")
    }
    kept = [
        event for event in events if event["action"] == "checkout" and event["properties"]["transaction_id"] not in back
    ]
    if not kept:
        return {}
    return {
        "purchase_total": f"{sum(round(event['properties']['total'] * 100) for event in kept) / 100:.2f}",
        "purchase_count": len(kept),
        "purchase_item_count": sum(len(event["properties"]["items"]) for event in kept),
        "purchase_first_date": kept[0]["date"],
        "purchase_last_date": kept[-1]["date"],
    }


def _maps(events: Sequence[Row]) -> Mapping[str, Row]:
    claims: dict[str, int] = {}
    for event in events:
        if event["action"] == "reward":
            claims[event["properties"]["reward"]] = claims.get(event["properties"]["reward"], 0) + 1
    met = {
        event["properties"]["challenge"]: event["unix_timestamp"] for event in events if event["action"] == "challenge"
    }
    return {"rewards": claims, "activities": met}


def _properties(number: int) -> Row:
    return {
        "sports": [one for one in SPORTS if draw.number(3, "sport", one, number) == 0],
        "shoe_size": 36 + draw.number(12, "shoe", number) + (0.5 if number % 2 else 0),
        "newsletter": number % 3 != 0,
        **(
            {"hut": draw.one_of(("Monte-Rosa-Hütte", "Cabane du Vélan", 'Capanna "Margherita"'), "hut", number)}
            if number % 4
            else {}
        ),
        **({"last_service": f"2017-0{1 + number % 3}-1{number % 10}"} if number % 3 else {}),
    }
