"""Firing: every moment becomes exactly one row, and the next moment is moved with it (SPEC section 7)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.rows import dict_row
from redis import Redis

from tests.fix_app import Clock, People, Person, stores

if TYPE_CHECKING:
    from flask import Flask

EVERY_HOUR = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}
EVERY_MINUTE = {**EVERY_HOUR, "minutes": "*"}
NINE = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Schedules:
    """Makes scheduled exports, lets time pass and fires."""

    app: Flask
    url: str
    clock: Clock

    def create(self, person: Person, schedule: dict[str, Any]) -> uuid.UUID:
        """A scheduled export of the person."""
        from webapp.services import exports

        with person.at_work() as user:
            return exports.create(user, stores(schedule=schedule), uuid.uuid4()).id

    def fire(self) -> int:
        """What a firing job does."""
        from jobs import scheduler

        with self.app.app_context():
            return scheduler.fire_all_due()

    def reconcile(self) -> None:
        """A pass of a scheduler process."""
        from jobs.scheduler import Clock as SchedulerClock

        with self.app.app_context():
            SchedulerClock().reconcile()

    def rows(self, wanted: str = "SELECT * FROM runs ORDER BY scheduled_for") -> list[dict[str, Any]]:
        """Rows of the database."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(wanted).fetchall()  # type: ignore[arg-type]

    def told(self) -> list[tuple[str, str]]:
        """Hour and state of every run."""
        return [(f"{row['scheduled_for'].astimezone(UTC):%d %H:%M}", row["state"]) for row in self.rows()]

    def next(self) -> str:
        """The next moment of the one export."""
        [row] = self.rows("SELECT next_run_at FROM exports")
        return f"{row['next_run_at'].astimezone(UTC):%d %H:%M}" if row["next_run_at"] else ""

    def end_runs(self) -> None:
        """The runs that are queued succeed."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(
                "UPDATE runs SET state = 'success', published_attempt = 1, finished_at = clock() WHERE state = 'queued'"
            )


@pytest.fixture
def schedules(app: Flask, app_database: str, clock: Clock) -> Schedules:
    clock.set(NINE)
    return Schedules(app, app_database, clock)


def entries(app_settings: dict[str, str]) -> dict[str, float]:
    """What rq-scheduler has."""
    with Redis.from_url(app_settings["REDIS_URL"], decode_responses=True) as redis:
        return dict(redis.zrange("rq:scheduler:scheduled_jobs", 0, -1, withscores=True))


def test_a_scheduled_export_does_not_run_when_it_is_made(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, EVERY_HOUR)
    assert (schedules.told(), schedules.next()) == ([], "23 10:00")
    schedules.fire()
    assert schedules.told() == []


def test_its_moment_becomes_a_run_of_that_moment(schedules: Schedules, people: People) -> None:
    export_id = schedules.create(people.exporter, EVERY_HOUR)
    schedules.clock.set("2026-11-23 10:00:00.4+00")
    assert schedules.fire() == 1
    [run] = schedules.rows()
    assert (run["export_id"], run["kind"], run["state"], run["version"]) == (export_id, "schedule", "queued", 1)
    assert run["scheduled_for"] == run["base_moment"] == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert schedules.next() == "23 11:00"
    [export] = schedules.rows("SELECT latest_run_id, active FROM exports")
    assert (export["latest_run_id"], export["active"]) == (run["id"], True)
    assert schedules.fire() == 0
    assert len(schedules.rows()) == 1


def test_an_on_date_runs_once_and_is_over(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, {"type": "on_date", "at": "2026-11-23T10:00:00Z"})
    assert schedules.next() == "23 10:00"
    schedules.clock.set("2026-11-23 10:00+00")
    schedules.fire()
    assert (schedules.told(), schedules.next()) == ([("23 10:00", "queued")], "")


def test_of_missed_moments_the_latest_runs_and_the_others_are_logged(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, EVERY_HOUR)
    schedules.clock.set("2026-11-23 13:20+00")
    schedules.fire()
    assert schedules.told() == [
        ("23 10:00", "missed"), ("23 11:00", "missed"), ("23 12:00", "missed"), ("23 13:00", "queued")
    ]  # fmt: skip
    [missed, *_] = schedules.rows()
    assert missed["error_message"] == (
        "Missed: the service was not running. The run of 23 Nov 13:00 UTC stands for it."
    )
    assert missed["finished_at"] == datetime(2026, 11, 23, 13, 20, tzinfo=UTC)
    assert schedules.next() == "23 14:00"


def test_what_was_missed_more_than_a_day_ago_does_not_run(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, {"type": "on_date", "at": "2026-11-23T10:00:00Z"})
    schedules.clock.set("2026-11-24 10:00:01+00")
    schedules.fire()
    assert schedules.told() == [("23 10:00", "missed")]
    with people.exporter.at_work():
        from webapp.services import exports

        [export] = exports.of_ids([row["id"] for row in schedules.rows("SELECT id FROM exports")])
        assert export.status == "Failed"


def test_exactly_a_day_late_runs(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, {"type": "on_date", "at": "2026-11-23T10:00:00Z"})
    schedules.clock.set("2026-11-24 10:00:00+00")
    schedules.fire()
    assert schedules.told() == [("23 10:00", "queued")]


def test_a_moment_while_the_run_before_is_going_is_skipped(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, EVERY_HOUR)
    for hour in (10, 11):
        schedules.clock.set(datetime(2026, 11, 23, hour, tzinfo=UTC))
        schedules.fire()
    assert schedules.told() == [("23 10:00", "queued"), ("23 11:00", "skipped")]
    [going, skipped] = schedules.rows()
    assert skipped["error_message"] == "The run before was still going."
    [export] = schedules.rows("SELECT latest_run_id FROM exports")
    assert export["latest_run_id"] == going["id"], "the list goes on showing the run that is going"
    schedules.end_runs()
    schedules.clock.set("2026-11-23 12:00+00")
    schedules.fire()
    assert schedules.told()[-1] == ("23 12:00", "queued")


def test_very_many_missed_moments_each_have_their_row(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, EVERY_MINUTE)
    schedules.clock.set(NINE + timedelta(minutes=2_500))
    schedules.fire()
    rows = schedules.rows()
    assert [row["scheduled_for"] for row in rows] == [NINE + timedelta(minutes=n) for n in range(1, 2_501)]
    assert [row["state"] for row in rows] == [*["missed"] * 2_499, "queued"]


def test_a_clock_that_is_set_back_fires_nothing_twice(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, EVERY_HOUR)
    schedules.clock.set("2026-11-23 11:00+00")
    schedules.fire()
    with psycopg.connect(schedules.url, autocommit=True) as connection:
        connection.execute("UPDATE exports SET next_run_at = '2026-11-23 10:00+00'")
    schedules.fire()
    assert schedules.told() == [("23 10:00", "missed"), ("23 11:00", "queued")]
    assert schedules.next() == "23 12:00"


def test_the_runs_name_the_version_that_is_present_at_their_moment(schedules: Schedules, people: People) -> None:
    from exports import schedule
    from webapp.models import Export
    from webapp.services import exports
    from webapp.services import schedules as service

    export_id = schedules.create(people.exporter, EVERY_HOUR)
    schedules.clock.set("2026-11-23 10:10+00")  # the moment of 10:00 has come and nobody has fired it yet
    with people.exporter.at_work() as user:
        export: Export | None = exports.find(export_id)
        assert export is not None
        service.change_schedule(user, export, schedule.read({**EVERY_HOUR, "minutes": "30"}), version=1)
    assert schedules.told() == [("23 10:00", "queued")]
    schedules.end_runs()
    schedules.clock.set("2026-11-23 10:30+00")
    schedules.fire()
    assert [(row["version"], f"{row['scheduled_for'].astimezone(UTC):%H:%M}") for row in schedules.rows()] == [
        (1, "10:00"), (2, "10:30")
    ]  # fmt: skip


def test_an_entry_of_the_clock_follows_the_next_moment(
    schedules: Schedules, people: People, app_settings: dict[str, str]
) -> None:
    export_id = schedules.create(people.exporter, EVERY_HOUR)
    assert entries(app_settings) == {f"export-{export_id}": datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()}
    schedules.clock.set("2026-11-23 10:00+00")
    schedules.fire()
    assert entries(app_settings) == {f"export-{export_id}": datetime(2026, 11, 23, 11, tzinfo=UTC).timestamp()}
    with Redis.from_url(app_settings["REDIS_URL"]) as redis:
        assert redis.hget(f"rq:job:export-{export_id}", "data"), "a job, as rq-scheduler has them"
        assert not [key for key in redis.scan_iter() if b"pickle" in key]


def test_a_wiped_redis_gets_its_entries_again(
    schedules: Schedules, people: People, app_settings: dict[str, str]
) -> None:
    made = {f"export-{schedules.create(people.exporter, EVERY_HOUR)}" for _ in range(5)}
    with Redis.from_url(app_settings["REDIS_URL"]) as redis:
        redis.flushdb()
    schedules.reconcile()
    assert set(entries(app_settings)) == made


def test_an_overdue_moment_is_fired_by_the_reconcile_pass(schedules: Schedules, people: People) -> None:
    schedules.create(people.exporter, EVERY_HOUR)
    schedules.clock.set("2026-11-23 10:00:09+00")
    schedules.reconcile()
    assert schedules.told() == [("23 10:00", "queued")]


def test_an_entry_at_a_wrong_time_is_moved(schedules: Schedules, people: People, app_settings: dict[str, str]) -> None:
    export_id = schedules.create(people.exporter, EVERY_HOUR)
    with Redis.from_url(app_settings["REDIS_URL"]) as redis:
        redis.zadd("rq:scheduler:scheduled_jobs", {f"export-{export_id}": 1})
    schedules.reconcile()
    assert entries(app_settings) == {f"export-{export_id}": datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()}


def test_the_clock_rings_once_and_removes_what_was_due(
    schedules: Schedules, people: People, app_settings: dict[str, str]
) -> None:
    from webapp import entries as bell

    for _ in range(3):
        schedules.create(people.exporter, EVERY_HOUR)
    ten = datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()
    with schedules.app.app_context(), Redis.from_url(app_settings["REDIS_URL"]) as redis:
        assert not bell.ring(ten - 1)
        assert bell.ring(ten)
        assert redis.llen("rq:queue:fast") == 1
        assert entries(app_settings) == {}
        assert not bell.ring(ten)


def set_(app: Flask, person: Person, export_id: uuid.UUID, what: str) -> None:
    """**Set active** or **Set inactive**."""
    from webapp.services import exports
    from webapp.services import schedules as service

    with person.at_work() as user:
        export = exports.find(export_id)
        assert export is not None
        getattr(service, what)(user, export)


def test_an_inactive_export_does_not_run_and_catches_nothing_up(
    schedules: Schedules, people: People, app_settings: dict[str, str]
) -> None:
    export_id = schedules.create(people.exporter, EVERY_HOUR)
    set_(schedules.app, people.exporter, export_id, "set_inactive")
    assert (schedules.next(), entries(app_settings)) == ("", {})
    schedules.clock.set("2026-11-23 12:10+00")
    schedules.fire()
    assert schedules.told() == []
    set_(schedules.app, people.exporter, export_id, "set_active")
    assert schedules.next() == "23 13:00"
    schedules.fire()
    assert schedules.told() == []


def test_a_moment_that_came_before_it_was_set_inactive_has_its_row(schedules: Schedules, people: People) -> None:
    export_id = schedules.create(people.exporter, EVERY_HOUR)
    schedules.clock.set("2026-11-23 10:00:05+00")
    set_(schedules.app, people.exporter, export_id, "set_inactive")
    assert schedules.told() == [("23 10:00", "queued")]


@pytest.mark.parametrize("what", ["set_inactive", "set_active"])
def test_only_who_may_sets_it(schedules: Schedules, people: People, what: str) -> None:
    from webapp.permissions import Refused

    export_id = schedules.create(people.exporter, EVERY_HOUR)
    set_(schedules.app, people.manager, export_id, what)
    for other in (people.colleague, people.viewer):
        with pytest.raises(Refused):
            set_(schedules.app, other, export_id, what)


def test_exports_of_every_brand_are_fired(schedules: Schedules, people: People) -> None:
    for person in (people.exporter, people.stranger):
        schedules.create(person, EVERY_HOUR)
    schedules.clock.set("2026-11-23 10:00+00")
    assert schedules.fire() == 2
    assert {row["brand_id"] for row in schedules.rows()} == {people.exporter.brand_id, people.stranger.brand_id}


def test_a_schedule_in_a_zone_that_is_no_longer_known_holds_up_no_other(schedules: Schedules, people: People) -> None:
    lost, _ = [schedules.create(people.exporter, EVERY_HOUR) for _ in range(2)]
    with psycopg.connect(schedules.url) as connection:
        connection.execute("ALTER TABLE export_versions DISABLE TRIGGER immutable")
        changed = "UPDATE export_versions SET definition = jsonb_set(definition, '{schedule,timezone}', %s)"
        connection.execute(f"{changed} WHERE export_id = %s", ['"Nowhere/Gone"', lost])  # type: ignore[arg-type]
        connection.execute("ALTER TABLE export_versions ENABLE TRIGGER immutable")
    schedules.clock.set("2026-11-23 10:00+00")
    assert schedules.fire() == 2
    assert schedules.told() == [("23 10:00", "queued")] * 2, "the run of the lost one says why"
    moved = schedules.rows("SELECT id, next_run_at FROM exports WHERE next_run_at IS NULL")
    assert [row["id"] for row in moved] == [lost]
