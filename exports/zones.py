"""The time zones that can be chosen: a closed list, known alike to Python and to PostgreSQL (SPEC section 3.2)."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

NOT_A_PLACE: Final = frozenset({"Factory", "localtime", "posixrules"})
"""Names that mean "whatever this machine is set to", or nothing at all."""


@cache
def names() -> frozenset[str]:
    """Every zone that can be chosen.

    Read from the tzdata package, not asked of ZoneInfo or PostgreSQL, which both take more than zones: paths of the
    machine ("localtime", "right/UTC") and rules written out ("FOO5BAR", "<+23>-23"); RELIABILITY section 0. A test
    holds the list against pg_timezone_names.
    """
    listed = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - NOT_A_PLACE


@lru_cache
def by_region(known: frozenset[str]) -> dict[str, list[str]]:
    """Names under the first part of each; those without one under Other."""
    regions: dict[str, list[str]] = {}
    for name in sorted(known):
        regions.setdefault(name.partition("/")[0] if "/" in name else "Other", []).append(name)
    return regions


@cache
def zone(name: str) -> ZoneInfo:
    """The rules of a zone of `names()`."""
    if name not in names():
        raise ValueError(f"{name!r} is no zone of the list")
    return ZoneInfo(name)
