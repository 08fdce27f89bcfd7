"""Parts: the same bytes as in one piece, wherever the key is cut, and both of them stopped by whatever stops a run."""

from __future__ import annotations

import os
import random
import resource
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exports import errors, pipeline
from exports.catalogue import Catalogue, DataField, FieldType
from exports.query import Query, build
from exports.sinks import Sink
from exports.source.copied import CopiedRows, Copy
from exports.source.parts import Parts, divided
from exports.source.postgresql import PostgresSource
from exports.source.spool import Spool
from exports.source.statements import composed
from tests.exports.zoo import CATALOGUE, EVERYTHING, THINGS, Zoo, around, definition
from tests.fix_services import Cluster

ALL = DataField(id="extra", label="Extra", type=FieldType.STRING)
MANY = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
NASTY = ["", "a", "b,c", '"', "'", "\n", "\r", "\r\n", "é", "\U0001f642", "=1", "\\.", "x" * 50]


@dataclass(frozen=True)
class Cut(Parts):
    """Cuts where a test wants it."""

    number: int = 9
    pays_from: int = 0
    at: tuple[str, ...] = ()
    asked: list[int] = field(default_factory=list)

    def cuts(self, query: Query, connection: psycopg.Connection[Any], pages: int) -> list[str]:
        self.asked.append(pages)
        return list(self.at)


class Kept(Sink):
    """A sink that remembers."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes | bytearray) -> None:
        self.data += data

    def close(self) -> None:
        pass

    def abort(self) -> None:
        self.data.clear()


def run(
    zoo: Zoo, parts: Parts, catalogue: Catalogue = CATALOGUE, watch: Any = None, seconds: float = 60, **members: Any
) -> tuple[bytes, int]:
    """The bytes of a file and the number of its rows."""
    sink = Kept()
    source = PostgresSource(zoo.url, parts=parts, application_name="parts", statement_timeout=seconds)
    result = pipeline.run(definition(**members), catalogue, around(), source, sink, watch)
    return bytes(sink.data), result.rows


def computed(sql: str) -> Catalogue:
    """The zoo with one more field."""
    return Catalogue({"things": THINGS.with_fields([replace(ALL, sql=sql)])}, {}, {})


@pytest.fixture(scope="module")
def mixed(zoo: Zoo) -> Zoo:
    """Keys and texts of every kind."""
    drawn = random.Random(4)  # noqa: S311
    keys = {"".join(drawn.choices("aAbZz019_-é\U0001f642ａ", k=drawn.randint(1, 4))) for _ in range(400)}
    zoo.fill(
        {
            "id": key,
            "name": drawn.choice([None, *NASTY]),
            "kind": drawn.choice("abc"),
            "count": drawn.randint(-5, 5),
            "data": drawn.choice([None, {"a": [1, None]}, "x"]),
            "tags": drawn.choice([None, [], ["a", '"b"']]),
        }
        for key in keys
    )
    return zoo


KEYS = st.text(st.sampled_from("aAbZz019_-é\U0001f642ａ~ '\\%"), max_size=4)
FILES = st.one_of(
    st.fixed_dictionaries(
        {"enclosure": st.sampled_from("\"'"), "newline": st.sampled_from(["\n", "\r\n", "\r"]), "bom": st.booleans()}
    ),
    st.fixed_dictionaries({"extension": st.sampled_from(["psv", "json", "jsonl"])}),
)
FILTERS = st.sampled_from([
    EVERYTHING,
    [[{"attribute": "kind", "operator": "equals", "value": "a"}], [{"attribute": "name", "operator": "is_empty"}]],
    [[{"attribute": "id", "operator": "starts_with", "value": "Z"}]],
    [[{"attribute": "id", "operator": "equals", "value": "nobody"}]],
])  # fmt: skip
COLUMNS = st.lists(st.sampled_from(["id", "name", "count", "data", "tags"]), min_size=1, max_size=4)


@MANY
@given(cuts=st.lists(KEYS, max_size=4), file=FILES, filters=FILTERS, columns=COLUMNS)
@example(cuts=["", "~~~"], file={}, filters=EVERYTHING, columns=["id"])
@example(cuts=["a", "a"], file={"extension": "json"}, filters=EVERYTHING, columns=["id"])
def test_the_bytes_are_those_of_one_piece_wherever_it_is_cut(
    mixed: Zoo, cuts: list[str], file: dict[str, Any], filters: Any, columns: list[str]
) -> None:
    chosen = [{"from": one, "to": f"{one} {place}"} for place, one in enumerate(columns)]
    members = {"fields": chosen, "filters": filters, "file": file}
    asked = Cut(at=tuple(sorted(cuts)))
    assert run(mixed, asked, **members) == run(mixed, Parts(1), **members)
    assert len(asked.asked) == 1


def test_keys_that_several_rows_have_are_cut_between_never_through(zoo: Zoo) -> None:
    everyone = Catalogue({"things": replace(THINGS, brand="all")}, {}, {})
    with psycopg.connect(zoo.url) as source:
        source.execute("TRUNCATE loyalty.things")  # also what others left behind for brands of theirs
    for brand in ("maple", "alpine"):
        zoo.fill([{"id": key, "name": f"name of {key}"} for key in "abc"], brand)
    whole = run(zoo, Parts(1), everyone, fields=["id", "name"])
    assert whole[1] == 6
    assert run(zoo, Cut(at=("b",)), everyone, fields=["id", "name"]) == whole
    zoo.fill([], "alpine")


@pytest.fixture
def crowded(zoo: Zoo) -> Zoo:
    """Fifty thousand things of 100 bytes."""
    zoo.fill([])
    with psycopg.connect(zoo.url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO loyalty.things (brand, id, name) "
            "SELECT 'maple', lpad(n::text, 9, '0'), repeat('x', 100) FROM generate_series(1, 50000) n"
        )
        connection.execute("ANALYZE loyalty.things")
    return zoo


MIDDLE = Cut(at=("000025001",))
WIDE = ["id", *({"from": "name", "to": str(number)} for number in range(8))]
LATE_FIRST = computed("(CASE WHEN id = '000000001' THEN pg_sleep(1.2) END)::text")
"""The first part keeps the second one waiting."""


@pytest.mark.parametrize("extension", ["csv", "json"])
def test_the_bytes_are_the_same_if_the_later_part_has_to_wait_on_disk(
    crowded: Zoo, extension: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    members: dict[str, Any] = {"fields": ["extra", *WIDE], "file": {"extension": extension}}
    seen = []
    whole = run(crowded, Parts(1), LATE_FIRST, **members)
    parted = run(crowded, MIDDLE, LATE_FIRST, lambda progress: seen.append(list(tmp_path.iterdir())), **members)
    assert parted == whole
    assert len(whole[0]) > 30_000_000
    assert seen
    assert not any(seen), "what waits on disk has a name, and would stay behind after a kill"


def test_a_full_folder_for_temporary_files_is_told(crowded: Zoo) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    try:
        with pytest.raises(errors.DiskFull):
            run(crowded, MIDDLE, LATE_FIRST, fields=["extra", *WIDE])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    wait_until_alone(crowded)


def test_progress_counts_both(crowded: Zoo) -> None:
    looks: list[pipeline.Progress] = []
    run(crowded, MIDDLE, LATE_FIRST, looks.append, fields=["extra", *WIDE])
    waiting = [one for one in looks if one.seconds < 1.2]
    assert max(one.rows for one in waiting) == 25_000
    assert max(one.bytes for one in waiting) > 15_000_000


def test_a_part_that_waits_on_a_full_disk_allowance_goes_on_when_its_turn_comes(crowded: Zoo) -> None:
    with closing(psycopg.connect(crowded.url)) as first, closing(psycopg.connect(crowded.url)) as second:
        query = crowded.query(definition(fields=WIDE))
        selects = divided(query.rows, query.key, MIDDLE.at)
        spools = [Spool(), Spool(in_memory=300_000, on_disk=600_000)]
        copies = [
            Copy(connection, f"COPY ({composed(select, connection)}) TO STDOUT (FORMAT csv)", spool)
            for connection, select, spool in zip((first, second), selects, spools, strict=True)
        ]
        rows = CopiedRows(copies, None, 60)
        lines = b"".join(bytes(batch) for batch in rows).splitlines()
        rows.stop()
    assert [line[:9] for line in lines] == [b"%09d" % number for number in range(1, 50_001)]
    assert rows.count == 50_000
    assert copies[1].bytes > 15_000_000


def test_a_part_with_nothing_more_allowed_to_wait_is_not_read_on(crowded: Zoo) -> None:
    with closing(psycopg.connect(crowded.url)) as first, closing(psycopg.connect(crowded.url)) as second:
        late = "COPY (SELECT pg_sleep(1)) TO STDOUT"
        much = "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 50000)) TO STDOUT"
        copies = [Copy(first, late), Copy(second, much, Spool(in_memory=300_000, on_disk=600_000))]
        waited: list[pipeline.Progress] = []
        rows = CopiedRows(copies, waited.append, 60)
        assert sum(map(len, rows)) == 50_000 * 1001 + 1
        rows.stop()
    assert 800_000 < max(one.bytes for one in waited if one.seconds < 1) < 2_000_000


@MANY
@given(sizes=st.lists(st.integers(1, 40), max_size=30), takes=st.lists(st.booleans(), max_size=80))
def test_a_spool_gives_back_what_was_put_in_whole_and_in_order(sizes: list[int], takes: list[bool]) -> None:
    expected, waiting = deque[bytes](), list(sizes)
    with closing(Spool(in_memory=50, on_disk=100)) as spool:
        for take in [*takes, *[False] * len(sizes), *[True] * len(sizes), True]:
            if take:
                assert spool.get() == (expected.popleft() if expected else None)
            elif waiting:
                batch = bytes([len(waiting)]) * waiting.pop()
                spool.put(bytearray(batch))
                expected.append(batch)
        assert not expected
        assert not spool.full


def test_a_spool_whose_file_has_lost_bytes_gives_none_in_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with closing(Spool(in_memory=0, on_disk=1000)) as spool:
        for _ in range(2):
            spool.put(bytearray(b"x" * 100))
        links = [Path(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
        [file] = [one for one in links if one.is_symlink() and str(tmp_path) in os.readlink(one)]
        os.truncate(file, 150)
        assert spool.get() == b"x" * 100
        with pytest.raises(errors.StoreUnreachable):
            spool.get()


# --- one snapshot


def test_both_parts_show_one_moment_of_the_database(crowded: Zoo) -> None:
    class ChangedMeanwhile(Cut):
        def cuts(self, query: Query, connection: psycopg.Connection[Any], pages: int) -> list[str]:
            with psycopg.connect(crowded.url) as other:
                other.execute("DELETE FROM loyalty.things WHERE id < '000000100' OR id > '000049000'")
                other.execute("INSERT INTO loyalty.things (brand, id) VALUES ('maple', 'new')")
            return list(self.at)

    data, rows = run(crowded, ChangedMeanwhile(at=MIDDLE.at))
    assert rows == 50_000
    assert data.splitlines()[1:] == [b"%09d" % number for number in range(1, 50_001)]


# --- what stops one stops both


def at_work(zoo: Zoo) -> int:
    """How many connections of the run there are in the database."""
    with psycopg.connect(zoo.url) as connection:
        return len(connection.execute("SELECT FROM pg_stat_activity WHERE application_name = 'parts'").fetchall())


def wait_until_alone(zoo: Zoo) -> None:
    """Nothing of the run is left in the database, soon."""
    deadline = time.monotonic() + 5
    while at_work(zoo):
        assert time.monotonic() < deadline


STUCK = "(CASE WHEN id = '{}' THEN pg_sleep(60) END)::text"
FAILS = "(CASE WHEN id = '{}' THEN pg_sleep({})::text WHEN id = '{}' THEN (name::bigint)::text END)"
FIRST, LAST = "000000001", "000050000"


@pytest.mark.parametrize("stuck", [FIRST, LAST])
def test_what_the_watch_raises_stops_both(crowded: Zoo, stuck: str) -> None:
    numbers: list[int] = []

    def watch(progress: pipeline.Progress) -> None:
        numbers.append(at_work(crowded))
        if progress.seconds > 0.5:
            raise errors.Cancelled

    started = time.monotonic()
    with pytest.raises(errors.Cancelled):
        run(crowded, Cut(at=(FIRST, LAST)), computed(STUCK.format(stuck)), watch, fields=["id", "extra"])
    assert time.monotonic() - started < 5
    assert set(numbers) == {3}
    wait_until_alone(crowded)


@pytest.mark.parametrize(
    ("slow", "seconds", "wrong", "said"),
    [
        pytest.param(LAST, 60, FIRST, "(after row 0 of the file)", id="the first fails"),
        pytest.param(FIRST, 60, LAST, "bigint", id="the second fails while the first runs"),
        pytest.param("000049999", 1, LAST, "(after row 49,999 of the file)", id="the second fails after the first"),
    ],
)
def test_an_error_of_one_part_stops_the_other(crowded: Zoo, slow: str, seconds: int, wrong: str, said: str) -> None:
    started = time.monotonic()
    with pytest.raises(errors.RowUnreadable) as told:
        run(crowded, Cut(at=("000049999",)), computed(FAILS.format(slow, seconds, wrong)), fields=["id", "extra"])
    assert said in told.value.message
    assert ("after row" in told.value.message) == ("after row" in said), "a number that nobody can know yet"
    assert time.monotonic() - started < 10
    wait_until_alone(crowded)


def test_a_part_that_takes_too_long_is_a_timeout(crowded: Zoo) -> None:
    with pytest.raises(errors.SourceTimeout, match=r"0\.5 s"):
        run(crowded, MIDDLE, computed(STUCK.format(LAST)), seconds=0.5, fields=["id", "extra"])
    wait_until_alone(crowded)


def test_a_reader_that_goes_away_stops_both(crowded: Zoo) -> None:
    source = PostgresSource(crowded.url, parts=MIDDLE, application_name="parts")
    query = crowded.query(definition(fields=WIDE))
    with source.rows(query.rows, query) as rows:
        next(iter(rows))
        assert at_work(crowded) == 2
    wait_until_alone(crowded)


# --- when there are parts, and where they are cut


@dataclass(frozen=True)
class Role:
    """A role that may have so many connections."""

    admin: psycopg.Connection[Any]
    name: str
    url: str

    def may_have(self, connections: int) -> None:
        self.admin.execute(f"ALTER ROLE {self.name} CONNECTION LIMIT {connections}".encode())


@pytest.fixture
def role(crowded: Zoo, postgres: Cluster, worker_number: int) -> Iterator[Role]:
    """A role that may read, in one connection."""
    database, name = f"zoo_{worker_number}", f"lonely_{worker_number}"
    with psycopg.connect(postgres.admin_dsn(database), autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN CONNECTION LIMIT 1".encode())
        connection.execute(f"GRANT USAGE ON SCHEMA loyalty TO {name}".encode())
        connection.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA loyalty TO {name}".encode())
        yield Role(connection, name, postgres.url(database, name))
        connection.execute(f"DROP OWNED BY {name}".encode())
        connection.execute(f"DROP ROLE {name}".encode())


def test_without_a_second_connection_a_run_goes_on_with_one(crowded: Zoo, role: Role) -> None:
    alone = replace(crowded, url=role.url)
    assert run(alone, MIDDLE, fields=["id"]) == run(crowded, Parts(1), fields=["id"])
    assert MIDDLE.asked


def test_without_a_third_connection_the_second_is_given_back_before_the_run_goes_on(crowded: Zoo, role: Role) -> None:
    role.may_have(2)
    thirds, seen = Cut(at=("000015000", "000035000")), []

    def alone(_: pipeline.Progress) -> None:
        deadline = time.monotonic() + 5
        while at_work(crowded) > 1:
            assert time.monotonic() < deadline, "an idle transaction beside the run"
        seen.append(1)

    there = replace(crowded, url=role.url)
    assert run(there, thirds, LATE_FIRST, alone, fields=["extra", "id"])[1] == 50_000
    assert seen
    assert thirds.asked


def test_a_server_that_exports_no_snapshot_is_read_in_one_piece(crowded: Zoo, role: Role) -> None:
    role.may_have(2)
    role.admin.execute("REVOKE EXECUTE ON FUNCTION pg_export_snapshot() FROM public")
    try:
        asked = Cut(at=MIDDLE.at)
        there = replace(crowded, url=role.url)
        assert run(there, asked, fields=["id"]) == run(crowded, Parts(1), fields=["id"])
        assert asked.asked
    finally:
        role.admin.execute("GRANT EXECUTE ON FUNCTION pg_export_snapshot() TO public")


def number_of_parts(zoo: Zoo, parts: Parts, catalogue: Catalogue = CATALOGUE, **members: Any) -> int:
    """In how many parts a definition would be run."""
    query = build(definition(**members), catalogue, around())
    with psycopg.connect(zoo.url, cursor_factory=psycopg.ClientCursor) as connection:
        return len(parts.of(query.rows, query, connection))


def test_a_run_is_cut_from_so_many_expected_rows_on_and_never_if_it_is_aggregated(crowded: Zoo) -> None:
    few = [[{"attribute": "id", "operator": "equals", "value": "000000001"}]]
    sums = [{"from": "kind", "aggregation": "group"}, {"from": "id", "aggregation": "count"}]
    assert number_of_parts(crowded, Parts(2, 40_000)) == 2
    assert number_of_parts(crowded, Parts(4, 40_000)) == 4
    assert number_of_parts(crowded, Parts(2, 60_000)) == 1
    assert number_of_parts(crowded, Parts(1, 40_000)) == 1
    assert number_of_parts(crowded, Parts(2, 40_000), filters=few) == 1
    assert number_of_parts(crowded, Parts(2, 0), aggregation=True, fields=sums) == 1
    assert Parts() == Parts(2, 50_000)


def over(table: str) -> Catalogue:
    """Things that are somewhere else."""
    return Catalogue({"things": replace(THINGS, table=table)}, {}, {})


def test_only_a_table_whose_key_is_never_null_is_cut(crowded: Zoo) -> None:
    columns = 'brand text COLLATE "C" NOT NULL, id text COLLATE "C"'
    with psycopg.connect(crowded.url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS other CASCADE")
        connection.execute("CREATE SCHEMA other")
        connection.execute("CREATE VIEW other.seen AS SELECT * FROM loyalty.things")
        connection.execute("CREATE TABLE other.loose AS SELECT * FROM loyalty.things")
        connection.execute(f'CREATE TABLE other."Split" ({columns} NOT NULL) PARTITION BY RANGE (id)'.encode())
        connection.execute("CREATE TABLE other.low PARTITION OF other.\"Split\" FOR VALUES FROM ('') TO ('000020000')")
        connection.execute('CREATE TABLE other.high PARTITION OF other."Split" DEFAULT')
        connection.execute('INSERT INTO other."Split" SELECT brand, id FROM loyalty.things')
        connection.execute("ANALYZE")
        assert number_of_parts(crowded, Parts(2, 0), over("other.seen")) == 1
        assert number_of_parts(crowded, Parts(2, 0), over("other.loose")) == 1
        connection.execute("ALTER TABLE other.loose ALTER id SET NOT NULL")
        assert number_of_parts(crowded, Parts(2, 0), over("other.loose")) == 2
        assert number_of_parts(crowded, Parts(2, 0), over("other.Split")) == 2
        assert number_of_parts(crowded, Parts(2, 0), over("other.gone")) == 1
        split = run(crowded, Parts(3, 0), over("other.Split"))
        connection.execute("DROP SCHEMA other CASCADE")
    assert split == run(crowded, Parts(1))


@pytest.mark.parametrize("number", [2, 3])
def test_the_parts_of_what_matches_are_about_equal_wherever_it_lies(crowded: Zoo, number: int) -> None:
    last_fifth = [[{"attribute": "id", "operator": "starts_with", "value": "00004"}]]
    query = crowded.query(definition(filters=last_fifth))
    with psycopg.connect(crowded.url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("VACUUM FULL loyalty.things")
        parts = Parts(number, 0).of(query.rows, query, connection)
        sizes = [len(connection.execute(composed(one, connection).encode()).fetchall()) for one in parts]
    assert sum(sizes) == 10_000
    assert max(sizes) < 2 * min(sizes)


def test_a_filter_that_matches_nothing_in_the_sample_is_run_in_one_piece(crowded: Zoo) -> None:
    nothing = [[{"attribute": "id", "operator": "ends_with", "value": "x"}]]
    assert number_of_parts(crowded, Parts(2, 0), filters=nothing) == 1


def test_a_filter_too_slow_to_be_sampled_is_run_in_one_piece(crowded: Zoo) -> None:
    slow = computed("(CASE WHEN pg_sleep(0.01) IS NOT NULL THEN name END)")
    filters = [[{"attribute": "extra", "operator": "is_not_empty"}]]
    query_time = time.monotonic()
    assert number_of_parts(crowded, Parts(2, 0), slow, filters=filters) == 1
    assert time.monotonic() - query_time < 3
