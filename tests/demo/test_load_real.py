"""What is real in the demo data is what the package ships, line for line."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from demo import retailer

One = Callable[..., Any]
Rows = Callable[..., list[Any]]
Package = Callable[[str], pd.DataFrame]
EVENTS = "FROM loyalty.events WHERE brand = 'maple' AND action = %s"


def test_each_line_is_a_checkout_item_and_each_basket_a_checkout(one: One, week: pd.DataFrame) -> None:
    assert one(f"SELECT count(*) {EVENTS}", "checkout_item") == len(week) == 28_820
    assert one(f"SELECT count(*) {EVENTS}", "checkout") == week["basket_id"].nunique() == 2_745


def test_items_say_what_the_lines_say(rows: Rows, week: pd.DataFrame) -> None:
    found = rows(
        "SELECT customer, properties ->> 'store', properties ->> 'transaction_id', properties ->> 'product_id',"
        " (properties ->> 'quantity')::bigint, (properties ->> 'total')::numeric, (properties ->> 'discount')::numeric,"
        f" points, timestamp AT TIME ZONE 'America/New_York' {EVENTS}",
        "checkout_item",
    )
    cents = {name: np.rint(week[name] * 100).astype(int) for name in ("sales_value", "retail_disc", "coupon_disc")}
    discount = cents["retail_disc"] + cents["coupon_disc"] + np.rint(week["coupon_match_disc"] * 100).astype(int)
    wanted = zip(
        *(week[name].astype(str) for name in ("household_id", "store_id", "basket_id", "product_id")),
        week["quantity"],
        (Decimal(one) / 100 for one in cents["sales_value"].tolist()),
        (Decimal(one) / 100 for one in discount.tolist()),
        (one // 100 for one in cents["sales_value"].tolist()),
        week["transaction_timestamp"].dt.to_pydatetime(),
        strict=True,
    )
    assert sorted(found) == sorted(wanted)


def test_a_checkout_adds_up_its_items_and_is_their_parent(one: One) -> None:
    wrong = one(
        """
        SELECT count(*) FROM loyalty.events c, LATERAL (
            SELECT count(*) AS lines, sum((properties ->> 'total')::numeric) AS total, sum(points) AS points,
                   sum((properties ->> 'quantity')::bigint) AS quantity, min(date) AS date,
                   sum((properties ->> 'discount')::numeric) AS discount
            FROM loyalty.events i
            WHERE i.brand = c.brand AND i.parent = c._id AND i.action = 'checkout_item' AND i.customer = c.customer
              AND i.timestamp = c.timestamp AND i.properties ->> 'transaction_id' = c.properties ->> 'transaction_id'
        ) i
        WHERE c.brand = 'maple' AND c.action = 'checkout'
          AND (i.lines, i.total, i.points, i.quantity, i.discount, i.date)
            IS DISTINCT FROM ((c.properties ->> 'lines')::bigint, (c.properties ->> 'total')::numeric,
                (c.properties ->> 'points_rewarded')::numeric, (c.properties ->> 'total_quantity')::bigint,
                (c.properties ->> 'discount')::numeric, c.date)
        """
    )
    assert wrong == 0


@pytest.mark.parametrize(
    ("counted", "rows_"),
    [
        ("FROM loyalty.products", 92_331 + 17),
        ("FROM loyalty.stores", 457),
        ("FROM loyalty.customers", 2_469),
        ("FROM loyalty.coupon_pools", 1_197),
        ("FROM loyalty.coupon_pools, unnest(products) WHERE true", 116_204),
        ("FROM loyalty.customers, unnest(group_id) WHERE true", 6_589),
        ("FROM loyalty.user_groups WHERE parent IS NOT NULL", 27),
        ("FROM loyalty.customers WHERE properties ? 'income'", 801),
    ],
)
def test_everything_beside_the_events_is_there_in_every_part(one: One, counted: str, rows_: int) -> None:
    condition = " AND " if "WHERE" in counted else " WHERE "
    assert one(f"SELECT count(*) {counted}{condition}brand = 'maple'") == rows_


def test_demographics_are_those_of_the_package(rows: Rows, package: Package) -> None:
    answers = {str(one.pop("household_id")): one for one in package("demographics").to_dict("records")}
    asked = next(iter(answers.values())).keys()
    found = rows("SELECT _id, properties FROM loyalty.customers WHERE brand = 'maple' AND properties ? 'income'")
    for id, properties in found:
        known = {name: value for name, value in answers[id].items() if isinstance(value, str)}
        assert {name: value for name, value in properties.items() if name in asked} == known


def test_ages_fit_the_age_group(one: One) -> None:
    statement = """
        SELECT count(*) FROM loyalty.customers, LATERAL (
            SELECT extract(year FROM age(date '2017-01-01', birth_date)) AS years,
                   split_part(rtrim(properties ->> 'age', '+'), '-', 1)::int AS low,
                   coalesce(nullif(split_part(properties ->> 'age', '-', 2), ''), '99')::int AS high
        ) a WHERE brand = 'maple' AND properties ? 'age' AND birth_date IS NOT NULL AND years {} BETWEEN low AND high
    """
    assert one(statement.format("NOT")) == 0
    assert one(statement.format("")) > 700


def test_members_of_a_campaign_are_those_of_the_package(rows: Rows, package: Package) -> None:
    found = rows("SELECT _id, unnest(group_id) FROM loyalty.customers WHERE brand = 'maple'")
    wanted = package("campaigns")
    assert {(household, int(group) - 200) for household, group in found} == set(
        zip(wanted["household_id"].astype(str), wanted["campaign_id"], strict=True)
    )


def test_redemptions_of_the_week_are_events_and_redeemed_coupons(rows: Rows, one: One, package: Package) -> None:
    redeemed = package("coupon_redemptions")
    redeemed = redeemed[redeemed["redemption_date"] < "2017-01-08"]
    found = rows(
        f"SELECT customer, properties ->> 'coupon_upc', (properties ->> 'campaign')::int, date {EVENTS}",
        "coupon_redeem",
    )
    wanted = redeemed[["household_id", "coupon_upc", "campaign_id", "redemption_date"]]
    assert sorted(found) == sorted(
        (str(household), str(upc), campaign, day.date())
        for household, upc, campaign, day in wanted.itertuples(index=False)
    )
    coupons = """
        SELECT count(*) FROM loyalty.coupons c JOIN loyalty.coupon_pools p ON (p.brand, p.id) = (c.brand, c.pool)
        JOIN loyalty.events e ON e.brand = c.brand AND e.action = 'coupon_redeem' AND e.customer = c.customer[1]
            AND e.properties ->> 'code' = c.code AND e.timestamp = c.redeemed_at[1]
            AND e.properties ->> 'coupon_upc' = p.properties ->> 'coupon_upc'
        WHERE c.brand = 'maple' AND cardinality(c.redeemed_at) = 1
    """
    assert one(coupons) == len(redeemed)


def test_every_household_of_a_campaign_has_a_coupon_of_each_of_its_pools(one: One, package: Package) -> None:
    campaigns, pools = package("campaign_descriptions"), package("coupons")[["campaign_id", "coupon_upc"]]
    begun = campaigns.loc[campaigns["start_date"] < "2017-01-08", "campaign_id"]
    pairs = package("campaigns").merge(pools.drop_duplicates(), on="campaign_id")
    pairs = pairs[pairs["campaign_id"].isin(begun)]
    found = one("SELECT count(DISTINCT (properties ->> 'sent_to', pool)) FROM loyalty.coupons WHERE brand = 'maple'")
    assert found == len(pairs)


def test_local_times_become_moments_by_the_rule_of_postgresql(rows: Rows) -> None:
    local = np.array(
        ["2017-03-12T01:59:59", "2017-03-12T02:00:00", "2017-03-12T02:59:59", "2017-03-12T03:00:00",
         "2017-07-01T12:00:00", "2017-11-05T00:59:59", "2017-11-05T01:00:00", "2017-11-05T01:59:59",
         "2017-11-05T02:00:00"],
        "datetime64[s]",
    )  # fmt: skip
    statement = "SELECT extract(epoch FROM t AT TIME ZONE 'America/New_York')::bigint FROM unnest(%s::timestamp[]) t"
    assert [at for (at,) in rows(statement, [str(one) for one in local])] == retailer.to_utc(local).tolist()


@pytest.fixture(scope="module")
def year() -> retailer.Retailer:
    from demo.parts import ALL

    return retailer.read(ALL)


def test_the_whole_year_has_the_numbers_that_the_owner_names(year: retailer.Retailer, package: Package) -> None:
    assert len(year.lines.product) == 1_469_307
    assert len(year.baskets.id) == len(np.unique(year.baskets.id)) == 155_848
    assert len(year.households) == 2_469
    assert len(year.redemptions) == 2_102
    assert year.lines.total.sum() == round(
        pd.read_parquet(retailer.folder() / "transactions.parquet")["sales_value"].sum() * 100
    )


def test_the_first_quarter_ends_at_midnight_in_new_york(week: pd.DataFrame, package: Package) -> None:
    from demo.parts import FIRST_QUARTER

    quarter = retailer.read(FIRST_QUARTER)
    assert len(quarter.lines.product) == (package("transactions")["transaction_timestamp"] < "2017-04-01").sum()
    assert quarter.baskets.at.max() < quarter.until == pd.Timestamp("2017-04-01", tz="America/New_York").timestamp()
