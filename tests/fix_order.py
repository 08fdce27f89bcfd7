"""Which file comes when: what takes long first, or at the end one worker would be alone with it; and files whose tests
wait in turn with files whose tests compute, or there would be a time in which all wait.
"""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Final

import pytest

LONG: Final = ("faults", "setup", "end_to_end", "jobs", "delivery")
"""Folders whose tests start processes or a browser and wait for them: few tests, many seconds."""
LONGEST: Final = (
    "test_server.py",
    "test_every_screen.py",
    "test_routes.py",
    "test_wizard.py",
    "test_wizard_fields.py",
    "test_crash_points_of_deliveries.py",
    "test_crash_points.py",
    "test_embedded.py",
    "test_wizard_operators.py",
    "test_wizard_aggregation.py",
    "test_wizard_filters.py",
    "test_hostile_forms.py",
    "test_shell.py",
    "test_wizard_steps.py",
    "test_german.py",
)
"""Files of more than half a minute, the longest first."""


def pytest_configure(config: pytest.Config) -> None:
    """Have pytest-xdist keep our order: its own puts the files with most tests first, and so the slowest ones last."""
    config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files; within a file nothing moves."""
    tests = Counter(item.path for item in items)

    def place(path: Path) -> tuple[int, int, int, str]:
        folder = path.parent.name
        longest = LONGEST.index(path.name) if path.name in LONGEST else len(LONGEST)
        return (longest, LONG.index(folder) if folder in LONG else len(LONG), -tests[path], str(path))

    files = sorted(tests, key=place)
    waiting = [path for path in files if path.parent.name in LONG]
    order = {
        path: number for number, path in enumerate(by_turns(waiting, [one for one in files if one not in waiting]))
    }
    items.sort(key=lambda item: order[item.path])


def by_turns(some: list[Path], others: list[Path]) -> list[Path]:
    """One of these, one of those; what is left of the longer list comes last."""
    pairs = zip_longest(some, others)
    return [path for pair in pairs for path in pair if path is not None]
