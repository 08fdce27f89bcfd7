"""What earlier attempts may have left at a server: the file by its name, a temporary one, one moved aside (P4)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from exports.delivery import naming
from exports.delivery.base import ASIDE, Course, Session, SizeUnknown
from exports.errors.target import TargetError

if TYPE_CHECKING:
    from exports.delivery.sending import Parcel

READ_AGAIN: Final = 64_000_000
"""Bytes up to which a file that may have been delivered is read again and compared (P4); of larger ones the size."""
LEFT_OVER: Final = 20
"""So many earlier attempts are cleaned up after."""


def delivered_before(session: Session, parcel: Parcel, name: str) -> bool:
    """Whether an attempt that died while it renamed had done it (P4)."""
    if parcel.was_renaming is None or session.exists(naming.temporary(session, parcel, parcel.was_renaming)):
        return False
    return is_there(session, parcel, name)


def is_there(session: Session, parcel: Parcel, name: str) -> bool:
    """Whether the file of this name is ours, as far as can be told."""
    try:
        return _holds(session, name, parcel.size, lambda: parcel.sha256 or _digest(parcel.pieces()))
    except SizeUnknown:
        return False


def is_gone(session: Session, part: str) -> bool:
    """Whether a temporary file is surely not there: who tells no sizes may hide names that begin with a dot."""
    try:
        return session.size(part) is None
    except SizeUnknown:
        return False


def _holds(session: Session, name: str, size: int, sha256: Callable[[], str]) -> bool:
    """Whether the file of this name has so many bytes, and these if they are few and it is known which (P4)."""
    if session.size(name) != size:
        return False
    wanted = sha256() if size < READ_AGAIN else ""
    return not wanted or _digest(_heard(session.read(name), session.course)) == wanted


def _heard(pieces: Iterable[bytes], course: Course) -> Iterator[bytes]:
    """The same bytes; whoever delivers hears in between that it goes on, and may stop it."""
    for piece in pieces:
        course.sent(0)
        yield piece


def _digest(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _earlier(session: Session, parcel: Parcel) -> list[str]:
    """The temporary names that earlier attempts of this run have used."""
    attempts = range(max(1, parcel.attempt - LEFT_OVER), parcel.attempt)
    return [naming.temporary(session, parcel, attempt) for attempt in attempts]


def put_back(session: Session, parcel: Parcel, name: str) -> None:
    """Give the former file its name back if an attempt died after it had moved it aside, before ours took its place."""
    if parcel.was_renaming is None:
        return
    for left in _earlier(session, parcel):
        with suppress(TargetError):
            if not session.exists(aside := f"{left}{ASIDE}"):
                continue
            if session.exists(name):
                session.remove(aside)
            else:
                session.rename(aside, name, replace=False)


def clean(session: Session, parcel: Parcel) -> bool:
    """Remove what earlier attempts of this run left behind; whether that of the one that was renaming was among it.

    It comes after the journal: an attempt that was renaming is known by its temporary file as long as that is told.
    """
    removed = set[str]()
    for left in _earlier(session, parcel):
        with suppress(TargetError):
            if session.exists(left) and session.remove(left):
                removed.add(left)
    return parcel.was_renaming is not None and naming.temporary(session, parcel, parcel.was_renaming) in removed


def replaces(session: Session, parcel: Parcel, name: str) -> bool:
    """Whether the file may take the place of another one of its name.

    With **Add a number** it may not: the other one is somebody else's, but for what a failed run left there. Of a
    server that tells no sizes nobody knows whose it is: what an attempt that died may have delivered is replaced, as
    two of it would be worse (P4).
    """
    if parcel.if_exists != "number":
        return parcel.if_exists == "replace"
    if parcel.was_renaming is None and parcel.former is None:
        return False
    try:
        there = session.size(name)
        if parcel.former is None or there is None:
            return False
        size, sha256 = parcel.former
        return _holds(session, name, size, lambda: sha256)
    except SizeUnknown:
        return parcel.was_renaming is not None
