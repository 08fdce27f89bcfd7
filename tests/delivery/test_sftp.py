"""What SFTP servers do that is not so (RELIABILITY F28 to F30, T4)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from exports.delivery import Limits, probe
from exports.errors import target as errors
from tests.delivery.conftest import HERE, QUICK, Diary, bytes_of, parcel, send
from tests.delivery.servers import FullFile, SftpServer

Keep = Callable[[Any], Any]
FEW_ROUNDS: dict[str, Any] = {"rounds": 50}
"""As few as bcrypt takes without a warning: the usual 128 take a second and more for each try."""


def files_of(folder: Path, **methods: Any) -> Callable[[Any], asyncssh.SFTPServer]:
    """An SFTP server of asyncssh with some methods replaced."""
    kind = type("Files", (asyncssh.SFTPServer,), methods)
    return lambda channel: kind(channel, chroot=str(folder).encode())


def test_a_key_that_nobody_accepted_is_shown_and_gets_no_password(sftp: SftpServer) -> None:
    with pytest.raises(errors.HostKeyUnknown) as told:
        send(parcel(10, "x.csv"), sftp.at(trust=None))
    assert sftp.passwords == []
    assert told.value.facts["fingerprint"] == sftp.trust
    found = probe(sftp.at(trust=None), HERE, "x.csv", tag="t", limits=QUICK)
    assert (found.offered, type(found.error)) == (sftp.trust, errors.HostKeyUnknown)
    assert sftp.passwords == []


def test_a_changed_key_blocks_before_any_password(sftp: SftpServer, folder: Path, running: Keep) -> None:
    send(parcel(10, "x.csv"), sftp.at())
    sftp.stop()
    other = running(SftpServer(folder, port=sftp.port))
    with pytest.raises(errors.HostKeyChanged) as told:
        send(parcel(10, "x.csv"), other.at(trust=sftp.trust))
    assert other.passwords == []
    assert (told.value.permanent, told.value.phase) == (True, "security")
    assert told.value.facts["fingerprint"] == other.trust


def test_a_server_with_several_keys_is_asked_for_the_accepted_one(folder: Path, running: Keep) -> None:
    keys = [asyncssh.generate_private_key(kind) for kind in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")]
    server = running(SftpServer(folder, host_keys=keys))
    for key in keys:
        trust = f"{key.get_algorithm()} {key.get_fingerprint()}"
        send(parcel(10, "x.csv"), server.at(trust=trust))


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256"])
@pytest.mark.parametrize("passphrase", ["", "open sesame"])
def test_a_private_key_logs_in(folder: Path, running: Keep, kind: str, passphrase: str) -> None:
    key = asyncssh.generate_private_key(kind)
    public = key.export_public_key().decode()
    text = key.export_private_key(passphrase=passphrase or None, **FEW_ROUNDS).decode()
    server = running(SftpServer(folder, client_keys=public))
    at = server.at(password="", private_key=text, passphrase=passphrase)
    send(parcel(10, "x.csv"), at, limits=Limits(20, 20, 20))  # to unlock the key is our own work, and takes its time
    assert [one.name for one in folder.iterdir()] == ["x.csv"]
    with pytest.raises(errors.LoginMethod) as told:
        send(parcel(10, "y.csv"), server.at())
    assert "publickey" in told.value.message


def test_a_private_key_that_is_none_or_is_locked_is_told(sftp: SftpServer) -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    locked = key.export_private_key(passphrase="sesame", **FEW_ROUNDS).decode()
    for text, passphrase in [("nonsense", ""), (locked, ""), (locked, "wrong"), (locked[:200], "sesame")]:
        with pytest.raises(errors.PrivateKeyUnreadable) as told:
            send(parcel(10, "x.csv"), sftp.at(password="", private_key=text, passphrase=passphrase))
        assert "sesame" not in f"{told.value.message}{told.value.detail}"
    assert sftp.passwords == []


def test_a_server_without_posix_rename_gets_the_old_file_moved_aside(folder: Path, running: Keep) -> None:
    def refuse(self: Any, *_arguments: Any) -> None:
        raise asyncssh.SFTPOpUnsupported("no")

    server = running(SftpServer(folder, files=files_of(folder, posix_rename=refuse)))
    (folder / "x.csv").write_bytes(b"yesterday")
    diary = Diary()
    receipt = send(parcel(10_000, "/x.csv"), server.at(), diary)
    assert [one.name for one in folder.iterdir()] == ["x.csv"]
    assert (folder / "x.csv").read_bytes() == bytes_of(parcel(10_000))
    assert receipt.facts["not_at_once"] is diary.notes["not_at_once"] is True


@pytest.mark.parametrize("posix", [True, False])
def test_a_folder_of_the_name_is_never_moved_aside_for_a_file(folder: Path, running: Keep, posix: bool) -> None:
    def refuse(self: Any, *_arguments: Any) -> None:
        raise asyncssh.SFTPOpUnsupported("no")

    server = running(SftpServer(folder, files=files_of(folder, **({} if posix else {"posix_rename": refuse}))))
    (folder / "example.com").mkdir()
    (folder / "example.com" / "kept.txt").write_bytes(b"theirs")
    with pytest.raises(errors.NoFile) as told:
        send(parcel(10_000, "/example.com"), server.at())
    assert told.value.permanent
    assert [str(one.relative_to(folder)) for one in folder.rglob("*")] == ["example.com", "example.com/kept.txt"]


def test_a_link_of_the_name_is_replaced_and_what_it_leads_to_is_kept(folder: Path, running: Keep) -> None:
    def refuse(self: Any, *_arguments: Any) -> None:
        raise asyncssh.SFTPOpUnsupported("no")

    server = running(SftpServer(folder, files=files_of(folder, posix_rename=refuse)))
    (folder / "their.csv").write_bytes(b"theirs")
    (folder / "x.csv").symlink_to("their.csv")
    send(parcel(10_000, "/x.csv"), server.at())
    assert (folder / "x.csv").read_bytes() == bytes_of(parcel(10_000))
    assert sorted(one.name for one in folder.iterdir()) == ["their.csv", "x.csv"]
    assert (folder / "their.csv").read_bytes() == b"theirs"


def test_a_folder_that_somebody_else_makes_at_the_same_moment_is_entered(folder: Path, running: Keep) -> None:
    def beaten(self: Any, path: bytes, _attrs: Any) -> None:
        Path(self.map_path(path).decode()).mkdir()
        raise asyncssh.SFTPFailure("it is there already")

    server = running(SftpServer(folder, files=files_of(folder, mkdir=beaten)))
    send(parcel(10_000, "/in/daily/x.csv"), server.at())
    assert (folder / "in/daily/x.csv").read_bytes() == bytes_of(parcel(10_000))


def test_a_server_that_lets_nobody_rename_keeps_the_old_file(folder: Path, running: Keep) -> None:
    def refuse(self: Any, *_arguments: Any) -> None:
        raise asyncssh.SFTPPermissionDenied("no")

    server = running(SftpServer(folder, files=files_of(folder, posix_rename=refuse, rename=refuse)))
    (folder / "x.csv").write_bytes(b"yesterday")
    with pytest.raises(errors.ReplaceRefused):
        send(parcel(10, "/x.csv"), server.at())
    with pytest.raises(errors.RenameRefused):
        send(parcel(10, "/y.csv"), server.at())
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("x.csv", b"yesterday")]


def test_a_server_that_takes_the_old_name_and_gives_no_new_one_keeps_the_old_file(folder: Path, running: Keep) -> None:
    def unsupported(self: Any, *_arguments: Any) -> None:
        raise asyncssh.SFTPOpUnsupported("no")

    def moves(self: Any, old: bytes, new: bytes) -> Any:
        if old.endswith(b".part"):
            raise asyncssh.SFTPPermissionDenied("no new names")
        return asyncssh.SFTPServer.rename(self, old, new)

    server = running(SftpServer(folder, files=files_of(folder, posix_rename=unsupported, rename=moves)))
    (folder / "x.csv").write_bytes(b"yesterday")
    with pytest.raises(errors.ReplaceRefused) as told:
        send(parcel(10_000, "/x.csv"), server.at())
    assert told.value.permanent
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("x.csv", b"yesterday")]


@pytest.mark.parametrize(
    ("method", "raised", "error"),
    [
        ("open", asyncssh.SFTPPermissionDenied("denied"), errors.WriteRefused),
        ("open", asyncssh.SFTPFailure("Failure"), errors.TryLater),
        ("write", asyncssh.SFTPFailure("No space left on device"), errors.TargetFull),
        ("write", asyncssh.SFTPFailure("Failure"), errors.TryLater),
        ("mkdir", asyncssh.SFTPPermissionDenied("denied"), errors.FolderRefused),
    ],
)
def test_each_refusal_has_its_error(
    folder: Path, running: Keep, method: str, raised: Exception, error: type[errors.TargetError]
) -> None:
    def refuse(self: Any, *_arguments: Any) -> None:
        raise raised

    server = running(SftpServer(folder, files=files_of(folder, **{method: refuse})))
    with pytest.raises(error) as told:
        send(parcel(300_000, "/in/x.csv"), server.at())
    assert type(told.value) is error
    assert ("by itself" in told.value.advised) is not told.value.permanent
    assert str(raised) in told.value.message
    assert [one for one in folder.rglob("*") if one.is_file()] == []


def test_a_disk_that_is_full_keeps_the_old_file_and_no_half_one(folder: Path, running: Keep) -> None:
    def open_full(self: Any, path: bytes, *_arguments: Any) -> FullFile:
        return FullFile(Path(self.map_path(path).decode()))

    (folder / "x.csv").write_bytes(b"yesterday")
    server = running(SftpServer(folder, files=files_of(folder, open=open_full)))
    with pytest.raises(errors.TargetFull) as told:
        send(parcel(300_000, "/x.csv"), server.at())
    assert told.value.permanent
    assert "No space left on device" in told.value.message
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("x.csv", b"yesterday")]


def test_what_is_no_sftp_server_is_told(running: Keep, folder: Path) -> None:
    from tests.delivery.servers import FtpServer

    other = running(FtpServer(folder))
    with pytest.raises(errors.NotSftp):
        send(parcel(10, "x.csv"), SftpServer.at(_Nowhere(), other.port))  # type: ignore[arg-type]


class _Nowhere:
    trust = "ssh-ed25519 SHA256:x"
