"""Servers to deliver to, a parcel, and somebody who keeps the journal."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from exports.addresses import Guard, read_networks, read_ports
from exports.delivery import Limits, Parcel, Receipt, Server, Step, deliver
from tests.delivery.certificates import Authority
from tests.delivery.faultproxy import FaultProxy, Mode
from tests.delivery.servers import FtpServer, SftpServer

HERE = Guard(read_networks("127.0.0.0/8, ::1/128"), read_ports("1024-65535"))
QUICK = Limits(connect=3.0, silence=3.0, grace=20.0)
RUN = "3b0a8c52-7f4e-4b8e-9f57-0a4f3c5f0d11"


def parcel(size: int = 300_000, path: str = "/in/daily/report.csv", **other: Any) -> Parcel:
    """A file of so many bytes, always the same ones."""
    data = random.Random(size).randbytes(size)  # noqa: S311 - to be told apart, no more
    pieces = [data[place : place + 70_001] for place in range(0, size, 70_001)]
    made = Parcel(path, size, hashlib.sha256(data).hexdigest(), lambda: iter(pieces), RUN, 1)
    return replace(made, **other)


def bytes_of(one: Parcel) -> bytes:
    """What is in a parcel."""
    return b"".join(one.pieces())


@dataclass
class Diary:
    """A journal that keeps what was told, and may stop a delivery."""

    told: list[tuple[Any, ...]] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    at_fence: Callable[[], None] = lambda: None
    at_beginning: Callable[[], None] = lambda: None

    def uploading(self, path: str, address: str, offered: str) -> None:
        self.at_beginning()
        self.told.append(("uploading", path, address, offered))

    def uploaded(self, size: int) -> None:
        self.told.append(("uploaded", size))

    def renaming(self) -> None:
        self.told.append(("renaming",))
        self.at_fence()

    def taken_back(self) -> None:
        self.told.append(("taken back",))

    @property
    def phases(self) -> list[str]:
        """The phases that went well."""
        return [one.phase for one in self.steps if one.state == "done"]

    @property
    def notes(self) -> dict[str, Any]:
        """What was told beside the phases."""
        return {name: value for one in self.steps if one.state == "note" for name, value in one.facts.items()}


def send(one: Parcel, server: Server, diary: Diary | None = None, **options: Any) -> Receipt:
    """Deliver to a server of this machine, with short limits."""
    diary = diary or Diary()
    return deliver(one, server, HERE, diary, **{"limits": QUICK, "tell": diary.steps.append, **options})


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """An authority of our own."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The same, known to this process."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    return authority


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the files of a server stand."""
    made = tmp_path / "there"
    made.mkdir()
    return made


@pytest.fixture
def running() -> Iterator[Callable[[Any], Any]]:
    """Keeps whatever has a `stop` for the test, and ends it afterwards."""
    started: list[Any] = []

    def keep(one: Any) -> Any:
        started.append(one)
        return one

    yield keep
    for one in reversed(started):
        one.stop()


@pytest.fixture
def sftp(folder: Path, running: Callable[[Any], Any]) -> SftpServer:
    """An SFTP server."""
    return running(SftpServer(folder))  # type: ignore[no-any-return]


@pytest.fixture
def ftp(folder: Path, running: Callable[[Any], Any]) -> FtpServer:
    """An FTP server."""
    return running(FtpServer(folder))  # type: ignore[no-any-return]


@pytest.fixture
def ftps(folder: Path, running: Callable[[Any], Any], trusted: Authority) -> FtpServer:
    """An FTP server with TLS, whose certificate is signed by our authority."""
    return running(FtpServer(folder, trusted.signed("localhost")))  # type: ignore[no-any-return]


@pytest.fixture(params=["ftp", "ftps", "sftp"])
def anyone(request: pytest.FixtureRequest) -> SftpServer | FtpServer:
    """Each of the three kinds."""
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


@pytest.fixture
def through(running: Callable[[Any], Any]) -> Callable[..., FaultProxy]:
    """A fault proxy before a server."""

    def make(server: SftpServer | FtpServer, mode: Mode, after: int = 0, first: int = 0) -> FaultProxy:
        return running(FaultProxy(server.port, mode, after, first))  # type: ignore[no-any-return]

    return make
