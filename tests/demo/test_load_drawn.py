"""What is drawn agrees with what is real, and is the same every time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from demo import copying, load, maple, retailer
from demo.parts import FIRST_QUARTER, TEST_PART
from exports.catalogue import builtin
from tests.demo.conftest import MODELS

One = Callable[..., Any]
Rows = Callable[..., list[Any]]
DOCS = Path(__file__).parents[2] / "docs" / "demo-data.md"


@pytest.mark.parametrize("brand", ["maple", "alpine"])
@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_at_least_25_records_in_both_brands(one: One, model: str, brand: str) -> None:
    assert one(f"SELECT count(*) FROM loyalty.{model} WHERE brand = %s", brand) >= 25


@pytest.mark.parametrize("table", MODELS)
def test_rows_lie_in_the_order_of_their_keys(rows: Rows, one: One, table: str) -> None:
    names = [
        name for (name,) in rows("SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass", f"loyalty.{table}")
    ]
    key = "_id" if "_id" in names else "id"
    keys = rows(f"SELECT brand, {key} FROM loyalty.{table} ORDER BY ctid")
    assert keys == sorted(keys, key=lambda pair: (pair[0], pair[1].encode()))


def test_event_ids_tell_the_time(one: One) -> None:
    assert one("SELECT count(*) FROM loyalty.events WHERE brand = 'maple' AND _id !~ '^[0-9a-f]{24}$'") == 0
    seconds = "extract(epoch FROM timestamp)::bigint"
    assert one(f"SELECT count(*) FROM loyalty.events WHERE {seconds} <> unix_timestamp") == 0
    told = "('x' || left(_id, 8))::bit(32)::bigint"
    assert one(f"SELECT count(*) FROM loyalty.events WHERE {told} <> unix_timestamp") == 0


BOOKED = """
    SELECT e.brand, e.customer,
        sum(points) FILTER (WHERE action NOT IN ('reward', 'point_sub', 'point_spend')) AS score,
        -sum(points) FILTER (WHERE action IN ('reward', 'point_spend')) AS spent,
        -sum(points) FILTER (WHERE action = 'point_sub') AS expired,
        max(date) FILTER (WHERE points > 0) AS earned_on,
        max(date) FILTER (WHERE action IN ('reward', 'point_spend')) AS spent_on,
        max(timestamp) FILTER (WHERE action IN ('visit', 'daily_login')) AS seen,
        count(*) FILTER (WHERE action = 'reward') AS claims,
        count(DISTINCT properties ->> 'challenge') FILTER (WHERE action = 'challenge') AS challenges
    FROM loyalty.events e GROUP BY e.brand, e.customer
"""
BOUGHT = """
    WITH taken_back AS (
        SELECT brand, properties ->> 'transaction_id' AS transaction FROM loyalty.events
        WHERE action IN ('refund', 'checkout_reject')
    ), items AS (
        SELECT brand, parent, count(*) AS items FROM loyalty.events WHERE action = 'checkout_item' GROUP BY 1, 2
    )
    SELECT c.brand, c.customer, sum((properties ->> 'total')::numeric) AS total, count(*) AS baskets,
        min(date) AS first, max(date) AS last, sum(items) AS items
    FROM loyalty.events c JOIN items i ON (i.brand, i.parent) = (c.brand, c._id)
    WHERE (c.brand, c.properties ->> 'transaction_id') NOT IN (SELECT brand, transaction FROM taken_back)
    GROUP BY c.brand, c.customer
"""


def test_points_of_customers_are_the_sums_over_their_events(one: One) -> None:
    wrong = f"""
        SELECT count(*) FROM loyalty.customers c JOIN ({BOOKED}) e ON (e.brand, e.customer) = (c.brand, c._id)
        WHERE (c.score, c.spent, c.expired, c.last_earn_date, c.last_spend_date, c.last_login_at) IS DISTINCT FROM
            (e.score, coalesce(e.spent, 0), coalesce(e.expired, 0), e.earned_on, e.spent_on, e.seen)
          OR (SELECT coalesce(sum(value::int), 0) FROM jsonb_each_text(c.rewards)) <> e.claims
          OR (SELECT count(*) FROM jsonb_each(c.activities)) <> e.challenges
          OR (c.accounts #>> '{{main,earned}}')::numeric <> c.score
          OR (c.tiers #>> '{{status,points}}')::numeric <> c.score
    """
    assert one(wrong) == 0
    assert one("SELECT count(*) FROM loyalty.customers WHERE spent > 0 AND brand = 'maple'") > 0
    assert one("SELECT count(*) FROM loyalty.customers WHERE activities <> '{}' AND brand = 'maple'") > 0


def test_purchases_of_customers_are_their_checkouts_that_were_not_taken_back(one: One) -> None:
    wrong = f"""
        SELECT count(*) FROM loyalty.customers c LEFT JOIN ({BOUGHT}) e ON (e.brand, e.customer) = (c.brand, c._id)
        WHERE (c.purchase_total, c.purchase_count, c.purchase_item_count, c.purchase_first_date, c.purchase_last_date)
            IS DISTINCT FROM (e.total, e.baskets, e.items, e.first, e.last)
    """
    assert one(wrong) == 0
    assert one("SELECT count(*) FROM loyalty.customers WHERE purchase_count IS NULL AND brand = 'maple'") > 0


def test_nobody_spends_points_before_they_are_earned(one: One) -> None:
    balance = "(snapshot ->> 'score')::numeric - (snapshot ->> 'spent')::numeric - (snapshot ->> 'expired')::numeric"
    assert one(f"SELECT min({balance}) FROM loyalty.events WHERE brand = 'maple'") >= 0


def test_used_points_name_the_events_that_used_them(one: One) -> None:
    wrong = """
        SELECT count(*) FROM loyalty.events e WHERE brand = 'maple' AND points > 0 AND (
            used_points <> (SELECT coalesce(sum(value::numeric), 0) FROM jsonb_each_text(usages))
            OR expired <> (used_points = points)
            OR EXISTS (SELECT FROM jsonb_object_keys(usages) AS by WHERE NOT EXISTS (
                SELECT FROM loyalty.events s
                WHERE (s.brand, s._id, s.customer) = (e.brand, by, e.customer) AND s.points < 0)))
    """
    assert one(wrong) == 0
    gone = "SELECT sum(-points) FROM loyalty.events WHERE brand = 'maple' AND points < 0"
    assert one(gone) == one("SELECT sum(used_points) FROM loyalty.events WHERE brand = 'maple'") > 0


def test_purchases_are_taken_back_with_all_their_points(one: One) -> None:
    wrong = """
        SELECT count(*) FROM (
            SELECT c._id, (c.properties ->> 'points_rewarded')::numeric + sum(b.points) AS left_over
            FROM loyalty.events c JOIN loyalty.events b ON (b.brand, b.parent) = (c.brand, c._id)
            WHERE c.action = 'checkout' AND b.action IN ('refund', 'refund_item', 'checkout_reject')
              AND NOT EXISTS (SELECT FROM loyalty.events p
                              WHERE (p.brand, p.parent, p.action) = (c.brand, c._id, 'partial_refund'))
            GROUP BY c._id, c.properties) x WHERE left_over <> 0
    """
    assert one(wrong) == 0


REFERENCES = {
    "group_id of customers": ("customers, unnest(group_id) AS x", "user_groups"),
    "lists of customers": ("customers, unnest(lists) AS x", "customer_lists"),
    "clubs of customers": ("customers, unnest(clubs) AS x", "clubs"),
    "referrals of customers": ("customers, unnest(referrals) AS x", "customers"),
    "rewards of customers": ("customers, jsonb_object_keys(rewards) AS x", "rewards"),
    "activities of customers": ("customers, jsonb_object_keys(activities) AS x", "challenges"),
    "customer of coupons": ("coupons, unnest(customer) AS x", "customers"),
    "products of pools": ("coupon_pools, unnest(products) AS x", "products"),
    "stores of pools": ("coupon_pools, unnest(stores) AS x", "stores"),
    "segments of rewards": ("rewards, unnest(segments) AS x", "segments"),
    "groups of rewards": ("rewards, unnest(group_id) AS x", "user_groups"),
    "segments of challenges": ("challenges, unnest(segments) AS x", "segments"),
    "products of events": ("events, LATERAL (SELECT properties ->> 'product_id') AS e(x)", "products"),
    "stores of events": ("events, LATERAL (SELECT properties ->> 'store') AS e(x)", "stores"),
    "rewards of events": ("events, LATERAL (SELECT properties ->> 'reward') AS e(x)", "rewards"),
    "challenges of events": ("events, LATERAL (SELECT properties ->> 'challenge') AS e(x)", "challenges"),
    "tiers' events": ("customers, LATERAL (SELECT tiers #>> '{status,event}') AS e(x)", "events"),
}
UNLISTED = 8
"""Links of coupons to six products that the package does not list."""


@pytest.mark.parametrize("what", REFERENCES)
def test_ids_in_lists_and_objects_are_there_in_the_same_brand(one: One, what: str) -> None:
    from_, table = REFERENCES[what]
    key = "_id" if table in ("customers", "events") else "id"
    lost = one(
        f"SELECT count(*) FROM loyalty.{from_} WHERE x IS NOT NULL AND NOT EXISTS"
        f" (SELECT FROM loyalty.{table} t WHERE t.brand = {from_.split(',')[0]}.brand AND t.{key} = x)"
    )
    assert lost == (UNLISTED if what == "products of pools" else 0)


def test_segments_hold_filters_that_name_fields_of_customers(rows: Rows) -> None:
    from demo.brands import BRANDS

    known = {one.source_key: {f.id for f in one.fields if f.model == "customers"} for one in BRANDS}
    segments = rows("SELECT brand, id, filter FROM loyalty.segments")
    ids = {(brand, id) for brand, id, _ in segments}
    used = set()
    for brand, _, sets in segments:
        for criterion in (one for set_ in sets for one in set_):
            assert criterion["attribute"] in known[brand] | builtin().models["customers"].fields.keys()
            used.add(criterion["operator"])
            if criterion["attribute"] == "segments":
                assert {(brand, id) for id in criterion["value"]["ids"]} <= ids
    assert {"in_segment", "not_in_segment", "lt", "gte", "in"} <= used


# --- the same every time ----------------------------------------------------------------------------------------------

DIGESTS = """
import hashlib
from demo import copying, load, retailer
from demo.parts import TEST_PART
for brand, table, pieces in load.tables(retailer.read(TEST_PART), 1):
    print(brand, table, hashlib.sha256(b"".join(copying.as_csv(brand, piece) for piece in pieces)).hexdigest())
"""


@pytest.fixture(scope="module")
def built() -> dict[tuple[str, str], list[pa.Table]]:
    """The pieces of every table of the first week, by brand and table."""
    return {(brand, table): list(pieces) for brand, table, pieces in load.tables(retailer.read(TEST_PART), 1)}


def test_another_process_makes_the_same_bytes(built: dict[tuple[str, str], list[pa.Table]]) -> None:
    environment = {**os.environ, "PYTHONHASHSEED": "1", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    command = [sys.executable, "-c", DIGESTS]
    printed = subprocess.run(
        command, cwd=DOCS.parents[1], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    ours = [
        f"{brand} {table} {sha256(b''.join(copying.as_csv(brand, piece) for piece in pieces)).hexdigest()}"
        for (brand, table), pieces in built.items()
    ]
    assert printed.stdout.splitlines() == ours
    assert len(ours) == 2 * 20


def test_a_part_is_the_beginning_of_a_larger_one(built: dict[tuple[str, str], list[pa.Table]]) -> None:
    names = ["_id", "customer", "action", "points", "parent", "hash", "properties"]
    week = pa.concat_tables(built["maple", "events"]).select(names)
    quarter = pa.concat_tables(dict(maple.Maple(retailer.read(FIRST_QUARTER)).tables())["events"]).select(names)
    assert quarter.slice(0, len(week)).equals(week)
    assert f"{len(quarter):,}" in DOCS.read_text()
