"""Under which name a file stands at its server, and under which until it is whole (SPEC section 8, RELIABILITY P4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from exports import paths
from exports.delivery.base import ASIDE, Session, SizeUnknown
from exports.errors.target import FileExists, NoNumberLeft

if TYPE_CHECKING:
    from exports.delivery.sending import Parcel

MOST_NUMBERS: Final = 999
MAX_NAME: Final = 255


def temporary(session: Session, parcel: Parcel, attempt: int) -> str:
    """The name under which an attempt uploads. No number is in it: it is known to later attempts whatever number the
    file gets in the end.
    """
    return temporary_of(_unnumbered(session, parcel), parcel.tag, attempt)


def temporary_of(name: str, tag: str, attempt: int) -> str:
    """`.NAME.<run>-<attempt>.part`, the name cut if that is longer than file systems take."""
    ending = f".{tag}-{attempt}.part"
    kept = name.encode()[: MAX_NAME - len(ASIDE) - len(ending) - 1].decode(errors="ignore")
    return f".{kept}{ending}"


def parted(path: str, kind: str) -> tuple[str, str]:
    """A path as folder and name. To FTP servers also `C:\\exports\\a.csv` is one: it is theirs to say."""
    separator = "\\" if kind != "sftp" and "/" not in path and "\\" in path else "/"
    folder, found, name = path.rpartition(separator)
    return (folder or found, name)


def with_name(path: str, kind: str, name: str) -> str:
    """The path of another name in the same folder."""
    return path[: len(path) - len(parted(path, kind)[1])] + name


def chosen(session: Session, parcel: Parcel, name: str) -> str:
    """The name that the file is to get, looked for once (**Add a number**).

    Raises:
        FileExists: it is taken, and that is not wanted.
        NoNumberLeft: all are.
    """
    if parcel.if_exists == "fail" and parcel.was_renaming is None and session.exists(name):
        raise FileExists(name=name)
    if parcel.if_exists != "number" or parcel.chosen:
        return name
    return next_free(session, parcel)


def next_free(session: Session, parcel: Parcel) -> str:
    """The first name with or without a number that nothing has now. Raises NoNumberLeft."""
    name = _unnumbered(session, parcel)
    tried = (name, *(paths.numbered(name, number) for number in range(2, MOST_NUMBERS + 1)))
    if (free := session.first_free(tried)) is None:
        raise NoNumberLeft(number=MOST_NUMBERS)
    return free


def replaces(session: Session, parcel: Parcel, name: str) -> bool:
    """Whether the file may take the place of another one of its name.

    With **Add a number** it may not: the other one is somebody else's. Of a server that tells no sizes nobody knows
    that: there it can be what an earlier attempt delivered, and two of it would be worse (P4).
    """
    if parcel.if_exists != "number" or not parcel.chosen:
        return parcel.if_exists == "replace"
    try:
        session.size(name)
    except SizeUnknown:
        return True
    return False


def _unnumbered(session: Session, parcel: Parcel) -> str:
    return parted(parcel.unnumbered or parcel.path, session.server.type)[1]
