"""What collecting the tests has made stays to the end: nobody looks for garbage in it again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

FEWER_COLLECTIONS = 10_000
"""Objects made between two looks for garbage: each page makes tens of thousands, and hardly any of it in circles."""


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Half a million objects: to look through them takes a worker a second while they are made, and more afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(FEWER_COLLECTIONS)
        gc.enable()


def pytest_unconfigure() -> None:
    """At the end of the process all is garbage, and libraries complain of what is left then."""
    gc.unfreeze()
