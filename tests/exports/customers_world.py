"""Customers of two brands with the same ids and different histories, and all that names them."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.exports.customers_oracle import World

Row = dict[str, Any]
GROUPS = {"top": None, "a": "top", "b": "top", "a1": "a", "a2": "a", "a11": "a1", "lone": None, "x": "y", "y": "x"}
"""Four levels, one that stands alone, a circle. Besides, a brand has a group, a reward, a challenge of its name."""
REWARDS, CHALLENGES = ["R1", "R2", "R3"], ["C1", "C2", "C3"]
PRODUCTS = ["P1", "P2", "P3", "P'4", "%"]
ACTIONS = ["visit", "daily_login", "profile", "point_add"]
DAYS = ["2017-03-01", "2017-03-12", "2017-03-26", "2017-03-27", "2017-04-10"]
START = datetime(2017, 2, 25, tzinfo=UTC)
SEGMENTS: dict[str, list[list[Row]]] = {
    "visitors": [[{"attribute": "action_history", "operator": "action_taken",
                   "value": {"ids": ["visit"], "from": "2017-03-12", "to": None, "min": 2}}]],
    "insiders": [[{"attribute": "segments", "operator": "in_segment", "value": {"ids": ["visitors"]}},
                  {"attribute": "group_id", "operator": "in_group", "value": {"ids": ["a"]}}],
                 [{"attribute": "birth_date", "operator": "age_range", "value": [None, 20]}]],
    "strangers": [[{"attribute": "segments", "operator": "not_in_segment", "value": {"ids": ["insiders"]}},
                   {"attribute": "purchases", "operator": "item_not_purchased", "value": {"ids": ["P1"]}}]],
}  # fmt: skip


def world(brand: str) -> World:
    """All rows of a brand, the same every time."""
    pick = random.Random(brand)  # noqa: S311 - the same rows every time
    customers = [_customer(pick, f"c{number:02}") for number in range(60)]
    ids = [one["_id"] for one in customers]
    events = [*_events(pick, ids), *_purchases(pick, ids)]
    for place, one in enumerate(events):
        at = one["timestamp"]
        one |= {"_id": f"e{place:04}", "unix_timestamp": int(at.timestamp()), "date": at.date()}
    rows = {
        "user_groups": [{"id": id, "name": id, "parent": parent} for id, parent in {**GROUPS, brand: None}.items()],
        "rewards": [{"id": id, "name": {"en": id}, "type": "custom", "status": "active", "created_at": START,
                     "group_id": pick.choice([None, [], ["a11"], ["lone", "b"]])} for id in [*REWARDS, brand]],
        "challenges": [{"id": id, "title": {"en": id}, "status": "active", "created_at": START}
                       for id in [*CHALLENGES, brand]],
        "customers": customers,
        "events": events,
        "coupons": [{"_id": f"k{number:02}", "code": "K", "created_at": START, "customer": pick.choice(
            [None, [], [pick.choice(ids)], [pick.choice(ids), pick.choice(ids)], ["nobody"], ["nobody", ids[0]]])}
            for number in range(60)],
        "webhook_logs": [{"_id": f"w{number:02}", "created_at": START, "action": "visit", "status": "done",
                          "customer": pick.choice([None, *ids])} for number in range(60)],
        "segments": [{"id": id, "name": id, "filter": filters} for id, filters in SEGMENTS.items()],
    }  # fmt: skip
    return World(brand, rows, SEGMENTS)


def _customer(pick: random.Random, id: str) -> Row:
    counts = [0, 1, 2, 3, None, "2", "x", 1.5, True]
    times = [
        int((START + timedelta(hours=pick.randrange(1200))).timestamp()),
        None,
        "x",
        1e30,
        1490489999.5,
        "1490490000",
    ]
    return {
        "_id": id,
        "status": pick.choice(["active", "banned"]),
        "created_at": START,
        "birth_date": pick.choice([None, date(2000, 2, 29), date(1999, 3, 1), date(2008, 11, 23), date(2008, 11, 24)]),
        "score": pick.choice([None, 0, 10]),
        "group_id": pick.choice([None, [], ["a11"], ["a2", "lone"], ["b"], ["top"], ["x"], ["gone"]]),
        "rewards": pick.choice([None, {}, {one: pick.choice(counts) for one in pick.sample(REWARDS, 2)}]),
        "activities": pick.choice([None, {}, {one: pick.choice(times) for one in pick.sample(CHALLENGES, 2)}]),
    }


def _moment(pick: random.Random) -> datetime:
    """Often at an hour at which some day begins somewhere, or is set to summer time."""
    return START + timedelta(hours=pick.randrange(1200), seconds=pick.choice([0, 0, 1799, 3599.999999]))


def _events(pick: random.Random, ids: list[str]) -> list[Row]:
    made = []
    for _ in range(400):
        action = pick.choice([*ACTIONS, "reward", "reward"])
        told = {"reward": pick.choice(REWARDS)} if action == "reward" and pick.random() < 0.9 else {}
        customer = pick.choice([None, *ids])
        made.append({"customer": customer, "action": action, "timestamp": _moment(pick), "properties": told})
    return made


def _purchases(pick: random.Random, ids: list[str]) -> list[Row]:
    made = []
    for number in range(150):
        customer, at = pick.choice([None, *ids]), _moment(pick)
        transaction = {"transaction_id": f"T{number}"} if pick.random() < 0.95 else {}
        items = pick.sample(PRODUCTS, pick.randrange(1, 4))
        for product in items:
            told = {**transaction, "product_id": product}
            made.append({"customer": customer, "action": "checkout_item", "timestamp": at, "properties": told})
        fate = pick.choice(["kept", "kept", "checkout_reject", "refund", "partial_refund"])
        if fate != "kept":
            back = {"customer": customer, "timestamp": at + timedelta(days=1)}
            made.append({**back, "action": fate, "properties": transaction})
            if fate == "partial_refund":
                told = {**transaction, "product_id": items[0]}
                made.append({**back, "action": "refund_item", "properties": told})
    return made


def insert(connection: psycopg.Connection[Any], made: World) -> None:
    """Write the rows of a brand."""
    for table, rows in made.rows.items():
        columns = connection.execute(f"SELECT * FROM loyalty.{table} LIMIT 0".encode()).description or []
        json = {one.name for one in columns if one.type_display == "jsonb"}
        for names, alike in groupby(({"brand": made.brand, **row} for row in rows), tuple):
            into = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
                sql.Identifier("loyalty", table),
                sql.SQL(", ").join(map(sql.Identifier, names)),
                sql.SQL(", ").join([sql.Placeholder()] * len(names)),
            )
            values = [
                [Jsonb(one) if name in json and one is not None else one for name, one in row.items()] for row in alike
            ]
            connection.cursor().executemany(into, values)
