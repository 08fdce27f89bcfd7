"""The processes that carry out what the browser asks of the application."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0
READY = ("serves the queue", "the scheduler serves")


Processes = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def processes(app: Flask, app_settings: dict[str, str], source_dsn: str, tmp_path: Path) -> Processes:
    """`with processes("jobs.worker exports", ...)`: processes of a deployment, on the same databases as `app`."""

    @contextmanager
    def running(*commands: str) -> Iterator[None]:
        started = [_start(command, app_settings, tmp_path / f"{command}.log") for command in commands]
        try:
            for process, log in started:
                _wait_until_ready(process, log)
            yield
        finally:
            for process, _ in started:
                process.terminate()
            for process, _ in started:
                process.wait(timeout=PATIENCE_S)

    return running


def _start(command: str, settings: dict[str, str], log: Path) -> tuple[subprocess.Popen[bytes], Path]:
    with log.open("wb") as said:
        arguments = [sys.executable, "-m", *command.split()]
        return subprocess.Popen(arguments, cwd=ROOT, env=settings, stdout=said, stderr=said), log


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not any(words in log.read_text() for words in READY):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, f"{log.name} does not begin:\n{log.read_text()}"
        time.sleep(0.05)


@pytest.fixture
def worker(processes: Processes) -> Iterator[None]:
    """One worker in a process of its own."""
    with processes("jobs.worker exports"):
        yield
