"""Hostile hosts, ports, paths and credentials where packets are sent: none goes where it must not (RELIABILITY T3, S8).

Forms and command line refuse them before (tests/webapp/test_hostile_target.py); here they are taken for granted.
Listeners count who comes to this machine; whoever wants to leave it is stopped by tests/fix_guard.py, by name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from exports import paths
from exports.addresses import DEFAULT_PORTS, Guard, read_host, read_ports
from exports.delivery import Server, deliver, probe
from exports.errors import AddressBlocked, HostUnknown
from exports.errors import target as errors
from exports.target import Kind
from tests.delivery.conftest import QUICK, Diary, bytes_of, parcel, send
from tests.delivery.scripted import ScriptedFtp
from tests.delivery.servers import FtpServer, Listener, SftpServer
from tests.fix_hostile import group, shown

Keep = Callable[[Any], Any]
KINDS: list[Kind] = ["ftp", "ftps", "sftp"]
TWO_ANSWERS = "host with A=public and AAAA=::1"
INSIDE = ["127.0.0.1", "::1", "10.0.0.1", "169.254.169.254"]


@pytest.fixture
def listeners() -> Iterator[list[Listener]]:
    """At each address of this machine one that counts who comes."""
    opened = [Listener("127.0.0.1"), Listener("::1")]
    yield opened
    for one in opened:
        one.close()


class Resolver:
    """Leads every name inside, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> list[str]:
        self.asked.append(host)
        return ["93.184.216.34", *INSIDE]


def tried(server: Server, guard: Guard) -> errors.TargetError:
    """What is in the way of a delivery; the same is in the way of a test, and in the same phase."""
    with pytest.raises(errors.TargetError) as told:
        deliver(parcel(10), server, guard, Diary(), limits=QUICK)
    error = probe(server, guard, "/x.csv", tag="t", limits=QUICK).error
    assert error is not None
    assert (error.code, error.message, error.phase) == (told.value.code, told.value.message, "address")
    return error


def is_an_address(host: str) -> bool:
    """Whether it is known without asking anybody."""
    return host == "localhost" or ":" in host or host.rpartition(".")[2].isdigit()


def test_no_packet_goes_to_a_hostile_host(listeners: list[Listener]) -> None:
    resolver, said = Resolver(), set()
    guard = Guard((), read_ports(DEFAULT_PORTS), resolver)
    for value, is_refused in group("target_host"):
        host = "files.example.com" if value == TWO_ANSWERS else value
        for listener, kind in zip(listeners * 2, KINDS, strict=False):
            error = tried(Server(kind, host, listener.port, "u", "canary", trust="x"), guard)
            assert type(error) is (HostUnknown if is_refused else AddressBlocked), shown(value)
            if not is_refused:
                said.add((error.message, error.advised))
    assert [one.visits() for one in listeners] == [0, 0]
    assert len(said) == 1, "one sentence for all that is blocked"
    assert set(resolver.asked) == {"files.example.com", read_host("\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444")}
    assert not any(map(is_an_address, resolver.asked))


def test_no_packet_goes_to_a_hostile_port() -> None:
    resolver = Resolver()
    blocked = [int(value) for value, is_refused in group("target_port") if not is_refused]
    assert blocked == [5432, 11211, 2375]
    for port in (*blocked, 6379, 80, 25):
        for kind in KINDS:
            error = tried(Server(kind, "files.example.com", port, "u", "p"), Guard(resolver=resolver))
            assert type(error) is AddressBlocked
    assert resolver.asked == []


def test_a_name_is_looked_up_again_by_each_delivery_and_blocked_when_it_leads_inside(
    sftp: SftpServer, folder: Path, listeners: list[Listener]
) -> None:
    answers = [["127.0.0.1"], ["127.0.0.1", "::1"], ["::1"], ["0.0.0.0"]]  # noqa: S104 - where a name leads
    allowed = Guard((), read_ports(DEFAULT_PORTS))
    guard = replace(allowed, allowed=_only("127.0.0.1", sftp.port), resolver=lambda _host, _port: answers.pop(0))
    server = replace(sftp.at(), host="files.example.com")
    deliver(parcel(10, "/x.csv"), server, guard, Diary(), limits=QUICK)
    assert [one.name for one in folder.iterdir()] == ["x.csv"]
    while answers:
        with pytest.raises(AddressBlocked):
            deliver(parcel(10, "/y.csv"), server, guard, Diary(), limits=QUICK)
    assert [one.name for one in folder.iterdir()] == ["x.csv"]
    assert [one.visits() for one in listeners] == [0, 0]


def _only(address: str, port: int) -> Any:
    from exports.addresses import read_networks

    return read_networks(f"{address}:{port}")


# --- paths

FOR_FTP_ALONE = "C:\\exports\\a.csv"
PLACES = {
    "/upload/100%%_%Y.csv": "upload/100%_2027.csv",
    "/upload/%Y%m%d.csv": "upload/20270228.csv",
    FOR_FTP_ALONE: "C:\\exports/a.csv",
    "//a.csv": "a.csv",
}
"""Where a path leads that is not taken as it is."""
MOMENT = datetime(2027, 2, 28, 12, tzinfo=UTC)


def test_an_accepted_path_is_one_file_with_that_very_name(anyone: FtpServer | SftpServer, folder: Path) -> None:
    wanted: set[str] = set()
    for value, is_refused in group("target_path"):
        if is_refused:
            with pytest.raises(paths.PathRefused):
                paths.check(value, "csv", archive=False)
            continue
        if value == FOR_FTP_ALONE and anyone.at().type != "ftp":
            continue
        path = paths.expand(value, MOMENT, ZoneInfo("UTC"), "csv", archive=False)
        send(parcel(10, path), anyone.at())
        wanted.add(PLACES.get(value, path.removeprefix("/")))
        there = {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}
        assert set(there) == wanted, shown(value)
        assert set(there.values()) == {bytes_of(parcel(10))}
    assert len(wanted) >= len(PLACES)


@pytest.mark.parametrize("path", ["/in/a\r\nDELE important.csv", "/in\r\nDELE important/a.csv"])
def test_a_line_end_in_a_path_is_no_command_of_its_own(running: Keep, path: str) -> None:
    server = running(ScriptedFtp())
    server.files["important.csv"] = b"important"
    with pytest.raises(errors.TargetError):
        send(parcel(10, path), server.at())
    assert not any(line.startswith("DELE") and "important" in line for line in server.logged)
    assert server.files == {"important.csv": b"important"}


# --- credentials


def test_a_username_and_a_password_arrive_as_they_are_and_are_no_commands(running: Keep, sftp: SftpServer) -> None:
    server = running(ScriptedFtp())
    accepted = [value for value, is_refused in group("target_credentials") if not is_refused]
    assert len(accepted) == 3
    for value in accepted:
        send(parcel(10, "/x.csv"), replace(server.at(), username=value, password=value))
        assert server.logged[:2] == [f"USER {value}", f"PASS {value}"], shown(value)
        server.logged.clear()
        if value.isascii():  # see FTP_PASSWORD of the servers
            with pytest.raises(errors.LoginRefused) as told:
                send(parcel(10, "/x.csv"), sftp.at(password=value))
            assert sftp.passwords.pop() == value
            assert value not in f"{told.value.message} {told.value.advised} {told.value.detail}"
    for name in ("username", "password"):
        with pytest.raises(errors.TargetError) as told:
            send(parcel(10, "/x.csv"), replace(server.at(), **{name: "x\r\nDELE x.csv"}))
        assert not any(line.startswith("DELE") for line in server.logged)
        assert "DELE" not in f"{told.value.message} {told.value.detail}"
