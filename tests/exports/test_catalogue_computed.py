"""The computed fields of the built-in catalogue give what their descriptions promise."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import Connection, Date, DateTime, String, bindparam, text

from exports.catalogue import builtin

MOMENT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)


def values(loyalty: Connection, field: str) -> list[Any]:
    """A field of every record of the brand maple, in key order."""
    id, name = field.split(".")
    model = builtin().models[id]
    wanted = model.fields[name].sql or model.fields[name].column
    statement = text(f"select {wanted} from {model.table} where {model.brand} = :tenant order by {model.key}")
    binds = {"today": (TODAY, Date()), "moment": (MOMENT, DateTime(True)), "brand": ("maple", String())}
    for bind, (value, kind) in binds.items():
        if f":{bind}" in wanted:
            statement = statement.bindparams(bindparam(bind, value, kind))
    return list(loyalty.execute(statement, {"tenant": "maple"}).scalars())


def insert(loyalty: Connection, table: str, *rows: str) -> None:
    """Records of the brand maple, each as `column, column: value, value`."""
    for row in rows:
        columns, cells = row.split(":", 1)
        loyalty.exec_driver_sql(f"insert into loyalty.{table} (brand, {columns}) values ('maple', {cells})")


def test_the_status_of_a_coupon_follows_from_its_dates_and_balance(loyalty: Connection) -> None:
    coupon = "_id, code, created_at"
    insert(
        loyalty,
        "coupons",
        f"{coupon}: '1 unassigned', 'A', now()",
        f"{coupon}, customer: '2 claimed', 'A', now(), '{{C1}}'",
        f"{coupon}, claimed_at, expiration_date: '3 claimed', 'A', now(), '2026-01-01', '2026-11-23 10:00:01+00'",
        f"{coupon}, claimed_at, expiration_date: '4 expired', 'A', now(), '2026-01-01', '2026-11-23 10:00:00+00'",
        f"{coupon}, redeemed_at, expiration_date: '5 redeemed', 'A', now(), '{{2026-02-01}}', '2026-03-01'",
        f"{coupon}, redeemed_at, type, balance: '6 redeemed', 'A', now(), '{{2026-02-01}}', 'gift_card', 0",
        f"{coupon}, redeemed_at, type, balance: '7 partially_redeemed', 'A', now(), '{{2026-02-01}}', 'gift_card', 5",
        f"{coupon}, type, balance, min_amount: '8 invalid', 'A', now(), 'gift_card', 5, 5.01",
        f"{coupon}, redeemed_at, invalidated_at: '9 invalid', 'A', now(), '{{2026-02-01}}', '2026-02-02'",
    )
    statuses = values(loyalty, "coupons.status")
    assert [f"{place} {status}" for place, status in enumerate(statuses, 1)] == values(loyalty, "coupons._id")
    assert set(statuses) == {value for value, _ in builtin().models["coupons"].fields["status"].choices}


def test_a_pool_counts_its_coupons(loyalty: Connection) -> None:
    pool = "id, name, source, type, status, created_at"
    insert(
        loyalty,
        "coupon_pools",
        f"{pool}: 'P1', 'One', 'uploaded', 'amount', 'active', now()",
        f"{pool}: 'P2', 'Two', 'uploaded', 'amount', 'active', now()",
    )
    coupon = "_id, code, created_at, pool"
    insert(
        loyalty,
        "coupons",
        f"{coupon}: '1', 'A', now(), 'P1'",
        f"{coupon}, customer: '2', 'A', now(), 'P1', '{{}}'",
        f"{coupon}, expiration_date: '3', 'A', now(), 'P1', '2026-01-01'",
        f"{coupon}, invalidated_at: '4', 'A', now(), 'P1', '2026-01-01'",
        f"{coupon}, customer: '5', 'A', now(), 'P1', '{{C1}}'",
        f"{coupon}, claimed_at, redeemed_at: '6', 'A', now(), 'P1', '2026-01-01', '{{2026-02-01}}'",
    )
    counts = {name: values(loyalty, f"coupon_pools.{name}") for name in ("stock", "claimed_count", "redeemed_count")}
    assert counts == {"stock": [2, 0], "claimed_count": [2, 0], "redeemed_count": [1, 0]}


def test_what_a_customer_can_spend_and_spends_on_average(loyalty: Connection) -> None:
    customer = "_id, status, created_at"
    insert(
        loyalty,
        "customers",
        f"{customer}, score, spent, reserved, expired: '1', 'active', now(), 100.5, 10, 5, 1",
        f"{customer}, score: '2', 'active', now(), 7",
        f"{customer}, purchase_total, purchase_count: '3', 'active', now(), 100, 3",
        f"{customer}, purchase_total, purchase_count: '4', 'active', now(), 10, 4",
        f"{customer}, purchase_total, purchase_count: '5', 'active', now(), 0, 0",
    )
    assert [None if one is None else str(one) for one in values(loyalty, "customers.spendable")] == [
        *("84.5", "7", None, None, None)
    ]
    assert [None if one is None else str(one) for one in values(loyalty, "customers.purchase_avg")] == [
        *(None, None, "33.3333333333", "2.5", None)
    ]


def test_age_counts_completed_years_on_the_day_of_the_run(loyalty: Connection) -> None:
    customer = "_id, status, created_at, birth_date"
    insert(
        loyalty,
        "customers",
        f"{customer}: '1', 'active', now(), '2000-11-23'",
        f"{customer}: '2', 'active', now(), '2000-11-24'",
        f"{customer}: '3', 'active', now(), '2000-02-29'",
        f"{customer}: '4', 'active', now(), null",
    )
    assert values(loyalty, "customers.age") == [26, 25, 26, None]


def test_a_reward_is_shown_as_what_it_is_at_the_moment_of_the_run(loyalty: Connection) -> None:
    reward = "id, name, type, created_at, status"
    insert(
        loyalty,
        "rewards",
        f"{reward}: '1', '{{}}', 'custom', now(), 'draft'",
        f"{reward}, starts_at: '2', '{{}}', 'custom', now(), 'active', '2026-11-23 10:00:01+00'",
        f"{reward}, starts_at, ends_at: '3', '{{}}', 'custom', now(), 'active', '2026-01-01', '2026-11-23 10:00:00+00'",
        f"{reward}, starts_at, ends_at: '4', '{{}}', 'custom', now(), 'active', '2026-11-23 10:00:00+00', '2027-01-01'",
        f"{reward}: '5', '{{}}', 'custom', now(), 'active'",
    )
    assert values(loyalty, "rewards.effective_status") == ["inactive", "scheduled", "expired", "active", "active"]


def test_an_events_label_is_that_of_its_action_built_in_or_the_brands_own(loyalty: Connection) -> None:
    insert(loyalty, "custom_events", "id, label: 'tasting', 'Wine tasting'")
    loyalty.exec_driver_sql("insert into loyalty.custom_events values ('alpine', 'skiing', 'Skiing')")
    event = "_id, timestamp, unix_timestamp, date, action"
    insert(
        loyalty,
        "events",
        f"{event}: '1', now(), 1, now(), 'opt_in'",
        f"{event}: '2', now(), 1, now(), 'tasting'",
        f"{event}: '3', now(), 1, now(), 'skiing'",
    )
    assert values(loyalty, "events.label") == ["Opt-in", "Wine tasting", "skiing"]


def test_a_challenge_counts_the_customers_who_completed_it_and_knows_the_last_time(loyalty: Connection) -> None:
    challenge = "id, title, status, created_at"
    insert(loyalty, "challenges", *(f"{challenge}: '{id}', '{{}}', 'active', now()" for id in ("H1", "H2")))
    customer = "_id, status, created_at, activities"
    insert(
        loyalty,
        "customers",
        f"""{customer}: '1', 'active', now(), '{{"H1": 1700000000, "H9": 1}}'""",
        f"""{customer}: '2', 'active', now(), '{{"H1": 1600000000}}'""",
    )
    assert values(loyalty, "challenges.completions") == [2, 0]
    assert values(loyalty, "challenges.last_completed_at") == [datetime.fromtimestamp(1_700_000_000, UTC), None]


def test_a_completion_that_has_no_time_does_not_stop_the_others(loyalty: Connection) -> None:
    insert(loyalty, "challenges", "id, title, status, created_at: 'H1', '{}', 'active', now()")
    for number, time in enumerate(('"x"', "null", "1e30", "true", "1500000000.5", '"1600000000"')):
        insert(
            loyalty,
            "customers",
            f"""_id, status, created_at, activities: '{number}', 'active', now(),
            '{{"H1": {time}}}'""",
        )
    assert values(loyalty, "challenges.completions") == [6]
    assert values(loyalty, "challenges.last_completed_at") == [datetime.fromtimestamp(1_600_000_000, UTC)]


def test_an_approval_counts_the_changes_that_were_submitted(loyalty: Connection) -> None:
    approval = "_id, created_at, type, entity_type, entity_id, status"
    insert(
        loyalty,
        "content_approval",
        f"""{approval}, changes: '1', now(), 'event_change', 'reward', 'R', 'pending', '[{{}}, {{}}]'""",
        f"{approval}: '2', now(), 'event_change', 'reward', 'R', 'pending'",
    )
    assert values(loyalty, "content_approval.changes_count") == [2, 0]
