"""Processes that die at a step of their own: `python -m tests.faults.crashing`, driven by `Doomed`.

Every commit, statement, command to Redis, piece of the source, operation of the store and request to an upload server
is a step. A process is forked for each deed, counts its steps, tells their names, and before the step that was chosen
sends itself a signal.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from flask import Flask

ROOT: Final = Path(__file__).parents[2]
OUTSIDE: Final = ("Redis", "source", "store", "target")
"""Steps at which a process is in no transaction of our own database."""
PART: Final = 32 * 1024
"""Bytes of a part of the store here, so that a file of some hundred kilobytes has several."""


@dataclass(frozen=True)
class End:
    """How a deed ended, and the names of the steps that it came to: the last one was not done if a signal came."""

    pid: int
    how: str
    steps: list[str]


class Doomed:
    """The processes, as their parent sees them."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.crashing"],
                cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
            )  # fmt: skip

    def do(
        self,
        deed: str,
        before: int | str | None = None,
        how: str = "SIGKILL",
        *,
        outside: bool = False,
        **facts: object,
    ) -> End:
        """Let a process do something; before that step, or the first one of that name, it gets the signal; `outside`:
        before the next one then at which it is in no transaction of our own database.
        """
        end = self._ask({"deed": deed, "before": before, "how": how, "outside": outside, "facts": facts})
        assert end.how != "failed", self.log.read_text()
        return end

    def begin(self, deed: str, before: int | None = None, **facts: object) -> int:
        """Let a process do something that is not waited for, and kill it before that step; its number."""
        order = {"deed": deed, "before": before, "how": "SIGKILL", "outside": False, "facts": facts}
        return self._ask({**order, "leave": True}).pid

    def wake(self, pid: int) -> End:
        """Let a process that stopped itself go on, to its end."""
        return self._ask({"wake": pid})

    def kill(self, pid: int) -> None:
        """Kill one that stopped itself, or that was begun; nothing if it is dead already."""
        self._ask({"wake": pid, "with": "SIGKILL"})

    def _ask(self, order: dict[str, object]) -> End:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order, default=str) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, self.log.read_text()
        return End(**json.loads(answer))

    def close(self) -> None:
        """End it and all that it has forked."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe
            pipe.close()


@contextmanager
def doomed(environment: dict[str, str], log: Path) -> Iterator[Doomed]:
    """The processes, for a while."""
    processes = Doomed(environment, log)
    try:
        yield processes
    finally:
        processes.close()


class Steps:
    """Counts the steps of the main thread of one process."""

    def __init__(self, told: int, before: int | str | None, how: str, outside: bool) -> None:
        self._told = told
        self._outside = outside
        self._left = before if isinstance(before, int) else None
        self._name = before if isinstance(before, str) else None
        self._signal = signal.Signals[how]
        self._process = os.getpid()

    def step(self, name: str) -> None:
        """The next step is this one."""
        if os.getpid() != self._process or threading.current_thread() is not threading.main_thread():
            return
        with suppress(BlockingIOError):  # nobody reads the steps of who is not waited for
            os.write(self._told, f"{name}\n".encode())
        if self._left == 0 and self._outside and not name.startswith(OUTSIDE):
            return
        if self._left == 0 or self._name == name:
            self._left = self._name = None
            os.kill(self._process, self._signal)
        elif self._left is not None:
            self._left -= 1

    def before(self, owner: Any, method: str, name: Callable[..., str]) -> None:
        """From now on each call of that method is a step."""
        really = getattr(owner, method)

        def counted(self_: Any, *arguments: Any, **options: Any) -> Any:
            self.step(name(*arguments))
            return really(self_, *arguments, **options)

        setattr(owner, method, counted)

    def arm(self, app: Flask) -> None:
        """Count everything that has an effect outside of this process, and what is asked."""
        from redis import Redis
        from redis.client import Pipeline
        from sqlalchemy import event

        from exports import storage
        from exports.source.copied import Copy
        from exports.source.spool import Spool
        from webapp.extensions import db

        with app.app_context():
            event.listen(db.engine, "before_cursor_execute", lambda _c, _k, text, *_more: self.step(_told_of(text)))
            event.listen(db.engine, "commit", lambda _connection: self.step("commit"))
        self.before(Redis, "execute_command", lambda command, *_more: f"Redis {command}")
        self.before(Pipeline, "execute", lambda *_more: "Redis EXEC")
        self.before(Copy, "start", lambda: "source COPY")
        self.before(Spool, "put", lambda _batch: "source batch")
        self.before(storage.Storage, "open_writer", lambda _key: "store begin")
        self.before(storage.Storage, "delete", lambda _key: "store delete")
        self.before(storage.Storage, "give_up", lambda _key: "store give up")
        for method in ("write", "close", "abort"):
            self.before(storage._StoreSink, method, lambda *_more, method=method: f"store {method}")
        self._arm_deliveries()

    def _arm_deliveries(self) -> None:
        """Each phase of a login, and each command or request that is sent then."""
        from ftplib import FTP

        from paramiko import SFTPClient
        from paramiko.sftp import CMD_NAMES

        from exports.delivery.ftp import FtpSession
        from exports.delivery.sftp import SftpSession

        for kind in (FtpSession, SftpSession):
            for phase in ("connect", "secure", "login"):
                self.before(kind, phase, lambda phase=phase: f"target {phase}")
        self.before(SFTPClient, "_async_request", lambda _file, asked, *_more: f"target {CMD_NAMES[asked]}")
        self.before(FTP, "putcmd", lambda line: f"target {line.split()[0]}")


def _told_of(statement: str) -> str:
    """SELECT, or INSERT INTO runs."""
    words = statement.split()
    if words[0] == "WITH":  # the question which run is next, or a run's move: its export is held in the same statement
        return "UPDATE runs" if "UPDATE runs" in statement else "SELECT"
    if words[0] == "SELECT":
        return "SELECT"
    return " ".join(words[:3] if words[0] in ("INSERT", "DELETE") else words[:2])


def _live(order: dict[str, Any], app: Flask, told: int) -> None:
    """The whole life of a process."""
    from tests.faults.deeds import DEEDS  # loaded by `main`, in the process that all are forked from

    status = 1
    try:
        steps = Steps(told, order["before"], order["how"], order["outside"])
        with app.app_context():
            steps.arm(app)
            DEEDS[order["deed"]](app, **order["facts"])
        status = 0
    except BaseException:  # the last frame of a process: told on standard error, and by its status
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stderr.flush()
        os._exit(status)


def _ended(pid: int, steps: int) -> dict[str, Any]:
    _, status = os.waitpid(pid, os.WUNTRACED)
    told = b""
    try:
        while piece := os.read(steps, 65536):
            told += piece
    except BlockingIOError:
        pass  # somebody is alive who may still tell something
    if os.WIFSTOPPED(status):
        how = "stopped"
    else:
        how = {0: "done", -signal.SIGKILL: "killed"}.get(os.waitstatus_to_exitcode(status), "failed")
    return {"pid": pid, "how": how, "steps": told.decode().splitlines()}


def _begin(order: dict[str, Any], app: Flask) -> tuple[int, int]:
    steps, told = os.pipe2(os.O_NONBLOCK)
    pid = os.fork()
    if pid == 0:
        _live(order, app, told)
    os.close(told)
    return pid, steps


def main() -> None:
    """Serve until standard input ends."""
    from exports import storage
    from jobs import connection_test, delivery, firing, program, runs, worker  # noqa: F401
    from tests.faults import deeds  # noqa: F401
    from webapp.extensions import db

    storage.PART = PART  # type: ignore[misc]
    delivery.TOLD_S = 3600.0  # type: ignore[misc]  # else a slow machine would count a step more
    app = program.create()
    with app.app_context():
        runs.preload()
        firing.preload()
        connection_test.preload()
        db.engine.dispose()
    gc.collect()
    gc.freeze()
    stopped: dict[int, int] = {}
    for line in sys.stdin:
        order = json.loads(line)
        if "wake" in order:
            pid, steps = order["wake"], stopped.pop(order["wake"])
            os.kill(pid, signal.Signals[order.get("with", "SIGCONT")])
        else:
            pid, steps = _begin(order, app)
        end = {"pid": pid, "how": "stopped", "steps": []} if "leave" in order else _ended(pid, steps)
        if end["how"] == "stopped":
            stopped[pid] = steps
        else:
            os.close(steps)
        sys.stdout.write(json.dumps(end) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
