"""A file goes to its server whole, under its name, once (SPEC section 8, RELIABILITY P3 and P4)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from exports.delivery import PHASES, Step, probe
from exports.delivery.base import ASIDE
from exports.delivery.naming import MAX_NAME
from exports.delivery.naming import temporary_of as temporary
from exports.errors import Cancelled, Fenced
from exports.errors.target import FileExists, LoginRefused, SizeDiffers
from tests.delivery.conftest import HERE, QUICK, Diary, bytes_of, parcel, send
from tests.delivery.servers import FtpServer, SftpServer
from tests.delivery.test_sftp import files_of

Anyone = FtpServer | SftpServer


def files(folder: Path) -> dict[str, bytes]:
    """Everything below a folder."""
    return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}


def test_a_file_arrives_whole_in_a_folder_that_was_missing(anyone: Anyone, folder: Path) -> None:
    one, diary = parcel(), Diary()
    receipt = send(one, anyone.at(), diary)
    assert files(folder) == {"in/daily/report.csv": bytes_of(one)}
    assert (receipt.path, receipt.size, receipt.found) == ("/in/daily/report.csv", one.size, False)
    expected = [phase for phase in PHASES if phase != "security" or anyone.at().type != "ftp"]
    assert diary.phases == expected
    assert [told[0] for told in diary.told] == ["uploading", "uploaded", "renaming"]
    assert diary.told[0][1:3] == (
        "/in/daily/report.csv",
        "127.0.0.1" if anyone.at().type != "ftps" else diary.told[0][2],
    )


@pytest.mark.parametrize("size", [0, 1, 65_536])
def test_a_file_of_any_size_arrives(anyone: Anyone, folder: Path, size: int) -> None:
    send(parcel(size, "small.csv"), anyone.at())
    assert files(folder) == {"small.csv": bytes_of(parcel(size))}


def test_a_name_with_letters_of_any_script_arrives(anyone: Anyone, folder: Path) -> None:
    send(parcel(10, "/ÿ/ár víz|$(id) {{7*7}}.csv"), anyone.at())
    assert list(files(folder)) == ["ÿ/ár víz|$(id) {{7*7}}.csv"]


def test_a_file_replaces_the_one_of_its_name_at_the_last_moment(anyone: Anyone, folder: Path) -> None:
    (folder / "in").mkdir()
    (folder / "in/x.csv").write_bytes(b"yesterday")
    seen: list[dict[str, bytes]] = []
    diary = Diary(at_fence=lambda: seen.append(files(folder)))
    one = parcel(path="/in/x.csv")
    send(one, anyone.at(), diary)
    assert seen[0].pop("in/x.csv") == b"yesterday"
    assert list(seen[0].values()) == [bytes_of(one)]
    assert files(folder) == {"in/x.csv": bytes_of(one)}


def test_a_number_is_looked_for_once_and_kept(anyone: Anyone, folder: Path) -> None:
    for name in ("x.csv", "x-2.csv"):
        (folder / name).write_bytes(b"there")
    diary = Diary()
    receipt = send(parcel(10, "/x.csv", if_exists="number"), anyone.at(), diary)
    assert receipt.path == diary.told[0][1] == "/x-3.csv"
    (folder / "x-3.csv").unlink()
    (folder / "x-2.csv").unlink()  # which is free now, and is not looked at any more
    again = parcel(10, "/x-3.csv", if_exists="number", unnumbered="/x.csv", chosen=True, attempt=2)
    assert send(again, anyone.at()).path == "/x-3.csv"
    assert files(folder) == {"x.csv": b"there", "x-3.csv": bytes_of(again)}


@pytest.mark.parametrize("again", [False, True])
def test_a_name_that_is_taken_while_ours_is_uploaded_is_left_to_whoever_took_it(
    anyone: Anyone, folder: Path, again: bool
) -> None:
    (folder / "x.csv").write_bytes(b"there")
    diary = Diary(at_fence=lambda: (folder / "x-2.csv").write_bytes(b"quicker") and None)
    one = parcel(10, "/x.csv", if_exists="number")
    if again:
        one = replace(one, path="/x-2.csv", unnumbered="/x.csv", chosen=True, attempt=2)
    assert send(one, anyone.at(), diary).path == "/x-3.csv"
    assert files(folder) == {"x.csv": b"there", "x-2.csv": b"quicker", "x-3.csv": bytes_of(one)}
    told = [one[1] if one[0] == "uploading" else one[0] for one in diary.told]
    assert told == ["/x-2.csv", "uploaded", "renaming", "/x-3.csv", "renaming"], "the name is known before it is given"


@pytest.mark.parametrize(
    ("died", "path", "was_renaming"),
    [
        ("before the other name was written down", "/x-2.csv", 1),
        ("before it was given", "/x-3.csv", None),
        ("while it was given", "/x-3.csv", 1),
        ("after it was given", "/x-3.csv", 1),
    ],
)
def test_an_attempt_that_died_as_its_name_was_taken_leaves_one_file(
    anyone: Anyone, folder: Path, died: str, path: str, was_renaming: int | None
) -> None:
    one = parcel(10, path, if_exists="number", unnumbered="/x.csv", chosen=True, attempt=2, was_renaming=was_renaming)
    others = {"x.csv": b"there", "x-2.csv": bytes_of(one)}  # the other one's is the same, which proves nothing
    for name, data in others.items():
        (folder / name).write_bytes(data)
    was_given = died == "after it was given"
    (folder / ("x-3.csv" if was_given else temporary("x.csv", one.tag, 1))).write_bytes(bytes_of(one))
    receipt = send(one, anyone.at())
    assert (receipt.path, receipt.found) == ("/x-3.csv", was_given)
    assert files(folder) == {**others, "x-3.csv": bytes_of(one)}


def test_an_attempt_that_was_thought_dead_and_renames_late_leaves_one_file(anyone: Anyone, folder: Path) -> None:
    one = parcel(10, "/x-2.csv", if_exists="number", unnumbered="/x.csv", chosen=True, attempt=2, was_renaming=1)
    (folder / "x.csv").write_bytes(b"there")
    part = folder / temporary("x.csv", one.tag, 1)
    part.write_bytes(bytes_of(one))
    diary = Diary(at_beginning=lambda: part.rename(folder / "x-2.csv") and None)
    assert send(one, anyone.at(), diary).path == "/x-2.csv"
    assert files(folder) == {"x.csv": b"there", "x-2.csv": bytes_of(one)}


@pytest.mark.parametrize("left", [True, False], ids=["by the run that failed", "by somebody else"])
def test_what_a_failed_run_left_under_the_kept_name_is_replaced(anyone: Anyone, folder: Path, left: bool) -> None:
    former = b"of the run that failed"
    (folder / "x-2.csv").write_bytes(former if left else b"of somebody else, same")
    one = parcel(10, "/x-2.csv", if_exists="number", unnumbered="/x.csv", chosen=True)
    one = replace(one, former=(len(former), hashlib.sha256(former).hexdigest()))
    assert send(one, anyone.at()).path == ("/x-2.csv" if left else "/x.csv")
    assert files(folder)["x-2.csv" if left else "x.csv"] == bytes_of(one)
    assert left or files(folder)["x-2.csv"] == b"of somebody else, same"


def test_a_file_that_is_there_is_left_alone_if_that_is_wanted(anyone: Anyone, folder: Path) -> None:
    (folder / "x.csv").write_bytes(b"there")
    with pytest.raises(FileExists) as refused:
        send(parcel(10, "/x.csv", if_exists="fail"), anyone.at())
    assert refused.value.permanent
    assert refused.value.phase == "folder"
    assert files(folder) == {"x.csv": b"there"}
    send(parcel(10, "/y.csv", if_exists="fail"), anyone.at())
    assert sorted(files(folder)) == ["x.csv", "y.csv"]


def test_a_file_that_appears_meanwhile_is_left_alone_if_that_is_wanted(anyone: Anyone, folder: Path) -> None:
    diary = Diary(at_fence=lambda: (folder / "x.csv").write_bytes(b"quicker") and None)
    with pytest.raises(FileExists):
        send(parcel(10, "/x.csv", if_exists="fail"), anyone.at(), diary)
    assert files(folder) == {"x.csv": b"quicker"}


@pytest.mark.parametrize("stop", [Fenced, Cancelled])
def test_who_is_stopped_at_the_fence_leaves_nothing(anyone: Anyone, folder: Path, stop: type[Exception]) -> None:
    def fence() -> None:
        raise stop

    (folder / "x.csv").write_bytes(b"yesterday")
    with pytest.raises(stop):
        send(parcel(path="/x.csv"), anyone.at(), Diary(at_fence=fence))
    assert files(folder) == {"x.csv": b"yesterday"}


def test_who_is_stopped_while_bytes_flow_leaves_nothing(anyone: Anyone, folder: Path) -> None:
    def watch(sent: int) -> None:
        if sent > 100_000:
            raise Cancelled

    with pytest.raises(Cancelled):
        send(parcel(path="/x.csv"), anyone.at(), watch=watch)
    assert files(folder) == {}


def test_an_attempt_cleans_up_after_those_before_it_and_after_no_other_run(anyone: Anyone, folder: Path) -> None:
    one = parcel(10, "/x.csv", attempt=3)
    mine, others = temporary("x.csv", one.tag, 1), temporary("x.csv", "another-run", 1)
    for name in (mine, others):
        (folder / name).write_bytes(b"half")
    send(one, anyone.at())
    assert sorted(files(folder)) == sorted(["x.csv", others])


def test_an_attempt_that_died_after_its_rename_is_not_repeated(anyone: Anyone, folder: Path) -> None:
    one = parcel(path="/x.csv", attempt=2, was_renaming=1)
    (folder / "x.csv").write_bytes(bytes_of(one))
    os.utime(folder / "x.csv", (1, 1))
    receipt = send(one, anyone.at())
    assert receipt.found
    assert (folder / "x.csv").stat().st_mtime == 1
    assert list(files(folder)) == ["x.csv"]


@pytest.mark.parametrize("there", ["of yesterday", "other bytes"])
def test_an_attempt_that_died_before_its_rename_is_repeated(anyone: Anyone, folder: Path, there: str) -> None:
    one = parcel(path="/x.csv", attempt=2, was_renaming=1)
    if there == "of yesterday":  # the same bytes as today's, but today's are still under their temporary name
        (folder / "x.csv").write_bytes(bytes_of(one))
        (folder / temporary("x.csv", one.tag, 1)).write_bytes(bytes_of(one))
    else:
        (folder / "x.csv").write_bytes(b"0" * one.size)
    assert not send(one, anyone.at()).found
    assert files(folder) == {"x.csv": bytes_of(one)}


@pytest.mark.parametrize("died", ["before ours was in its place", "after it"])
def test_a_former_file_that_was_moved_aside_is_put_back_or_removed(anyone: Anyone, folder: Path, died: str) -> None:
    one = parcel(path="/x.csv", attempt=2, was_renaming=1)
    part = temporary("x.csv", one.tag, 1)
    (folder / f"{part}{ASIDE}").write_bytes(b"yesterday")
    is_there = died == "after it"
    (folder / ("x.csv" if is_there else part)).write_bytes(bytes_of(one))
    seen: list[dict[str, bytes]] = []
    assert send(one, anyone.at(), Diary(at_fence=lambda: seen.append(files(folder)))).found is is_there
    assert is_there or seen[0]["x.csv"] == b"yesterday"
    assert files(folder) == {"x.csv": bytes_of(one)}


def test_what_an_attempt_left_is_there_until_the_journal_has_forgotten_it(anyone: Anyone, folder: Path) -> None:
    one = parcel(path="/x.csv", attempt=2, was_renaming=1)
    left = temporary("x.csv", one.tag, 1)
    (folder / left).write_bytes(bytes_of(one))
    (folder / "x.csv").write_bytes(b"0" * one.size)
    diary = Diary(at_beginning=lambda: files(folder)[left] and None)
    send(one, anyone.at(), diary)
    assert diary.told[0][0] == "uploading"
    assert files(folder) == {"x.csv": bytes_of(one)}


def test_a_source_that_gives_other_bytes_than_it_said_is_noticed(anyone: Anyone, folder: Path) -> None:
    one = replace(parcel(1_000, "/x.csv"), size=1_001)
    with pytest.raises(SizeDiffers) as refused:
        send(one, anyone.at())
    assert (refused.value.facts["there"], refused.value.permanent, refused.value.phase) == (1_000, False, "write")
    assert files(folder) == {}


def test_a_wrong_password_is_told_and_is_in_no_word_of_it(anyone: Anyone, folder: Path) -> None:
    with pytest.raises(LoginRefused) as refused:
        send(parcel(), replace(anyone.at(), password="wrong-canary"))
    error = refused.value
    assert (error.permanent, error.phase) == (True, "login")
    assert "canary" not in f"{error.message} {error.advised} {error.detail} {error!r} {anyone.at()!r}"


def test_a_probe_goes_through_every_phase_and_leaves_nothing(anyone: Anyone, folder: Path) -> None:
    found = probe(anyone.at(), HERE, "/in/deep/x.csv", tag="t", limits=QUICK)
    assert found.is_good, found.error
    done = [step.phase for step in found.steps if step.state == "done"]
    assert done == [phase for phase in PHASES if phase != "security" or anyone.at().type != "ftp"]
    assert all(step.seconds < 10 for step in found.steps)
    assert files(folder) == {}
    kinds = {"sftp": "ssh-ed25519 SHA256:", "ftps": "x509 SHA256:", "ftp": ""}
    assert found.offered.startswith(kinds[anyone.at().type])


def test_a_probe_of_a_server_that_lets_nobody_delete_is_good_and_names_what_is_left(
    folder: Path, running: Callable[[Any], Any]
) -> None:
    def refuse(self: Any, *_arguments: Any) -> None:
        raise asyncssh.SFTPPermissionDenied("no")

    servers = [SftpServer(folder, files=files_of(folder, remove=refuse)), FtpServer(folder, perm="elrafmwMT")]
    for server in map(running, servers):
        found = probe(server.at(), HERE, "/x.csv", tag="t", limits=QUICK)
        assert found.is_good, found.error
        assert [found.facts["left"]] == list(files(folder))
        (folder / found.facts["left"]).unlink()


def test_what_a_probe_has_renamed_is_taken_away_if_it_comes_to_nothing(sftp: SftpServer, folder: Path) -> None:
    def fails(step: Step) -> None:
        if (step.phase, step.state) == ("rename", "note"):
            raise Cancelled

    refused: list[bytes] = []

    def once(self: Any, path: bytes) -> Any:
        if not refused:
            refused.append(path)
            raise asyncssh.SFTPPermissionDenied("not now")
        return asyncssh.SFTPServer.remove(self, path)

    sftp._files = files_of(folder, remove=once)
    with pytest.raises(Cancelled):
        probe(sftp.at(), HERE, "/x.csv", tag="t", limits=QUICK, tell=fails)
    assert files(folder) == {}


def test_a_probe_tells_what_is_in_the_way_and_where(anyone: Anyone) -> None:
    found = probe(replace(anyone.at(), password="wrong"), HERE, "/x.csv", tag="t", limits=QUICK)
    assert isinstance(found.error, LoginRefused)
    assert (found.steps[-1].phase, found.steps[-1].state) == ("login", "failed")
    assert found.steps[-1].facts["code"] == "target.login_refused"


@pytest.mark.parametrize("length", [252, 254, 255])
def test_the_longest_names_get_a_number_as_well(anyone: Anyone, folder: Path, length: int) -> None:
    name = "a" * (length - 4) + ".csv"
    paths = [send(parcel(10, f"/{name}", if_exists="number"), anyone.at()).path for _ in range(11)]
    assert paths[0] == f"/{name}"
    assert paths[-1].endswith("a-11.csv")
    assert sorted(files(folder)) == sorted(path[1:] for path in paths)
    assert all(len(one) <= MAX_NAME for one in files(folder))


def test_a_temporary_name_is_never_the_final_one_and_never_too_long() -> None:
    for name in ("x.csv", "x.csv.part", "é" * 127, "a" * 255):
        made = temporary(name, "3b0a8c52-7f4e-4b8e-9f57-0a4f3c5f0d11", 1234)
        assert made != name
        assert len(f"{made}.old".encode()) <= MAX_NAME
        assert made.startswith(".")
        assert made.endswith("-1234.part")


def test_what_arrives_is_what_was_sent_also_when_it_is_larger_than_all_buffers(anyone: Anyone, folder: Path) -> None:
    one = parcel(8_000_000, "/large.bin")
    send(one, anyone.at())
    assert hashlib.sha256((folder / "large.bin").read_bytes()).hexdigest() == one.sha256
