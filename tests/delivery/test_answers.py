"""What servers say in words alone means the same whatever files and folders are called."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.delivery import answers
from exports.errors import target as errors
from tests.delivery.certificates import Authority
from tests.delivery.conftest import parcel, send
from tests.delivery.scripted import ScriptedFtp
from tests.delivery.servers import SftpServer
from tests.delivery.test_sftp import files_of

Keep = Callable[[Any], Any]
FULL = [
    "No space left on device",
    "452 Insufficient storage space in system",
    "452 Requested action not taken. Insufficient system storage.",
    "451 Not enough free disk space",
    "Disk quota exceeded",
    "Quota has been exceeded for ann",
    "426 disk full",
    "File system is full",
    "552 Exceeded storage allocation",
    "User is over his quota",
    "SSH_FX_QUOTA_EXCEEDED: quota exceeded",
    "out of space",
]
OTHER = [
    "450 {name}: file busy",
    "Failure: {name}: locked, try again",
    "451 /home/quota/full/{name}: local error",
    'could not open "{name}"',
    "insufficient permissions for {name}",
    "the full path {name} is no file",
    "no {name} there",
    "not enough rights",
    "{name}",
]
SESSION = [
    "522 SSL connection failed: session reuse required",
    "425 Unable to build data connection: TLS session of data connection not resumed.",
    "450 TLS session of data connection has not resumed or the session does not match the control connection",
]
WORDS = ["no", "space", "quota", "exceeded", "disk", "full", "not", "enough", "over", "resume", "reused", "closed"]


def names() -> st.SearchStrategy[str]:
    """Names made of the words that mean something."""
    parts = st.lists(st.sampled_from(WORDS), min_size=1, max_size=4)
    return st.builds(lambda words, between: between.join(words), parts, st.sampled_from([" ", "_", "-", "."]))


def paths() -> st.SearchStrategy[str]:
    """Paths of such names, as they are told to servers: each file has an extension."""
    slash = st.sampled_from(["/", "", "/in/"])
    return st.builds(lambda begin, folder, name: f"{begin}{folder}/{name}.csv", slash, names(), names())


@pytest.mark.parametrize("answer", FULL)
def test_what_says_that_there_is_no_room_is_understood(answer: str) -> None:
    assert answers.is_full(answer, set())
    assert answers.is_full(answer.upper(), {"/in/quota/space.csv", "full", "quota"})


@pytest.mark.parametrize("answer", SESSION)
def test_what_asks_for_the_session_is_understood(answer: str) -> None:
    assert answers.wants_session(answer, {"resume.csv", "reuse"})


def test_a_folder_that_is_called_like_an_answer_hides_none() -> None:
    assert answers.is_full("No space left on device", {"no space", "/in/no space", "left"})
    assert not answers.is_full("550 '/home/ann/sales no space/x.csv' is locked", {"sales no space", "x.csv"})
    assert not answers.is_full("451 /srv/quota full/x.csv: local error", {"/", "x.csv"})
    assert not answers.is_full('450 "no space": busy', {"no space"})


def test_a_connection_that_is_closed_is_understood() -> None:
    assert answers.is_closed("Socket is closed", {"closed", "socket.csv"})


@given(
    answer=st.sampled_from([*FULL, *OTHER, *SESSION, "Socket is closed"]), path=paths(), shown=st.sampled_from("pnf")
)
def test_a_name_never_decides_what_an_answer_means(answer: str, path: str, shown: str) -> None:
    folder, _, name = path.rpartition("/")
    named = {one for one in (folder, path, name) if one}
    said = answer.replace("{name}", {"p": path, "n": name, "f": f"/srv/home/{path}"}[shown])
    known = answer.replace("{name}", "x.csv")
    for means in (answers.is_full, answers.wants_session, answers.is_closed):
        assert means(said, named) is means(known, {"x.csv"})


def test_a_file_that_an_sftp_server_has_locked_is_tried_again_whatever_its_name(folder: Path, running: Keep) -> None:
    def refuse(self: Any, path: bytes, *_arguments: Any) -> None:
        raise asyncssh.SFTPFailure(f"{path.decode()}: locked, try again")

    server = running(SftpServer(folder, files=files_of(folder, open=refuse)))
    for path in ("/in/full disk/sales_quota.csv", "/no space.csv", "quota exceeded/closed.csv"):
        with pytest.raises(errors.TryLater) as told:
            send(parcel(10, path), server.at())
        assert "locked, try again" in told.value.message


@pytest.mark.parametrize(
    ("answer", "path", "error"),
    [
        ("450 quota_2026.csv: file busy", "quota_2026.csv", errors.TryLater),
        ("450 /home/ann/no space/quota exceeded.csv: busy", "/no space/quota exceeded.csv", errors.TryLater),
        ("550 .resume.csv: Permission denied", "resume.csv", errors.WriteRefused),
        ("550 session reuse required", "x.csv", errors.WriteRefused),
    ],
)
def test_an_ftp_server_that_repeats_a_name_is_understood(
    running: Keep, answer: str, path: str, error: type[errors.TargetError]
) -> None:
    server = running(ScriptedFtp({"STOR": answer}))
    with pytest.raises(error) as told:
        send(parcel(10, path), server.at())
    assert type(told.value) is error
    assert answer in told.value.message


def test_a_secured_server_that_wants_its_session_again_is_understood(running: Keep, trusted: Authority) -> None:
    script = {"STOR": "550 session reuse required"}
    server = running(ScriptedFtp(script, certificate=trusted.signed("localhost")))
    with pytest.raises(errors.SessionNotReused):
        send(parcel(10, "x.csv"), server.at())
