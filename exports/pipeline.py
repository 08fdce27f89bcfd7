"""The only way from a definition to a file."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from exports.archive import file_name, zipped
from exports.catalogue import Catalogue
from exports.checking import query_of
from exports.definition import Definition
from exports.errors import NoRows
from exports.formats import Encoder
from exports.sinks import Sink
from exports.source.base import Progress, Rows, Source, Watch
from exports.surroundings import Surroundings


@dataclass(frozen=True)
class Result:
    """A finished file. `bytes` and `sha256` are those of the file itself, `archive_bytes` those of its zip, if any.

    `delivered`: false if there were no rows and nothing is wanted then; there is no file.
    """

    rows: int
    bytes: int
    archive_bytes: int | None
    sha256: str
    seconds: float
    delivered: bool = True


class _Meter:
    """Counts and hashes the bytes of the file as they pass."""

    def __init__(self) -> None:
        self.bytes = 0
        self._hash = hashlib.sha256()

    def add(self, data: bytes | bytearray) -> None:
        self.bytes += len(data)
        self._hash.update(data)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def run(
    definition: Definition,
    catalogue: Catalogue,
    surroundings: Surroundings,
    source: Source,
    sink: Sink,
    watch: Watch | None = None,
    archive: bool = False,
) -> Result:
    """Write the file of a definition to `sink`, as a zip if `archive`.

    `watch` is called at most every quarter of a second, also while the database has not given a row yet; what it raises
    (Cancelled, Fenced) stops the query in the database. Whatever is raised, the sink is left without half a file.

    Raises:
        DefinitionRefused: the definition breaks a rule.
        RunError: the source, the format or the sink failed, or there are no rows and the definition wants to fail then.
        RunStopped: `watch` said so.
    """
    began = time.perf_counter()
    try:
        query = query_of(definition, catalogue, surroundings, source)
        encoder = query.format.encoder(query.headers)
        meter = _Meter()
        written = 0
        with source.rows(query.rows, query, watch=watch) as rows:
            batches = iter(rows) if definition.if_empty == "header" else _any(rows)
            if batches is None and definition.if_empty == "fail":
                raise NoRows
            if batches is None:
                sink.abort()
                return Result(0, 0, None, meter.sha256, time.perf_counter() - began, delivered=False)
            pieces: Iterator[bytes | bytearray] = _pieces(batches, encoder, meter)
            if archive:
                pieces = zipped(pieces, file_name(definition.name, definition.file.extension))
            for piece in pieces:
                sink.write(piece)
                written += len(piece)
        sink.close()
    except BaseException:
        sink.abort()
        raise
    seconds = time.perf_counter() - began
    return Result(rows.count or 0, meter.bytes, written if archive else None, meter.sha256, seconds)


def _any(rows: Rows) -> Iterator[bytearray] | None:
    """The batches, None if there is none: looked at before a byte is written, which a stream could not take back."""
    batches = iter(rows)
    first = next(batches, None)
    return None if first is None else chain([first], batches)


def _pieces(rows: Iterator[bytearray], encoder: Encoder, meter: _Meter) -> Iterator[bytes | bytearray]:
    """The file, piece by piece; each is measured before it goes on, as the next one may overwrite it."""
    head = encoder.head()
    if head:
        meter.add(head)
        yield head
    for batch in rows:
        encoded = encoder.batch(batch)
        meter.add(encoded)
        yield encoded
    tail = encoder.tail()
    if tail:
        meter.add(tail)
        yield tail


__all__ = ["Progress", "Result", "Watch", "run"]
