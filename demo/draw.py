"""Repeatable draws: what the data lacks is drawn from the key of its row, never from a stream of random numbers.

A stream would give customer 7 another name as soon as another part is loaded before it. A hash of (purpose, key) gives
each row the same values in every part, on every machine, with every version of numpy.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

T = TypeVar("T")

SEED = "completejourney demo 1"
"""Changing it changes every generated value."""

Keys = npt.NDArray[np.integer[Any]]
Draws = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_ALL = 2**64 - 1
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)


def numbers(purpose: str, keys: Keys) -> Draws:
    """One 64-bit number per key (splitmix64); other purposes give independent numbers for the same key."""
    start = np.uint64(_purpose(purpose))
    with np.errstate(over="ignore"):
        mixed: Draws = (keys.astype(np.uint64) + np.uint64(1)) * _GOLDEN + start
        for shift, factor in _MIX:
            mixed = (mixed ^ (mixed >> shift)) * factor
    return mixed ^ (mixed >> np.uint64(31))


def below(purpose: str, keys: Keys, limit: int | Keys) -> npt.NDArray[np.int64]:
    """One whole number per key, 0 <= number < limit."""
    return (numbers(purpose, keys) % np.asarray(limit, dtype=np.uint64)).astype(np.int64)


def chance(purpose: str, keys: Keys, one_in: int) -> npt.NDArray[np.bool_]:
    """True for about one key in `one_in`."""
    hit: npt.NDArray[np.bool_] = numbers(purpose, keys) % np.uint64(one_in) == 0
    return hit


def choice(purpose: str, keys: Keys, values: Sequence[str | None]) -> pa.Array:
    """One of the values per key; a value that stands twice comes twice as often."""
    return pa.array(values, pa.string()).take(pa.array(below(purpose, keys, len(values))))


def hexadecimal(values: Draws | npt.NDArray[np.int64], digits: int) -> npt.NDArray[np.uint8]:
    """The lowest `digits` hexadecimal digits of each number, as a matrix of ASCII codes with one row per number."""
    shifts = np.arange(4 * (digits - 1), -1, -4, dtype=np.uint64)
    return _HEX[((values.astype(np.uint64)[:, None] >> shifts) & np.uint64(15)).astype(np.uint8)]


def texts(*parts: npt.NDArray[np.uint8]) -> pa.Array:
    """Matrices of ASCII codes side by side, as one text per row."""
    together = np.ascontiguousarray(np.hstack(parts))
    rows, width = together.shape
    offsets = np.arange(0, (rows + 1) * width, width, dtype=np.int64)
    return pa.LargeStringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(together)).cast(pa.string())


def uuids(purpose: str, keys: Keys) -> pa.Array:
    """A version 4 UUID per key."""
    high, low = hexadecimal(numbers(f"{purpose}/high", keys), 16), hexadecimal(numbers(f"{purpose}/low", keys), 16)
    high[:, 12], low[:, 0] = ord("4"), _HEX[8 + below(f"{purpose}/variant", keys, 4)]
    dash = np.full((len(keys), 1), ord("-"), dtype=np.uint8)
    return texts(high[:, :8], dash, high[:, 8:12], dash, high[:, 12:], dash, low[:, :4], dash, low[:, 4:])


def object_ids(purpose: str, keys: Keys) -> pa.Array:
    """A 24-hex id per key, in no order, for things whose ids do not tell their time."""
    return texts(hexadecimal(numbers(f"{purpose}/id", keys), 16), hexadecimal(keys.astype(np.int64), 8))


_CAPITALS = np.frombuffer(b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789", dtype=np.uint8)


def codes(purpose: str, keys: Keys, length: int) -> pa.Array:
    """Codes of capitals and digits, without those that look alike; at most 12 characters."""
    shifts = np.arange(0, 5 * length, 5, dtype=np.uint64)
    return texts(_CAPITALS[((numbers(purpose, keys)[:, None] >> shifts) & np.uint64(31)).astype(np.uint8)])


def addresses(purpose: str, keys: Keys) -> pa.Array:
    """An IPv4 address per key, of the blocks that are kept for documentation."""
    blocks = pa.array(["192.0.2.", "198.51.100.", "203.0.113."])
    host = pa.array(1 + below(f"{purpose}/host", keys, 254)).cast(pa.string())
    return pc.binary_join_element_wise(blocks.take(pa.array(below(f"{purpose}/block", keys, 3))), host, "")


def one_of(values: Sequence[T], purpose: str, *key: int | str) -> T:
    """One of the values, for rows that are made one by one."""
    return values[number(len(values), purpose, *key)]


def number(limit: int, purpose: str, *key: int | str) -> int:
    """A whole number, 0 <= number < limit, for rows that are made one by one."""
    drawn = _purpose(purpose)
    for part in key:
        drawn = _mixed(drawn ^ (part if isinstance(part, int) else crc32(part.encode())))
    return drawn % limit


@cache
def _purpose(purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{SEED}/{purpose}".encode()).digest()[:8], "little")


def _mixed(drawn: int) -> int:
    """One step of splitmix64: a tenth of the time that a digest takes, and there are 130,000 of them."""
    drawn = (drawn + 0x9E3779B97F4A7C15) & _ALL
    drawn = ((drawn ^ (drawn >> 30)) * 0xBF58476D1CE4E5B9) & _ALL
    drawn = ((drawn ^ (drawn >> 27)) * 0x94D049BB133111EB) & _ALL
    return drawn ^ (drawn >> 31)
