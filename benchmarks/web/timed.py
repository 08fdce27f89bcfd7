"""The application as gunicorn serves it, with a clock around each request, its processor time and its SQL statements.

The clock runs from the request's arrival at the application to the last byte handed over (SPEC section 14). Processor
time is that of the thread and of its database process: on a busy machine it says what the clock would on a quiet one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from wsgi import app as served

FILE = Path(os.environ["WEB_TIMES"])
_lock = threading.Lock()


class Asked(threading.local):
    """What the request of this thread has used so far; `backends`: what its database processes had used before."""

    statements = 0
    backends: dict[int, int] = {}  # noqa: RUF012 - replaced at the beginning of each request


_asked = Asked()


@cache
def _clock_of(pid: int) -> int | None:
    """What says how long a process was on a processor; kept open, as opening it would count as the page's time."""
    try:
        return os.open(f"/proc/{pid}/schedstat", os.O_RDONLY)
    except OSError:
        return None


def used(pid: int) -> int:
    """Nanoseconds that a process was on a processor; 0 where the system does not say."""
    clock = _clock_of(pid)
    try:
        return int(os.pread(clock, 64, 0).split()[0]) if clock is not None else 0
    except OSError:  # it has ended
        return 0


@event.listens_for(Engine, "before_cursor_execute")
def _count(_connection: Any, cursor: Any, *_more: Any) -> None:
    _asked.statements += 1
    pid = cursor.connection.info.backend_pid
    if pid not in _asked.backends:
        _asked.backends[pid] = used(pid)


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a request; those that the benchmark named in a header are measured."""
    name = environ.get("HTTP_X_BENCH", "")
    if not name:
        return served(environ, start_response)
    began = time.perf_counter(), time.thread_time()
    _asked.statements, _asked.backends = 0, {}
    return _clocked(name, began, served(environ, start_response))


def _clocked(name: str, began: tuple[float, float], pieces: Iterable[bytes]) -> Iterator[bytes]:
    size = 0
    try:
        for piece in pieces:
            size += len(piece)
            yield piece
    finally:
        if hasattr(pieces, "close"):
            pieces.close()
        clock, own = time.perf_counter() - began[0], time.thread_time() - began[1]
        theirs = sum(used(pid) - before for pid, before in _asked.backends.items()) / 1e9
        figures = (f"{one * 1000:.3f}" for one in (clock, own, theirs))
        line = "\t".join([name, *figures, str(_asked.statements), str(size)])
        with _lock, FILE.open("a") as stream:
            stream.write(f"{line}\n")
