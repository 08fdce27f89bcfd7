"""Whatever people, processes and faults do in whatever order, what must be true is (RELIABILITY method 2, bar R2).

The processes are real, and are killed, told to go or stopped before a step of theirs that Hypothesis chooses.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from redis import Redis

from jobs import scheduler, upkeep
from tests.campaigns import drill, ended, is_long, seen
from tests.faults import invariants
from tests.faults.deeds import HOURLY
from tests.faults.ground import Facts, Ground, who
from tests.fix_app import stores
from webapp.extensions import db
from webapp.models import Export, Run
from webapp.services import exports, runs, schedules

SHORT, LONG = 8, 2_000
STEPS = 15
MOST_STOPPED = 3
STEP = st.none() | st.integers(0, 32)
"""Before which step a process dies, if it does."""
HOUR = timedelta(hours=1)


class Faults(RuleBasedStateMachine):
    """The installation, and what is known of it besides: who is stopped, and since when an export is (in)active."""

    ground: Ground

    def __init__(self) -> None:
        super().__init__()
        self.ground.clear()
        self.shop = self.ground.shop
        self.stopped: list[int] = []
        self.switched: dict[uuid.UUID, list[tuple[datetime, bool]]] = {}
        self.what: set[str] = set()

    # what is known

    def now(self) -> datetime:
        """What time it is."""
        [(at,)] = self.ground.rows("SELECT clock()")
        assert isinstance(at, datetime)
        return at.astimezone(UTC)

    def note_switches(self) -> None:
        """Write down which repeated exports are active since now; a person who was killed may have done it or not."""
        now = self.now()
        for id_, active in self.ground.rows("SELECT id, active FROM exports WHERE active IS NOT NULL"):
            known = self.switched.setdefault(id_, [])
            if not known or known[-1][1] != active:
                known.append((now, active))

    def wanted(self, switches: list[tuple[datetime, bool]], now: datetime) -> list[datetime]:
        """The full hours at which an export was active."""
        hour = switches[0][0].replace(minute=0, second=0, microsecond=0) + HOUR
        found = []
        while hour <= now:
            if [active for at, active in switches if at < hour][-1]:
                found.append(hour)
            hour += HOUR
        return found

    def do(self, deed: str, before: int | None, how: str = "SIGKILL", **facts: object) -> None:
        """Let a process do something."""
        # Nobody stops in a transaction: whoever wants its rows would wait for a lease (test_stopped_processes.py).
        end = self.ground.processes.do(deed, before, how, outside=how == "SIGSTOP", **facts)
        self.what.add(deed)
        if end.how == "stopped":
            self.stopped.append(end.pid)
        told_to_go = how == "SIGTERM" and before is not None and len(end.steps) > before
        seen(deed, "told to go" if told_to_go else end.how)
        self.note_switches()

    # what people do

    @rule(before=STEP, hourly=st.booleans())
    def create(self, before: int | None, hourly: bool) -> None:
        """**Create**, at once or repeated."""
        facts: Facts = {**who(self.shop.people.exporter), "token": uuid.uuid4()}
        if before is not None:
            self.do("create", before, **facts, schedule=HOURLY if hourly else None)
            return
        with self.shop.people.exporter.at_work() as user:
            exports.create(user, stores(schedule=HOURLY) if hourly else stores(), uuid.uuid4())
        self.note_switches()

    @rule(minutes=st.integers(1, 90))
    def create_on_date(self, minutes: int) -> None:
        """**Create**, to run on a date."""
        at = self.now() + timedelta(minutes=minutes)
        with self.shop.people.exporter.at_work() as user:
            exports.create(user, stores(schedule={"type": "on_date", "at": f"{at:%Y-%m-%dT%H:%M:%S}Z"}), uuid.uuid4())

    def one_of(self, wanted: str, which: int) -> Any:
        """The id of one of these; None if there is none."""
        found = self.ground.rows(wanted)
        return found[which % len(found)][0] if found else None

    def press(
        self, button: str, before: int | None, wanted: str, which: int, really: Callable[[Any, Any], Any]
    ) -> None:
        """A button of one of these."""
        name, model = ("run", Run) if button == "cancel" else ("export", Export)
        id_ = self.one_of(wanted, which)
        if id_ is None:
            return
        if before is not None:
            facts = {name: id_, **({"token": uuid.uuid4()} if button == "run_now" else {})}
            self.do(button, before, **who(self.shop.people.exporter), **facts)
            return
        with self.shop.people.exporter.at_work() as user:
            really(user, db.session.get_one(model, id_))
        self.note_switches()

    @rule(before=STEP, which=st.integers(0, 9))
    def cancel(self, before: int | None, which: int) -> None:
        """**Cancel** of a run, whatever it is doing."""
        self.press("cancel", before, "SELECT id FROM runs ORDER BY created_at DESC, id LIMIT 4", which, runs.cancel)

    @rule(before=STEP, which=st.integers(0, 9))
    def run_now(self, before: int | None, which: int) -> None:
        """**Run now**."""

        def pressed(user: Any, export: Any) -> None:
            runs.request_run(user, export, uuid.uuid4())

        self.press("run_now", before, "SELECT id FROM exports ORDER BY created_at, id", which, pressed)

    @rule(before=STEP, which=st.integers(0, 9))
    def set_inactive(self, before: int | None, which: int) -> None:
        """**Set inactive**."""
        wanted = "SELECT id FROM exports WHERE active ORDER BY id"
        self.press("set_inactive", before, wanted, which, schedules.set_inactive)

    @rule(before=STEP, which=st.integers(0, 9))
    def set_active(self, before: int | None, which: int) -> None:
        """**Set active**."""
        wanted = "SELECT id FROM exports WHERE NOT active ORDER BY id"
        self.press("set_active", before, wanted, which, schedules.set_active)

    # what processes do

    @rule(seconds=st.sampled_from([1, 6, 31, 60, 1800, 3600, 8000]), before=STEP)
    def time_goes_by(self, seconds: int, before: int | None) -> None:
        """Time goes by, and somebody sweeps, as every five seconds; who dies of it is followed by another."""
        self.shop.clock.forward(timedelta(seconds=seconds))
        if before is not None:
            self.do("sweep", before)
        with self.shop.app.app_context():
            upkeep.sweep()

    @rule(deed=st.sampled_from(["fire", "ring", "reconcile"]), before=STEP)
    def tick(self, deed: str, before: int | None) -> None:
        """The clock strikes."""
        self.do(deed, before)

    @rule(before=STEP, how=st.sampled_from(["SIGKILL", "SIGTERM", "SIGSTOP"]))
    def work(self, before: int | None, how: str) -> None:
        """A work horse carries out what waits, or else a new run; killed, told to go or stopped before a step."""
        if not self.ground.rows("SELECT FROM runs WHERE state = 'queued' AND not_before <= clock()"):
            self.create(before=None, hourly=False)
        self.do("execute", before, how if len(self.stopped) < MOST_STOPPED else "SIGKILL", worker=f"w{uuid.uuid4()}")

    @rule(before=STEP, deed=st.sampled_from(["execute_without_source", "tidy", "orphans"]))
    def less_usual(self, before: int | None, deed: str) -> None:
        """The source is away, or something is tidied."""
        self.do(deed, before)

    @rule(which=st.integers(0, 9), counted=st.booleans())
    def a_worker_sees_its_horse_end(self, which: int, counted: bool) -> None:
        """What it held is queued again at once. (One that is stopped only, is dead for its worker as well.)"""
        held = self.one_of("SELECT worker FROM runs WHERE state = 'processing' ORDER BY id", which)
        if held is not None:
            with self.shop.app.app_context():
                upkeep.take_back(held, counted=counted)

    @precondition(lambda self: self.stopped)
    @rule(which=st.integers(0, 9))
    def wake(self, which: int) -> None:
        """Somebody who was stopped goes on, however late."""
        end = self.ground.processes.wake(self.stopped.pop(which % len(self.stopped)))
        seen("wake", end.how)

    # what happens to the services

    @rule()
    def flush(self) -> None:
        """Redis is wiped."""
        seen("Redis", "wiped")
        with Redis.from_url(self.shop.services.redis_url) as redis:
            redis.flushall()

    @rule()
    def restart(self) -> None:
        """Redis, and everybody who is stopped, is killed and started again."""
        seen("Redis", "restarted")
        while self.stopped:
            self.ground.processes.kill(self.stopped.pop())
        self.shop.services.redis.stop()
        self.shop.services.redis.start()

    # what is true

    @invariant()
    def nothing_is_broken(self) -> None:
        """The checker."""
        assert not invariants.broken(self.shop)

    def teardown(self) -> None:
        """Everybody goes on, time goes by; then everything that came due has its row, and everything has ended."""
        while self.stopped:
            self.ground.processes.wake(self.stopped.pop())
        self.ground.recover()
        now = self.now()
        assert not self.ground.rows("SELECT FROM runs WHERE state IN ('queued', 'processing')")
        assert not self.ground.rows("SELECT FROM exports WHERE next_run_at <= clock()")
        self.note_switches()
        made = "SELECT scheduled_for FROM runs WHERE export_id = %s AND kind = 'schedule' ORDER BY 1"
        for id_, switches in self.switched.items():
            rows = [at.astimezone(UTC) for (at,) in self.ground.rows(made, id_)]
            assert rows == self.wanted(switches, now), (id_, switches)
        assert not self.ground.rows(
            "SELECT FROM exports e WHERE schedule = 'on_date' AND (next_run_at IS NULL)"
            " <> ((SELECT count(*) FROM runs r WHERE r.export_id = e.id AND kind = 'schedule') = 1)"
        )
        assert not invariants.broken(self.shop, tidied=True)
        ended()


@drill("faults")
def test_no_sequence_of_faults_breaks_what_must_be_true(ground: Ground) -> None:
    Faults.ground = ground
    with ground.shop.app.app_context():
        scheduler.Clock()  # what is imported at its first use
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Faults,
        settings=settings(
            max_examples=LONG if is_long() else SHORT,
            stateful_step_count=STEPS,
            suppress_health_check=list(HealthCheck),
        ),
    )
