"""The differences of two files whose rows come in the order of their keys: one walk down both, side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from exports.compare.reading import Row

Key = Callable[[Row], Any]
MOST_ALIKE: Final = 1_000
"""Rows that may have one key in common. A column that has more of one value names no row, and all of a key's rows are
held at a time."""


class OutOfOrder(Exception):
    """A row comes after one that it should come before."""


class NotAKey(Exception):
    """Too many rows have the same key: the column does not name them."""


class Difference(NamedTuple):
    """`was` is None for a row that was added, `now` for one that was removed."""

    was: Row | None
    now: Row | None


@dataclass
class Tally:
    """How many rows are the same in both files."""

    unchanged: int = 0


def in_order(rows: Iterator[Row], key: Key) -> Iterator[Row]:
    """The rows, as long as their keys come in order: Python's order of texts is that of code points, as the file's is.

    Raises:
        OutOfOrder: they do not.
    """
    first = next(rows, None)
    if first is None:
        return
    last = key(first)
    yield first
    for row in rows:
        found = key(row)
        if found < last:
            raise OutOfOrder
        last = found
        yield row


def differences(before: Iterator[Row], after: Iterator[Row], key: Key, tally: Tally) -> Iterator[Difference]:
    """Every row that is not the same in both files, in the order of the keys.

    Of rows that have a key in common those that are alike are the same ones, whatever their order; the others are taken
    for changed, one after the other, and what is left over for added or removed.

    Raises:
        OutOfOrder: as `in_order`, which the caller lets the rows through.
        NotAKey: more than MOST_ALIKE rows have one key.
    """
    was, now = next(before, None), next(after, None)
    while was is not None and now is not None:
        if was == now:
            tally.unchanged += 1
            was, now = next(before, None), next(after, None)
            continue
        was_key, now_key = key(was), key(now)
        if was_key < now_key:
            yield Difference(was, None)
            was = next(before, None)
        elif now_key < was_key:
            yield Difference(None, now)
            now = next(after, None)
        else:
            olds, was = _alike(was, was_key, before, key)
            news, now = _alike(now, was_key, after, key)
            yield from _of_one_key(olds, news, tally)
    while was is not None:
        yield Difference(was, None)
        was = next(before, None)
    while now is not None:
        yield Difference(None, now)
        now = next(after, None)


def _alike(first: Row, value: Any, rows: Iterator[Row], key: Key) -> tuple[list[Row], Row | None]:
    """All rows of a key, and the row behind them."""
    found = [first]
    for row in rows:
        if key(row) != value:
            return found, row
        found.append(row)
        if len(found) > MOST_ALIKE:
            raise NotAKey
    return found, None


def _of_one_key(olds: Sequence[Row], news: Sequence[Row], tally: Tally) -> Iterator[Difference]:
    if len(olds) > 1 or len(news) > 1:
        kept = Counter(map(tuple, olds)) & Counter(map(tuple, news))
        tally.unchanged += kept.total()
        olds, news = _without(olds, kept.copy()), _without(news, kept)
    for was, now in zip(olds, news, strict=False):
        yield Difference(was, now)
    for was in olds[len(news) :]:
        yield Difference(was, None)
    for now in news[len(olds) :]:
        yield Difference(None, now)


def _without(rows: Sequence[Row], kept: Counter[tuple[str, ...]]) -> list[Row]:
    left = []
    for row in rows:
        if kept[tuple(row)] > 0:
            kept[tuple(row)] -= 1
        else:
            left.append(row)
    return left
