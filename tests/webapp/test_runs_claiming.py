"""Which run is next: by hand first, then the brand that has least going, then age; two of a brand, one of an export."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from exports.errors import SourceUnreachable
from tests.fix_app import Clock, People, Person, stores
from webapp.extensions import db
from webapp.models import Brand, system_scope
from webapp.services import exports, runs
from webapp.services.runs import claiming
from webapp.services.runs.claiming import claimable

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
BRANDS, EXPORTS = 3, 3
PER_BRAND = 2


@dataclass
class Queue:
    """Three brands with three exports each, whose runs a test writes as it wants them."""

    app: Flask
    connection: psycopg.Connection[dict[str, Any]]
    exports: list[dict[str, Any]]

    def write(self, rows: list[dict[str, Any]]) -> None:
        """Have these runs and no others."""
        self.connection.execute("UPDATE exports SET latest_run_id = NULL; DELETE FROM runs")
        for row in rows:
            names = ", ".join(row)
            marks = ", ".join(f"%({name})s" for name in row)
            self.connection.execute(f"INSERT INTO runs ({names}) VALUES ({marks})", row)

    def run(self, export: int, kind: str = "schedule", **more: Any) -> dict[str, Any]:
        """The row of a queued run of the n-th export; three in a row are of one brand."""
        owned = self.exports[export]
        made = more.get("created_at", NOW)
        return {
            "id": uuid.uuid4(), "brand_id": owned["brand_id"], "export_id": owned["id"], "version": 1, "kind": kind,
            "state": "queued", "attempt": 0, "deaths": 0, "failures": 0, "rows": 0, "bytes": 0, "created_at": made,
            "not_before": made, "base_moment": made, "scheduled_for": NOW - timedelta(seconds=len(str(uuid.uuid4()))),
            **more,
        }  # fmt: skip

    def going(self, export: int, kind: str = "schedule") -> dict[str, Any]:
        """The row of a run in progress."""
        later = NOW + timedelta(hours=1)
        return self.run(export, kind, state="processing", attempt=1, worker="w", lease_until=later)

    def claim(self) -> uuid.UUID | None:
        """The run that a worker gets."""
        with self.app.app_context(), system_scope():
            mine = runs.claim("w")
        return mine.run_id if mine else None


@pytest.fixture
def queue(app: Flask, app_database: str, people: People, clock: Clock) -> Iterator[Queue]:
    """The queue, at NOW."""
    clock.set(NOW)
    with app.app_context(), system_scope():
        pines = Brand(source_key="pines", name="Pines", time_zone="UTC", modules=[])
        db.session.add(pines)
        db.session.commit()
        brands = [people.exporter.brand_id, people.stranger.brand_id, pines.id]
    with psycopg.connect(app_database, autocommit=True, row_factory=dict_row) as connection:
        users = [people.exporter.id, people.stranger.id, uuid.uuid4()]
        connection.execute(
            "INSERT INTO users (id, brand_id, email, name, time_zone, role, export_pii, use_new_target, see_audit,"
            " password_hash, token)"
            " VALUES (%s, %s, 'pia@pines.example', 'Pia', 'UTC', 'admin', true, true, true, '', 'p')",
            [users[2], brands[2]],
        )
        made = []
        for brand, user in zip(brands, users, strict=True):
            for _ in range(EXPORTS):
                row = {"id": uuid.uuid4(), "brand_id": brand, "user": user}
                connection.execute(
                    "INSERT INTO exports (id, brand_id, name, model, target, schedule, schedule_words, version,"
                    " owner_id, created_by_id, create_token)"
                    " VALUES (%(id)s, %(brand_id)s, 'x', 'stores', 'none', 'now', '', 1, %(user)s, %(user)s, %(id)s)",
                    row,
                )
                connection.execute(
                    "INSERT INTO export_versions (id, brand_id, export_id, number, definition, author_id)"
                    " VALUES (%(id)s, %(brand_id)s, %(id)s, 1, '{}', %(user)s)",
                    row,
                )
                made.append(row)
        yield Queue(app, connection, made)


# --- an oracle: the same in plain Python


def next_of(rows: list[dict[str, Any]], now: datetime) -> uuid.UUID | None:
    """Which of the rows is next, said as the rule says it."""
    going = [row for row in rows if row["state"] == "processing"]

    def of_brand(row: dict[str, Any]) -> int:
        return sum(one["brand_id"] == row["brand_id"] for one in going)

    may_begin = [
        row
        for row in rows
        if row["state"] == "queued"
        and row["not_before"] <= now
        and of_brand(row) < PER_BRAND
        and row["export_id"] not in {one["export_id"] for one in going}
    ]
    if not may_begin:
        return None
    first = min(
        may_begin,
        key=lambda row: (row["kind"] == "schedule", of_brand(row), row["not_before"], row["created_at"], row["id"]),
    )
    return first["id"]  # type: ignore[no-any-return]


SECONDS = st.integers(-5, 3)
"""Few, so that runs are often equally old, and some are not due yet."""
WAITING = st.tuples(
    st.integers(0, BRANDS * EXPORTS - 1), st.sampled_from(["schedule", "manual", "again"]), SECONDS, SECONDS
)
STEPS = st.lists(st.sampled_from(["claim", "claim", "end", "second"]), min_size=5, max_size=15)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WAITING, max_size=15), st.sets(st.integers(0, BRANDS * EXPORTS - 1), max_size=4), STEPS)
def test_any_queue_is_worked_off_in_the_order_of_the_rule(
    queue: Queue, clock: Clock, waiting: list[tuple[int, str, int, int]], going: set[int], steps: list[str]
) -> None:
    now = NOW
    clock.set(now)
    rows = [queue.going(export) for export in going]
    for number, (export, kind, due, made) in enumerate(waiting):
        due_at, made_at = NOW + timedelta(seconds=due), NOW + timedelta(seconds=made)
        moment = NOW - timedelta(days=1 + number)
        rows.append(queue.run(export, kind, not_before=due_at, created_at=made_at, scheduled_for=moment))
    queue.write(rows)
    for step in steps:
        if step == "second":
            now += timedelta(seconds=1)
            clock.set(now)
        elif step == "end":
            ended = next((row for row in rows if row["state"] == "processing"), None)
            if ended:
                ended["state"] = "cancelled"
                queue.connection.execute("UPDATE runs SET state = 'cancelled' WHERE id = %(id)s", ended)
        else:
            expected = next_of(rows, now)
            assert queue.claim() == expected
            for row in rows:
                row["state"] = "processing" if row["id"] == expected else row["state"]


def test_a_run_by_hand_goes_before_all_that_schedules_have_queued(queue: Queue) -> None:
    old = [queue.run(export, scheduled_for=NOW, created_at=NOW - timedelta(hours=1)) for export in range(9)]
    by_hand = queue.run(0, "manual")
    queue.write([*old, by_hand])
    assert queue.claim() == by_hand["id"]


def test_a_brand_that_has_nothing_going_goes_before_one_that_waits_longer(queue: Queue) -> None:
    waits_longer = queue.run(1, created_at=NOW - timedelta(hours=1))
    newer = queue.run(3)
    queue.write([queue.going(0), waits_longer, newer])
    assert [queue.claim(), queue.claim(), queue.claim()] == [newer["id"], waits_longer["id"], None]


def test_two_runs_of_a_brand_go_on_at_once_and_the_third_waits_for_the_end_of_one(queue: Queue) -> None:
    third = queue.run(2, "manual")
    queue.write([queue.going(0), queue.going(1), third])
    assert queue.claim() is None
    queue.connection.execute("UPDATE runs SET state = 'cancelled' WHERE export_id = %(id)s", queue.exports[0])
    assert queue.claim() == third["id"]


def test_an_export_whose_run_is_going_on_lets_others_of_the_brand_pass(queue: Queue) -> None:
    other = queue.run(1, created_at=NOW)
    queue.write([queue.going(0), queue.run(0, "manual", created_at=NOW - timedelta(hours=1)), other])
    assert [queue.claim(), queue.claim()] == [other["id"], None]


def test_workers_that_claim_at_the_same_instant_never_make_a_third_run_of_a_brand(queue: Queue) -> None:
    for _ in range(10):
        queue.write([queue.run(export, "manual") for export in range(3) for _ in range(2)])
        start = threading.Barrier(6)
        got: list[uuid.UUID | None] = []

        def work(start: threading.Barrier = start, got: list[uuid.UUID | None] = got) -> None:
            start.wait()
            got.append(queue.claim())

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(one is not None for one in got) == PER_BRAND
        wanted = "SELECT count(*) AS runs, count(DISTINCT export_id) AS exports FROM runs WHERE state = 'processing'"
        assert queue.connection.execute(wanted).fetchone() == {"runs": PER_BRAND, "exports": PER_BRAND}


CANCELLED = "UPDATE runs SET state = 'cancelled' WHERE id = %(id)s"


def test_a_run_whose_export_somebody_holds_is_passed_by(queue: Queue, app_database: str) -> None:
    held, other = queue.run(0, "manual", created_at=NOW - timedelta(hours=1)), queue.run(1, "manual")
    queue.write([held, other])
    with psycopg.connect(app_database) as person:
        person.execute("SELECT FROM exports WHERE id = %(export_id)s FOR NO KEY UPDATE", held)
        assert queue.claim() == other["id"]
    assert queue.claim() == held["id"]


@pytest.mark.parametrize("is_cancelled", [True, False])
def test_if_no_other_run_may_begin_its_export_is_waited_for(
    queue: Queue, app_database: str, is_cancelled: bool
) -> None:
    only = queue.run(0, "manual")
    queue.write([only])
    got: list[uuid.UUID | None] = []
    with psycopg.connect(app_database) as person:
        person.execute(CANCELLED, only)
        worker = threading.Thread(target=lambda: got.append(queue.claim()))
        worker.start()
        waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        while queue.connection.execute(waits).fetchone() is None:
            assert worker.is_alive()
        person.commit() if is_cancelled else person.rollback()
    worker.join()
    assert got == [None if is_cancelled else only["id"]]


def test_who_was_stopped_in_the_middle_of_a_claim_keeps_the_others_waiting_for_seconds_only(
    queue: Queue, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "PATIENCE_MS", 300)
    wanted = queue.run(0, "manual")
    queue.write([wanted])
    with app.app_context(), system_scope():
        assert claiming._take("stopped here") is not None
        ended = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"
        while queue.connection.execute(ended).fetchone() is not None:
            pass
        assert queue.claim() == wanted["id"]
        with pytest.raises(DBAPIError, match="idle-in-transaction"):
            db.session.commit()


def queue_one(person: Person) -> uuid.UUID:
    """Create an export; the id of its run."""
    with person.at_work() as user:
        run_id = exports.create(user, stores(), uuid.uuid4()).latest_run_id
        assert run_id is not None
        return run_id


def test_tickets_are_given_for_what_may_begin_and_not_for_all_that_waits(queue: Queue) -> None:
    queue.write([queue.run(export, "manual") for export in range(3) for _ in range(4)] + [queue.going(3)])
    with queue.app.app_context(), system_scope():
        assert runs.sweep().tickets == PER_BRAND
    queue.write([queue.going(0), queue.going(1), queue.run(2, "manual")])
    with queue.app.app_context(), system_scope():
        assert runs.sweep().tickets == 0


def test_a_run_that_waits_for_its_next_try_gives_its_place_to_others(app: Flask, people: People, clock: Clock) -> None:
    clock.set(NOW)
    order = [queue_one(people.exporter) for _ in range(3)]
    with app.app_context(), system_scope():
        first, second = runs.claim("w1"), runs.claim("w2")
        assert first
        assert second
        assert runs.claim("w3") is None
        runs.fail(first, SourceUnreachable())
        third = runs.claim("w3")
    assert third is not None
    assert {first.run_id, second.run_id, third.run_id} == set(order)


def test_the_next_run_is_found_without_reading_all_that_wait(queue: Queue) -> None:
    queue.write([queue.going(0)])
    queue.connection.execute(
        "INSERT INTO runs (id, brand_id, export_id, version, kind, state, attempt, deaths, failures, rows, bytes,"
        " created_at, not_before, base_moment, scheduled_for)"
        " SELECT gen_random_uuid(), brand_id, id, 1, 'schedule', 'queued', 0, 0, 0, 0, 0, m, m, m, m"
        " FROM exports, LATERAL (SELECT %s - n * interval '1 minute' AS m FROM generate_series(1, 500) n) moments",
        [NOW],
    )
    queue.connection.execute("ANALYZE runs")
    with queue.app.app_context():
        asked = claimable(1).compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True})  # type: ignore[no-untyped-call]
    plan = queue.connection.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {asked}").fetchone()
    assert plan is not None
    read = plan["QUERY PLAN"][0]["Plan"]
    # Brand 1 has 500 that its own running export keeps waiting, at worst read one by one; the whole table is 4,500.
    assert read["Shared Hit Blocks"] + read["Shared Read Blocks"] < 100
