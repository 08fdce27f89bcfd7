"""How long a server may hang: by the usual settings and by the longest that are taken (RELIABILITY F24, bar R9)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exports.delivery import Limits, probe
from exports.delivery.base import GOODBYE_S, SLOWEST, Course
from exports.delivery.sending import PROBE_S
from exports.errors.target import TargetSilent
from tests.delivery.conftest import HERE, Diary, bytes_of, parcel, send
from tests.delivery.servers import FtpServer, SftpServer
from tests.fix_workshop import until
from tests.webapp.test_config import PRODUCTION
from webapp.config import SettingError, read

CONNECTING = ("address", "connect", "security", "login")


def limits(**settings: str) -> Limits:
    """As an installation with these settings has them."""
    known = read({**PRODUCTION, **settings})
    return Limits(known.upload_connect_timeout, known.upload_silence, known.upload_grace)


@pytest.mark.parametrize(
    ("allowed", "connecting"),
    [(limits(), 30), (limits(UPLOAD_CONNECT_TIMEOUT="30", UPLOAD_SILENCE="55"), 31)],
    ids=["usual", "longest"],
)
def test_a_server_that_hangs_is_noticed_within_a_minute_in_every_phase(
    anyone: FtpServer | SftpServer, allowed: Limits, connecting: int
) -> None:
    diary = Diary()
    send(parcel(10), anyone.at(), diary, limits=allowed)
    begun = {one.phase: one.facts["limit"] for one in diary.steps if one.state == "begun"}
    assert all(begun.pop(phase) <= connecting for phase in CONNECTING if phase in begun)
    assert set(begun) == {"folder", "write", "rename"}
    assert all(limit + GOODBYE_S < 60 for limit in begun.values())
    # FTP over SSL may connect a second time, to see a certificate that it does not know.
    assert 2 * allowed.connect <= 60


def test_settings_are_the_limits_that_stand_beside_them_in_the_code() -> None:
    assert limits() == Limits()
    for name, most in (("UPLOAD_CONNECT_TIMEOUT", 30), ("UPLOAD_SILENCE", 55)):
        with pytest.raises(SettingError, match=name):
            limits(**{name: str(most + 1)})


def test_all_of_a_delivery_is_bounded_by_its_size_and_a_probe_by_seconds(anyone: FtpServer | SftpServer) -> None:
    assert SLOWEST == 10_000
    assert limits().total(300_000_000) == 60 + 30_000
    found = probe(anyone.at(), HERE, "/x.csv", tag="t")
    assert found.is_good
    assert all(one.facts["limit"] <= 6 for one in found.steps if one.state == "begun")
    assert PROBE_S + GOODBYE_S / 3 <= 15


def test_a_store_that_takes_its_time_is_not_told_as_a_server_that_is_silent(ftp: FtpServer, folder: Path) -> None:
    allowed, one = Limits(connect=3.0, silence=2.0, grace=2.0), parcel(10, "x.csv")

    def slowly() -> Iterator[bytes]:
        longer = time.monotonic() + allowed.total(one.size) + 0.5
        until(lambda: time.monotonic() > longer, "longer than the server may be silent, or all of it take")
        yield from one.pieces()

    send(replace(one, pieces=slowly), ftp.at(), limits=allowed)
    assert (folder / "x.csv").read_bytes() == bytes_of(one)


def test_after_a_slow_store_a_server_that_is_silent_is_noticed_as_before() -> None:
    cut = threading.Event()
    course = Course(Limits())
    course.cut_with(cut.set)
    with course.phase("write", 0.2):
        assert list(course.ours([b"1", b"2"])) == [b"1", b"2"]
        assert cut.wait(10)
    course.close()
    assert isinstance(course.cut, TargetSilent)


def test_every_connection_is_kept_alive_while_nothing_is_said(
    anyone: FtpServer | SftpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[tuple[int, ...]] = []
    really = Course.hold

    def hold(self: Course, connection: socket.socket) -> None:
        wanted = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        of_tcp = [connection.getsockopt(socket.IPPROTO_TCP, one) for one in wanted]
        kept.append((connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *of_tcp))
        really(self, connection)

    monkeypatch.setattr(Course, "hold", hold)
    send(parcel(10, "x.csv"), anyone.at())
    assert len(kept) >= (1 if isinstance(anyone, SftpServer) else 2), "the connection for the data as well"
    assert set(kept) == {(1, 30, 10, 3)}
