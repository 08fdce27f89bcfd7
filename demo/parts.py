"""How much of the year 2017 is loaded."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """Everything that happened before `until`, a wall-clock time in the retailer's zone."""

    name: str
    label: str
    until: np.datetime64


FIRST_QUARTER = Part("first-quarter", "first quarter of 2017", np.datetime64("2017-04-01", "s"))
ALL = Part("all", "all of 2017", np.datetime64("2019-01-01", "s"))
TEST_PART = Part("first-week", "first week of 2017", np.datetime64("2017-01-08", "s"))
"""For the tests: about 40,000 events, loaded in a few seconds."""

PARTS = {part.name: part for part in (FIRST_QUARTER, ALL, TEST_PART)}
