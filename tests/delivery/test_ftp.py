"""What FTP servers say and do that is not so: each its own sentence, and never half a file (RELIABILITY F25 to F27)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from exports.delivery import probe
from exports.errors import target as errors
from tests.delivery.certificates import Authority
from tests.delivery.conftest import HERE, QUICK, Diary, bytes_of, parcel, send
from tests.delivery.scripted import ScriptedFtp
from tests.delivery.servers import FtpServer, FullFiles

Keep = Callable[[Any], Any]
PHASE_OF = {
    "welcome": "connect", "USER": "login", "PASS": "login", "TYPE": "login", "CWD": "folder",
    "MKD": "folder", "EPSV": "write", "STOR": "write", "done": "write", "RNFR": "rename",
    "RNTO": "rename",
}  # fmt: skip


@pytest.mark.parametrize(
    ("verb", "answer", "error", "permanent"),
    [
        ("welcome", "421 too many", errors.ServerBusy, False),
        ("welcome", "554 not from there", errors.CommandRefused, True),
        ("welcome", "SSH-2.0-nothing", errors.NotFtp, True),
        ("PASS", "530 no", errors.LoginRefused, True),
        ("PASS", "421 later", errors.ServerBusy, False),
        ("PASS", "450 busy", errors.TryLater, False),
        ("USER", "530 who?", errors.LoginRefused, True),
        ("CWD", "550 no such folder", errors.FolderRefused, True),
        ("CWD", "421 idle", errors.ServerBusy, False),
        ("CWD", "450 busy", errors.TryLater, False),
        ("MKD", "421 shutting down", errors.ServerBusy, False),
        ("EPSV", "425 no", errors.DataConnectionFailed, False),
        ("EPSV", "421 no", errors.ServerBusy, False),
        ("STOR", "421 idle", errors.ServerBusy, False),
        ("STOR", "452 Insufficient storage space in system", errors.TargetFull, True),
        ("STOR", "450 in use", errors.TryLater, False),
        ("STOR", "550 denied", errors.WriteRefused, True),
        ("STOR", "552 quota", errors.TargetFull, True),
        ("STOR", "553 name", errors.NameRefused, True),
        ("STOR", "425 blocked", errors.DataConnectionFailed, False),
        ("done", "552 quota", errors.TargetFull, True),
        ("done", "426 broken", errors.ConnectionLost, False),
        ("done", "426 No space left on device; transfer aborted.", errors.TargetFull, True),
        ("done", "421 idle", errors.ServerBusy, False),
        ("done", "451 local", errors.TryLater, False),
        ("RNFR", "550 denied", errors.RenameRefused, True),
        ("RNTO", "553 name", errors.NameRefused, True),
        ("RNFR", "421 idle", errors.ServerBusy, False),
        ("RNTO", "450 busy", errors.TryLater, False),
        ("RNTO", "552 quota", errors.TargetFull, True),
        ("TYPE", "nonsense", errors.NotUnderstood, False),
    ],
)
def test_each_answer_has_its_error_and_leaves_no_file(
    running: Keep, verb: str, answer: str, error: type[errors.TargetError], permanent: bool
) -> None:
    script = {verb: answer, **({"CWD": "550 no such folder"} if verb == "MKD" else {})}
    server = running(ScriptedFtp(script))
    with pytest.raises(error) as told:
        send(parcel(10_000, "/in/x.csv"), server.at())
    assert type(told.value) is error
    assert told.value.permanent is permanent
    assert ("by itself" in told.value.advised) is not permanent
    assert error.sentence.endswith("{answer}") is (answer in told.value.message), "what it said is shown"
    assert told.value.phase == PHASE_OF[verb]
    assert "x.csv" not in server.files


@pytest.mark.parametrize("loses", [1, 10_000])
def test_a_server_that_loses_the_last_bytes_and_says_226_is_noticed(running: Keep, loses: int) -> None:
    server = running(ScriptedFtp(loses=loses))
    with pytest.raises(errors.SizeDiffers) as told:
        send(parcel(300_000, "x.csv"), server.at())
    assert told.value.facts == {"there": 300_000 - loses, "size": 300_000}
    assert server.files == {}


def test_a_server_without_sizes_is_believed_and_that_is_told(running: Keep) -> None:
    server, diary = running(ScriptedFtp({"SIZE": "502 what?"})), Diary()
    receipt = send(parcel(10_000, "x.csv"), server.at(), diary)
    assert server.files == {"x.csv": bytes_of(parcel(10_000))}
    assert receipt.facts["unverified"] is diary.notes["unverified"] is True


def test_data_goes_to_the_server_that_was_checked_whatever_address_it_names(running: Keep) -> None:
    server = running(ScriptedFtp({"EPSV": "500 what?"}))
    send(parcel(10_000, "x.csv"), server.at())
    assert server.files == {"x.csv": bytes_of(parcel(10_000))}
    assert "PASV" in server.logged


def test_a_server_that_replaces_no_file_gets_the_old_one_moved_aside(folder: Path, running: Keep) -> None:
    (folder / "x.csv").write_bytes(b"yesterday")
    server = running(StubbornFtp(folder))
    diary = Diary()
    receipt = send(parcel(10_000, "/x.csv"), server.at(), diary)
    assert [one.name for one in folder.iterdir()] == ["x.csv"]
    assert (folder / "x.csv").read_bytes() == bytes_of(parcel(10_000))
    assert receipt.facts["not_at_once"] is diary.notes["not_at_once"] is True


def test_a_disk_that_is_full_keeps_the_old_file_and_no_half_one(folder: Path, running: Keep) -> None:
    (folder / "x.csv").write_bytes(b"yesterday")
    server = running(FtpServer(folder, abstracted_fs=FullFiles))
    with pytest.raises(errors.ConnectionLost):  # pyftpdlib says "426 None", whatever the reason is
        send(parcel(300_000, "/x.csv"), server.at())
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("x.csv", b"yesterday")]


class StubbornFtp(FtpServer):
    """Renames nothing to a name that is taken."""

    def __init__(self, folder: Path) -> None:
        from pyftpdlib.filesystems import AbstractedFS, FilesystemError

        class Files(AbstractedFS):  # type: ignore[misc]
            def rename(self, src: str, dst: str) -> None:
                if Path(dst).exists():
                    raise FilesystemError("it is there already")
                super().rename(src, dst)

        super().__init__(folder, abstracted_fs=Files)


def test_a_server_that_takes_the_old_name_and_gives_no_new_one_keeps_the_old_file(running: Keep) -> None:
    server = running(Renames(refuse=2))
    server.files["x.csv"] = b"yesterday"
    with pytest.raises(errors.NameRefused):
        send(parcel(10_000, "/x.csv"), server.at())
    assert server.files == {"x.csv": b"yesterday"}


class Renames(ScriptedFtp):
    """Renames nothing to a name that is taken, and of all other renamings to a final name so many not."""

    def __init__(self, refuse: int) -> None:
        self.refuse = refuse
        super().__init__()

    def takes(self, name: str) -> bool:
        """Whether a file may get that name."""
        if name.startswith("."):
            return True
        self.refuse -= 1
        return self.refuse < 0 and name not in self.files


def test_a_server_that_lets_nobody_rename_keeps_no_half_file(folder: Path, running: Keep) -> None:
    (folder / "x.csv").write_bytes(b"yesterday")
    server = running(FtpServer(folder, perm="elradmwMT"))
    with pytest.raises((errors.RenameRefused, errors.ReplaceRefused)) as told:
        send(parcel(10_000, "/x.csv"), server.at())
    assert told.value.permanent
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("x.csv", b"yesterday")]


# --- TLS


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_demands_its_session_again_gets_it(
    running: Keep, trusted: Authority, version: ssl.TLSVersion
) -> None:
    server = running(ScriptedFtp(certificate=trusted.signed("localhost"), version=version))
    send(parcel(300_000, "x.csv"), server.at())
    assert server.files == {"x.csv": bytes_of(parcel(300_000))}
    assert server.reused == [True]


def no_secret_was_said(server: ScriptedFtp | FtpServer) -> bool:
    """Nobody named a user or a password."""
    said = server.logged if isinstance(server, ScriptedFtp) else server.commands
    return not any(line.upper().startswith(("USER", "PASS")) for line in said)


@pytest.mark.parametrize(
    ("made", "error"),
    [
        ({"age": timedelta(days=30)}, errors.CertificateExpired),
        ({"by_itself": True}, errors.CertificateUntrusted),
        ({"name": "other.example.com"}, errors.CertificateName),
    ],
)
def test_a_certificate_that_is_not_right_is_refused_with_its_fingerprint_before_anything_is_said(
    running: Keep, folder: Path, trusted: Authority, made: dict[str, Any], error: type[errors.TargetError]
) -> None:
    server = running(FtpServer(folder, trusted.signed(**{"name": "localhost", **made})))
    with pytest.raises(error) as told:
        send(parcel(10, "x.csv"), server.at())
    assert told.value.phase == "security"
    assert told.value.permanent
    assert no_secret_was_said(server)
    shown = told.value.facts["fingerprint"]
    assert shown.startswith("x509 SHA256:")
    assert shown in told.value.advised
    assert probe(server.at(), HERE, "x.csv", tag="t", limits=QUICK).offered == shown
    send(parcel(10, "x.csv"), server.at(trust=shown))
    assert [one.name for one in folder.iterdir()] == ["x.csv"]


def test_another_certificate_than_the_accepted_one_is_refused(running: Keep, folder: Path, trusted: Authority) -> None:
    server = running(FtpServer(folder, trusted.signed("localhost", by_itself=True)))
    with pytest.raises(errors.CertificateChanged):
        send(parcel(10, "x.csv"), server.at(trust="x509 SHA256:00:11"))
    assert no_secret_was_said(server)


def test_a_certificate_that_an_authority_renewed_is_trusted(ftps: FtpServer, folder: Path) -> None:
    send(parcel(10, "x.csv"), ftps.at(trust="x509 SHA256:00:11"))
    assert [one.name for one in folder.iterdir()] == ["x.csv"]


def test_a_server_without_tls_gets_no_password(running: Keep, folder: Path) -> None:
    server = running(FtpServer(folder))
    with pytest.raises(errors.TlsNotOffered):
        send(parcel(10, "x.csv"), replace(server.at(), type="ftps"))
    assert no_secret_was_said(server)


def test_a_server_that_refuses_to_protect_data_gets_none(running: Keep, trusted: Authority) -> None:
    server = running(ScriptedFtp({"PROT": "534 no"}, certificate=trusted.signed("localhost")))
    with pytest.raises(errors.DataUnprotected) as told:
        send(parcel(10, "x.csv"), server.at())
    assert told.value.permanent
    assert not any(line.startswith("STOR") for line in server.logged)


def test_a_server_that_lists_less_than_it_has_ends_the_search_for_a_number(running: Keep) -> None:
    server = running(ScriptedFtp({"NLST": "550 empty", "SIZE": "213 10"}))
    with pytest.raises(errors.NoNumberLeft):
        send(parcel(10, "/x.csv", if_exists="number"), server.at())
    assert len(server.logged) < 8_000


def test_what_was_not_renamed_and_is_removed_is_written_down(running: Keep) -> None:
    server, diary = running(ScriptedFtp({"RNTO": "553 name"})), Diary()
    with pytest.raises(errors.NameRefused):
        send(parcel(10, "/x.csv"), server.at(), diary)
    assert [one[0] for one in diary.told] == ["uploading", "uploaded", "renaming", "taken back"]
