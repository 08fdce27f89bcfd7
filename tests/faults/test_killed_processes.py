"""Horses and workers that are killed, stopped or told to go in the middle of a run (F1-F4, F36; bar R3).

`script/soak faults` does the same with the lease of 30 s, and stops a horse for 90 s.
"""

from __future__ import annotations

import signal
import time
import uuid

import psutil
import pytest

from tests.campaigns import drill, ended, is_long, tell
from tests.faults.crashing import doomed
from tests.faults.deeds import HOURLY
from tests.faults.ground import TEN, Ground
from tests.fix_app import stores
from tests.fix_workshop import ROWS, SHORT_S, Workshop, suppressed, until

SLOW_S = 0.02
"""A row takes so long: the whole file 20 s, so that a test can do something to its worker."""
LEASE_S = 30
STOPPED_S = 90
OWNED_WITHIN_S = 45


def told(what: str, since: float) -> None:
    """Say how long it took, and count it."""
    tell(f"{what} {time.monotonic() - since:.1f} s")
    ended()


@drill("faults")
def test_a_killed_horse_is_replaced_before_its_lease_is_over_and_publishes_once(workshop: Workshop) -> None:
    workshop.pace(SLOW_S)
    workshop.worker(lease_s=600)
    run_id = workshop.create(stores())
    horse = workshop.working(run_id)
    workshop.pace(0)
    horse.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    workshop.until(run_id, lambda run: run["attempt"] == 2, "it is owned again", OWNED_WITHIN_S)
    told("horse killed, owned again after", killed_at)
    run = workshop.ended(run_id)
    assert (run["state"], run["rows"], run["attempt"], run["deaths"]) == ("success", ROWS, 2, 1)
    assert workshop.events(run_id) == ["queued", "claimed", "lost", "claimed", "published"]
    assert workshop.files() == [run["artefact"]]


@drill("faults")
def test_a_killed_worker_takes_its_horse_along_and_another_takes_over(workshop: Workshop) -> None:
    lease_s = LEASE_S if is_long() else SHORT_S
    workshop.pace(SLOW_S)
    first = workshop.worker(lease_s=lease_s)
    run_id = workshop.create(stores())
    horse = workshop.working(run_id)
    workshop.worker(lease_s=lease_s)
    workshop.pace(0)
    first.send_signal(signal.SIGKILL)
    killed_at = time.monotonic()
    first.wait()
    until(lambda: not horse.is_running() or horse.status() == psutil.STATUS_ZOMBIE, "the horse ends", 5)
    workshop.until(run_id, lambda run: run["attempt"] == 2, "it is owned again", OWNED_WITHIN_S)
    told("worker killed, owned again after", killed_at)
    run = workshop.ended(run_id)
    assert (run["state"], run["rows"], run["attempt"], run["deaths"]) == ("success", ROWS, 2, 1)


@drill("faults")
def test_a_horse_stopped_past_its_lease_wakes_up_fenced(workshop: Workshop) -> None:
    lease_s = LEASE_S if is_long() else SHORT_S
    workshop.pace(SLOW_S)
    workshop.worker(lease_s=lease_s)
    run_id = workshop.create(stores())
    horse = workshop.working(run_id)
    horse.send_signal(signal.SIGSTOP)
    stopped_at = time.monotonic()
    workshop.pace(0)
    workshop.worker(lease_s=lease_s)
    workshop.until(run_id, lambda run: run["attempt"] == 2, "it is owned again", OWNED_WITHIN_S)
    told("horse stopped, owned again after", stopped_at)
    run = workshop.ended(run_id)
    assert (run["state"], run["attempt"], run["published_attempt"]) == ("success", 2, 2)
    if is_long():
        time.sleep(max(0.0, STOPPED_S - (time.monotonic() - stopped_at)))
    with suppressed():  # stopped for longer than jobs.worker.STUCK_S, its worker has ended it
        horse.send_signal(signal.SIGCONT)
    until(lambda: not horse.is_running() or horse.status() == psutil.STATUS_ZOMBIE, "the horse gives up", 10)
    told("horse gone, stopped for", stopped_at)
    said = workshop.said(workshop.started[0])
    assert "attempt 1 was overtaken" in said or "holds nothing and does not end: it is killed" in said
    assert workshop.run(run_id) == run
    assert workshop.files() == [run["artefact"]], "the overtaken attempt left nothing"
    assert workshop.events(run_id).count("published") == 1


@pytest.mark.parametrize("whom", ["worker", "both", "worker twice"])
def test_told_to_go_it_gives_the_run_back_and_leaves_within_seconds(workshop: Workshop, whom: str) -> None:
    workshop.pace(SLOW_S)
    worker = workshop.worker()
    run_id = workshop.create(stores())
    horse = workshop.working(run_id)
    if whom == "both":
        horse.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGTERM)
    if whom == "worker twice":
        worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=8) == 0
    run = workshop.run(run_id)
    assert (run["state"], run["deaths"], run["failures"]) == ("queued", 0, 0)
    assert workshop.events(run_id)[-1] == "given_back"
    assert workshop.files() == []
    workshop.pace(0)
    workshop.worker()
    assert workshop.ended(run_id)["state"] == "success"


def test_a_horse_that_does_not_listen_is_stopped_hard_and_its_run_given_back_uncounted(workshop: Workshop) -> None:
    workshop.pace(SLOW_S)
    worker = workshop.worker(lease_s=600)
    run_id = workshop.create(stores())
    horse = workshop.working(run_id)
    horse.send_signal(signal.SIGSTOP)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=15) == 0
    run = workshop.run(run_id)
    assert (run["state"], run["deaths"]) == ("queued", 0)


def test_an_export_that_always_kills_its_horse_is_given_up_after_three(workshop: Workshop) -> None:
    workshop.pace(SLOW_S)
    workshop.worker()
    poison = workshop.create(stores(name="Poison"))
    for attempt in (1, 2, 3):
        workshop.until(poison, lambda run, n=attempt: (run["attempt"], run["phase"]) == (n, "writing"), "it runs")
        if attempt == 3:
            workshop.pace(0)
        workshop.horse().send_signal(signal.SIGKILL)
    run = workshop.ended(poison)
    assert (run["state"], run["error_code"], run["deaths"]) == ("failed", "system.worker_died", 3)
    assert run["error_message"] == "The worker died 3 times while it ran this export."
    assert workshop.ended(workshop.create(stores(name="Another")))["state"] == "success"


def test_a_scheduler_stopped_in_the_middle_of_firing_holds_its_exports_for_a_lease_at_most(ground: Ground) -> None:
    from jobs import scheduler
    from webapp.services import exports

    ground.clear()
    shop = ground.shop
    with shop.people.exporter.at_work() as user:
        for _ in range(2):
            exports.create(user, stores(schedule=HOURLY), uuid.uuid4())
    with doomed({**shop.services.environment, "RUN_LEASE": "1"}, shop.services.folder / "stopped.log") as processes:
        processes.do("sweep")  # it has started, which is to fire what is due
        shop.clock.set(TEN)
        assert ground.rows("SELECT count(*) FROM exports WHERE next_run_at <= clock()") == [(2,)]
        stopped = processes.do("fire", before="commit", how="SIGSTOP")
        assert (stopped.how, stopped.steps[-2:]) == ("stopped", ["INSERT INTO run_events", "commit"]), stopped
        made = "SELECT DISTINCT export_id FROM runs WHERE scheduled_for = '2026-11-23 10:00+00'"

        def fired() -> bool:
            with shop.app.app_context():
                scheduler.fire_all_due()
            return len(ground.rows(made)) == 2

        until(fired, "another scheduler fires what it held", 10)
        assert processes.wake(stopped.pid).how == "failed", "its session is gone"
    assert ground.rows("SELECT count(*) FROM runs") == [(2,)]
