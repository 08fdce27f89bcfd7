"""The indexes of the reference schema answer the questions that exports ask."""

from __future__ import annotations

from sqlalchemy import Connection

RECORDS = """
insert into loyalty.customers (brand, _id, status, created_at, group_id, rewards, activities)
select 'maple', 'C' || n, 'active', now(), array['G' || mod(n, 500)], jsonb_build_object('R' || mod(n, 500), 1),
       jsonb_build_object('H' || mod(n, 500), 1)
from generate_series(1, 20000) n;
insert into loyalty.coupon_pools (brand, id, name, source, type, status, created_at)
select 'maple', 'P' || n, 'Pool', 'uploaded', 'amount', 'active', now() from generate_series(1, 100) n;
insert into loyalty.coupons (brand, _id, code, pool, customer, created_at)
select 'maple', 'K' || n, 'CODE' || n, 'P' || mod(n, 100) + 1, array['C' || mod(n, 2000)], now()
from generate_series(1, 5000) n;
insert into loyalty.events (brand, _id, customer, action, timestamp, unix_timestamp, date, properties)
select 'maple', 'E' || n, 'C' || mod(n, 500) + 1, case when mod(n, 3) = 0 then 'checkout' else 'checkout_item' end,
       now() - n * interval '1 hour', 0, now(), jsonb_build_object('product_id', mod(n, 97)::text)
from generate_series(1, 20000) n;
select gin_clean_pending_list(oid) from pg_class where relname in
    ('customers_groups', 'customers_rewards', 'customers_activities', 'coupons_customer');
analyze loyalty.customers, loyalty.coupons, loyalty.events;
"""
QUESTIONS = {
    "events_pkey": "events where brand = 'maple' order by brand, _id limit 20",
    "events_action_timestamp": """events where brand = 'maple' and action = 'checkout'
        and timestamp >= now() - interval '9 days'""",
    "events_customer_action": """events where brand = 'maple' and customer = 'C7' and action = 'checkout'
        and timestamp >= now() - interval '90 days'""",
    "events_customer_product": """events where brand = 'maple' and customer = 'C7' and action = 'checkout_item'
        and properties ->> 'product_id' = '7'""",
    "events_timestamp": """events where brand = 'maple' and timestamp >= now() - interval '2 days'
        order by timestamp, _id limit 20""",
    "events_taken_back": """events where brand = 'maple' and action = 'refund'
        and properties ->> 'transaction_id' = 'T1'""",
    "customers_groups": "customers where brand = 'maple' and group_id && '{G1}'",
    "customers_rewards": "customers where brand = 'maple' and rewards ? 'R1'",
    "customers_activities": "customers where brand = 'maple' and activities ? 'H1'",
    "coupons_pool": "coupons where brand = 'maple' and pool = 'P1'",
    "coupons_customer": "coupons where brand = 'maple' and customer @> '{C1}'",
    "coupons_code": "coupons where brand = 'maple' and code = 'CODE1'",
}


def test_the_questions_that_exports_ask_are_answered_by_their_index(loyalty: Connection) -> None:
    loyalty.exec_driver_sql(RECORDS)
    for index, question in QUESTIONS.items():
        plan = "\n".join(loyalty.exec_driver_sql(f"explain select from loyalty.{question}").scalars())
        assert f" {index}" in plan, plan
