"""Finished files: a local folder, S3, GCS or Azure behind one address, through obstore."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from exports.errors import DiskFull, StorageError, StoreRefused, StoreUnreachable
from exports.sinks import FULL, Sink, storage_error

PART: Final = 5 * 1024 * 1024
"""The smallest part that S3 takes; its 10,000 parts hold 50 GB of zip."""
PARTS_IN_FLIGHT: Final = 3
REFUSED: Final = (
    "lacked the necessary privileges",
    "lacked valid authentication credentials",
    "non-2xx status code: 401",
    "non-2xx status code: 403",
)
"""How obstore says 403 and 401 of a file, and of a list of files."""
PIECE: Final = 64 * 1024
"""Bytes of a file that are held at a time while it is read (RELIABILITY P9: at most 256 KiB). As quick as larger ones,
and 20 slow readers in one process take 5 MB in place of 13."""


class Storage:
    """The store at a URL: `file:///folder`, `s3://bucket/prefix`, `gs://...`, `az://...`.

    Credentials and endpoints of object stores come from their usual environment variables, read by obstore.
    """

    def __init__(self, url: str) -> None:
        import obstore.store

        self._folder: Path | None = None
        if urlsplit(url).scheme == "file":
            self._folder = Path(unquote(urlsplit(url).path))
            with _translating():
                self._folder.mkdir(parents=True, exist_ok=True)
        with _translating():
            self._store: Any = obstore.store.from_url(url)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder of this machine."""
        return self._folder is not None

    def open_writer(self, key: str) -> Sink:
        """A new file under `key`, streamed in parts; it appears when the sink is closed."""
        return _StoreSink(self, key)

    def read(self, key: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` up to, not including, `end`, in pieces of at most PIECE bytes.

        Raises:
            FileNotFoundError: there is no such file.
            StorageError: the store does not answer.
        """
        end = self.size(key) if end is None else end
        if start >= end:
            return
        with _translating():
            found = self._store.get(key, options={"range": (start, end)})
            for piece in found.stream(min_chunk_size=PIECE):
                whole = bytes(piece)
                for place in range(0, len(whole), PIECE):
                    yield whole[place : place + PIECE]  # of one that is not longer this is no copy

    def size(self, key: str) -> int:
        """How many bytes a file has. Raises as `read`."""
        with _translating():
            return int(self._store.head(key)["size"])

    def delete(self, key: str) -> None:
        """Remove a file; one that is not there is no error."""
        with _translating(), contextlib.suppress(FileNotFoundError):
            self._store.delete(key)

    def unfinished(self) -> Iterator[str]:
        """Keys of files that were begun and did not appear: in a local folder (object stores have lifecycle rules)."""
        if self._folder is not None:
            for path in self._folder.rglob("*#*"):
                yield path.relative_to(self._folder).as_posix().rpartition("#")[0]

    def give_up(self, key: str) -> None:
        """Free what a file that did not appear takes. obstore leaves it in a local folder, as `KEY#1`."""
        if self._folder is not None:
            for path in (self._folder / key).parent.glob(f"{Path(key).name}#*"):
                path.unlink(missing_ok=True)

    def list(self, prefix: str = "") -> Iterator[tuple[str, int]]:
        """Key and size of every file below a prefix, which ends at a `/`."""
        with _translating():
            for batch in self._store.list(prefix or None):
                for one in batch:
                    yield one["path"], one["size"]


class _StoreSink(Sink):
    """A multipart upload."""

    def __init__(self, storage: Storage, key: str) -> None:
        import obstore

        self._storage = storage
        self._key = key
        self._is_broken = False
        with self._writing():
            self._writer: Any = obstore.open_writer(
                storage._store, key, buffer_size=PART, max_concurrency=PARTS_IN_FLIGHT
            )

    def write(self, data: bytes | bytearray) -> None:
        """See `Sink`."""
        with self._writing():
            self._writer.write(data)

    def close(self) -> None:
        """See `Sink`."""
        with self._writing():
            self._writer.close()
        self._writer = None

    def abort(self) -> None:
        """See `Sink`. An object store keeps, and charges for, the parts of an upload that is only let go of, and
        obstore cannot tell it to forget them. So it is finished, and what came of it removed: nobody looks for it yet.
        """
        writer, self._writer = self._writer, None
        if writer is None:
            return
        if not self._storage.is_local and not self._is_broken:
            with contextlib.suppress(StorageError), _translating(missing=StoreRefused):
                writer.close()
                self._storage.delete(self._key)
        self._storage.give_up(self._key)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            with _translating(missing=StoreRefused):  # what is written to can only miss its bucket
                yield
        except StorageError:
            self._is_broken = True
            raise


@contextlib.contextmanager
def _translating(missing: type[StorageError] | None = None) -> Iterator[None]:
    """Errors of obstore and of the system as ours; `missing` in place of FileNotFoundError."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError as error:
        if missing is None:
            raise
        raise missing(str(error)) from error
    except OSError as error:
        # That of an obstore writer has no number, only a text.
        raise (storage_error(error) if error.errno else _translated(error)) from error
    except BaseError as error:
        raise _translated(error) from error


def _translated(error: Exception) -> StorageError:
    """obstore tells the system's error only in its text, `(os error 28)`, and a writer's of any kind."""
    text = str(error)
    if any(f"(os error {number})" in text for number in FULL):
        return DiskFull(text)
    return StoreRefused(text) if any(one in text for one in REFUSED) else StoreUnreachable(text)
