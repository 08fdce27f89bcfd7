"""The connections for previews: of one draft the newest question alone, whichever process asks it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from exports.errors import Overtaken, PreviewsBusy, SourceTimeout
from exports.source.pool import IDLE, PreviewPool
from tests.exports.zoo import Zoo, definition

RUNNING = "FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE %s"
SLEEP = sa.select(sa.func.pg_sleep(30))
ONE = sa.select(sa.literal_column("1"))


@pytest.fixture
def pool(zoo: Zoo) -> Iterator[PreviewPool]:
    """Two connections."""
    made = PreviewPool(zoo.source, size=2)
    yield made
    made.close()


@pytest.fixture
def other_process(zoo: Zoo) -> Iterator[PreviewPool]:
    """Two connections that know nothing of the former two."""
    made = PreviewPool(zoo.source, size=2)
    yield made
    made.close()


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """As many as a test asks for."""
    with ThreadPoolExecutor(32) as made:
        yield made


def names(zoo: Zoo, draft: str = "%") -> list[str]:
    """The names under which queries of drafts run."""
    with psycopg.connect(zoo.url, autocommit=True) as connection:
        wanted = f"SELECT application_name {RUNNING} ORDER BY 1"
        return [name for (name,) in connection.execute(wanted.encode(), [f"preview:{draft}:%"])]


def wait_for(names_now: Any, wanted: Any) -> None:
    """Wait until the names are these."""
    deadline = time.monotonic() + 20
    while names_now() != wanted:
        assert time.monotonic() < deadline, names_now()
        threading.Event().wait(0.01)


def ask(pool: PreviewPool, draft: str, rev: int, what: Any = SLEEP, seconds: float = 30) -> Any:
    """Ask something about a revision of a draft."""
    with pool.lease(draft, rev) as source:
        return source.select(what, seconds=seconds)


def begin(threads: ThreadPoolExecutor, zoo: Zoo, pool: PreviewPool, draft: str, rev: int) -> Future[Any]:
    """A question that takes long, and is being answered."""
    asked = threads.submit(ask, pool, draft, rev)
    wait_for(lambda: [one for one in names(zoo) if one == f"preview:{draft}:{rev}"], [f"preview:{draft}:{rev}"])
    return asked


def test_a_newer_question_stops_the_older_one_of_the_same_draft_also_in_another_process(
    zoo: Zoo, pool: PreviewPool, other_process: PreviewPool, threads: ThreadPoolExecutor
) -> None:
    for newer in (pool, other_process):
        older, another = begin(threads, zoo, pool, "a", 1), begin(threads, zoo, other_process, "b", 1)
        assert ask(newer, "a", 2, ONE) == [(1,)]
        with pytest.raises(Overtaken):
            older.result(timeout=20)
        assert names(zoo) == ["preview:b:1"], "the other draft's goes on"
        assert ask(other_process, "b", 1, ONE) == [(1,)], "asked again, also what is of the same revision is stopped"
        with pytest.raises(Overtaken):
            another.result(timeout=20)
    assert names(zoo) == []


def test_a_question_that_comes_too_late_does_not_stop_a_newer_one(
    zoo: Zoo, pool: PreviewPool, other_process: PreviewPool, threads: ThreadPoolExecutor
) -> None:
    newer = begin(threads, zoo, pool, "a", 2)
    for late in (pool, other_process):
        with pytest.raises(Overtaken):
            ask(late, "a", 1, ONE)
    assert names(zoo) == ["preview:a:2"]
    assert not newer.done()
    assert ask(pool, "a", 3, ONE) == [(1,)]


def test_who_gives_way_waits_for_the_same_question_but_not_for_an_older_one(
    zoo: Zoo, pool: PreviewPool, other_process: PreviewPool, threads: ThreadPoolExecutor
) -> None:
    def gently(rev: int) -> Any:
        with other_process.lease("a", rev, gives_way=True) as source:
            return source.select(ONE, seconds=5)

    older = begin(threads, zoo, pool, "a", 1)
    assert gently(2) == [(1,)]
    with pytest.raises(Overtaken):
        older.result(timeout=20)
    ended = threading.Event()

    def held() -> None:
        with pool.lease("a", 3):
            ended.wait(20)

    same = threads.submit(held)
    wait_for(lambda: names(zoo), ["preview:a:3"])
    waiting = threads.submit(gently, 3)
    with psycopg.connect(zoo.url, autocommit=True) as connection:
        wait_for(lambda: len(connection.execute(f"SELECT {RUNNING}".encode(), [IDLE]).fetchall()), 1)
    assert not waiting.done()
    ended.set()
    same.result(timeout=20)
    assert waiting.result(timeout=20) == [(1,)]


def test_twenty_quick_changes_never_leave_more_than_one_query_of_the_draft_running(
    zoo: Zoo, threads: ThreadPoolExecutor
) -> None:
    processes = [PreviewPool(zoo.source, size=4) for _ in range(3)]
    seen: list[int] = []
    ended = threading.Event()

    def look() -> None:
        with psycopg.connect(zoo.url, autocommit=True) as connection:
            while not ended.is_set():
                running = connection.execute(f"SELECT count(*) {RUNNING}".encode(), ["preview:a:%"]).fetchone()
                assert running is not None
                seen.append(running[0])

    looking = threads.submit(look)
    try:
        asked = [threads.submit(ask, processes[rev % 3], "a", rev) for rev in range(1, 21)]
        for one in asked[:-1]:
            with pytest.raises((Overtaken, PreviewsBusy)):
                one.result(timeout=20)
        assert not asked[-1].done(), "the newest goes on, however late an older one came"
        assert ask(processes[0], "a", 21, ONE) == [(1,)]
        with pytest.raises(Overtaken):
            asked[-1].result(timeout=20)
    finally:
        ended.set()
        looking.result(timeout=20)
        for process in processes:
            process.close()
    assert len(seen) > 20
    assert set(seen) <= {0, 1}
    assert names(zoo) == []


def test_a_full_pool_says_so_and_still_stops_the_drafts_own_older_question(
    zoo: Zoo, pool: PreviewPool, threads: ThreadPoolExecutor
) -> None:
    own, others = begin(threads, zoo, pool, "a", 1), begin(threads, zoo, pool, "b", 1)
    with pytest.raises(PreviewsBusy):
        ask(pool, "c", 1, ONE)
    assert ask(pool, "a", 2, ONE) == [(1,)], "in the place of the older one"
    with pytest.raises(Overtaken):
        own.result(timeout=20)
    assert not others.done()
    ask(pool, "b", 2, ONE)


def test_a_connection_is_used_again_after_answers_rows_limits_and_mistakes(zoo: Zoo, pool: PreviewPool) -> None:
    zoo.fill([{"id": f"{number:03}"} for number in range(500)])
    pid = sa.select(sa.func.pg_backend_pid())
    [(first,)] = ask(pool, "a", 1, pid)
    query = zoo.query(definition())
    with pool.lease("a", 2) as source, source.rows(query.rows, query) as rows:
        assert b"".join(bytes(one) for one in rows).count(b"\n") == 500
    with pytest.raises(SourceTimeout):
        ask(pool, "a", 3, SLEEP, seconds=0.1)
    assert ask(pool, "b", 1, pid) == [(first,)]
    assert names(zoo) == []
    with psycopg.connect(zoo.url, autocommit=True) as connection:
        idle = connection.execute(f"SELECT state {RUNNING}".encode(), [IDLE]).fetchall()
        assert idle == [("idle",)]
        connection.execute("SELECT pg_terminate_backend(%s)", [first])
    [(second,)] = ask(pool, "a", 4, pid)
    assert second != first, "one that died is replaced"


def test_rows_left_half_read_end_with_their_lease(zoo: Zoo, pool: PreviewPool) -> None:
    zoo.fill([{"id": f"{number:06}", "note": "x" * 2_000} for number in range(5_000)])
    query = zoo.query(definition(fields=["id", "note"]))
    with pool.lease("a", 1) as source, source.rows(query.rows, query) as rows:
        next(iter(rows))
    assert names(zoo) == []
    assert ask(pool, "a", 2, ONE) == [(1,)]


def test_previews_cannot_write(zoo: Zoo, pool: PreviewPool) -> None:
    with pool.lease("a", 1) as source:
        assert source.select(sa.select(sa.func.current_setting("transaction_read_only")), seconds=1) == [("on",)]


def test_what_is_known_of_time_zones_is_not_asked_again_with_each_lease(zoo: Zoo, pool: PreviewPool) -> None:
    known = zoo.source.zone("Europe/Budapest")
    for rev in (1, 2):
        with pool.lease("a", rev) as source:
            assert source.zone("Europe/Budapest") is known
            assert source.zones() is zoo.source.zones()
