"""The processes that carry out what the browser asks of the application."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask import Flask

    from tests.nursery import Born, Nursery

PATIENCE_S = 60.0
READY = ("serves the queue", "the scheduler serves")


Processes = Callable[..., AbstractContextManager[None]]


@pytest.fixture
def processes(app: Flask, app_settings: dict[str, str], source_dsn: str, nursery: Nursery, tmp_path: Path) -> Processes:
    """`with processes("jobs.worker exports", ...)`: processes of a deployment, on the same databases as `app`."""

    @contextmanager
    def running(*commands: str) -> Iterator[None]:
        started: dict[Path, Born] = {}
        try:
            for command in commands:
                log = tmp_path / f"{command}.log"
                with log.open("wb") as said:
                    started[log] = nursery.start(command.split(), app_settings, said)
            for log, process in started.items():
                _wait_until_ready(process, log)
            yield
        finally:
            for process in started.values():
                process.terminate()
            for process in started.values():
                process.wait(timeout=PATIENCE_S)

    return running


def _wait_until_ready(process: Born, log: Path) -> None:
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
