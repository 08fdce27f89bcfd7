"""How much of the year 2017 is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Part:
    """Everything that happened before `until`, a wall-clock time in the retailer's zone."""

    name: str
    label: str
    until: datetime


FIRST_QUARTER = Part("first-quarter", "first quarter of 2017", datetime(2017, 4, 1))
ALL = Part("all", "all of 2017", datetime(2019, 1, 1))
TEST_PART = Part("first-week", "first week of 2017", datetime(2017, 1, 8))
"""For the tests: about 40,000 events, loaded in a few seconds."""

PARTS = {part.name: part for part in (FIRST_QUARTER, ALL, TEST_PART)}
