"""`python -m MODULE` without its second of imports: processes forked from one that has made them (`Nursery`).

Each is a process of its own, in all else like one that was started: it has its own environment, log, signals and end.
It is a child of the nursery, which tells its exit status. Real starts are those of tests/setup.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import psutil

from webapp.queues import FUNCTIONS

ROOT: Final = Path(__file__).parents[1]
PROGRAMS: Final = ("jobs.scheduler", "jobs.worker")
NEEDED: Final = ("isal.isal_zlib", "obstore.store", "stream_zip", "rq_scheduler", "jobs.program")
"""Besides what PROGRAMS import at once: what they and their horses import before they serve."""
PIECE: Final = 1 << 16
PATIENCE_S: Final = 60.0
"""The first one waits for the imports, which takes seconds on a machine that has other things to do."""


class Born(psutil.Process):
    """A process of the nursery; as psutil.Popen has them."""

    def __init__(self, pid: int, args: list[str], end: socket.socket) -> None:
        super().__init__(pid)
        self.args = args
        self._end = end
        self._status: int | None = None

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, as subprocess gives it."""
        if self._status is None:
            if not select.select([self._end], [], [], timeout)[0]:
                raise psutil.TimeoutExpired(timeout or 0, self.pid)
            with self._end:
                self._status = int(self._end.recv(16) or -signal.SIGKILL)
        return self._status

    def poll(self) -> int | None:
        """Its exit status; None while it runs."""
        try:
            return self.wait(0)
        except psutil.TimeoutExpired:
            return None


class NoBirth(RuntimeError):
    """The nursery forks nothing: it has died, or does not answer."""


class Nursery:
    """The process that all are forked from, as the tests see it. `main`: the module that is it."""

    def __init__(self, main: str = "tests.nursery", patience_s: float = PATIENCE_S) -> None:
        self._orders, theirs = socket.socketpair()
        self._orders.settimeout(patience_s)
        self._patience_s = patience_s
        with theirs:
            command = [sys.executable, "-m", main, str(theirs.fileno())]
            self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])

    def start(self, module: list[str], environment: dict[str, str], log: IO[bytes]) -> Born:
        """`python -m MODULE ...` with this environment and no other."""
        order = json.dumps({"module": module, "environment": environment}).encode() + b"\n"
        end, told = socket.socketpair()
        try:
            with told:
                socket.send_fds(self._orders, [order], [log.fileno(), told.fileno()])
            pid = int(self._orders.recv(16))
        except (OSError, ValueError) as error:  # of one that has died nothing is read
            end.close()
            raise NoBirth(f"{error!r}; exit status of the nursery: {self._ended(1)}") from error
        return Born(pid, [sys.executable, "-m", *module], end)

    def _ended(self, within_s: float) -> int | None:
        """Its exit status; None if it still runs."""
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(within_s)
        return None

    def close(self) -> None:
        """No more of them; who runs goes on."""
        self._orders.close()
        if self._ended(self._patience_s) is None:
            self.process.kill()
            self.process.wait()


def main(orders: socket.socket) -> None:
    """Fork a process for each order, until there can be no more; return in each process, with what it is to be."""
    running: dict[int, socket.socket] = {}
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    while True:
        ready = select.select([orders, woken], [], [])[0]
        if woken in ready:
            os.read(woken, 512)
            tell_ends(running)
        if orders in ready:
            text, passed, _flags, _from = socket.recv_fds(orders, PIECE, 2)
            if not text:
                sys.exit()
            while not text.endswith(b"\n"):
                text += orders.recv(PIECE)
            log, told = passed
            pid = os.fork()
            if pid == 0:
                break
            os.close(log)
            running[pid] = socket.socket(fileno=told)
            orders.send(str(pid).encode())
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for one in (orders, *running.values()):
        one.close()
    for end in (woken, wake, told):
        os.close(end)
    become(**json.loads(text), log=log)


def tell_ends(running: dict[int, socket.socket]) -> None:
    """Tell the exit status of each that has ended."""
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as told, suppress(BrokenPipeError):  # nobody may wait for it any more
            told.send(str(os.waitstatus_to_exitcode(status)).encode())


def become(module: list[str], environment: dict[str, str], log: int) -> None:
    """Be `python -m MODULE ...`."""
    for stream in (1, 2):
        os.dup2(log, stream)
    os.close(log)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = module
    runpy.run_module(module[0], run_name="__main__", alter_sys=True)


def preload() -> None:
    """Import what takes long. The programs themselves are run anew, as `python -m` does."""
    for name in (*PROGRAMS, *NEEDED, *(name.rpartition(".")[0] for name in FUNCTIONS)):
        importlib.import_module(name)
    for name in PROGRAMS:
        delattr(sys.modules["jobs"], name.partition(".")[2])
        del sys.modules[name]
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    preload()
    main(socket.socket(fileno=int(sys.argv[1])))
