"""Where the bytes of a later part wait for their turn: in memory, beyond that in a file without a name."""

from __future__ import annotations

import errno
import os
import tempfile
from collections import deque
from typing import BinaryIO, Final

from exports.sinks import storage_error

IN_MEMORY: Final = 8 * 1024 * 1024
ON_DISK: Final = 1024 * 1024 * 1024
"""So much waits at most: half of a file of 2 GiB. A part that has more to give waits in the database."""


class Spool:
    """Batches, given back whole and in their order.

    The file is in the system's folder for temporary files (TMPDIR). It has no name, so that nothing of it is left
    behind, whatever ends the process.
    """

    def __init__(self, in_memory: int = IN_MEMORY, on_disk: int = ON_DISK) -> None:
        self._in_memory = in_memory
        self._on_disk = on_disk
        self._kept: deque[bytearray] = deque()
        self._kept_bytes = 0
        self._file: BinaryIO | None = None
        self._sizes: deque[int] = deque()
        self._read = self._written = 0

    @property
    def full(self) -> bool:
        """Whether nothing more should be put in before something has been taken out."""
        return self._written - self._read >= self._on_disk

    def put(self, batch: bytearray) -> None:
        """Keep a batch, which is the spool's from now on.

        Raises:
            StorageError: the folder for temporary files is full, or cannot be written to.
        """
        if not self._sizes and self._kept_bytes + len(batch) <= self._in_memory:
            self._kept.append(batch)
            self._kept_bytes += len(batch)
            return
        try:
            self._write(batch)
        except OSError as error:
            raise storage_error(error) from error

    def get(self) -> bytearray | None:
        """The batch that has waited longest; None if none waits.

        Raises:
            StorageError: the file cannot be read, or has lost what was in it.
        """
        if self._kept:
            batch = self._kept.popleft()
            self._kept_bytes -= len(batch)
            return batch
        if self._file is None or not self._sizes:
            return None
        try:
            return self._read_first(self._file)
        except OSError as error:
            raise storage_error(error) from error

    def _read_first(self, file: BinaryIO) -> bytearray:
        batch = bytearray(self._sizes.popleft())
        rest = memoryview(batch)
        while rest:
            done = os.preadv(file.fileno(), [rest], self._read)
            if not done:
                raise OSError(errno.EIO, "the temporary file is shorter than what was written to it")
            self._read += done
            rest = rest[done:]
        if not self._sizes:
            file.truncate(0)
            self._read = self._written = 0
        return batch

    def _write(self, batch: bytearray) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - `close` closes it
        rest = memoryview(batch)
        while rest:
            done = os.pwrite(self._file.fileno(), rest, self._written)
            self._written += done
            rest = rest[done:]
        self._sizes.append(len(batch))

    def close(self) -> None:
        """Forget everything."""
        self._kept.clear()
        if self._file is not None:
            self._file.close()


__all__ = ["Spool"]
