"""The history of runs as bars: in Logs rows and duration, in the list rows alone, in one question for a whole page."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from tests.fix_app import stores
from tests.fix_pages import check
from tests.webapp.test_runs_logs import statements
from webapp.extensions import db
from webapp.models import Export, Run
from webapp.services import exports

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person

Open = Callable[["Person | None"], "FlaskClient"]

HOURLY = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}
AT = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set(AT + timedelta(days=1))


def ran(person: Person, *runs: tuple[str, int, float], name: str = "Stores") -> uuid.UUID:
    """A repeated export with runs, the oldest first: state, rows and seconds."""
    with person.at_work() as user:
        export = exports.create(user, stores(name=name, schedule=HOURLY), uuid.uuid4())
        for hour, (state, rows, seconds) in enumerate(runs):
            at = AT + timedelta(hours=hour)
            row: dict[str, Any] = {"kind": "manual", "version": 1, "base_moment": at, "scheduled_for": at}
            run = Run(
                id=uuid.uuid4(), brand_id=user.brand_id, export_id=export.id, state=state, rows=rows, created_at=at,
                started_at=at, finished_at=at + timedelta(seconds=seconds), attempt=1, published_attempt=1,
                error_code="run.no_rows", **row,
            )  # fmt: skip
            db.session.add(run)
        db.session.flush()
        db.session.execute(update(Export).where(Export.id == export.id).values(latest_run_id=run.id))
        db.session.commit()
        return export.id


RUNS = (("success", 50, 1.0), ("failed", 7, 4.0), ("skipped", 0, 0.0), ("success", 0, 0.5), ("success", 100, 2.0))


def bars(text: str) -> list[str]:
    """What each bar says when it is pointed at."""
    return re.findall(r"<g><title>\s*(.*?)\s*</title>", text, re.S)


def test_logs_draw_rows_and_duration_and_mark_what_failed(client: Open, people: People) -> None:
    export = ran(people.exporter, *RUNS)
    text = client(people.viewer).get(f"/exports/{export}/logs").text
    check(text)
    said = "Last 5 runs: 3 Success, 1 Failed, 1 Skipped; 0 to 100 rows in 0.5 s to 2 s"
    assert text.count(said) == 2, "to be read, and to be heard"
    assert bars(text) == [
        "Mon 23 Nov 2026 02:30:00: Success, 50 rows, 1 s",
        "Mon 23 Nov 2026 03:30:00: Failed after 4 s",
        "Mon 23 Nov 2026 04:30:00: Skipped",
        "Mon 23 Nov 2026 05:30:00: Success, 0 rows, 0.5 s",
        "Mon 23 Nov 2026 06:30:00: Success, 100 rows, 2 s",
    ]
    heights = [float(one) for one in re.findall(r'class="bar"[^>]*height="([\d.]+)"', text)]
    assert heights[::2] == [26.0, 1.0, 52.0], "half of the most, next to nothing, the most"
    assert heights[1::2] == [7.5, 3.6, 15.0], "a half, an eighth, and all of 4 s would be 30"
    assert text.count('class="cross"') == 2
    assert text.count('class="dot"') == 2


def test_one_run_is_no_history(client: Open, people: People) -> None:
    export = ran(people.exporter, RUNS[0])
    browser = client(people.exporter)
    assert "<figure" not in browser.get(f"/exports/{export}/logs").text
    assert 'class="spark"' not in browser.get("/exports").text


def test_the_list_draws_all_its_rows_with_one_question(app: Flask, client: Open, people: People) -> None:
    ran(people.exporter, *RUNS)
    browser = client(people.exporter)
    browser.get("/exports")
    with statements(app) as few:
        browser.get("/exports")
    for number in range(8):
        ran(people.exporter, *RUNS * 4, name=f"Export {number}")
    with statements(app) as many:
        text = browser.get("/exports").text
    check(text)
    assert len(many) == len(few) <= 12
    assert text.count('class="spark"') == 9
    assert 'aria-label="Export 3: Last 12 runs: ' in text
    assert text.count('class="bar"') == 3 + 8 * 8
    assert "<title>Last 5 runs: 3 Success, 1 Failed, 1 Skipped; 0 to 100 rows in 0.5 s to 2 s</title>" in text


def test_a_one_off_in_the_list_has_no_history(client: Open, people: People, made: Any) -> None:
    export = made.finished(people.exporter)
    made.finished_again(people.exporter, export, b"Store,name\n")
    assert 'class="spark"' not in client(people.exporter).get("/exports").text
    assert "<figure" in client(people.exporter).get(f"/exports/{export.id}/logs").text
