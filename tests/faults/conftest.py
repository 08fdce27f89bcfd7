"""One installation for all tests that make it anew for each example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.faults.ground import Ground, prepared

if TYPE_CHECKING:
    from tests.fix_services import Cluster
    from tests.nursery import Nursery


@pytest.fixture(scope="session")
def ground(
    postgres: Cluster, app_template: str, nursery: Nursery, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """The installation; each example begins with `ground.clear()`."""
    with prepared(postgres, app_template, nursery, tmp_path_factory.mktemp("faults")) as one:
        yield one
