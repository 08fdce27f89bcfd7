"""Killed before any of its steps, no process loses anything or does it twice (RELIABILITY P8, F1, F10; bar R1).

Each deed is done once to count its steps, then once for each step by a process that is killed (SIGKILL) before it. Then
others go on where it stopped, and what must be true is.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from redis import Redis

from tests.campaigns import drill, ended, is_long, seen
from tests.faults import invariants
from tests.faults.deeds import HOURLY
from tests.faults.ground import BIG_ROWS, NINE, TEN, Facts, Ground, who
from tests.fix_app import stores
from tests.fix_workshop import ROWS

# What there is before


def nothing(ground: Ground) -> Facts:
    """Nothing yet, but somebody who is about to create an export."""
    return {**who(ground.shop.people.exporter), "token": uuid.uuid4()}


def a_run_waits(ground: Ground) -> Facts:
    """An export of a thousand rows is to run."""
    ground.shop.create(stores())
    return {}


def a_big_run_waits(ground: Ground) -> Facts:
    """An export whose file is kept in several parts is to run."""
    from webapp.services import exports

    with ground.shop.people.stranger.at_work() as user:
        exports.create(user, stores(name="Big"), uuid.uuid4())
    return {}


def a_run_waits_whose_owner_may_not(ground: Ground) -> Facts:
    """An export is to run whose owner has lost the right to."""
    ground.shop.create(stores())
    ground.rows("UPDATE users SET role = 'viewer' WHERE id = %s RETURNING id", ground.shop.people.exporter.id)
    return {}


def a_run_waits_that_may_be_cancelled(ground: Ground) -> Facts:
    """An export is to run, and somebody is about to press **Cancel**."""
    ground.shop.create(stores())
    return who(ground.shop.people.exporter)


def a_run_to_be_cancelled(ground: Ground) -> Facts:
    """The same, by the id of its run."""
    return {**who(ground.shop.people.exporter), "run": ground.shop.create(stores())}


def an_export(ground: Ground) -> Facts:
    """An export that has run."""
    from jobs import runs

    run = ground.shop.create(stores())
    with ground.shop.app.app_context():
        runs.execute()
    [(export,)] = ground.rows("SELECT export_id FROM runs WHERE id = %s", run)
    return {**who(ground.shop.people.exporter), "export": export, "token": uuid.uuid4()}


def dead_workers(ground: Ground) -> Facts:
    """Three runs whose worker has died: for the first time, for the third time, and after it was to be cancelled."""
    for name in ("first", "third", "cancelled"):
        ground.shop.create(stores(name=name))
    held = "state = 'processing', worker = 'dead', attempt = 1, started_at = clock(), lease_until = clock() + '30 s'"
    ground.rows(f"UPDATE runs SET {held} RETURNING id")
    by_name = "export_id = (SELECT id FROM exports WHERE name = %s) RETURNING id"
    ground.rows(f"UPDATE runs SET deaths = 2 WHERE {by_name}", "third")
    ground.rows(f"UPDATE runs SET cancel_requested_at = clock() WHERE {by_name}", "cancelled")
    return {}


def dead_workers_past_their_lease(ground: Ground) -> Facts:
    """The same, 31 s later."""
    dead_workers(ground)
    ground.shop.clock.forward(timedelta(seconds=31))
    return {}


def a_horse_has_ended(ground: Ground) -> Facts:
    """The same, and their worker has seen it."""
    dead_workers(ground)
    return {"worker": "dead", "counted": True}


def ten_o_clock(ground: Ground) -> Facts:
    """Two exports run every hour, and it has just struck ten."""
    from jobs import scheduler
    from webapp.services import exports

    with ground.shop.people.exporter.at_work() as user:
        ids = [exports.create(user, stores(schedule=HOURLY), uuid.uuid4()).id for _ in range(2)]
    with ground.shop.app.app_context():
        scheduler.Clock().reconcile()
    ground.shop.clock.set(TEN)
    return {**who(ground.shop.people.exporter), "export": ids[0]}


def ten_o_clock_strikes(ground: Ground) -> Facts:
    """The same, for those who need to be told of nothing."""
    ten_o_clock(ground)
    return {}


def an_inactive_export(ground: Ground) -> Facts:
    """An export that would run every hour, set inactive before ten."""
    from webapp.extensions import db
    from webapp.models import Export
    from webapp.services import schedules

    facts = ten_o_clock(ground)
    ground.shop.clock.set(NINE)
    with ground.shop.people.exporter.at_work() as user:
        schedules.set_inactive(user, db.session.get_one(Export, facts["export"]))
    ground.shop.clock.set(TEN)
    return facts


def an_old_file(ground: Ground) -> Facts:
    """A file that was kept until its day."""
    an_export(ground)
    ground.shop.clock.forward(timedelta(days=31))
    return {}


def an_export_to_go(ground: Ground) -> Facts:
    """An export that has run, and somebody is about to press **Delete**."""
    facts = an_export(ground)
    del facts["token"]
    return facts


def a_deleted_export(ground: Ground) -> Facts:
    """An export that is marked as deleted, with all that it had."""
    an_export(ground)
    ground.rows("UPDATE exports SET deleted_at = clock() RETURNING id")
    return {}


def files_of_nobody(ground: Ground) -> Facts:
    """A published file, and two of attempts that were not."""
    an_export(ground)
    [(key,)] = ground.rows("SELECT artefact FROM runs")
    for name in (key.replace("1.zip", "0.zip"), key.replace("1.zip", "7.zip#1")):
        (ground.shop.store_folder / name).write_bytes(b"half")
    return {}


# What there is in the end


def all_finished(ground: Ground, _facts: Facts) -> None:
    """Each run has its file, whole, by its first or its second attempt."""
    for state, attempt, rows, brand in ground.rows("SELECT state, attempt, rows, brand_id FROM runs"):
        assert (state, attempt in (1, 2)) == ("success", True)
        assert rows == (ROWS if brand == ground.shop.people.exporter.brand_id else BIG_ROWS)
    assert len(ground.rows("SELECT FROM runs")) == 1


def failed_with_its_reason(ground: Ground, _facts: Facts) -> None:
    """It failed, because of its owner, and left no file."""
    assert ground.rows("SELECT state, error_code FROM runs") == [("failed", "rights.lost")]
    assert ground.shop.files() == []


def cancelled_or_finished(ground: Ground, _facts: Facts) -> None:
    """The wish was written down or it was not."""
    [(state,)] = ground.rows("SELECT state FROM runs")
    assert state in ("cancelled", "success")
    assert len(ground.shop.files()) == (state == "success")


def each_as_it_should(ground: Ground, _facts: Facts) -> None:
    """One death is nothing, the third is the end; who was cancelled is."""
    wanted = "SELECT name, state FROM runs r JOIN exports e ON e.id = r.export_id ORDER BY 1"
    assert ground.rows(wanted) == [("cancelled", "cancelled"), ("first", "success"), ("third", "failed")]
    assert ground.rows("SELECT error_code FROM runs WHERE state = 'failed'") == [("system.worker_died",)]


def one_row_for_ten(ground: Ground, _facts: Facts) -> None:
    """Each has one finished run for ten o'clock, waits for eleven, and its entry too."""
    made = "SELECT export_id, state, scheduled_for = '2026-11-23 10:00+00' FROM runs"
    exports = [id_ for (id_,) in ground.rows("SELECT id FROM exports WHERE next_run_at = '2026-11-23 11:00+00'")]
    assert sorted(ground.rows(made)) == sorted((id_, "success", True) for id_ in exports)
    assert len(exports) == 2
    with Redis.from_url(ground.shop.services.redis_url) as redis:
        scheduled = redis.zrange("rq:scheduler:scheduled_jobs", 0, -1, withscores=True)
    assert dict(scheduled) == {f"export-{id_}".encode(): 1_795_431_600.0 for id_ in exports}


def made_once(ground: Ground, facts: Facts) -> None:
    """The second click finds what the first one made, or makes it; either way there is one, and it runs."""
    ground.processes.do("create", **facts)
    ground.recover()
    assert ground.rows("SELECT count(*) FROM exports") == [(1,)]
    assert ground.rows("SELECT state FROM runs") == [("success",)]


def run_once_more(ground: Ground, facts: Facts) -> None:
    """There is one more run, whichever click made it."""
    ground.processes.do("run_now", **facts)
    ground.recover()
    assert ground.rows("SELECT state, count(*) FROM runs GROUP BY 1") == [("success", 2)]


def inactive_after_ten(ground: Ground, facts: Facts) -> None:
    """Ten o'clock was still to run; inactive it waits for nothing."""
    ground.processes.do("set_inactive", **facts)
    ground.recover()
    assert ground.rows("SELECT count(*), count(DISTINCT export_id) FROM runs") == [(2, 2)]
    assert ground.rows("SELECT next_run_at, active FROM exports WHERE id = %s", facts["export"]) == [(None, False)]


def active_from_eleven_on(ground: Ground, facts: Facts) -> None:
    """What passed while it was inactive is no moment; eleven o'clock is."""
    ground.processes.do("set_active", **facts)
    wanted = "SELECT active, next_run_at = '2026-11-23 11:00+00' FROM exports WHERE id = %s"
    assert ground.rows(wanted, facts["export"]) == [(True, True)]
    assert ground.rows("SELECT FROM runs WHERE export_id = %s", facts["export"]) == []


def the_row_without_the_file(ground: Ground, _facts: Facts) -> None:
    """The file is gone, and its run says so."""
    ground.processes.do("tidy")
    assert ground.rows("SELECT state, artefact FROM runs") == [("success", None)]
    assert ground.shop.files() == []


def nothing_of_it(ground: Ground, facts: Facts) -> None:
    """Whoever presses again finds it gone or marked; its file and its rows go, and the audit log says so once."""
    if facts and ground.rows("SELECT FROM exports WHERE deleted_at IS NULL"):
        ground.processes.do("delete", **facts)
    ground.processes.do("remove_deleted")
    assert [ground.rows(f"SELECT FROM {table}") for table in ("exports", "export_versions", "runs")] == [[], [], []]
    assert ground.shop.files() == []
    assert ground.rows("SELECT count(*) FROM audit WHERE action = 'export.deleted'") == [(1 if facts else 0,)]


def the_published_file(ground: Ground, _facts: Facts) -> None:
    """It is still there, alone."""
    assert ground.rows("SELECT artefact FROM runs") == [(key,) for key in ground.shop.files()]


SCENARIOS: list[tuple[str, Callable[[Ground], Facts], Callable[[Ground, Facts], None]]] = [
    ("execute", a_run_waits, all_finished),
    ("execute", a_big_run_waits, all_finished),
    ("work", a_run_waits, all_finished),
    ("execute_without_source", a_run_waits, all_finished),
    ("execute", a_run_waits_whose_owner_may_not, failed_with_its_reason),
    ("execute_and_be_told_to_go", a_run_waits, all_finished),
    ("execute_and_be_cancelled", a_run_waits_that_may_be_cancelled, cancelled_or_finished),
    ("cancel", a_run_to_be_cancelled, cancelled_or_finished),
    ("sweep", dead_workers_past_their_lease, each_as_it_should),
    ("take_back", a_horse_has_ended, each_as_it_should),
    ("create", nothing, made_once),
    ("run_now", an_export, run_once_more),
    ("fire", ten_o_clock_strikes, one_row_for_ten),
    ("reconcile", ten_o_clock_strikes, one_row_for_ten),
    ("ring", ten_o_clock_strikes, one_row_for_ten),
    ("set_inactive", ten_o_clock, inactive_after_ten),
    ("set_active", an_inactive_export, active_from_eleven_on),
    ("tidy", an_old_file, the_row_without_the_file),
    ("orphans", files_of_nobody, the_published_file),
    ("delete", an_export_to_go, nothing_of_it),
    ("remove_deleted", a_deleted_export, nothing_of_it),
]
POINTS, POINTS_OF_RUNS = 3, 8
"""How many of the effects of a deed, or of a run, every run of the tests chooses; `script/soak` takes every step."""
NO_EFFECT = ("SELECT", "INSERT", "UPDATE", "Redis ZCOUNT", "Redis ZMSCORE", "Redis LLEN", "Redis INFO")
"""A question, or what is rolled back with its transaction: a death before it is one after the effect before."""


def chosen(deed: str, steps: list[str], chance: random.Random, points: int | None = None) -> list[int]:
    """Before which steps a process is to die: before so many effects, or as many as are usual for the deed."""
    points = points or (POINTS_OF_RUNS if deed == "execute" else POINTS)
    if is_long():
        return list(range(len(steps)))
    effects = [number for number, name in enumerate(steps) if not name.startswith(NO_EFFECT)]
    return sorted(chance.sample(effects, min(len(effects), points)))


@drill("faults")
@pytest.mark.parametrize(
    ("deed", "before", "after"), SCENARIOS, ids=[f"{one[0]}: {one[1].__name__}" for one in SCENARIOS]
)
def test_a_process_killed_before_any_of_its_steps_leaves_everything_right(
    ground: Ground,
    request: pytest.FixtureRequest,
    deed: str,
    before: Callable[[Ground], Facts],
    after: Callable[[Ground, Facts], None],
) -> None:
    die_everywhere(ground, request, deed, before, after)


def die_everywhere(
    ground: Ground,
    request: pytest.FixtureRequest,
    deed: str,
    before: Callable[[Ground], Facts],
    after: Callable[[Ground, Facts], None],
    at_once: Callable[[], None] = lambda: None,
    always: Callable[[list[str]], list[int]] = lambda _steps: [],
    points: int | None = None,
) -> None:
    """Let processes die in a deed. `at_once`: what must be true before others go on; `always`: at steps that no chance
    leaves out.
    """
    chance = random.Random(request.config.option.hypothesis_seed)  # noqa: S311 - chooses when to die
    ground.clear()
    steps = ground.processes.do(deed, **before(ground)).steps
    for number in sorted({*chosen(deed, steps, chance, points), *always(steps)}):
        ground.clear()
        facts = before(ground)
        end = ground.processes.do(deed, before=number, **facts)
        told = f"{deed} killed before step {number}: {end.steps}"
        assert (end.how, end.steps) == ("killed", steps[: number + 1]), told
        assert not invariants.broken(ground.shop), told
        at_once()
        ground.recover()
        after(ground, facts)
        assert not invariants.broken(ground.shop, tidied=True), told
        seen(deed, "killed")
        ended()
