"""psycopg's errors in our words: translated here, where they enter, and nowhere else."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import psycopg

from exports.errors import (
    FieldMissing,
    RowUnreadable,
    RunError,
    SourceBusy,
    SourceConflict,
    SourceExhausted,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    Unexpected,
)

BY_STATE: Final[dict[str, type[RunError]]] = {
    "25P03": SourceTimeout,  # idle in transaction for too long
    "25P04": SourceTimeout,  # transaction_timeout
    "40001": SourceConflict,  # what a standby says when it has to go on
    "40P01": SourceConflict,
    "42501": SourceRefused,
    "3D000": SourceRefused,
    "53300": SourceBusy,
    "55P03": SourceBusy,  # lock_timeout
    "42703": FieldMissing,
    "42P01": FieldMissing,
    "3F000": FieldMissing,
    "57014": SourceConflict,  # cancelled by somebody else; our own limit is told apart below
}
BY_CLASS: Final[dict[str, type[RunError]]] = {
    "08": SourceUnreachable,
    "22": RowUnreadable,
    "28": SourceRefused,
    "53": SourceExhausted,
    "57": SourceUnreachable,
    "58": SourceUnreachable,
    "XX": SourceUnreachable,
}
_CONNECTING: Final = (
    (re.compile(r"too many (clients|connections)|remaining connection slots", re.IGNORECASE), SourceBusy),
    (re.compile(r"authentication failed|does not exist|no pg_hba|permission denied", re.IGNORECASE), SourceRefused),
)
"""A connection that is refused has no code in psycopg, only the server's text."""
_VALUE = re.compile(r'".*"', re.DOTALL)
"""Where a message quotes a value: to the last quotation mark, since those inside of it are not doubled."""
_NAME = re.compile(r'(?:column|relation|schema)\s+"?([^"\s]+)"?', re.IGNORECASE)


def translated(
    error: psycopg.Error,
    *,
    seconds: float,
    elapsed: float = 0.0,
    rows: int | None = None,
    late: type[SourceTimeout] = SourceTimeout,
) -> RunError:
    """Our error for one of psycopg's. `seconds` was the query's limit, `elapsed` its time.

    `rows` is how many rows of the file stand before the place of the error, if that is known; `late` is the error for
    a query that took longer than its limit.
    """
    state = error.sqlstate or error.diag.sqlstate or ""
    text = error.diag.message_primary or str(error).strip()
    kind = _kind(error, state, text)
    if state == "57014" and elapsed >= seconds * 0.95:
        kind = late
    facts: dict[str, str] = {}
    if issubclass(kind, SourceTimeout):
        facts["limit"] = f"{seconds:,g}"
    elif kind is FieldMissing:
        found = _NAME.search(text)
        facts["name"] = found[1].strip('"') if found else text
    elif kind is RowUnreadable:
        # Also who may not see the data reads why a run failed (SPEC sections 1 and 10).
        text = _VALUE.sub('"…"', text)
        facts["reason"] = text if rows is None else f"{text} (after row {rows:,} of the file)"
    return kind(f"{state} {type(error).__name__}: {text}".strip(), **facts)


def _kind(error: psycopg.Error, state: str, text: str) -> type[RunError]:
    if state:
        return BY_STATE.get(state) or BY_CLASS.get(state[:2]) or Unexpected
    for pattern, kind in _CONNECTING:
        if pattern.search(text):
            return kind
    return SourceUnreachable if isinstance(error, psycopg.OperationalError) else Unexpected


@contextmanager
def translating(*, seconds: float, late: type[SourceTimeout] = SourceTimeout) -> Iterator[None]:
    """Translate what is raised inside, where nothing is known of rows. See `translated`."""
    began = time.monotonic()
    try:
        yield
    except psycopg.Error as error:
        raise translated(error, seconds=seconds, elapsed=time.monotonic() - began, late=late) from error
