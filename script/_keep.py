"""Start a process again 1 s after it died, give up after 5 deaths in 60 s, pass signals on, leave nothing behind.

With KEEP_HOME in the environment (demo/server.py sets it) it also ends when nobody holds `server.lock` in that folder
any more, and holds a share of `kept.lock` there for as long as it runs.
"""

from __future__ import annotations

import collections
import ctypes
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

PAUSE_S = 1.0
DEATHS, DEATHS_WITHIN_S = 5, 60.0
# honcho kills what is left 5 s after it asked to stop, us included: our child must be gone before.
STOP_S = 4.0
LOOK_S = 1.0
ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
PASSED = (*ENDING, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU, signal.SIGWINCH)


class Keeper:
    """One kept process."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name, self.command = name, command
        self.child: subprocess.Popen[bytes] | None = None
        self.ending = False
        self.locks = _locks()
        self.wake = _wake_up()
        for sign in PASSED:
            signal.signal(sign, self._pass_on)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # makes it wake us up

    def run(self) -> int:
        """Keep until told to end: 0; 1 when given up, 127 when there is no such program."""
        deaths: collections.deque[float] = collections.deque(maxlen=DEATHS)
        while True:
            try:
                self.child = subprocess.Popen(self.command, start_new_session=True, preexec_fn=_die_with_parent())  # noqa: S603
            except OSError as error:
                return self._say(f"cannot be started: {error.strerror}: {error.filename}", 127)
            status = self._wait()
            _kill_session(self.child.pid)
            if self.ending:
                return 0
            deaths.append(time.monotonic())
            how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
            if len(deaths) == DEATHS and deaths[-1] - deaths[0] < DEATHS_WITHIN_S:
                return self._say(f"{how}, the {DEATHS}th time in {DEATHS_WITHIN_S:.0f} s: given up. See why above.", 1)
            self._say(f"{how} and is started again.", 0)
            self._sleep(PAUSE_S)
            if self.ending:
                return 0

    def _wait(self) -> int:
        """Wait until the child ends; once it was told to, no longer than STOP_S."""
        child, deadline = self.child, 0.0
        while child.poll() is None:
            if not self.ending and self._orphaned():
                self._pass_on(signal.SIGTERM)
            if self.ending:
                deadline = deadline or time.monotonic() + STOP_S
                if time.monotonic() > deadline:
                    _kill_session(child.pid)
            self._sleep(0.1 if self.ending else LOOK_S)
        return child.returncode

    def _pass_on(self, sign: int, *_: object) -> None:
        if sign in ENDING:
            self.ending = True
        if self.child is not None and self.child.poll() is None:
            self.child.send_signal(sign)

    def _orphaned(self) -> bool:
        """Whether the server that started us is gone: then its lock can be had."""
        if not self.locks:
            return False
        try:
            fcntl.flock(self.locks[0], fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self.locks[0], fcntl.LOCK_UN)
        return True

    def _sleep(self, seconds: float) -> None:
        if select.select([self.wake], [], [], seconds)[0]:
            os.read(self.wake, 512)

    def _say(self, sentence: str, status: int) -> int:
        print(f"{self.name} {sentence}", file=sys.stderr, flush=True)
        return status


def _locks() -> list[int]:
    home = os.environ.get("KEEP_HOME")
    if not home:
        return []
    server, kept = (os.open(Path(home) / name, os.O_RDWR | os.O_CREAT, 0o600) for name in ("server.lock", "kept.lock"))
    fcntl.flock(kept, fcntl.LOCK_SH)
    return [server, kept]


def _wake_up() -> int:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    return reading


def _die_with_parent():  # noqa: ANN202 - a function or nothing
    """On Linux the kernel tells the child when we were killed with -9; elsewhere nothing does."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG


def _kill_session(leader: int) -> None:
    """Kill what is left of the child's session: also work horses, which have process groups of their own."""
    for pid in _everybody():
        try:
            if os.getsid(pid) == leader:
                os.kill(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue


def _everybody() -> list[int]:
    if Path("/proc/self").exists():
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    listing = subprocess.run(["ps", "-axo", "pid="], capture_output=True, text=True)  # noqa: S607
    return [int(word) for word in listing.stdout.split()]


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("script/keep needs a name and a command.")
    sys.exit(Keeper(sys.argv[1], sys.argv[2:]).run())
