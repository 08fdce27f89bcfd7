"""The source: one snapshot, nothing written, stopped within seconds, its errors told in our words."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import psycopg
import pytest

from exports import checking, errors, pipeline, preview
from exports.catalogue import Catalogue, DataField, FieldType
from exports.errors import Cancelled
from exports.preview import Counts, LeftOut
from exports.sinks import Sink
from exports.source.errors import BY_CLASS, BY_STATE, translated
from exports.source.parts import Parts
from exports.source.postgresql import PostgresSource
from tests.exports.zoo import CATALOGUE, THINGS, Zoo, around, definition
from tests.fix_services import Cluster


class Kept(Sink):
    """Remembers what came and how it ended."""

    def __init__(self) -> None:
        self.data = b""
        self.ended = ""

    def write(self, data: bytes | bytearray) -> None:
        self.data += data

    def close(self) -> None:
        self.ended += "closed"

    def abort(self) -> None:
        self.ended += "aborted"


def computed(sql: str) -> Catalogue:
    """The zoo with one more field."""
    field = DataField(id="extra", label="Extra", type=FieldType.STRING, sql=sql)
    return Catalogue({"things": THINGS.with_fields([field])}, {}, {})


def run(source: PostgresSource, catalogue: Catalogue = CATALOGUE, watch: Any = None, **members: Any) -> Kept:
    """Run to a sink that remembers."""
    sink = Kept()
    members.setdefault("fields", ["id"])
    try:
        pipeline.run(definition(**members), catalogue, around(), source, sink, watch)
    except BaseException:
        assert sink.ended == "aborted"
        raise
    assert sink.ended == "closed"
    return sink


@pytest.fixture
def crowded(zoo: Zoo) -> Zoo:
    """Enough things for a query that takes its time."""
    zoo.fill([])
    with psycopg.connect(zoo.url) as connection:
        connection.execute(
            "INSERT INTO loyalty.things (brand, id, name) "
            "SELECT 'maple', lpad(n::text, 9, '0'), repeat('x', 100) FROM generate_series(1, 50000) n"
        )
    return zoo


SLOW = computed("(CASE WHEN id > '000020000' THEN pg_sleep(0.01) END)::text")
STUCK = computed("(SELECT pg_sleep(60))::text")


@pytest.mark.parametrize("catalogue", [SLOW, STUCK], ids=["while rows come", "before the first row"])
def test_what_the_watch_raises_stops_the_query_in_the_database_within_seconds(
    crowded: Zoo, catalogue: Catalogue
) -> None:
    looks = []

    def watch(progress: pipeline.Progress) -> None:
        looks.append(progress)
        if progress.seconds > 0.7:
            raise Cancelled

    source = PostgresSource(crowded.url, application_name="to be cancelled")
    started = time.monotonic()
    with pytest.raises(Cancelled):
        run(source, catalogue, watch, fields=["id", "extra"])
    assert time.monotonic() - started < 5
    assert 2 <= len(looks) <= 5
    assert all(after.seconds - before.seconds >= 0.2 for before, after in pairwise(looks))
    with psycopg.connect(crowded.url, autocommit=True) as connection:
        still = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'to be cancelled'"
        deadline = time.monotonic() + 5
        while connection.execute(still).fetchone() != (0,):
            assert time.monotonic() < deadline


def run_stuck(url: str) -> None:
    """A run that does not end by itself."""
    run(PostgresSource(url, application_name="to be killed"), STUCK, fields=["extra"])


def test_the_query_of_a_process_that_was_killed_ends_in_the_database_within_seconds(crowded: Zoo) -> None:
    process = multiprocessing.get_context("spawn").Process(target=run_stuck, args=[crowded.url])
    process.start()
    with psycopg.connect(crowded.url, autocommit=True) as connection:
        stuck = "SELECT FROM pg_stat_activity WHERE application_name = 'to be killed' AND wait_event = 'PgSleep'"
        deadline = time.monotonic() + 20
        while not connection.execute(stuck).fetchall():
            assert time.monotonic() < deadline
        process.kill()
        process.join()
        deadline = time.monotonic() + 5
        while connection.execute(stuck).fetchall():
            assert time.monotonic() < deadline


def test_the_file_shows_one_moment_of_the_database(crowded: Zoo) -> None:
    changed = threading.Event()

    def watch(progress: pipeline.Progress) -> None:
        if not changed.is_set():
            changed.set()
            with psycopg.connect(crowded.url) as connection:
                connection.execute("DELETE FROM loyalty.things WHERE id > '000000010'")
                connection.execute("INSERT INTO loyalty.things (brand, id) VALUES ('maple', 'new')")

    slow = computed("(CASE WHEN id = '000000100' THEN pg_sleep(0.6) END)::text")
    sink = run(crowded.source, slow, watch, fields=["id", "extra"])
    assert changed.is_set()
    assert sink.data.count(b"\n") == 50_001
    assert b"new" not in sink.data


def test_nothing_can_be_written(zoo: Zoo) -> None:
    with psycopg.connect(zoo.url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE IF NOT EXISTS numbers")
    zoo.fill([{"id": "1"}])
    with pytest.raises(errors.RunError, match="foresee") as refused:
        run(zoo.source, computed("nextval('numbers')::text"), fields=["extra"])
    assert "25006" in refused.value.detail


# --- errors


def failing(sql: str) -> Callable[[Zoo], Any]:
    """A run that meets this, in one part: of a later one nobody knows yet how many rows stand before it."""
    return lambda zoo: run(PostgresSource(zoo.url, parts=Parts(1)), computed(sql), fields=["id", "extra"])


def hurried(zoo: Zoo) -> PostgresSource:
    """A source that gives a query very little time."""
    return PostgresSource(zoo.url, statement_timeout=0.3)


FAILURES: list[tuple[str, Callable[[Zoo], Any], str, str]] = [
    ("a column that is gone", failing("gone_column"), "source.field_missing", "gone_column"),
    ("a table that is gone", failing("(SELECT x FROM loyalty.gone)"), "source.field_missing", "loyalty.gone"),
    ("a value that cannot be read", failing("(name::bigint)::text"), "source.row_unreadable", "after row"),
    ("a division by zero", failing("(1 / (count - count))::text"), "source.row_unreadable", "division by zero"),
    ("a table that may not be read", failing("(SELECT rolpassword FROM pg_authid LIMIT 1)"), "source.refused", ""),
    ("a query that takes too long", lambda zoo: run(hurried(zoo), STUCK, fields=["extra"]), "source.timeout", "0.3 s"),
    ("nobody there", lambda _zoo: run(PostgresSource("postgresql://127.0.0.1:1/x")), "source.unreachable", ""),
    ("no such database", lambda zoo: run(PostgresSource(zoo.url.replace("zoo_", "no_zoo_"))), "source.refused", ""),
    ("no such role", lambda zoo: run(PostgresSource(zoo.url.replace("exports@", "nobody@"))), "source.refused", ""),
]  # fmt: skip


@pytest.mark.parametrize(("act", "code", "said"), [pytest.param(*rest, id=name) for name, *rest in FAILURES])
def test_what_goes_wrong_in_the_database_is_told_in_our_words(
    zoo: Zoo, act: Callable[[Zoo], Any], code: str, said: str
) -> None:
    zoo.fill([{"id": str(number), "name": "x", "count": 1} for number in range(10)])
    with pytest.raises(errors.RunError) as told:
        act(zoo)
    assert told.value.code == code
    assert said in told.value.message
    assert told.value.advised


def test_a_value_that_cannot_be_read_is_not_repeated_to_whoever_reads_the_logs(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "name": 'ann@home.example" or "ben', "count": 1}])
    with pytest.raises(errors.RowUnreadable) as told:
        failing("(name::bigint)::text")(zoo)
    assert 'invalid input syntax for type bigint: "…" (after row 0 of the file)' in told.value.message
    assert "home" not in f"{told.value.message} {told.value.detail}"


@pytest.mark.parametrize("how", ["pg_terminate_backend", "pg_cancel_backend"])
def test_a_query_that_somebody_ends_can_be_tried_again(crowded: Zoo, postgres: Cluster, how: str) -> None:
    def watch(progress: pipeline.Progress) -> None:
        with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
            connection.execute(
                f"SELECT {how}(pid) FROM pg_stat_activity WHERE application_name = 'to be ended'".encode()
            )

    source = PostgresSource(crowded.url, application_name="to be ended")
    with pytest.raises(errors.SourceError) as told:
        run(source, SLOW, watch, fields=["id", "extra"])
    assert not told.value.permanent


def test_an_error_behind_the_last_row_is_no_success(zoo: Zoo) -> None:
    zoo.fill([{"id": f"{number:03}", "count": 1 if number < 200 else 0} for number in range(201)])
    with pytest.raises(errors.RowUnreadable):
        run(zoo.source, computed("(1 / count)::text"), fields=["extra"])


STATES = sorted({*BY_STATE, *(f"{one}000" for one in BY_CLASS)})


@pytest.mark.parametrize("state", [*STATES, "99999", ""])
def test_every_code_of_the_database_has_an_error_of_ours(state: str) -> None:
    class Foreign(psycopg.Error):
        sqlstate = state or None

    told = translated(Foreign("text"), seconds=5)
    assert isinstance(told, errors.RunError)
    assert told.message
    assert told.code


def all_kinds(kind: type[psycopg.Error]) -> Iterator[type[psycopg.Error]]:
    """An error class and all that are made from it."""
    yield kind
    for one in kind.__subclasses__():
        yield from all_kinds(one)


def test_none_of_the_drivers_errors_is_left_over() -> None:
    for kind in all_kinds(psycopg.Error):
        if kind.__module__.startswith("psycopg"):
            assert translated(kind("text"), seconds=5).code, kind


# --- preview


def test_an_estimate_a_count_and_the_first_rows_before_the_run(crowded: Zoo) -> None:
    with psycopg.connect(crowded.url, autocommit=True) as connection:
        connection.execute("ANALYZE loyalty.things")
    source = crowded.source
    every = definition(fields=["id", {"from": "name", "to": "N", "replace": [{"value": "x" * 100, "new": 'a,"b"\n'}]}])
    ending = [[{"attribute": "id", "operator": "ends_with", "value": "777"}]]
    few = every.model_copy(update={"filters": definition(filters=ending).filters})
    all_things, few_things = (checking.query_of(one, CATALOGUE, around(), source) for one in (every, few))
    expected = source.estimate(all_things)
    assert abs(expected - 50_000) < 5_000
    assert preview.count(all_things, source) == Counts(50_000, 50_000, (50_000,), 0)
    assert preview.count(few_things, source) == Counts(50, 50, (50,), 0)
    shown = preview.first_rows(all_things, source, expected)
    assert shown is not None
    assert not shown.is_sample
    assert shown == preview.quick_rows(all_things, source, expected, seconds=5)
    assert shown.headers == ("id", "N")
    assert shown.rows == tuple((f"{number:09}", 'a,"b"\n') for number in range(1, 21))
    assert shown.sample == b"id,N\n" + b"".join(b'%09d,"a,""b""\n"\n' % number for number in range(1, 4))
    for expected in (50, 10_000_000):  # whichever of the two forms is asked first
        rare = preview.first_rows(few_things, source, expected, limit=2)
        assert rare is not None
        assert [row[0] for row in rare.rows] == ["000000777", "000001777"]


def test_sets_are_counted_each_by_itself_and_what_matches_several_of_them_once(zoo: Zoo) -> None:
    zoo.fill([{"id": f"{number:02}", "count": number, "flag": number > 5 or None} for number in range(10)])
    sets = [
        [{"attribute": "count", "operator": "lt", "value": 7}, {"attribute": "flag", "operator": "is_not_empty"}],
        [{"attribute": "count", "operator": "between", "value": [5, 8]}],
        [{"attribute": "flag", "operator": "equals", "value": True}],
    ]
    query = zoo.query(definition(filters=sets))
    assert preview.count(query, zoo.source) == Counts(rows=5, records=5, sets=(1, 4, 4), several=3)
    assert {one[0] for one in zoo.source.select(query.matching)} == {"05", "06", "07", "08", "09"}


def test_which_criterion_leaves_nothing_is_told_by_what_would_match_without_it(zoo: Zoo) -> None:
    zoo.fill([{"id": f"{number:02}", "count": number, "kind": "a"} for number in range(10)])
    small, big, kind = (
        {"attribute": "count", "operator": "lt", "value": 3},
        {"attribute": "count", "operator": "gt", "value": 6},
        {"attribute": "kind", "operator": "equals", "value": "a"},
    )
    query = zoo.query(definition(filters=[[small, big, kind], [{**kind, "value": "b"}]]))
    found = preview.count_without_each(query, zoo.source)
    assert found == [[LeftOut(3, True), LeftOut(3, True), LeftOut(0, True)], [LeftOut(10, True)]]


def test_first_rows_of_json_show_the_cells(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "tags": ["a", "b"], "data": {"x": [1, {"y": None}]}, "count": 5}])
    wanted = definition(fields=["id", "tags", "data", "count", "name"], file={"extension": "json"})
    shown = preview.first_rows(zoo.query(wanted), zoo.source, expected=1)
    assert shown is not None
    assert shown.rows == (("1", '["a","b"]', '{"x":[1,{"y":null}]}', "5", ""),)
    assert shown.sample == b'[\n{"id":"1","tags":["a","b"],"data":{"x":[1,{"y":null}]},"count":5,"name":null}\n]\n'


def test_only_the_beginning_of_a_long_value_is_shown(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "name": "a" * 300, "data": {"x": "b" * 5_000_000}}])
    for extension in ("csv", "json"):
        wanted = definition(fields=["id", "name", "data"], file={"extension": extension})
        shown = preview.first_rows(zoo.query(wanted), zoo.source, expected=1)
        assert shown is not None
        [(_id, name, data)] = shown.rows
        assert name == "a" * 300
        assert len(data) == 301
        assert data.endswith("bbb…")


def test_what_takes_too_long_before_the_run_is_no_answer(crowded: Zoo) -> None:
    slow = definition(fields=["id", "extra"])
    query = checking.query_of(slow, STUCK, around(), crowded.source)
    assert preview.first_rows(query, crowded.source, expected=1, seconds=0.5) is None
    stuck = {"attribute": "extra", "operator": "is_not_empty"}
    query = checking.query_of(definition(filters=[[stuck, stuck]]), STUCK, around(), crowded.source)
    assert preview.count(query, crowded.source, seconds=0.3) is None
    [left_out] = preview.count_without_each(query, crowded.source, seconds=0.3)
    assert [one.exact for one in left_out] == [False, False]
    [unknown] = preview.count_without_each(query, crowded.source, seconds=0)
    assert unknown == [LeftOut(None, exact=False)] * 2, "no time is left to estimate either"


def test_where_the_first_rows_take_too_long_a_sample_stands_for_them_and_says_so(zoo: Zoo) -> None:
    # The rows lie in the table the other way round, and finding out about those with low keys takes long.
    with psycopg.connect(zoo.url) as connection:
        connection.execute("TRUNCATE loyalty.things")  # rows that were deleted leave room, which would be filled first
    zoo.fill([{"id": f"{number:04}"} for number in reversed(range(2_000))])
    with psycopg.connect(zoo.url) as connection:
        connection.execute("ANALYZE loyalty.things")  # as after every load: the planner guesses an index otherwise
    slow = computed("(CASE WHEN id < '1000' THEN pg_sleep(0.01)::text ELSE 'x' END)")
    wanted = definition(filters=[[{"attribute": "extra", "operator": "is_not_empty"}]])
    query = checking.query_of(wanted, slow, around(), zoo.source)
    for expected in (1, 10_000_000):
        assert preview.quick_rows(query, zoo.source, expected, seconds=0.2) is None
        shown = preview.first_rows(query, zoo.source, expected, seconds=3)
        assert shown is not None
        assert shown.is_sample
        assert len(shown.rows) == 20
        assert min(shown.rows) >= ("1000",)
