"""Two files compared: in the order that they have, or, if one of them is not in order, in one that is made."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from exports.archive import zipped
from exports.compare.layout import Layout, same_columns
from exports.compare.merging import Difference, Key, NotAKey, OutOfOrder, Tally, differences, in_order
from exports.compare.reading import Opened, Row, unguarded
from exports.compare.sorting import Sorter, without_common
from exports.compare.telling import KINDS, First, written
from exports.sinks import Sink

Watch = Callable[[str, int], None]
"""Told what is being done, "comparing" or "sorting", and how many rows of both files were read for it."""
LOOK: Final = 2_000
"""Rows between two calls of `watch`: some milliseconds."""


@dataclass(frozen=True)
class Side:
    """A file: how to read it, and its bytes, from the beginning each time."""

    layout: Layout
    pieces: Callable[[], Iterator[bytes]]


@dataclass(frozen=True)
class Comparison:
    """What is different. `key` names the columns by which rows were matched: none if only whole rows could be."""

    added: int
    removed: int
    changed: int
    unchanged: int
    headers: tuple[str, ...]
    key: tuple[str, ...]
    bytes: int
    sha256: str
    first: First

    @property
    def differences(self) -> int:
        """How many rows are not the same."""
        return self.added + self.removed + self.changed


def compare(before: Side, after: Side, sink: Callable[[], Sink], member: str, watch: Watch) -> Comparison:
    """Compare two files, and write the zip of what is different to a sink; it has one member of that name.

    `watch` is called every few milliseconds; what it raises ends the comparison. Whatever is raised, no half of a file
    is left. A second sink is asked for if it has to be begun again.

    Raises:
        CompareError: the files do not have the same columns, or cannot be read.
        StorageError: a file cannot be read or kept.
    """
    try:
        return _Attempt(before, after, watch, sorts=False).carried_out(sink(), member)
    except OutOfOrder:
        pass
    except NotAKey:
        return _Attempt(before, after, watch, sorts=True, keyed=False).carried_out(sink(), member)
    try:
        return _Attempt(before, after, watch, sorts=True).carried_out(sink(), member)
    except NotAKey:
        return _Attempt(before, after, watch, sorts=True, keyed=False).carried_out(sink(), member)


class _Attempt:
    """One way of comparing: in the order of the files, or sorted; by their key, or by whole rows."""

    def __init__(self, before: Side, after: Side, watch: Watch, *, sorts: bool, keyed: bool = True) -> None:
        self._was = Opened(before.layout, before.pieces())
        self._now = Opened(after.layout, after.pieces())
        was, now = self._was.layout, self._now.layout
        self._places = same_columns(was, now)
        self._guards = was.file.protect_spreadsheets != now.file.protect_spreadsheets
        in_both = tuple(self._places[place] for place in was.key) == now.key
        self._key = was.key if keyed and in_both else ()
        self._sorts = sorts or not self._key
        self._watch = watch
        self._read = 0

    def carried_out(self, sink: Sink, member: str) -> Comparison:
        """To its end. Raises as `compare`, and OutOfOrder, NotAKey."""
        tally, first, counts = Tally(), First(), dict.fromkeys(KINDS, 0)
        headers, size, digest = self._was.layout.headers, 0, hashlib.sha256()
        try:
            with ExitStack() as stack:
                found = self._differences(tally, stack)
                for piece in zipped(written(found, headers, first, counts), member):
                    sink.write(piece)
                    size += len(piece)
                    digest.update(piece)
            sink.close()
        except BaseException:
            sink.abort()
            raise
        key = tuple(headers[place] for place in self._key)
        return Comparison(
            **counts, unchanged=tally.unchanged, headers=headers, key=key, bytes=size, sha256=digest.hexdigest(),
            first=first,
        )  # fmt: skip

    def _differences(self, tally: Tally, stack: ExitStack) -> Iterator[Difference]:
        by: Key = itemgetter(*self._key) if self._key else _whole
        doing = "sorting" if self._sorts else "comparing"
        was, now = self._watched(self._was.rows(), doing), self._watched(self._placed(self._now.rows()), doing)
        if self._guards:
            was, now = _unguarded(was), _unguarded(now)
        if not self._sorts:
            return differences(in_order(was, by), in_order(now, by), by, tally)
        olds, news = (Sorter(by, stack, lambda: self._watch("sorting", self._read)) for _ in range(2))
        if not self._key:
            without_common(was, now, tally, olds, news)
        was, now = olds.take(was), news.take(now)
        self._read = 0
        return differences(self._watched(was, "comparing"), self._watched(now, "comparing"), by, tally)

    def _placed(self, rows: Iterator[Row]) -> Iterator[Row]:
        if self._places == tuple(range(len(self._places))):
            return rows
        return ([row[place] for place in self._places] for row in rows)

    def _watched(self, rows: Iterator[Row], doing: str) -> Iterator[Row]:
        for row in rows:
            self._read += 1
            if self._read % LOOK == 0:
                self._watch(doing, self._read)
            yield row


def _whole(row: Row) -> Row:
    return row


def _unguarded(rows: Iterator[Row]) -> Iterator[Row]:
    return ([unguarded(cell) for cell in row] for row in rows)
