"""Files in an object store: streamed in parts, whole or not there; what the store refuses is said in our words."""

from __future__ import annotations

import http.server
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from exports.errors import StorageError, StoreRefused, StoreUnreachable
from exports.storage import PARTS_IN_FLIGHT, PIECE, Storage
from tests.fix_store import Bucket

BYTES = random.Random(3).randbytes(27_000_000)  # noqa: S311 - bytes that do not shrink, the same ones each time


def written(storage: Storage, key: str, size: int = len(BYTES)) -> None:
    """A file of that many bytes."""
    sink = storage.open_writer(key)
    for place in range(0, size, 1_000_000):
        sink.write(BYTES[place : min(place + 1_000_000, size)])
    sink.close()


def test_a_file_is_sent_in_parts_of_which_three_at_most_are_on_their_way(bucket: Bucket) -> None:
    storage = Storage(bucket.url)
    sink = storage.open_writer("brand/run/1.zip")
    for place in range(0, len(BYTES), PIECE):
        sink.write(BYTES[place : place + PIECE])
    assert bucket.holds() == [], "nobody sees half of it"
    sink.close()
    assert bucket.holds() == ["files/brand/run/1.zip"]
    assert bucket.parts >= 5
    assert bucket.at_once <= PARTS_IN_FLIGHT
    assert list(storage.list("brand/")) == [("brand/run/1.zip", len(BYTES))]
    assert storage.size("brand/run/1.zip") == len(BYTES)


@pytest.mark.parametrize(("start", "end"), [(0, None), (5, 10), (262_143, 800_001), (26_999_999, None), (7, 7)])
def test_a_file_is_read_in_pieces_from_anywhere(bucket: Bucket, start: int, end: int | None) -> None:
    storage = Storage(bucket.url)
    written(storage, "a.zip")
    pieces = list(storage.read("a.zip", start, end))
    assert b"".join(pieces) == BYTES[start:end]
    assert all(len(piece) <= PIECE for piece in pieces)


@pytest.mark.parametrize("size", [0, 1_000, 27_000_000])
def test_what_is_given_up_leaves_nothing_that_anybody_pays_for(bucket: Bucket, size: int) -> None:
    storage = Storage(bucket.url)
    sink = storage.open_writer("a.zip")
    for place in range(0, size, 1_000_000):
        sink.write(BYTES[place : place + 1_000_000])
    sink.abort()
    sink.abort()
    assert bucket.holds() == []
    assert bucket.unfinished() == []


def test_what_has_appeared_is_not_given_up(bucket: Bucket) -> None:
    storage = Storage(bucket.url)
    sink = storage.open_writer("a.zip")
    sink.write(b"whole")
    sink.close()
    sink.abort()
    assert b"".join(storage.read("a.zip")) == b"whole"


def test_what_is_not_there_is_no_error_to_remove_and_one_to_read(bucket: Bucket) -> None:
    storage = Storage(bucket.url)
    storage.delete("none.zip")
    with pytest.raises(FileNotFoundError):
        storage.size("none.zip")
    with pytest.raises(FileNotFoundError):
        next(storage.read("none.zip"))
    written(storage, "a.zip", 10)
    storage.delete("a.zip")
    assert bucket.holds() == []


def test_a_bucket_that_is_not_there_is_named_as_the_reason(bucket: Bucket) -> None:
    with pytest.raises(StoreRefused):
        written(Storage("s3://elsewhere/files"), "a.zip", 10)
    with pytest.raises(StoreRefused):
        written(Storage("s3://elsewhere/files"), "a.zip")


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A store that answers everything with this status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


DEEDS = {
    "a small file": lambda storage: written(storage, "a.zip", 10),
    "a file in parts": lambda storage: written(storage, "a.zip"),
    "its size": lambda storage: storage.size("a.zip"),
    "reading": lambda storage: next(storage.read("a.zip", 0, 10)),
    "removing": lambda storage: storage.delete("a.zip"),
    "a list": lambda storage: list(storage.list()),
}


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize(("status", "kind"), [(403, StoreRefused), (401, StoreRefused), (400, StoreUnreachable)])
def test_what_a_store_refuses_is_said_in_our_words(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch, deed: str, status: int, kind: type[StorageError]
) -> None:
    with answering(status) as address:
        monkeypatch.setenv("AWS_ENDPOINT", address)
        with pytest.raises(kind) as refused:
            DEEDS[deed](Storage("s3://bucket/files"))
    assert type(refused.value) is kind
    assert "secret" not in refused.value.detail
    assert refused.value.advised


@pytest.mark.parametrize(
    ("url", "variables", "kind"),
    [
        ("gs://bucket/files", {}, "GCSStore"),
        (
            "az://container/files",
            {"AZURE_STORAGE_ACCOUNT_NAME": "account", "AZURE_STORAGE_ACCOUNT_KEY": "c2VjcmV0"},
            "AzureStore",
        ),
    ],
)
def test_addresses_of_the_other_stores_are_understood(
    monkeypatch: pytest.MonkeyPatch, url: str, variables: dict[str, str], kind: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    store = Storage(url)._store
    assert (type(store).__name__, store.prefix) == (kind, "files")


def test_a_store_that_lacks_its_account_says_so() -> None:
    with pytest.raises(StoreUnreachable) as refused:
        Storage("az://container/files")
    assert "Account must be specified" in refused.value.detail
