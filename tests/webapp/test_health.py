"""/healthz, /readyz and /metrics: what is there, what is not, how much goes on, and to whom it is told."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import create_engine

from jobs import scheduler
from webapp.extensions import db
from webapp.queues import BEAT, BEAT_KEPT_S, connection
from webapp.services import health
from webapp.services.health.checks import ANSWERS_S, BEAT_MISSED_S

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]
TOKEN = "a token of the tests that is long enough"


@contextmanager
def settings(app: Flask, **changes: Any) -> Iterator[None]:
    """The application with other settings, and nothing that it remembers of its checks."""
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, **changes)
    app.extensions.pop("health", None)
    try:
        yield
    finally:
        app.config["SETTINGS"] = before
        app.extensions.pop("health", None)


@pytest.fixture
def alive(app: Flask) -> Iterator[None]:
    """A scheduler has gone round."""
    with settings(app), app.app_context():
        scheduler.say_alive()
        yield


def ready(browser: FlaskClient, query: str = "") -> tuple[int, dict[str, str]]:
    """Status, and the state of each part."""
    response = browser.get(f"/readyz{query}")
    assert isinstance(response.json, dict)
    assert response.json["ready"] == (response.status_code == 200)
    return response.status_code, {name: part["state"] for name, part in response.json["parts"].items()}


GOOD = {"database": "ok", "redis": "ok", "storage": "ok", "scheduler": "ok"}


def test_all_is_there(client: Open, alive: None) -> None:
    assert ready(client(None)) == (200, GOOD)


def test_a_scheduler_that_does_not_go_round_is_missed(app: Flask, client: Open, alive: None) -> None:
    redis = connection(app.config["SETTINGS"].redis_url)
    redis.expire(BEAT, BEAT_KEPT_S - int(BEAT_MISSED_S) - 1)
    assert ready(client(None)) == (503, {**GOOD, "scheduler": "missing"})
    assert ready(client(None), "?exclude=scheduler")[0] == 200
    redis.delete(BEAT)
    app.extensions.pop("health")
    assert ready(client(None)) == (503, {**GOOD, "scheduler": "missing"})


def test_without_redis_the_rest_is_told(app: Flask, client: Open) -> None:
    with settings(app, redis_url="redis://:hunter2@127.0.0.1:9/0"):
        response = client(None).get("/readyz")
        assert response.status_code == 503
        assert ready(client(None))[1] == {**GOOD, "redis": "down", "scheduler": "down"}
        assert "hunter2" not in response.text


def test_without_a_store_the_rest_is_told(app: Flask, client: Open, alive: None, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with settings(app, storage_url=f"file://{tmp_path}/file/artefacts"):
        assert ready(client(None)) == (503, {**GOOD, "storage": "down"})


def test_without_a_database_the_rest_is_told_and_the_process_still_answers(
    app: Flask, client: Open, alive: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        gone = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/none")
        monkeypatch.setitem(db._app_engines[app], None, gone)
    assert ready(client(None)) == (503, {**GOOD, "database": "down"})
    assert client(None).get("/healthz").text == "ok\n"
    with settings(app, metrics_token=TOKEN):
        told = scraped(client(None))
    assert told[("exports_ready", "database")] == 0
    assert ("exports_runs", "queued") not in told
    gone.dispose()


def test_a_part_that_hangs_is_slow_after_its_time_and_holds_one_thread_only(
    app: Flask, client: Open, alive: None
) -> None:
    held = threading.Event()
    with app.app_context():
        checks = (*health.parts(), health.Check("hanging", held.wait))
        begun = time.monotonic()
        for _ in range(2):
            assert health.states(checks[-1:])["hanging"].state == "slow"
        assert ANSWERS_S * 2 <= time.monotonic() - begun < ANSWERS_S * 2 + 1
        hanging = [one for one in threading.enumerate() if one.name == "check hanging"]
        held.set()
        assert len(hanging) == 1
        hanging[0].join()
        assert checks[-1].said().is_good


def test_whoever_asks_again_and_again_makes_us_ask_once(app: Flask) -> None:
    asked: list[int] = []
    with app.app_context():
        check = health.Check("counted", lambda: not asked.append(1))
        for _ in range(20):
            assert health.states([check])["counted"].is_good
    assert len(asked) == 1


def scraped(browser: FlaskClient) -> dict[tuple[str, str], float]:
    """Every value of /metrics, by name and label, as Prometheus reads them."""
    response = browser.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert response.status_code == 200
    assert response.content_type.startswith("text/plain; version=")
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


@pytest.mark.parametrize("given", [None, "", "Bearer ", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer \xe9"])
def test_who_does_not_show_the_token_finds_no_metrics(app: Flask, client: Open, people: People, given: str) -> None:
    headers = {} if given is None else {"Authorization": given}
    with settings(app, metrics_token=TOKEN):
        assert client(None).get("/metrics", headers=headers).status_code == 404
        assert client(people.admin).get("/metrics", headers=headers).status_code == 404
    assert client(None).get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404, "none is set"


def test_metrics_tell_what_goes_on(
    app: Flask, client: Open, people: People, made: Exports, clock: Clock, alive: None
) -> None:
    clock.set("2026-03-02T10:00:00Z")
    made.create(people.exporter)
    made.fail(made.claim())
    made.create(people.stranger)
    mine = made.claim()
    clock.forward(timedelta(seconds=30))
    made.publish(mine)
    made.create(people.exporter)
    clock.forward(timedelta(seconds=90))
    with settings(app, metrics_token=TOKEN):
        told = scraped(client(None))
    assert told["exports_runs", "queued"] == 1
    assert told["exports_oldest_queued_seconds", ""] == 90
    assert (told["exports_runs_ended", "success"], told["exports_runs_ended", "failed"]) == (1, 1)
    assert told["exports_runs_ended", "missed"] == 0
    assert (told["exports_rows", ""], told["exports_bytes", ""]) == (2, 43)
    assert told["exports_run_seconds", "0.95"] == 30
    assert told["exports_mails", "waiting"] == 2
    assert told["exports_tickets", "exports"] == 3
    assert told["exports_workers", "exports"] == 0
    assert told["exports_scheduler_age_seconds", ""] < BEAT_MISSED_S
    assert told["exports_schedule_late_seconds", ""] == 0
    assert {told["exports_ready", part] for part in GOOD} == {1}
    clock.forward(timedelta(hours=2))
    with settings(app, metrics_token=TOKEN):
        assert scraped(client(None))["exports_runs_ended", "success"] == 0, "an hour is over"


def test_a_moment_that_nobody_fires_shows_as_late(
    app: Flask, client: Open, people: People, made: Exports, clock: Clock
) -> None:
    clock.set("2026-03-02T06:00:00Z")
    made.finished  # noqa: B018 - the cast is enough
    with people.exporter.at_work() as user:
        import uuid

        from tests.fix_app import stores
        from webapp.services import exports

        daily = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
        exports.create(user, stores(schedule=daily), uuid.uuid4())
    clock.set("2026-03-02T06:32:00Z")
    with settings(app, metrics_token=TOKEN):
        assert scraped(client(None))["exports_schedule_late_seconds", ""] == 120


def test_every_metric_is_in_the_docs(app: Flask, client: Open, alive: None) -> None:
    page = (Path(__file__).parents[2] / "docs/deploy.md").read_text()
    with settings(app, metrics_token=TOKEN):
        names = {name for name, _ in scraped(client(None))}
    assert [name for name in sorted(names) if f"`{name}" not in page] == []
    assert set(re.findall(r"`(exports_\w+)", page)) == names
