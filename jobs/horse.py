"""The work horse: the process that a worker forks for its jobs, and what it must know about itself."""

from __future__ import annotations

import ctypes
import logging
import os
import random
import signal
import socket
import sys
from types import FrameType
from typing import Final, NoReturn

from webapp.extensions import db

PR_SET_PDEATHSIG: Final = 1

_worker = ""
_stopping = False


def name() -> str:
    """Under which name this process holds runs: its worker's, or, outside a work horse, its own."""
    return _worker or f"{socket.gethostname()}-{os.getpid()}"


def stopping() -> bool:
    """Whether this process was told to stop and should give back what it holds."""
    return _stopping


def begin(worker: str, parent: int) -> None:
    """Turn a freshly forked process into a horse of `worker`, whose process is `parent`."""
    global _worker
    _worker = worker
    os.setpgrp()
    _end_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _stop)
    random.seed()
    # Both processes would speak on the same sockets: forget the parent's connections, without closing them for it.
    for engine in db.engines.values():
        engine.dispose(close=False)


def end() -> NoReturn:
    """End this process from any of its threads, without waiting for what hangs in another."""
    logging.shutdown()
    os._exit(1)


def _stop(_number: int, _frame: FrameType | None) -> None:
    global _stopping
    _stopping = True


def _end_with(parent: int) -> None:
    """A horse does not outlive its worker (RELIABILITY section 0, fact 3); where it cannot be ended it is fenced."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before we asked
            os._exit(1)
