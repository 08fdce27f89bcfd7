"""Where rows come from: the one interface behind which every source stands."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from exports.formats import Copying
from exports.query import Query

NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
WATCH_EVERY: Final = 0.25
"""Seconds between two looks at a running query, which cost nothing that could be measured."""


@dataclass(frozen=True)
class Progress:
    """How far a run has come: rows and bytes received from the source, seconds since its first statement."""

    rows: int
    bytes: int
    seconds: float


Watch = Callable[[Progress], None]
"""Is called at most every `WATCH_EVERY` seconds, also while nothing comes. Raising stops the query in the database."""


class Rows(ABC):
    """The rows of one SELECT as COPY writes them, in batches of whole rows."""

    count: int | None = None
    """How many rows there were, as the database says; known at the end."""

    @abstractmethod
    def __iter__(self) -> Iterator[bytearray]:
        """Batches of whole rows. A batch may be changed, and is the caller's only until the next one is asked for.

        Raises:
            SourceError: the database's error, translated.
            RunStopped: what the watch raised.
        """


class Source(ABC):
    """A database that records are read from, always in a transaction that cannot write."""

    @abstractmethod
    def rows(
        self, select: sa.Select[Any], query: Query, *, watch: Watch | None = None, seconds: float | None = None
    ) -> AbstractContextManager[Rows]:
        """The rows of a SELECT that belongs to `query`, in one snapshot; leaving the block ends it, wherever it is.

        `seconds` bounds the whole, by default the source's own limit; with it, plans are made for an early answer.
        """

    @abstractmethod
    def estimate(self, query: Query) -> int:
        """How many records the planner expects to match."""

    @abstractmethod
    def select(
        self, select: sa.Select[Any], *, seconds: float, timezone: str = "UTC", settings: Mapping[str, str] = NOTHING
    ) -> list[tuple[Any, ...]]:
        """The rows of a small SELECT of ours (segments, choices of a reference, counts) as Python values.

        `settings`: those of the query that it belongs to.

        Raises:
            SourceSlow: it takes longer than `seconds`.
        """

    @abstractmethod
    def zones(self) -> frozenset[str]:
        """The names of the time zones that the database knows."""

    @abstractmethod
    def zone(self, name: str) -> ZoneInfo:
        """The rules of a zone, one of `zones`, by which the database tells times."""

    @abstractmethod
    def describe(self, table: str) -> dict[str, str]:
        """The columns of a table and their types, as the database calls them; empty if there is no such table."""


__all__ = ["NOTHING", "WATCH_EVERY", "Copying", "Progress", "Rows", "Source", "Watch"]
