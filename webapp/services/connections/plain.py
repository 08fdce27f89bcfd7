"""Plain FTP, which sends passwords and files for everybody to read: an admin can switch it off (RELIABILITY T4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import func, select

from exports.errors import Problem
from exports.errors.target import PlainFtpOff
from webapp.extensions import db
from webapp.models import Brand, Export

PLAIN: Final = "ftp"


def is_off(brand: Brand, type: str) -> bool:
    """Whether servers of this type are used no more."""
    return type == PLAIN and not brand.plain_ftp


def problems(brand: Brand, type: str, at: str = "type") -> Iterator[Problem]:
    """What form, command line and API say of it, at their input."""
    if is_off(brand, type):
        error = PlainFtpOff()
        yield Problem(at, error.code, f"{error.message} {error.advised}")


def refuse(brand: Brand, type: str) -> None:
    """What tests and deliveries ask before anything is looked up.

    Raises:
        PlainFtpOff: it is off.
    """
    if is_off(brand, type):
        raise PlainFtpOff


def uses() -> int:
    """How many exports of the present brand upload by plain FTP."""
    theirs = (Export.target == PLAIN, Export.archived_at.is_(None), Export.deleted_at.is_(None))
    return db.session.scalar(select(func.count()).select_from(Export).where(*theirs)) or 0
