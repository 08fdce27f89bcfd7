"""script/keep: a process that died is started again, and nothing outlives its end (DESIGN section 4)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.setup.commands import ROOT, until
from webapp.embedded import locks
from webapp.embedded.processes import alive

KEEP = ROOT / "script" / "_keep.py"
# Notes its number, and each signal; USR1 is survived, TERM ends it unless told to be stubborn.
CHILD = """
import os, signal, sys, time
notes = open(sys.argv[1], "a", buffering=1)
def note(sign, frame):
    notes.write(f"signal {sign}\\n")
    if sign == signal.SIGTERM and "stubborn" not in sys.argv:
        sys.exit(0)
for sign in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(sign, note)
if "grandchild" in sys.argv:
    pid = os.fork()
    if not pid:
        os.setpgrp()
        notes.write(f"grandchild {os.getpid()}\\n")
        time.sleep(120)
    os.waitpid(pid, os.WNOHANG)
notes.write(f"started {os.getpid()}\\n")
while True:
    time.sleep(60)
"""


class Kept:
    """A process under script/keep, and what it noted."""

    def __init__(self, notes: Path, command: list[str], environment: dict[str, str]) -> None:
        self.notes = notes
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEP), "sleeper", *command],
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def lines(self, word: str) -> list[str]:
        text = self.notes.read_text() if self.notes.exists() else ""
        return [line.split()[1] for line in text.splitlines() if line.startswith(word)]

    def child(self, number: int = 1) -> int:
        """The process number of the child that was started as the first, second …"""
        until(lambda: len(self.lines("started")) >= number)
        return int(self.lines("started")[number - 1])


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Callable[..., Kept]]:
    """Keep the note-taking child; the words are told to it."""
    started: list[Kept] = []

    def start(*words: str, command: list[str] | None = None, **environment: str) -> Kept:
        notes = tmp_path / "notes"
        one = Kept(notes, command or [sys.executable, "-c", CHILD, str(notes), *words], environment)
        started.append(one)
        return one

    yield start
    for one in started:
        one.process.kill()
        for pid in map(int, one.lines("started") + one.lines("grandchild")):
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        one.process.communicate()


def test_a_process_that_died_is_started_again_after_a_second(keep: Callable[..., Kept]) -> None:
    kept = keep()
    os.kill(kept.child(), signal.SIGKILL)
    assert 0.9 < until(lambda: len(kept.lines("started")) == 2) < 5
    assert kept.process.stderr.readline() == "sleeper was killed by signal 9 and is started again.\n"


def test_after_five_deaths_in_a_minute_it_is_given_up_with_a_sentence(keep: Callable[..., Kept]) -> None:
    kept = keep(command=[sys.executable, "-c", "raise SystemExit(3)"])
    assert kept.process.wait(30) == 1
    *before, last = kept.process.stderr.read().splitlines()
    assert before == ["sleeper ended with status 3 and is started again."] * 4
    assert last == "sleeper ended with status 3, the 5th time in 60 s: given up. See why above."


def test_signals_are_passed_on(keep: Callable[..., Kept]) -> None:
    kept = keep()
    kept.child()
    kept.process.send_signal(signal.SIGUSR1)
    until(lambda: kept.lines("signal") == [str(int(signal.SIGUSR1))])
    kept.process.send_signal(signal.SIGTERM)
    assert kept.process.wait(10) == 0
    assert kept.lines("signal")[-1] == str(int(signal.SIGTERM))


def test_who_does_not_stop_in_time_is_killed_with_all_its_children(keep: Callable[..., Kept]) -> None:
    kept = keep("stubborn", "grandchild")
    child = kept.child()
    until(lambda: kept.lines("grandchild"))
    kept.process.terminate()
    assert kept.process.wait(10) == 0
    assert not alive(child)
    until(lambda: not alive(int(kept.lines("grandchild")[0])))


def test_a_grandchild_left_behind_is_killed_before_the_next_start(keep: Callable[..., Kept]) -> None:
    kept = keep("grandchild")
    child = kept.child()
    until(lambda: kept.lines("grandchild"))
    os.kill(child, signal.SIGKILL)
    kept.child(2)
    assert not alive(int(kept.lines("grandchild")[0]))


def test_it_ends_when_the_server_that_started_it_is_gone(keep: Callable[..., Kept], tmp_path: Path) -> None:
    server = locks.open_lock(tmp_path / "server.lock")
    assert locks.try_own(server)
    kept = keep(KEEP_HOME=str(tmp_path))
    child = kept.child()
    everything = locks.open_lock(tmp_path / "kept.lock")
    assert not locks.try_own(everything)
    os.close(server)
    assert kept.process.wait(10) == 0
    assert not alive(child)
    assert locks.try_own(everything)
    os.close(everything)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_the_child_ends_when_its_keeper_is_killed(keep: Callable[..., Kept]) -> None:
    kept = keep()
    child = kept.child()
    kept.process.kill()
    until(lambda: not alive(child))


def test_a_program_that_is_not_there_is_named(keep: Callable[..., Kept]) -> None:
    kept = keep(command=["no-such-program"])
    assert kept.process.wait(10) == 127
    assert kept.process.stderr.read() == "sleeper cannot be started: No such file or directory: no-such-program\n"
