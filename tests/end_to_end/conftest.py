"""A worker that carries out the runs of the application that the browser sees."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


@pytest.fixture
def worker(app: Flask, app_settings: dict[str, str], source_dsn: str, tmp_path: Path) -> Iterator[None]:
    """One worker in a process of its own, on the same databases as `app`."""
    log = tmp_path / "worker.log"
    with log.open("wb") as said:
        command = [sys.executable, "-m", "jobs.worker", "exports"]
        process = subprocess.Popen(command, cwd=ROOT, env=app_settings, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + PATIENCE_S
        while "serves the queue" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, f"the worker does not begin:\n{log.read_text()}"
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)
