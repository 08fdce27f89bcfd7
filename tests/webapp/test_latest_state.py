"""What an export knows of its newest run, kept by the database: right after every move, and whoever moves at once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import product
from typing import Any

import psycopg
import pytest
from flask import Flask

from exports.errors import Cancelled, SourceUnreachable
from exports.pipeline import Result
from tests.fix_app import Clock, People
from tests.fix_exports import Exports, Made
from webapp.extensions import db
from webapp.models import Export, Run, brand_scope, system_scope
from webapp.models.states import SHOWN_ON_EXPORT, STATES
from webapp.services import exports, runs
from webapp.services.runs import Claim
from webapp.services.runs.sweep import sweep
from webapp.services.schedules import hold

OF_STATE = {
    "processing": {"lease_until": datetime(2099, 1, 1, tzinfo=UTC)},
    "success": {"published_attempt": 1},
    "failed": {"error_code": "system.unexpected"},
}


FILE = Result(rows=1000, bytes=20_000, archive_bytes=4_000, sha256="ab" * 32, seconds=1.0)


@pytest.fixture
def sql(app: Flask, app_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else's session."""
    with psycopg.connect(app_database, autocommit=True) as connection:
        yield connection


def known(sql: psycopg.Connection[Any], made: Made) -> Any:
    """What the export says of its newest run; what that run says is the same."""
    asked = "SELECT latest_state, state FROM exports e LEFT JOIN runs r ON r.id = latest_run_id WHERE e.id = %s"
    latest_state, state = sql.execute(asked, [made.id]).fetchone() or ("", "no export")
    assert latest_state == state
    return latest_state


def word(active: bool | None, waits: bool, state: str | None) -> str:
    """What SPEC section 2 says: Active or Inactive if repeated; else Pending before its date, or as the newest run."""
    if active is not None:
        return "Active" if active else "Inactive"
    if state is None or (waits and state not in ("queued", "processing")):
        return "Pending"
    return SHOWN_ON_EXPORT[state]


def test_the_status_is_the_word_of_every_combination(
    people: People, made: Exports, sql: psycopg.Connection[Any]
) -> None:
    with people.exporter.at_work() as user:
        for active, waits, state in product((None, True, False), (False, True), (None, *STATES)):
            if active is False and waits:
                continue  # the table refuses it
            one = made.create(people.exporter)
            export, run = db.session.get_one(Export, one.id), db.session.get_one(Run, one.run_id)
            export.active, export.schedule = active, "now" if active is None else "repeated"
            export.next_run_at = datetime(2099, 1, 1, tzinfo=UTC) if waits else None
            if state is None:
                export.latest_run_id = None
            else:
                run.state = state
                for column, value in OF_STATE.get(state, {}).items():
                    setattr(run, column, value)
            db.session.commit()
            assert export.status == word(active, waits, state), (active, waits, state)
            assert export.latest_state == state
        shown = [one for one, _run in exports.page(user, exports.ListQuery(per_page=100)).rows]
        assert len(shown) == 40


# --- a run's moves, by whoever makes them


def publish(mine: Claim) -> None:
    runs.publish(mine, FILE)


def test_the_export_follows_its_newest_run_through_every_move(
    people: People, made: Exports, sql: psycopg.Connection[Any], app: Flask, clock: Clock
) -> None:
    one = made.create(people.exporter)
    seen = [known(sql, one)]

    def claimed() -> Claim:
        mine = made.claim()
        seen.append(known(sql, one))
        return mine

    with people.exporter.at_work() as user:
        runs.give_back(claimed())
        seen.append(known(sql, one))
        runs.fail(claimed(), SourceUnreachable(""))
        seen.append(known(sql, one))
        sql.execute("UPDATE runs SET not_before = created_at")
        claimed()
        clock.set(datetime(2098, 1, 1, tzinfo=UTC))
        with system_scope():
            assert sweep().taken_back == 1
        seen.append(known(sql, one))
        publish(claimed())
        seen.append(known(sql, one))
        run = runs.request_run(user, exports.find(one.id) or Export(), uuid.uuid4())
        seen.append(known(sql, one))
        runs.cancel(user, run)
        seen.append(known(sql, one))
    assert " ".join(seen) == (
        "queued processing queued processing queued processing queued processing success queued cancelled"
    )


def test_the_move_of_an_older_run_changes_nothing_of_the_export(
    people: People, made: Exports, sql: psycopg.Connection[Any]
) -> None:
    one = made.create(people.exporter)
    mine = made.claim()
    with people.exporter.at_work() as user:
        runs.request_run(user, exports.find(one.id) or Export(), uuid.uuid4())
        assert known(sql, one) == "queued"
        publish(mine)
    assert known(sql, one) == "queued"


def test_what_is_written_into_it_does_not_count(people: People, made: Exports, sql: psycopg.Connection[Any]) -> None:
    one = made.create(people.exporter)
    sql.execute("UPDATE exports SET latest_state = 'failed'")
    assert known(sql, one) == "queued"


# --- several at once


@dataclass(frozen=True)
class Together:
    """Deeds that go on, and what each raised, in their order, once they are over."""

    threads: list[threading.Thread]
    raised: list[BaseException | None]


@contextmanager
def at_the_same_time(app: Flask, brand_id: uuid.UUID, *deeds: Callable[[], object]) -> Iterator[Together]:
    """Each deed in a session of its own; the end of the block is that of all of them."""
    raised: list[BaseException | None] = [None] * len(deeds)

    def do(place: int, deed: Callable[[], object]) -> None:
        with app.app_context(), brand_scope(brand_id):
            try:
                deed()
            except Exception as error:
                raised[place] = error

    threads = [threading.Thread(target=do, args=one) for one in enumerate(deeds)]
    for one in threads:
        one.start()
    try:
        yield Together(threads, raised)
    finally:
        for one in threads:
            one.join()


def wait_for_locks(sql: psycopg.Connection[Any], deeds: Together) -> None:
    """Until each of them waits for somebody's rows."""
    waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while (sql.execute(waits).fetchone() or (0,))[0] < len(deeds.threads):
        assert all(one.is_alive() for one in deeds.threads)


HELD = "SELECT FROM exports WHERE id = %s FOR NO KEY UPDATE"


def test_who_ends_a_run_while_its_export_is_put_aside_waits_and_is_told(
    people: People, made: Exports, sql: psycopg.Connection[Any], app: Flask
) -> None:
    one = made.create(people.exporter)
    mine = made.claim()
    with people.exporter.at_work() as user:
        export = hold(db.session.get_one(Export, one.id))
        with at_the_same_time(app, mine.brand_id, lambda: publish(mine)) as deeds:
            wait_for_locks(sql, deeds)
            runs.stop_all(user, export)  # wants the run's row: whoever held that and waited for the export's is stuck
            db.session.commit()
    assert [type(error) for error in deeds.raised] == [Cancelled]
    assert known(sql, one) == "processing"


def test_two_runs_of_an_export_that_end_at_once_leave_it_with_the_state_of_the_newer_one(
    people: People, made: Exports, sql: psycopg.Connection[Any], app: Flask, app_database: str
) -> None:
    one = made.create(people.exporter)
    mine = made.claim()
    with people.exporter.at_work() as user:
        newer = runs.request_run(user, exports.find(one.id) or Export(), uuid.uuid4()).id

    def cancel() -> None:
        with people.exporter.at_work() as user:
            runs.cancel(user, db.session.get_one(Run, newer))

    with psycopg.connect(app_database) as somebody:
        somebody.execute(HELD, [one.id])
        with at_the_same_time(app, mine.brand_id, lambda: publish(mine), cancel) as deeds:
            wait_for_locks(sql, deeds)
            somebody.commit()
    assert deeds.raised == [None, None]
    assert known(sql, one) == "cancelled"
    assert sql.execute("SELECT state FROM runs WHERE id = %s", [one.run_id]).fetchone() == ("success",)


def test_a_run_that_ends_while_it_becomes_the_newest_is_not_missed(
    people: People, made: Exports, sql: psycopg.Connection[Any], app: Flask, app_database: str
) -> None:
    one = made.create(people.exporter)
    with people.exporter.at_work() as user:
        runs.request_run(user, exports.find(one.id) or Export(), uuid.uuid4())

    def end() -> None:
        with psycopg.connect(app_database) as worker:
            worker.execute("UPDATE runs SET state = 'cancelled' WHERE id = %s", [one.run_id])

    with psycopg.connect(app_database) as somebody:
        somebody.execute("UPDATE exports SET latest_run_id = %s WHERE id = %s", [one.run_id, one.id])
        with at_the_same_time(app, people.exporter.brand_id, end) as deeds:
            wait_for_locks(sql, deeds)
            somebody.commit()
    assert deeds.raised == [None]
    assert known(sql, one) == "cancelled"


def test_the_sweep_waits_for_nobody(
    people: People, made: Exports, sql: psycopg.Connection[Any], app: Flask, app_database: str, clock: Clock
) -> None:
    one = made.create(people.exporter)
    made.claim()
    clock.set(datetime(2098, 1, 1, tzinfo=UTC))
    with app.app_context(), system_scope():
        with psycopg.connect(app_database) as somebody:
            somebody.execute(HELD, [one.id])
            assert sweep().taken_back == 0
        assert sweep().taken_back == 1
    assert known(sql, one) == "queued"
