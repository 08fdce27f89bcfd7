"""Which file comes when: what takes long first, or at the end one worker would be alone with it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

LONG: Final = ("faults", "setup", "end_to_end", "jobs", "delivery")
"""Folders whose tests start processes or a browser and wait for them: few tests, many seconds."""


def pytest_configure(config: pytest.Config) -> None:
    """Have pytest-xdist keep our order: its own puts the files with most tests first, and so the slowest ones last."""
    config.option.loadscopereorder = False


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort the files; within a file nothing moves."""
    tests = Counter(item.path for item in items)

    def place(path: Path) -> tuple[int, int, str]:
        folder = path.parent.name
        return (LONG.index(folder) if folder in LONG else len(LONG), -tests[path], str(path))

    order = {path: number for number, path in enumerate(sorted(tests, key=place))}
    items.sort(key=lambda item: order[item.path])
