"""What was found out a moment ago and need not be asked again yet: kept by each process for itself."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """At most `at_most` values, each for `seconds`; the oldest goes first."""

    def __init__(self, seconds: float, at_most: int = 256) -> None:
        self._seconds = seconds
        self._at_most = at_most
        self._found: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: K) -> tuple[V, float] | None:
        """The value and its age in seconds."""
        with self._lock:
            found = self._found.get(key)
        if found is None or (age := time.monotonic() - found[0]) >= self._seconds:
            return None
        return found[1], age

    def put(self, key: K, value: V) -> None:
        """Keep a value from now on."""
        with self._lock:
            self._found.pop(key, None)
            self._found[key] = (time.monotonic(), value)
            while len(self._found) > self._at_most:
                self._found.popitem(last=False)
