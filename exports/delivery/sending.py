"""Delivers a finished file, so that nobody ever sees half of it under its name; and tries whether that would work.

Temporary name in the same folder -> size check -> fence -> rename (RELIABILITY P3). Who delivers keeps a journal, by
which a later attempt knows how far an earlier one had come (P4).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from exports.addresses import Guard
from exports.delivery import earlier, naming, reaching, tls
from exports.delivery.base import GOODBYE_S, Course, Limits, Server, Session, SizeUnknown, Step, Tell, Watch
from exports.delivery.naming import parted
from exports.errors.target import CommandRefused, FileExists, SizeDiffers, TargetError, TryLater
from exports.target import IfExists

PROBE_S: Final = 14.0
"""SPEC section 3.7: an answer within 15 s."""
PROBE: Final = b"This file shows that uploads can be written here. It can be deleted.\n"


@dataclass(frozen=True)
class Parcel:
    """What is delivered. `path`: as it is to be there, or as the journal says; `pieces` begins to read the bytes anew.

    `sha256` may be left empty: then it is made of the bytes if it is needed. `tag`: the run, `attempt`: the fencing
    token; the temporary name is made of both. `chosen`: `path` already has its number, and was `unnumbered` before.
    `was_renaming`: the attempt that had begun to rename, if its end is not known. `former`: size and SHA-256 of the
    file that a failed run may have left under the name that this one keeps.
    """

    path: str
    size: int
    sha256: str
    pieces: Callable[[], Iterable[bytes]] = field(repr=False)
    tag: str
    attempt: int
    if_exists: IfExists = "replace"
    chosen: bool = False
    unnumbered: str = ""
    was_renaming: int | None = None
    former: tuple[int, str] | None = None


class Journal(Protocol):
    """What who delivers writes down on the way. Each may raise to stop the delivery: then nothing is renamed."""

    def uploading(self, path: str, address: str, offered: str) -> None:
        """The name is chosen: every later attempt of this delivery keeps it. Told anew if somebody took it."""

    def uploaded(self, size: int) -> None:
        """All bytes are there, under the temporary name."""

    def renaming(self) -> None:
        """The fence: from here on the file may be there."""

    def taken_back(self) -> None:
        """The temporary file was there and is removed: nothing was renamed."""


@dataclass(frozen=True)
class Receipt:
    """What was delivered, to where. `facts`: address, key or certificate, and what this server could not do.

    `found`: an earlier attempt had done it already.
    """

    path: str
    size: int
    facts: dict[str, Any]
    found: bool = False


@dataclass(frozen=True)
class Probe:
    """What came of a test. `offered` is the host key or certificate that the server showed, trusted or not, and
    `certificate` what stands in the latter (`tls.described`).
    """

    steps: tuple[Step, ...]
    offered: str
    facts: dict[str, Any]
    error: TargetError | None
    certificate: dict[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether a file could be delivered."""
        return self.error is None


def session_of(server: Server, course: Course, dial: Callable[[], Any]) -> Session:
    """The adapter of a kind of server, imported where it is used: paramiko alone takes 20 MB."""
    if server.type == "sftp":
        from exports.delivery.sftp import SftpSession

        return SftpSession(server, course, dial)
    from exports.delivery.ftp import FtpSession

    return FtpSession(server, course, dial)


@contextmanager
def logged_in(server: Server, guard: Guard, course: Course) -> Iterator[Session]:
    """A session after its login; it is left, and the watching ended, whatever happens."""
    limit = course.limits.connect
    session: Session | None = None
    try:
        with course.phase("address", limit, firm=True):
            addresses = reaching.addresses_of(server, guard, limit)
        with course.phase("connect", limit + 1, firm=True):  # the connection has its own limit, and its own words
            session = session_of(server, course, lambda: reaching.connect(server, addresses, course))
            session.connect()
        if server.type != "ftp":
            with course.phase("security", limit, firm=True):
                try:
                    session.secure()
                finally:
                    course.facts["offered"] = session.offered or course.facts.get("certificate", "")
        with course.phase("login", limit, firm=True):
            session.login()
        yield session
    except TargetError as error:
        error.hide(server.password, server.passphrase)
        raise
    finally:
        if session is not None:
            session.close()
        course.close()


def deliver(
    parcel: Parcel,
    server: Server,
    guard: Guard,
    journal: Journal,
    *,
    limits: Limits | None = None,
    tell: Tell | None = None,
    watch: Watch | None = None,
) -> Receipt:
    """Deliver a file.

    Raises:
        TargetError: what is in the way, and in which phase; nothing is there under the final name that was not before.
    """
    limits = limits or Limits()
    course = Course(limits, tell, watch)
    read = parcel.pieces
    parcel = replace(parcel, pieces=lambda: course.ours(read()))
    with logged_in(server, guard, course) as session:
        folder, name = parted(parcel.path, server.type)
        course.whole(limits.total(min(parcel.size, earlier.READ_AGAIN)))
        with course.phase("folder", limits.silence):
            session.enter(folder)
            is_there = earlier.delivered_before(session, parcel, name)
            earlier.put_back(session, parcel, name)
            if is_there:
                return Receipt(parcel.path, parcel.size, dict(course.facts), found=True)
            path = naming.with_name(parcel.path, server.type, naming.chosen(session, parcel, name))
            journal.uploading(path, course.facts.get("address", ""), session.offered)
            was_removed = earlier.clean(session, parcel)
            may_be_there = parcel.was_renaming is not None and not was_removed
        part = naming.temporary(session, parcel, parcel.attempt)
        with _removing(session, part, journal):
            course.whole(limits.total(parcel.size))
            with course.phase("write", limits.silence):
                session.write(part, parcel.pieces())
                _check_size(session, part, parcel.size, course)
            journal.uploaded(parcel.size)
            course.whole(limits.total(0))
            with course.phase("rename", limits.silence):
                path = _named(session, parcel, path, journal, may_be_there=may_be_there)
        return Receipt(path, parcel.size, dict(course.facts))


def _named(session: Session, parcel: Parcel, path: str, journal: Journal, *, may_be_there: bool) -> str:
    """Give the file its name; the path at which it stands then.

    With **Add a number** a name that somebody took since it was looked for is left to them. The next free one is in
    the journal before it is given: a later attempt knows where to look (P4). `may_be_there`: an earlier attempt may
    have given it the name of `path` in the meantime.
    """
    part = naming.temporary(session, parcel, parcel.attempt)
    taken: set[str] = set()
    while True:
        journal.renaming()
        name = parted(path, session.server.type)[1]
        try:
            session.rename(part, name, replace=earlier.replaces(session, parcel, name))
            return path
        except FileExists:
            # It was renamed whatever the server said of it, or by an attempt that was thought dead.
            may_be_there = (may_be_there and not taken) or earlier.is_gone(session, part)
            if may_be_there and earlier.is_there(session, parcel, name):
                session.remove(part)
                return path
            if parcel.if_exists != "number":
                raise
        taken.add(name)
        path = naming.with_name(path, session.server.type, naming.next_free(session, parcel, taken))
        journal.uploading(path, session.course.facts.get("address", ""), session.offered)


def _check_size(session: Session, part: str, size: int, course: Course) -> None:
    """A server that says that all is well may have lost the end (RELIABILITY section 0, fact 4)."""
    try:
        there = session.size(part)
    except SizeUnknown:
        course.note(unverified=True)
        return
    if there != size:
        raise SizeDiffers(there=there or 0, size=size)


@contextmanager
def _removing(session: Session, part: str, journal: Journal | None = None) -> Iterator[None]:
    """Take away what was begun if it comes to nothing, as far as the server still listens."""
    try:
        yield
    except BaseException:
        if session.course.cut is None:
            session.course.whole(GOODBYE_S)
            with suppress(TargetError):
                if session.remove(part) and journal is not None:
                    journal.taken_back()
        raise


def probe(
    server: Server,
    guard: Guard,
    path: str,
    *,
    tag: str,
    limits: Limits | None = None,
    tell: Tell | None = None,
) -> Probe:
    """Go through all phases of a delivery with a file of a few bytes, which is removed again; raises no TargetError.
    The fact `left` is its name where that was refused.

    `path` is where the file would go, `tag` something that no other test has. All of it takes at most 15 s.
    """
    steps: list[Step] = []

    def keep(step: Step) -> None:
        steps.append(step)
        if tell is not None:
            tell(step)

    course = Course(limits or Limits(connect=5.0, silence=5.0), keep)
    course.whole(PROBE_S)
    error: TargetError | None = None
    try:
        with logged_in(server, guard, course) as session:
            _try_out(session, path, tag, course)
    except TargetError as found:
        error = found
    certificate = tls.described(course.certificate) if course.certificate else {}
    return Probe(tuple(steps), str(course.facts.get("offered", "")), dict(course.facts), error, certificate)


def _try_out(session: Session, path: str, tag: str, course: Course) -> None:
    folder, name = parted(path, session.server.type)
    part = naming.temporary_of(name, tag, 1)
    renamed = re.sub(r"1\.part\Z", "2.part", part)
    with course.phase("folder", course.limits.silence):
        session.enter(folder)
    with _removing(session, part), course.phase("write", course.limits.silence):
        session.write(part, [PROBE])
        _check_size(session, part, len(PROBE), course)
    rename = course.phase("rename", course.limits.silence)
    with _removing(session, part), _removing(session, renamed), rename:
        session.rename(part, renamed, replace=True)
        if not _is_removed(session, renamed):
            course.note(left=renamed)


def _is_removed(session: Session, name: str) -> bool:
    """Whether the file of a test is gone. Servers that let nobody delete can be delivered to all the same."""
    try:
        return session.remove(name) or not session.exists(name)
    except (CommandRefused, TryLater):
        return False
