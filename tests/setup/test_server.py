"""script/server: from an empty folder to an address and a login, and back to nothing (SPEC section 13)."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from demo import server
from tests.setup.commands import ROOT, Command, keeper_pid, stop, until
from webapp.embedded import place

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """One script/server (without its bootstrap: the tests run in an environment that is made)."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port, self.lines = home, port, []
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        self.begun = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "demo.server"],
            cwd=ROOT,
            env={**kept, "EXPORTS_HOME": str(home), "PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def said(self, start: str) -> str:
        return next((line for line in self.lines if line.startswith(start)), "")

    def ready(self) -> float:
        """Wait for the login; seconds since the start."""
        until(lambda: self.said("Log in as") or self.process.poll() is not None, 120)
        assert self.process.poll() is None, "\n".join(self.lines)
        return time.monotonic() - self.begun

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(sign)
        return self.end()

    def end(self) -> int:
        status = self.process.wait(60)
        self._reader.join()
        if not self.process.stdout.closed:
            self.process.stdout.close()
        return status

    def processes(self, word: str = "") -> list[int]:
        """All that was started for this instance folder, by any of its ways, with `word` in the command line."""
        found = []
        marks = [f"EXPORTS_HOME={self.home}".encode(), str(self.home).encode(), str(self._services()).encode()]
        for entry in Path("/proc").iterdir():
            try:
                command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
                told = (entry / "environ").read_bytes().split(b"\0") if command else []
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if command and (marks[0] in told or marks[1] in command or marks[2] in command):
                found += [int(entry.name)] if word.encode() in command.replace(b"\0", b" ") else []
        return found

    def _services(self) -> Path:
        return (self.home / "services").resolve()


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """One instance folder for all: its demo data are loaded by the first start."""
    folder = Path(tempfile.mkdtemp(prefix="exports-server-")) / "instance"
    yield folder
    stop(folder)
    place.discard(folder)
    folder.parent.rmdir()


@pytest.fixture
def hangups() -> Iterator[None]:
    """What is started listens to SIGHUP, also if the tests run under nohup: a handler is not inherited, SIG_IGN is."""
    before = signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.fixture(scope="module")
def _standing() -> Iterator[list[Server]]:
    """The server that is shared, if it runs."""
    servers: list[Server] = []
    yield servers
    take_away(servers)


def take_away(servers: list[Server]) -> None:
    """End them all; nothing is left of any."""
    while servers:
        one = servers.pop()
        if one.process.poll() is None:
            one.stop()
        else:
            one.end()
        assert not one.processes()


@pytest.fixture
def serve(home: Path, _standing: list[Server]) -> Iterator[Callable[..., Server]]:
    """Start a server, on a free port unless one is named; afterwards none runs and nothing is left of any."""
    take_away(_standing)
    servers: list[Server] = []

    def start(port: int = 0) -> Server:
        servers.append(Server(home, port or free_port()))
        return servers[-1]

    yield start
    take_away(servers)


@pytest.fixture
def standing(home: Path, _standing: list[Server]) -> Iterator[Server]:
    """A server that is ready, shared by tests after which it runs as before: a start computes for ten seconds."""
    if not _standing:
        _standing.append(Server(home, free_port()))
        _standing[0].ready()
    yield _standing[0]
    assert all(answers(one.port) for one in _standing)


@pytest.fixture
def started(standing: Server, _standing: list[Server]) -> Iterator[Server]:
    """A server that is ready, for a test that ends it."""
    _standing.clear()
    yield standing
    take_away([standing])


def test_the_first_start_prints_address_and_login_and_ctrl_c_leaves_nothing(
    home: Path, serve: Callable[..., Server]
) -> None:
    first = serve()
    first.ready()
    url = f"http://127.0.0.1:{first.port}"
    login = json.loads((home / "demo-login.json").read_text())
    assert first.said("Exports runs at") == f"Exports runs at {url}  (Ctrl-C stops it)"
    assert first.said("Log in as") == f"Log in as {login['email']} with the password {login['password']}"
    assert login["url"] == url
    assert (home / "demo-login.json").stat().st_mode & 0o777 == 0o600
    assert answers(first.port)
    assert [len(first.processes(name)) > 0 for name in ("gunicorn", "jobs.worker", "jobs.scheduler")] == [True] * 3
    assert first.stop() == 0
    assert not first.processes()
    assert not keeper_pid(home)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_a_second_start_finds_everything_made_and_keeps_the_password_to_itself(
    home: Path, hangups: None, serve: Callable[..., Server], sign: signal.Signals
) -> None:
    second = serve()
    second.ready()
    assert not second.said("Loading")
    login = json.loads((home / "demo-login.json").read_text())
    assert login["url"] == f"http://127.0.0.1:{second.port}"
    assert login["password"] not in "\n".join(second.lines)
    assert "demo-login.json" in second.said("Log in as")
    assert second.stop(sign) == 0
    assert not second.processes()


def test_it_listens_on_this_machine_alone(standing: Server) -> None:
    with socket.socket() as outside:
        assert outside.connect_ex(("127.0.0.2", standing.port)) != 0


def test_a_process_that_was_killed_is_started_again(standing: Server) -> None:
    names = ("gunicorn", "jobs.worker exports", "jobs.worker fast", "jobs.scheduler")
    before = {
        name: [pid for pid in standing.processes(name) if pid not in standing.processes("_keep.py")] for name in names
    }
    for pids in before.values():
        os.kill(min(pids), signal.SIGKILL)

    def again() -> bool:
        now = {name: set(standing.processes(name)) - set(standing.processes("_keep.py")) for name in names}
        return all(now[name] - set(before[name]) for name in names)

    until(again)
    until(lambda: answers(standing.port))


def test_a_second_server_in_the_same_folder_is_refused(home: Path, standing: Server) -> None:
    second = Server(home, free_port())
    assert second.end() == 1
    assert second.lines[-1].startswith(f"Exports runs already in {home}.")
    assert answers(standing.port)


@pytest.mark.parametrize("victim", ["demo.server", "honcho start", "_keep.py web"])
def test_whoever_is_killed_the_rest_ends_too(started: Server, victim: str) -> None:
    os.kill(min(started.processes(victim)), signal.SIGKILL)
    started.end()
    until(lambda: not started.processes(), 40)


def test_a_port_in_use_is_named_with_another_to_choose(serve: Callable[..., Server]) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = serve(port)
        assert refused.end() == 1
    assert refused.lines == [
        f"Port {port} is in use by another program. Stop that, or choose another: PORT={port + 1} script/server"
    ]


@pytest.mark.parametrize("text", ["0", "65536", "http", "-1", "５０"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(server.Refused, match="PORT must be a number from 1 to 65535"):
        server.free_port({"PORT": text})


def test_tables_of_a_newer_version_are_left_alone(home: Path, serve: Callable[..., Server]) -> None:
    with Command(home, "at-once") as command, psycopg.connect(command.addresses.database_url) as connection:
        (there,) = connection.execute(
            "UPDATE alembic_version SET version_num = 'newer' RETURNING old.version_num"
        ).fetchone()
        connection.commit()
        refused = serve()
        assert refused.end() == 1
        assert refused.lines[-1].startswith(f"The folder {home} was made by a newer version of Exports.")
        connection.execute("UPDATE alembic_version SET version_num = %s", [there])
        connection.commit()
