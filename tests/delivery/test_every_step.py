"""At whatever step a server falls silent or leaves: it is noticed in time, no half file gets the name, and the next
attempt leaves one whole file and nothing beside it (RELIABILITY F22 to F25).
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import paramiko
import pytest

from exports.delivery import Limits, Parcel, Server
from exports.delivery.base import GOODBYE_S
from exports.errors import target as errors
from tests.delivery.certificates import Authority
from tests.delivery.conftest import Diary, bytes_of, parcel, send
from tests.delivery.faultproxy import FaultProxy, Mode
from tests.delivery.scripted import CLOSE, HANG, RESET, USUAL, ScriptedFtp
from tests.delivery.servers import SftpServer

Keep = Callable[[Any], Any]
SIZE = 300_000
TODAY = parcel(SIZE, "/in/x.csv")
YESTERDAY = bytes(SIZE)
"""As many bytes as today's: a size tells nobody which of both it is."""


NOTICED = (errors.TargetSilent, errors.ConnectionLost, errors.SizeDiffers, errors.HostUnreachable)
"""The last of them: a server may reset a connection before it is complete."""


@contextmanager
def noticed(limit: float) -> Iterator[None]:
    """What fails here can pass, and takes no longer than that, and what is only polite."""
    began = time.monotonic()
    with pytest.raises(errors.TargetError) as told:
        yield
    assert time.monotonic() - began < limit + 2 * GOODBYE_S
    assert not told.value.permanent, told.value.code
    assert isinstance(told.value, NOTICED), told.value.code


def following(diary: Diary) -> Parcel:
    """What the next attempt is given, by the journal of the first."""
    was_renaming = 1 if ("renaming",) in diary.told else None
    return replace(TODAY, attempt=2, was_renaming=was_renaming)


# --- SFTP

CONNECTING = {"banner": 0, "key exchange": 1_000}
"""Bytes that came from us before the network breaks."""
WHEN: dict[str, Callable[[bytes], bool]] = {
    "mkdir": lambda _path: True,
    "open": lambda _path: True,
    "write": lambda _path: True,
    "close": lambda _path: True,
    "stat": lambda path: path.endswith(b".part"),
    "posix_rename": lambda _path: True,
}


class Struck:
    """A server behind a proxy that breaks when the server is asked for something for the first time.

    `done`: the server does it, and its answer is lost; else it never comes to it.
    """

    def __init__(self, folder: Path, step: str, mode: Mode, *, done: bool) -> None:
        self._strikes = [mode]
        told: dict[str, Any] = {}
        if step == "login":
            told["on_login"] = self.strike
        elif step == "subsystem":
            told["files"] = self._opened_for(folder)
        elif step in WHEN:
            told["files"] = self._asked_for(folder, step, done=done)
        self.server = SftpServer(folder, **told)
        after = CONNECTING.get(step)
        self.proxy = FaultProxy(self.server.port, *((mode, after) if after is not None else ("pass", 0)))

    def strike(self) -> bool:
        """The network breaks, the first time; whether it did."""
        if not self._strikes:
            return False
        self.proxy.strike(self._strikes.pop())
        return True

    def _opened_for(self, folder: Path) -> Callable[[Any], asyncssh.SFTPServer]:
        def files(channel: Any) -> asyncssh.SFTPServer:
            self.strike()
            return asyncssh.SFTPServer(channel, chroot=str(folder).encode())

        return files

    def _asked_for(self, folder: Path, method: str, *, done: bool) -> Callable[[Any], asyncssh.SFTPServer]:
        def asked(files: asyncssh.SFTPServer, first: Any, *more: Any) -> Any:
            if WHEN[method](first if isinstance(first, bytes) else b"") and self.strike() and not done:
                raise asyncssh.SFTPFailure("nobody hears this, and nothing was done")
            return getattr(asyncssh.SFTPServer, method)(files, first, *more)

        kind = type("Files", (asyncssh.SFTPServer,), {method: asked})
        return lambda channel: kind(channel, chroot=str(folder).encode())

    def stop(self) -> None:
        """End both."""
        self.proxy.stop()
        self.server.stop()


def cases() -> Iterator[tuple[str, Mode, bool]]:
    """Each step with each end of the network, answered in vain or never come to."""
    modes: tuple[Mode, ...] = ("hole", "reset", "close")
    for mode in modes:
        yield from ((step, mode, True) for step in (*CONNECTING, "login", "subsystem", *WHEN))
        yield from ((step, mode, False) for step in ("close", "posix_rename"))


@pytest.mark.parametrize(("step", "mode", "done"), list(cases()))
def test_an_sftp_server_that_is_lost_at_any_step_gets_one_whole_file(
    folder: Path, running: Keep, step: str, mode: Mode, done: bool
) -> None:
    (folder / "in").mkdir()
    (folder / "in/x.csv").write_bytes(YESTERDAY)
    struck = running(Struck(folder, step, mode, done=done))
    first = replace(TODAY, path="/in/new/x.csv") if step == "mkdir" else TODAY
    diary = Diary()
    limits = Limits(3, 0.3, 20) if step in WHEN else Limits(1, 3, 20)
    with noticed(1 if step in CONNECTING else 3):
        send(first, struck.server.at(struck.proxy.port), diary, limits=limits)
    assert (folder / "in/x.csv").read_bytes() in (YESTERDAY, bytes_of(TODAY))
    assert step == "posix_rename" or (folder / "in/x.csv").read_bytes() == YESTERDAY

    receipt = send(following(diary), struck.server.at())
    assert receipt.found is (step == "posix_rename" and done)
    assert {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()} == {
        "in/x.csv": bytes_of(TODAY)
    }


def test_a_connection_that_is_slow_to_find_out_that_it_is_lost_is_not_taken_for_a_refusal(
    folder: Path, running: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paramiko ends the channels of a lost connection before it says so: a busy machine is slow between."""
    (folder / "in").mkdir()
    unlink = paramiko.Channel._unlink

    def slowly(channel: paramiko.Channel) -> None:
        unlink(channel)
        time.sleep(0.2)

    monkeypatch.setattr(paramiko.Channel, "_unlink", slowly)
    struck = running(Struck(folder, "subsystem", "reset", done=True))
    with pytest.raises(errors.ConnectionLost):
        send(TODAY, struck.server.at(struck.proxy.port), Diary(), limits=Limits(1, 3, 20))


# --- FTP, and FTP over SSL

IN_CLEAR = [
    "welcome", "USER", "PASS", "OPTS", "TYPE", "CWD", "MKD", "EPSV", "PASV", "STOR", "data", "done", "SIZE", "RNFR",
    "RNTO",
]  # fmt: skip
SECURED = ["AUTH", "handshake", "PBSZ", "PROT", "data handshake", "data", "done"]
BEFORE = {"MKD": {"CWD": "550 no such folder"}, "PASV": {"EPSV": "500 what?"}}
"""What a server has to say before it is asked for that."""


@pytest.mark.parametrize("how", [HANG, CLOSE, RESET])
@pytest.mark.parametrize(("kind", "step"), [*(("ftp", one) for one in IN_CLEAR), *(("ftps", one) for one in SECURED)])
def test_an_ftp_server_that_is_lost_at_any_step_gets_one_whole_file(
    running: Keep, trusted: Authority, kind: str, step: str, how: str
) -> None:
    certificate = trusted.signed("localhost") if kind == "ftps" else None
    server = running(ScriptedFtp({**BEFORE.get(step, {}), step: how}, certificate=certificate))
    server.files["x.csv"] = YESTERDAY
    diary, limit = Diary(), 0.3 if kind == "ftp" else 0.6
    with noticed(limit):
        send(TODAY, server.at(), diary, limits=Limits(limit, limit, 20))
    assert server.files["x.csv"] == YESTERDAY
    server.script = dict(USUAL)
    assert not send(following(diary), server.at()).found
    assert server.files == {"x.csv": bytes_of(TODAY)}


@pytest.mark.parametrize("how", [CLOSE, RESET])
@pytest.mark.parametrize("size", [150_000, 6_000_000])
def test_a_data_connection_that_is_cut_is_noticed_whatever_the_server_says_of_it(
    running: Keep, how: str, size: int
) -> None:
    server = running(ScriptedFtp({"data": how, "done": "226 all arrived"}))
    server.files["x.csv"] = b"yesterday"
    one = parcel(size, "x.csv")
    with noticed(3):
        send(one, server.at())
    assert server.files == {"x.csv": b"yesterday"}


# --- connecting


@pytest.fixture
def swallowed() -> Iterator[int]:
    """A port that answers nothing: its queue is full, so that the network's first packet is dropped."""
    with socket.socket() as full, socket.socket() as one, socket.socket() as other:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for visitor in (one, other):
            visitor.setblocking(False)
            visitor.connect_ex(full.getsockname())
        yield int(full.getsockname()[1])


@pytest.mark.parametrize("kind", ["ftp", "sftp"])
def test_a_host_that_swallows_every_packet_is_noticed(swallowed: int, kind: Any) -> None:
    began = time.monotonic()
    with pytest.raises(errors.ConnectTimeout) as told:
        send(TODAY, Server(kind, "127.0.0.1", swallowed, "u", "p", trust="x"), limits=Limits(0.3, 0.3, 20))
    assert time.monotonic() - began < 3
    assert (told.value.permanent, told.value.phase) == (False, "connect")


@pytest.mark.parametrize("how", ["swallowed", "closed"])
def test_a_port_for_data_that_nobody_reaches_is_told(running: Keep, swallowed: int, how: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        closed = one.getsockname()[1]
    port = swallowed if how == "swallowed" else closed
    server = running(ScriptedFtp({"EPSV": f"229 there (|||{port}|)"}))
    with pytest.raises(errors.DataConnectionFailed) as told:
        send(TODAY, server.at(), limits=Limits(0.3, 3, 20))
    assert (told.value.permanent, told.value.phase) == (False, "write")
    assert "x.csv" not in server.files


def test_a_server_that_speaks_for_ever_without_saying_anything_is_noticed(running: Keep) -> None:
    server = running(Chatterbox())
    with noticed(0.5):
        send(TODAY, Server("ftp", "127.0.0.1", server.port, "u", "p"), limits=Limits(0.5, 0.5, 20))


class Chatterbox(ScriptedFtp):
    """Begins a greeting of many lines, and never comes to its end."""

    def _serve(self, control: socket.socket) -> None:
        while not self._stopped.wait(0.05):
            try:
                control.sendall(b"220-and another thing\r\n")
            except OSError:
                return
