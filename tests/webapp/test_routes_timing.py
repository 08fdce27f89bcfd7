"""An id of another brand cannot be told from an unknown one by the time that the answer takes (RELIABILITY S2)."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from dataclasses import replace
from statistics import median
from typing import TYPE_CHECKING, Final

from tests.campaigns import drill, ended, is_long, tell
from tests.fix_api import token_of

if TYPE_CHECKING:
    import pytest
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
CLOSE_MS: Final = 5.0
ENOUGH, MOST = 20, 200


@drill("access")
def test_a_program_learns_no_more_by_the_time_either(
    app: Flask, client: Open, people: People, made: Exports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], api_limit=1_000_000))
    export, program = made.finished(people.exporter), client(None)
    program.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token_of(people.stranger)}"
    for at, id_ in {"/api/v1/exports/{}": export.id, "/api/v1/runs/{}/download": export.run_id}.items():
        _told_apart_by_nothing(program, at, id_)


@drill("access")
def test_a_foreign_id_takes_as_long_as_an_unknown_one(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    browser = client(people.stranger)
    foreign = {"/exports/{}": export.id, "/runs/{}/download": export.run_id, "/users/{}": people.exporter.id}
    for at, id_ in foreign.items():
        _told_apart_by_nothing(browser, at, id_)


def _told_apart_by_nothing(browser: FlaskClient, at: str, foreign: uuid.UUID) -> None:
    """Milliseconds of a foreign id and of unknown ones, asked in turns, whichever first by chance.

    Beside other tests twenty of each may differ by the machine alone: all 200 are asked before it counts.
    """
    taken: dict[bool, list[float]] = {True: [], False: []}
    chance = random.Random(at)  # noqa: S311 - the same order each time
    for number in range(1, MOST + 1):
        for is_foreign in chance.sample((True, False), 2):
            begun = time.perf_counter()
            assert browser.get(at.format(foreign if is_foreign else uuid.uuid4())).status_code == 404
            taken[is_foreign].append(1000 * (time.perf_counter() - begun))
        medians = median(taken[True]), median(taken[False])
        if number % ENOUGH == 0 and abs(medians[0] - medians[1]) < CLOSE_MS and not is_long():
            break
    tell(f"{at}: median {medians[0]:.2f} ms foreign, {medians[1]:.2f} ms unknown")
    assert abs(medians[0] - medians[1]) < CLOSE_MS, (at, medians)
    ended()
