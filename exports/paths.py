"""Where an upload goes: a path with placeholders of a closed list, expanded by our own code (SPEC section 8).

`strftime` is never asked: it turns `%n` into a line end and `%D` into three folders (RELIABILITY section 0, fact 8).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

MAX_PATH: Final = 1_024
MAX_PART: Final = 255
"""Bytes of a path and of each of its parts: what file systems take."""

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

PLACEHOLDERS: Final[dict[str, tuple[str, Callable[[datetime], str]]]] = {
    "%Y": ("the year, 2026", lambda at: f"{at.year:04}"),
    "%y": ("the year, 26", lambda at: f"{at.year % 100:02}"),
    "%m": ("the month, 01 to 12", lambda at: f"{at.month:02}"),
    "%d": ("the day of the month, 01 to 31", lambda at: f"{at.day:02}"),
    "%H": ("the hour, 00 to 23", lambda at: f"{at.hour:02}"),
    "%M": ("the minute, 00 to 59", lambda at: f"{at.minute:02}"),
    "%S": ("the second, 00 to 59", lambda at: f"{at.second:02}"),
    "%j": ("the day of the year, 001 to 366", lambda at: f"{at.timetuple().tm_yday:03}"),
    "%G": ("the year that the week belongs to (ISO 8601)", lambda at: f"{at.isocalendar().year:04}"),
    "%V": ("the week, 01 to 53 (ISO 8601)", lambda at: f"{at.isocalendar().week:02}"),
    "%u": ("the day of the week, 1 (Monday) to 7", lambda at: str(at.isoweekday())),
    "%a": ("the day of the week, Mon to Sun", lambda at: DAYS[at.weekday()]),
    "%b": ("the month, Jan to Dec", lambda at: MONTHS[at.month - 1]),
    "%%": ("the character %", lambda at: "%"),
}
"""Each placeholder: what it stands for, and its text at a moment of the export's time zone."""

_PLACEHOLDER: Final = re.compile("%(.?)", re.DOTALL)
_HAS_EXTENSION: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,7}\Z")


class PathRefused(ValueError):
    """A path that cannot be used; the text is the whole sentence."""


def has_placeholder(path: str) -> bool:
    """Whether the path differs from one moment to another."""
    return any(found != "%%" for found in re.findall("%.", path))


def expand(path: str, moment: datetime, zone: ZoneInfo, extension: str, archive: bool = False) -> str:
    """The path at an aware moment, with the extension if it has none and `.zip` for an archive.

    Raises:
        PathRefused: what was typed, or what comes of it, cannot be used.
    """
    _check(path)
    local = moment.astimezone(zone)
    ending = "" if _HAS_EXTENSION.search(path) else f".{extension}"
    whole = _PLACEHOLDER.sub(lambda found: _text(found, local), path) + ending + (".zip" if archive else "")
    whole = re.sub("//+", "/", whole)
    _check(whole, is_expanded=True)
    return whole


def check(path: str, extension: str, archive: bool) -> None:
    """Refuse a path that could not be used at some moment: every moment gives texts of the same length.

    Raises:
        PathRefused: as `expand`.
    """
    expand(path, datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")), ZoneInfo("UTC"), extension, archive)


def numbered(path: str, number: int) -> str:
    """The path with a number before its extension: `name-2.csv`, `name-2.csv.zip` (**Add a number**).

    A name that leaves no room for the number is cut before it.
    """
    folder, slash, name = path.rpartition("/")
    found = re.search(r"(?:\.[A-Za-z][A-Za-z0-9]{0,7}){1,2}\Z", name[1:])
    cut = found.start() + 1 if found else len(name)
    ending = f"-{number}{name[cut:]}"
    kept = name[:cut].encode()[: MAX_PART - len(ending.encode())].decode(errors="ignore")
    return f"{folder}{slash}{kept}{ending}"


def _text(found: re.Match[str], local: datetime) -> str:
    if found[0] not in PLACEHOLDERS:
        listed = " ".join(PLACEHOLDERS)
        if not found[1]:
            raise PathRefused("The path ends with a % that stands alone: write %% for the character %")
        sign = found[0]
        raise PathRefused(f"The path holds {sign}, which is no placeholder: use {listed}")
    return PLACEHOLDERS[found[0]][1](local)


def _check(path: str, *, is_expanded: bool = False) -> None:
    if not path.strip():
        raise PathRefused("Enter a path with the name of the file")
    if "\x00" in path:
        raise PathRefused("The path must not hold the character NUL")
    if any(unicodedata.category(one) in ("Cc", "Cs", "Zl", "Zp") for one in path):
        raise PathRefused("The path must not hold line breaks or other control characters")
    if path.startswith("\\\\"):
        raise PathRefused("The path is on the upload server: it must not begin with \\\\")
    if path.startswith("~"):
        raise PathRefused("The path must not begin with ~: begin it with / or with the name of a folder")
    parts = re.split(r"[/\\]", path)
    if not parts[-1].strip():
        raise PathRefused("The name of the file is missing at the end of the path")
    if any(part.startswith(".") for part in parts):
        raise PathRefused("No part of the path may begin with a dot")
    if len(path.encode()) > MAX_PATH:
        raise PathRefused(f"The path is longer than {MAX_PATH:,} bytes")
    if is_expanded and any(len(part.encode()) > MAX_PART for part in path.split("/")):
        raise PathRefused(f"A part of the path is longer than {MAX_PART} bytes")
