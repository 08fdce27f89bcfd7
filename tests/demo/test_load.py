"""A load is all or nothing, replaces only what the demo made, and can store each event several times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
import pytest

from demo import load
from demo.parts import Part

if TYPE_CHECKING:
    from tests.fix_services import Cluster

DAY = Part("first-day", "first day of 2017", np.datetime64("2017-01-02", "s"))


@pytest.fixture(scope="module")
def twice(postgres: Cluster, worker_number: int) -> Iterator[str]:
    """The first day, each event twice, in a database that this file may change."""
    name = f"demo_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    load.load(url, DAY, times=2)
    yield url
    postgres.drop(name)


@pytest.fixture
def day(twice: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(twice, autocommit=True) as connection:
        yield connection


def value(connection: psycopg.Connection, statement: str, *values: Any) -> Any:
    found = connection.execute(statement, values or None).fetchone()
    assert found is not None
    return found[0]


MAPLE = "FROM loyalty.events WHERE brand = 'maple'"


def test_every_event_is_there_twice_with_a_key_of_its_own(day: psycopg.Connection) -> None:
    first, second = (value(day, f"SELECT count(*) {MAPLE} AND right(_id, 2) = %s", copy) for copy in ("00", "01"))
    assert first == second > 3_000
    assert value(day, f"SELECT count(*) {MAPLE}") == value(day, f"SELECT count(DISTINCT _id) {MAPLE}") == first + second
    assert value(day, f"SELECT count(hash) {MAPLE}") == value(day, f"SELECT count(DISTINCT hash) {MAPLE}")


def test_the_copies_say_what_the_originals_say(day: psycopg.Connection) -> None:
    told = "left(_id, 22), customer, action, points, timestamp, used_points, properties"
    copies = f"SELECT {told} {MAPLE} AND right(_id, 2) = %s"
    assert value(day, f"SELECT count(*) FROM ({copies} EXCEPT {copies}) x", "00", "01") == 0


def test_parents_and_usages_name_events_of_the_same_copy(day: psycopg.Connection) -> None:
    assert value(day, f"SELECT count(*) {MAPLE} AND right(parent, 2) <> right(_id, 2)") == 0
    assert value(day, f"SELECT count(parent) {MAPLE} AND right(_id, 2) = '01'") > 500
    used = "FROM loyalty.events e, jsonb_object_keys(usages) AS by WHERE e.brand = 'maple'"
    assert value(day, f"SELECT count(*) {used} AND right(by, 2) <> right(_id, 2)") == 0
    lost = "NOT EXISTS (SELECT FROM loyalty.events s WHERE (s.brand, s._id) = (e.brand, by))"
    assert value(day, f"SELECT count(*) {used} AND {lost}") == 0
    assert value(day, f"SELECT count(*) {used} AND right(by, 2) = '01'") > 0


def test_copies_lie_in_key_order_too(day: psycopg.Connection) -> None:
    """But for a small row now and then that fills the rest of an earlier page."""
    ranks = f"SELECT row_number() OVER (ORDER BY ctid) AS lies, row_number() OVER (ORDER BY _id) AS belongs {MAPLE}"
    assert value(day, f"SELECT corr(lies, belongs) FROM ({ranks}) r") > 0.999
    assert value(day, f"SELECT avg((abs(lies - belongs) > 40)::int) FROM ({ranks}) r") < 0.02


def test_sums_of_customers_count_every_copy(day: psycopg.Connection) -> None:
    bought = f"SELECT sum((properties ->> 'total')::numeric) {MAPLE} AND action = 'checkout'"
    assert value(day, "SELECT sum(purchase_total) FROM loyalty.customers WHERE brand = 'maple'") == value(day, bought)
    claimed = "SELECT sum(value::int) FROM loyalty.customers, jsonb_each_text(rewards) WHERE brand = 'maple'"
    assert value(day, claimed) == value(day, f"SELECT count(*) {MAPLE} AND action = 'reward'")


def test_alpine_is_stored_once(day: psycopg.Connection) -> None:
    assert value(day, "SELECT count(*) FROM loyalty.events WHERE brand = 'alpine' AND right(_id, 2) = '01'") == 0


def test_nothing_is_left_of_the_load_but_the_schema(day: psycopg.Connection) -> None:
    assert value(day, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'loyalty%'") == 1
    assert value(day, "SELECT to_regclass('loyalty.events_once') IS NULL")
    assert load.loaded(day) == load.Loaded(load.VERSION, "first-day", 2)


def test_the_planner_knows_the_tables_and_what_all_can_see(day: psycopg.Connection) -> None:
    tables = "FROM pg_class WHERE relnamespace = 'loyalty'::regnamespace AND relkind = 'r'"
    assert value(day, f"SELECT count(*) {tables} AND reltuples < 0") == 0
    assert value(day, f"SELECT relallvisible::float / relpages {tables} AND relname = 'events'") > 0.9


def test_a_load_that_dies_leaves_what_was_there(twice: str, day: psycopg.Connection) -> None:
    class Killed(Exception):
        """The load stops here."""

    def die(line: str) -> None:
        if line == "maple: stores":
            raise Killed

    before = value(day, "SELECT 'loyalty.events'::regclass::oid")
    with pytest.raises(Killed):
        load.load(twice, DAY, report=die)
    assert value(day, "SELECT 'loyalty.events'::regclass::oid") == before
    assert load.loaded(day) == load.Loaded(load.VERSION, "first-day", 2)


def test_what_is_loaded_is_not_loaded_again(twice: str) -> None:
    assert load.ensure_loaded(twice) is False


def test_a_schema_that_the_demo_has_not_made_is_left_alone(postgres: Cluster, worker_number: int) -> None:
    name = f"demo_taken_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA loyalty; CREATE TABLE loyalty.customers (name text)")
        with pytest.raises(load.SchemaTaken):
            load.ensure_loaded(url)
        with pytest.raises(load.SchemaTaken):
            load.load(url, DAY)
        assert value(connection, "SELECT count(*) FROM loyalty.customers") == 0
    postgres.drop(name)


@pytest.mark.parametrize("times", [0, 257, -1])
def test_times_that_have_no_keys_are_refused(times: int) -> None:
    with pytest.raises(ValueError, match="1 to 256"):
        load.load("postgresql://nobody@/nowhere", DAY, times=times)
