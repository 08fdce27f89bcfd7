"""A worker and its run: claimed once, kept by heartbeats, published once; nothing by who is the owner no more."""

from __future__ import annotations

import string
import threading
import uuid
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from exports.errors import RETRIED, Cancelled, EnclosureNeeded, ExportsError, Fenced, SourceUnreachable, Unexpected
from tests.fix_app import Clock, People, Person, stores
from webapp.extensions import db
from webapp.models import AuditEntry, Run, brand_scope, system_scope
from webapp.services import exports, runs


@dataclass(frozen=True)
class Progress:
    """As the pipeline tells it."""

    rows: int
    bytes: int


@dataclass(frozen=True)
class Result:
    """As the pipeline gives it."""

    rows: int = 1000
    bytes: int = 20_000
    archive_bytes: int | None = 4_000
    sha256: str = "ab" * 32
    delivered: bool = True


def queue_one(person: Person) -> uuid.UUID:
    """Create an export; the id of its run."""
    with person.at_work() as user:
        run_id = exports.create(user, stores(), uuid.uuid4()).latest_run_id
        assert run_id is not None
        return run_id


def take(app: Flask, worker: str = "w1") -> runs.Claim | None:
    """Claim what is next."""
    with app.app_context(), system_scope():
        return runs.claim(worker)


def claimed(app: Flask, person: Person) -> runs.Claim:
    """A queued run, claimed."""
    queue_one(person)
    mine = take(app)
    assert mine is not None
    return mine


def seen(app: Flask, mine: runs.Claim) -> Run:
    """The row as it is now, detached."""
    with app.app_context(), brand_scope(mine.brand_id):
        run = db.session.get_one(Run, mine.run_id)
        db.session.expunge(run)
        return run


def kinds(app: Flask, mine: runs.Claim) -> list[str]:
    """What happened, in order."""
    with app.app_context(), brand_scope(mine.brand_id):
        return [event.kind for event in runs.events_of(db.session.get_one(Run, mine.run_id))]


def audited(app: Flask, mine: runs.Claim) -> list[str]:
    """Audit entries about the run, in order."""
    with app.app_context(), brand_scope(mine.brand_id):
        wanted = select(AuditEntry.action).where(AuditEntry.object_id == str(mine.run_id))
        return list(db.session.scalars(wanted.order_by(AuditEntry.number)))


def lapse(app: Flask, clock: Clock, seconds: int = 31) -> None:
    """Let the lease end and have a sweep find it."""
    clock.forward(timedelta(seconds=seconds))
    with app.app_context(), system_scope():
        runs.sweep()


def test_a_claim_takes_the_run_and_its_lease(app: Flask, people: People, clock: Clock) -> None:
    clock.set("2026-11-23 10:00:00+00")
    run_id = queue_one(people.exporter)
    mine = take(app, "host-1")
    assert mine is not None
    assert (mine.run_id, mine.attempt, mine.version) == (run_id, 1, 1)
    assert mine.key == f"{people.exporter.brand_id}/{run_id}/1.zip"
    run = seen(app, mine)
    assert (run.state, run.worker, run.attempt) == ("processing", "host-1", 1)
    assert run.lease_until is not None
    assert run.started_at is not None
    assert (run.lease_until - run.started_at).total_seconds() == 30
    assert audited(app, mine) == ["run.requested", "run.started"]


def test_nothing_is_claimed_twice(app: Flask, people: People) -> None:
    claimed(app, people.exporter)
    assert take(app) is None


def test_many_workers_share_many_runs_without_sharing_one(app: Flask, people: People) -> None:
    wanted = {queue_one(people.exporter) for _ in range(12)}
    got: list[uuid.UUID] = []
    start = threading.Barrier(4)

    def work(name: str) -> None:
        start.wait()
        while (mine := take(app, name)) is not None:
            got.append(mine.run_id)
            with app.app_context():
                runs.publish(mine, Result())

    threads = [threading.Thread(target=work, args=[f"w{number}"]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 12
    assert set(got) == wanted


def test_who_waited_longest_is_next_whatever_the_brand(app: Flask, people: People) -> None:
    order = [queue_one(person) for person in (people.exporter, people.stranger, people.exporter)]
    assert [mine.run_id for _ in order if (mine := take(app))] == order


def test_a_heartbeat_renews_the_lease_and_tells_progress(app: Flask, people: People, clock: Clock) -> None:
    clock.set("2026-11-23 10:00:00+00")
    mine = claimed(app, people.exporter)
    clock.forward(timedelta(seconds=20))
    with app.app_context():
        runs.expect(mine, 5_000)
        runs.beat(mine, Progress(rows=1_234, bytes=99_000), "writing")
    run = seen(app, mine)
    assert (run.rows, run.bytes, run.phase, run.expected_rows) == (1_234, 99_000, "writing", 5_000)
    lapse(app, clock, 20)
    assert seen(app, mine).state == "processing"
    lapse(app, clock, 11)
    assert seen(app, mine).state == "queued"


def test_publishing_makes_a_success_with_all_its_facts(app: Flask, people: People, clock: Clock) -> None:
    clock.set("2026-11-23 10:00:00+00")
    mine = claimed(app, people.exporter)
    with app.app_context():
        runs.publish(mine, Result())
    run = seen(app, mine)
    assert (run.state, run.status, run.published_attempt, run.artefact) == ("success", "Success", 1, mine.key)
    assert (run.rows, run.bytes, run.archive_bytes, run.sha256) == (1000, 20_000, 4_000, "ab" * 32)
    assert run.kept_until is not None
    assert run.finished_at is not None
    assert run.kept_until - run.finished_at == timedelta(days=30)
    assert kinds(app, mine) == ["queued", "claimed", "published"]
    assert audited(app, mine)[-1] == "run.finished"


def test_publishing_again_after_a_lost_answer_changes_nothing(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with app.app_context():
        runs.publish(mine, Result())
        runs.publish(mine, Result())
    assert kinds(app, mine) == ["queued", "claimed", "published"]
    assert audited(app, mine).count("run.finished") == 1


def test_a_success_without_rows_that_delivers_nothing_has_no_file(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with app.app_context():
        runs.publish(mine, Result(rows=0, bytes=0, archive_bytes=None, delivered=False))
        runs.publish(mine, Result(rows=0, bytes=0, archive_bytes=None, delivered=False))
    run = seen(app, mine)
    assert (run.state, run.rows, run.artefact, run.kept_until, run.sha256) == ("success", 0, None, None, None)
    assert run.delivered_nothing
    assert kinds(app, mine) == ["queued", "claimed", "nothing"]


WRITES = {
    "beat": lambda mine: runs.beat(mine, Progress(1, 1), "writing"),
    "publish": lambda mine: runs.publish(mine, Result(rows=1)),
    "fail": lambda mine: runs.fail(mine, Unexpected()),
    "fail for now": lambda mine: runs.fail(mine, SourceUnreachable()),
    "give back": runs.give_back,
    "stop": runs.stop,
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("since", ["queued again", "claimed again", "published by the next"])
def test_who_lost_the_run_can_write_nothing(app: Flask, people: People, clock: Clock, write: str, since: str) -> None:
    old = claimed(app, people.exporter)
    lapse(app, clock)
    if since != "queued again":
        new = take(app, "w2")
        assert new is not None
        assert new.attempt == 2
        if since == "published by the next":
            with app.app_context():
                runs.publish(new, Result(rows=77))
    before, told = seen(app, old), kinds(app, old)
    with app.app_context(), pytest.raises(Fenced):
        WRITES[write](old)
    after = seen(app, old)
    assert {c.key: getattr(after, c.key) for c in Run.__table__.c} == {
        c.key: getattr(before, c.key) for c in Run.__table__.c
    }
    assert kinds(app, old) == told


def test_an_error_that_stays_fails_the_run_with_its_words(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with app.app_context():
        runs.fail(mine, EnclosureNeeded(row=17, detail="postgresql://exports:hunter2@db/x"))
    run = seen(app, mine)
    assert run.state == "failed"
    assert run.error_code == "format.enclosure_needed"
    assert run.error_message == "Row 17 holds a value with the delimiter or a line end, and Enclosure is none."
    assert run.error_advice == 'Choose the enclosure " or another delimiter. Then press Run now.'
    assert run.error_detail == "postgresql://exports:***@db/x"
    assert run.finished_at is not None
    assert kinds(app, mine)[-1] == "failed"
    assert audited(app, mine)[-1] == "run.failed"


def test_what_can_pass_is_tried_again_three_times_with_longer_waits(app: Flask, people: People, clock: Clock) -> None:
    clock.set("2026-11-23 10:00:00+00")
    mine = claimed(app, people.exporter)
    for number, seconds in enumerate((30, 120, 600), start=1):
        with app.app_context():
            runs.fail(mine, SourceUnreachable())
        run = seen(app, mine)
        assert (run.state, run.failures, run.error_code) == ("queued", number, "source.unreachable")
        assert str(run.error_advice).startswith(RETRIED)
        assert take(app) is None, "it waits"
        clock.forward(timedelta(seconds=seconds * 0.79))
        assert take(app) is None, "it waits long enough"
        clock.forward(timedelta(seconds=seconds * 0.42))
        again = take(app)
        assert again is not None
        assert again.attempt == number + 1
        mine = again
    with app.app_context():
        runs.fail(mine, SourceUnreachable())
    assert (seen(app, mine).state, seen(app, mine).error_code) == ("failed", "source.unreachable")
    assert seen(app, mine).error_advice == (
        "It was tried several times. Press Run again. If it keeps failing, ask whoever runs the database."
    )
    told = kinds(app, mine)
    assert told.count("retried") == 3
    assert told[-1] == "failed"


def test_a_success_after_a_failure_has_no_error_left(app: Flask, people: People, clock: Clock) -> None:
    mine = claimed(app, people.exporter)
    with app.app_context():
        runs.fail(mine, SourceUnreachable("server closed"))
    clock.forward(timedelta(minutes=1))
    again = take(app)
    assert again is not None
    with app.app_context():
        runs.publish(again, Result())
    run = seen(app, again)
    assert (run.error_code, run.error_message, run.error_advice, run.error_detail) == (None, None, None, None)


def test_every_error_that_can_fail_a_run_gives_it_code_sentence_and_advice(app: Flask, people: People) -> None:
    from exports import errors

    for kind in errors.catalogue():
        if not issubclass(kind, errors.RunError):
            continue
        told = string.Formatter().parse(kind.sentence + kind.advice)
        error: ExportsError = kind(**{name: 3 for _, name, _, _ in told if name})
        reason = runs.attempts.reason_of(error)
        assert reason["error_code"] == kind.code
        assert reason["error_message"]
        assert reason["error_advice"]


def test_giving_back_counts_nothing_and_waits_for_nothing(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with app.app_context():
        runs.give_back(mine)
    run = seen(app, mine)
    assert (run.state, run.deaths, run.failures, run.worker) == ("queued", 0, 0, None)
    again = take(app, "w2")
    assert again is not None
    assert again.attempt == 2


def test_three_deaths_fail_the_run(app: Flask, people: People, clock: Clock) -> None:
    mine = claimed(app, people.exporter)
    for deaths in (1, 2):
        lapse(app, clock)
        assert (seen(app, mine).state, seen(app, mine).deaths) == ("queued", deaths)
        assert take(app) is not None, "a lost owner is no error of the run: no wait"
    lapse(app, clock)
    run = seen(app, mine)
    assert (run.state, run.error_code) == ("failed", "system.worker_died")
    assert run.error_message == "The worker died 3 times while it ran this export."
    assert kinds(app, mine)[-1] == "died"
    assert audited(app, mine)[-1] == "run.failed"


def test_the_end_of_a_horse_that_was_seen_needs_no_lease_to_run_out(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with app.app_context(), system_scope():
        assert runs.owner_died("somebody else") == 0
        assert runs.owner_died("w1") == 1
    assert (seen(app, mine).state, seen(app, mine).deaths) == ("queued", 1)


def test_a_queued_run_is_cancelled_at_once(app: Flask, people: People) -> None:
    run_id = queue_one(people.exporter)
    with people.exporter.at_work() as user:
        run = runs.cancel(user, db.session.get_one(Run, run_id))
        assert (run.state, run.cancel_requested_by_id) == ("cancelled", user.id)
        assert [runs.told(event) for event in runs.events_of(run)] == ["Queued.", "Cancelled before it started."]
    assert take(app) is None


def test_the_owner_of_a_run_hears_of_cancelling_with_the_next_heartbeat(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with people.exporter.at_work() as user:
        assert runs.cancel(user, db.session.get_one(Run, mine.run_id)).state == "processing"
    with app.app_context():
        with pytest.raises(Cancelled):
            runs.beat(mine, Progress(5, 5), "writing")
        runs.stop(mine)
    assert seen(app, mine).state == "cancelled"
    assert audited(app, mine)[-2:] == ["run.cancel_requested", "run.cancelled"]


def test_a_wish_to_cancel_that_came_first_stops_publishing(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with people.exporter.at_work() as user:
        runs.cancel(user, db.session.get_one(Run, mine.run_id))
    with app.app_context(), pytest.raises(Cancelled):
        runs.publish(mine, Result())
    assert seen(app, mine).published_attempt is None


@pytest.mark.parametrize("write", ["fail for now", "give back"])
def test_a_wish_to_cancel_ends_a_run_that_would_wait_for_its_next_try(app: Flask, people: People, write: str) -> None:
    mine = claimed(app, people.exporter)
    with people.exporter.at_work() as user:
        runs.cancel(user, db.session.get_one(Run, mine.run_id))
    with app.app_context():
        WRITES[write](mine)
    assert seen(app, mine).state == "cancelled"


def test_a_wish_to_cancel_outlives_the_owner(app: Flask, people: People, clock: Clock) -> None:
    mine = claimed(app, people.exporter)
    with people.exporter.at_work() as user:
        runs.cancel(user, db.session.get_one(Run, mine.run_id))
    lapse(app, clock)
    assert seen(app, mine).state == "cancelled"


def test_cancelling_what_has_ended_changes_nothing(app: Flask, people: People) -> None:
    mine = claimed(app, people.exporter)
    with app.app_context():
        runs.publish(mine, Result())
    with people.exporter.at_work() as user:
        assert runs.cancel(user, db.session.get_one(Run, mine.run_id)).state == "success"
    assert kinds(app, mine)[-1] == "published"
