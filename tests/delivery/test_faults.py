"""What networks do to a delivery: it is told as what it is, can be tried again, leaves no half file (F22 to F24)."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exports.addresses import Guard, read_networks, read_ports
from exports.delivery import Limits
from exports.errors import HostUnknown, NamesUnavailable
from exports.errors import target as errors
from tests.delivery.conftest import Diary, bytes_of, parcel, send
from tests.delivery.faultproxy import FaultProxy
from tests.delivery.servers import FtpServer, Listener, SftpServer

SIZE = 1_500_000
SHORT = Limits(connect=0.8, silence=0.8, grace=20.0)
Through = Callable[..., FaultProxy]


def final(folder: Path) -> list[Path]:
    """The files that stand under their final name."""
    return [one for one in folder.rglob("*") if one.is_file() and not one.name.endswith(".part")]


@pytest.mark.parametrize("mode", ["reset", "close"])
@pytest.mark.parametrize("after", [0, 200, 1_000, 500_000, SIZE - 1])
def test_a_connection_that_breaks_can_be_tried_again(
    sftp: SftpServer, folder: Path, through: Through, mode: str, after: int
) -> None:
    proxy = through(sftp, mode, after)
    with pytest.raises(errors.TargetError) as told:
        send(parcel(SIZE, "/x.csv"), sftp.at(proxy.port), limits=SHORT)
    assert not told.value.permanent, told.value.code
    assert final(folder) == []
    send(parcel(SIZE, "/x.csv", attempt=2), sftp.at())
    assert [one.name for one in folder.iterdir()] == ["x.csv"]
    assert (folder / "x.csv").read_bytes() == bytes_of(parcel(SIZE))


@pytest.mark.parametrize("after", [0, 100, 1_000, 2_500, 500_000, SIZE - 1])
def test_a_network_that_swallows_everything_is_noticed(
    sftp: SftpServer, folder: Path, through: Through, after: int
) -> None:
    proxy = through(sftp, "hole", after)
    began = time.monotonic()
    with pytest.raises(errors.TargetError) as told:
        send(parcel(SIZE, "/x.csv"), sftp.at(proxy.port), limits=SHORT)
    assert time.monotonic() - began < 8
    assert isinstance(told.value, errors.TargetSilent | errors.ConnectionLost), told.value.code
    assert final(folder) == []


@pytest.mark.parametrize("mode", ["reset", "close", "hole"])
@pytest.mark.parametrize("after", [0, 20])
def test_a_control_connection_that_breaks_is_noticed(
    ftp: FtpServer, folder: Path, through: Through, mode: str, after: int
) -> None:
    proxy = through(ftp, mode, after)
    with pytest.raises(errors.TargetError) as told:
        send(parcel(10_000, "/x.csv"), ftp.at(proxy.port), limits=SHORT)
    assert not told.value.permanent or isinstance(told.value, errors.NotFtp)
    assert final(folder) == []


def test_who_takes_bytes_too_slowly_is_given_up_and_nothing_is_under_the_name(
    sftp: SftpServer, folder: Path, through: Through
) -> None:
    proxy = through(sftp, "slow")
    limits = Limits(connect=10, silence=10, grace=0.5)
    with pytest.raises(errors.TargetSlow):
        send(parcel(60_000, "/x.csv"), sftp.at(proxy.port), limits=replace(limits, grace=-5.0))
    assert final(folder) == []


def test_a_port_where_nobody_listens_is_told(sftp: SftpServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(errors.ConnectionRefused) as told:
        send(parcel(10), sftp.at(port))
    assert (told.value.phase, told.value.permanent) == ("connect", False)


# --- names and addresses


def guard(answer: Callable[[str, int], list[str]], networks: str = "") -> Guard:
    """A guard whose resolver is the test's."""
    return Guard(read_networks(networks), read_ports("1024-65535"), answer)


def deliver_to(host: str, port: int, guarded: Guard, limits: Limits = SHORT) -> None:
    """Try to deliver there."""
    from exports.delivery import Server, deliver

    deliver(parcel(10), Server("sftp", host, port, "u", "p", trust="x"), guarded, Diary(), limits=limits)


def test_a_name_that_leads_elsewhere_the_second_time_is_asked_only_once() -> None:
    asked: list[str] = []
    listener = Listener()

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) > 1 else ["127.0.0.9"]

    try:
        with pytest.raises(errors.TargetError):
            deliver_to("files.example.com", listener.port, guard(rebinding, "127.0.0.9"))
        assert (len(asked), listener.visits()) == (1, 0)
    finally:
        listener.close()


def test_names_that_cannot_be_looked_up_are_told_apart() -> None:
    def unknown(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    def away(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "away")

    def failed(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_FAIL, "SERVFAIL")

    def hangs(_host: str, _port: int) -> list[str]:
        time.sleep(2)
        return []

    with pytest.raises(HostUnknown) as told:
        deliver_to("files.example.com", 2222, guard(unknown))
    assert (told.value.permanent, told.value.phase) == (True, "address")
    for answer in (away, failed, hangs):
        with pytest.raises(NamesUnavailable) as later:
            deliver_to("files.example.com", 2222, guard(answer), Limits(connect=0.2))
        assert (later.value.permanent, later.value.phase) == (False, "address")
        assert "files.example.com" in later.value.message
