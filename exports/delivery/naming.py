"""Under which name a file stands at its server, and under which until it is whole (SPEC section 8, RELIABILITY P4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from exports import paths
from exports.delivery.base import ASIDE, Session
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


def next_free(session: Session, parcel: Parcel, taken: Collection[str] = ()) -> str:
    """The first name with or without a number that nothing has now, and none of those that were found `taken`: a
    server may list less than it has, or tell upper from lower case where it does not.

    Raises:
        NoNumberLeft: all are taken.
    """
    name = _unnumbered(session, parcel)
    tried = [name, *(paths.numbered(name, number) for number in range(2, MOST_NUMBERS + 1))]
    if (free := session.first_free([one for one in tried if one not in taken])) is None:
        raise NoNumberLeft(number=MOST_NUMBERS)
    return free


def _unnumbered(session: Session, parcel: Parcel) -> str:
    return parted(parcel.unnumbered or parcel.path, session.server.type)[1]
