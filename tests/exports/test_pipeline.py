"""From a definition to a file: counted, hashed, zipped, whole or not there."""

from __future__ import annotations

import hashlib
import io
import os
import resource
import zipfile
from pathlib import Path
from typing import Any

import pytest

from exports import pipeline
from exports.errors import DefinitionRefused, DiskFull, EnclosureNeeded, NoRows, StoreUnreachable
from exports.sinks import FileSink, Sink, StreamSink
from exports.storage import PART, PIECE, Storage
from tests.exports.zoo import CATALOGUE, Zoo, around, definition


@pytest.fixture
def filled(zoo: Zoo) -> Zoo:
    """A thousand things."""
    zoo.fill([{"id": f"{number:04}", "name": f"name {number % 7}", "count": number} for number in range(1000)])
    return zoo


def run(zoo: Zoo, sink: Any, archive: bool = False, **members: Any) -> pipeline.Result:
    """Run on the zoo."""
    members.setdefault("fields", ["id", "name", "count"])
    return pipeline.run(definition(**members), CATALOGUE, around(), zoo.source, sink, archive=archive)


def test_a_file_is_counted_and_hashed(filled: Zoo, tmp_path: Path) -> None:
    result = run(filled, FileSink(tmp_path / "out.csv"))
    data = (tmp_path / "out.csv").read_bytes()
    assert result.rows == 1000
    assert result.bytes == len(data)
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    assert result.archive_bytes is None
    assert data.count(b"\n") == 1001
    assert result.seconds > 0
    assert os.listdir(tmp_path) == ["out.csv"]


def test_an_archive_holds_the_file_under_the_exports_name(filled: Zoo, tmp_path: Path) -> None:
    plain = run(filled, FileSink(tmp_path / "plain"))
    result = run(filled, FileSink(tmp_path / "out.zip"), archive=True, name="Ügyfél: 1/2")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        [member] = archive.infolist()
        assert member.filename == "Ügyfél_ 1_2.csv"
        assert member.flag_bits & 0x800
        assert archive.testzip() is None
        assert archive.read(member) == (tmp_path / "plain").read_bytes()
    assert (result.rows, result.bytes, result.sha256) == (plain.rows, plain.bytes, plain.sha256)
    assert result.archive_bytes == (tmp_path / "out.zip").stat().st_size


@pytest.mark.parametrize("archive", [False, True])
def test_the_same_data_give_the_same_bytes(filled: Zoo, archive: bool) -> None:
    outs = [io.BytesIO(), io.BytesIO()]
    for out in outs:
        run(filled, StreamSink(out), archive)
    assert outs[0].getvalue() == outs[1].getvalue()


def test_rows_come_in_the_order_of_the_key_by_code_point(zoo: Zoo) -> None:
    keys = ["a", "B", "é", "10", "9", "_", "Z", "\U0001f642", "ａ"]
    zoo.fill([{"id": key} for key in keys])
    assert zoo.file(file={"header": False}).decode().splitlines() == sorted(keys)


def test_a_definition_that_breaks_a_rule_is_refused_and_leaves_nothing(filled: Zoo, tmp_path: Path) -> None:
    with pytest.raises(DefinitionRefused):
        run(filled, FileSink(tmp_path / "out.csv"), fields=["nothing"])
    assert os.listdir(tmp_path) == []


def test_a_run_that_fails_leaves_the_former_file_and_nothing_else(filled: Zoo, tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("former")
    filled.fill([{"id": "1", "name": "a,b"}])
    with pytest.raises(EnclosureNeeded):
        run(filled, FileSink(tmp_path / "out.csv"), file={"enclosure": None})
    assert os.listdir(tmp_path) == ["out.csv"]
    assert (tmp_path / "out.csv").read_text() == "former"


NOBODY = [[{"attribute": "id", "operator": "equals", "value": "nobody"}]]


@pytest.mark.parametrize(("extension", "empty"), [("csv", b"id,name,count\n"), ("json", b"[\n]\n"), ("jsonl", b"")])
def test_without_rows_the_header_is_delivered_by_default(
    filled: Zoo, tmp_path: Path, extension: str, empty: bytes
) -> None:
    result = run(filled, FileSink(tmp_path / "out"), filters=NOBODY, file={"extension": extension})
    assert (result.rows, result.delivered) == (0, True)
    assert (tmp_path / "out").read_bytes() == empty


@pytest.mark.parametrize("archive", [False, True])
@pytest.mark.parametrize("extension", ["csv", "json", "jsonl"])
def test_without_rows_nothing_is_delivered_if_so_chosen(
    filled: Zoo, tmp_path: Path, extension: str, archive: bool
) -> None:
    (tmp_path / "out").write_text("of yesterday")
    wanted = {"filters": NOBODY, "file": {"extension": extension}, "if_empty": "nothing"}
    result = run(filled, FileSink(tmp_path / "out"), archive, **wanted)
    assert (result.rows, result.bytes, result.archive_bytes, result.delivered) == (0, 0, None, False)
    stream = io.BytesIO()
    assert run(filled, StreamSink(stream), archive, **wanted).delivered is False
    assert stream.getvalue() == b""
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("out", "of yesterday")]


def test_without_rows_a_run_fails_if_so_chosen(filled: Zoo, tmp_path: Path) -> None:
    with pytest.raises(NoRows) as caught:
        run(filled, FileSink(tmp_path / "out"), filters=NOBODY, if_empty="fail")
    assert caught.value.permanent
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("choice", ["nothing", "fail"])
def test_with_rows_the_choice_for_none_changes_no_byte(filled: Zoo, tmp_path: Path, choice: str) -> None:
    results = [
        run(
            filled,
            FileSink(tmp_path / name),
            if_empty=name,
            filters=[[{"attribute": "id", "operator": "is_not_empty"}]],
        )
        for name in ("header", choice)
    ]
    assert results[0].sha256 == results[1].sha256
    assert results[1].delivered
    assert (tmp_path / choice).read_bytes() == (tmp_path / "header").read_bytes()


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable):
        FileSink(tmp_path / "no" / "out.csv")


@pytest.fixture
def small_disk(tmp_path: Path) -> Any:
    """A process that may write files of at most a megabyte (EFBIG, as on a full disk ENOSPC)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, before[1]))
    yield tmp_path
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def write_much(sink: Sink) -> None:
    """More than is held in memory: what a part met is told by a later write."""
    for _ in range(100):
        sink.write(b"x" * PART)


def test_a_full_disk_is_told_and_leaves_nothing(small_disk: Path) -> None:
    file = FileSink(small_disk / "out")
    with pytest.raises(DiskFull):
        file.write(b"x" * 2_000_000)
    file.abort()
    stored = Storage(f"file://{small_disk}/store").open_writer("a/b.zip")
    with pytest.raises(DiskFull):
        write_much(stored)
    stored.abort()
    assert [path for path in small_disk.rglob("*") if path.is_file()] == []


# --- the store


@pytest.fixture
def store(tmp_path: Path) -> Storage:
    """A store in a folder that is not there yet."""
    return Storage(f"file://{tmp_path}/a%20folder/store")


def stored(store: Storage, key: str, data: bytes) -> None:
    """Put a file into the store."""
    sink = store.open_writer(key)
    for place in range(0, len(data), 1_000_000):
        sink.write(data[place : place + 1_000_000])
    sink.close()


def test_a_stored_file_is_read_in_pieces_and_in_ranges(store: Storage, tmp_path: Path) -> None:
    data = os.urandom(3 * PART + 17)
    stored(store, "brand/run/1.zip", data)
    assert (tmp_path / "a folder" / "store" / "brand" / "run" / "1.zip").exists()
    assert store.size("brand/run/1.zip") == len(data)
    pieces = list(store.read("brand/run/1.zip"))
    assert max(map(len, pieces)) <= PIECE
    assert b"".join(pieces) == data
    for start, end in [(0, 1), (5, 5), (PIECE - 1, PIECE + 1), (len(data) - 3, None), (1_000_000, 2_000_000)]:
        assert b"".join(store.read("brand/run/1.zip", start, end)) == data[start:end]


def test_a_file_appears_when_it_is_closed_and_not_when_it_is_given_up(store: Storage) -> None:
    sink = store.open_writer("a/1.zip")
    sink.write(b"x" * (2 * PART))
    assert list(store.list()) == []
    sink.abort()
    assert list(store.list()) == []
    stored(store, "a/1.zip", b"x")
    stored(store, "b/2.zip", b"yy")
    assert sorted(store.list()) == [("a/1.zip", 1), ("b/2.zip", 2)]
    assert list(store.list("b/")) == [("b/2.zip", 2)]


def test_what_is_not_there_is_told_when_read_and_nothing_when_deleted(store: Storage) -> None:
    stored(store, "a/1.zip", b"x")
    store.delete("a/1.zip")
    store.delete("a/1.zip")
    with pytest.raises(FileNotFoundError):
        store.size("a/1.zip")
    with pytest.raises(FileNotFoundError):
        list(store.read("a/1.zip"))


def test_a_run_goes_to_the_store_as_to_a_file(filled: Zoo, store: Storage) -> None:
    result = run(filled, store.open_writer("brand/run/1.zip"), archive=True)
    assert store.size("brand/run/1.zip") == result.archive_bytes
    with zipfile.ZipFile(io.BytesIO(b"".join(store.read("brand/run/1.zip")))) as archive:
        assert archive.read("Things.csv").count(b"\n") == 1001


def test_a_run_that_fails_is_not_in_the_store(filled: Zoo, store: Storage) -> None:
    filled.fill([{"id": "1", "name": "a,b"}])
    with pytest.raises(EnclosureNeeded):
        run(filled, store.open_writer("brand/run/1.zip"), file={"enclosure": None})
    assert list(store.list()) == []


def test_memory_does_not_grow_with_the_file(zoo: Zoo, tmp_path: Path) -> None:
    import psycopg

    zoo.fill([])
    with psycopg.connect(zoo.url) as connection:
        connection.execute(
            "INSERT INTO loyalty.things (brand, id, name) "
            "SELECT 'maple', lpad(n::text, 9, '0'), string_agg(md5((n * 10 + m)::text), '') "
            "FROM generate_series(1, 60000) n, generate_series(1, 10) m GROUP BY n"
        )
    run(
        zoo,
        FileSink(tmp_path / "warm"),
        archive=True,
        filters=[[{"attribute": "id", "operator": "equals", "value": "1"}]],
    )
    before = rss()
    peaks: list[int] = []
    store = Storage(f"file://{tmp_path}/store")
    wanted = definition(fields=["id", "name", *[{"from": "name", "to": str(number)} for number in range(4)]])
    pipeline.run(wanted, CATALOGUE, around(), zoo.source, Peak(store.open_writer("x.zip"), peaks), archive=True)
    assert store.size("x.zip") > 10_000_000
    assert max(peaks) - before < 40_000_000


class Peak(Sink):
    """Passes on to a sink, and looks at the memory each time."""

    def __init__(self, sink: Sink, peaks: list[int]) -> None:
        self.sink, self.peaks = sink, peaks

    def write(self, data: bytes | bytearray) -> None:
        self.sink.write(data)
        self.peaks.append(rss())

    def close(self) -> None:
        self.sink.close()

    def abort(self) -> None:
        self.sink.abort()


def rss() -> int:
    """Bytes of memory in use now."""
    import psutil

    return int(psutil.Process().memory_info().rss)
