"""Where the bytes of a file go: a local file that is whole or not there, or a stream."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from abc import ABC, abstractmethod
from pathlib import Path
from typing import BinaryIO, Final

from exports.errors import DiskFull, StorageError, StoreUnreachable

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Sink(ABC):
    """Takes the bytes of one file in order, and makes it appear at the end, whole."""

    @abstractmethod
    def write(self, data: bytes | bytearray) -> None:
        """Take the next bytes; they may change as soon as this returns.

        Raises:
            StorageError: they cannot be kept.
        """

    @abstractmethod
    def close(self) -> None:
        """All bytes are there: the file appears."""

    @abstractmethod
    def abort(self) -> None:
        """No file. Nothing happens if it has appeared already."""


def storage_error(error: OSError) -> StorageError:
    """Our error for one of the file system."""
    kind = DiskFull if error.errno in FULL else StoreUnreachable
    return kind(str(error))


class FileSink(Sink):
    """A local file: written under a hidden name beside it, renamed when it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._part = path.with_name(f".{uuid.uuid4().hex[:12]}.part")
        try:
            self._file = self._part.open("xb", buffering=0)
        except OSError as error:
            raise storage_error(error) from error

    def write(self, data: bytes | bytearray) -> None:
        """See `Sink`."""
        try:
            done = self._file.write(data)
            while done is not None and done < len(data):
                data = data[done:]
                done = self._file.write(data)
        except OSError as error:
            raise storage_error(error) from error

    def close(self) -> None:
        """See `Sink`."""
        try:
            self._file.close()
            os.replace(self._part, self._path)
        except OSError as error:
            raise storage_error(error) from error

    def abort(self) -> None:
        """See `Sink`."""
        with contextlib.suppress(OSError):  # what fails here was failing already, and is told by that error
            self._file.close()
        self._part.unlink(missing_ok=True)


class StreamSink(Sink):
    """An open stream, such as standard output: what has been written to it cannot be taken back."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes | bytearray) -> None:
        """See `Sink`."""
        try:
            self._stream.write(data)
        except OSError as error:
            raise storage_error(error) from error

    def close(self) -> None:
        """See `Sink`."""
        try:
            self._stream.flush()
        except OSError as error:
            raise storage_error(error) from error

    def abort(self) -> None:
        """Nothing can be done."""
