"""From **Create** to a file, by a real worker; and what becomes of a run whose worker is killed or stopped."""

from __future__ import annotations

import io
import signal
import socket
import time
import uuid
import zipfile
from datetime import timedelta

import psycopg
import pytest
from flask import Flask

from jobs.worker import preload
from tests.fix_app import People, stores
from tests.fix_workshop import ROWS, Workshop, until
from webapp.extensions import db
from webapp.models import Run
from webapp.services import artefacts, exports, runs

HOST = socket.gethostname()
SLOW_S = 0.02
"""A row takes so long: the whole file 20 s, so that a test can do something to its worker."""


def zip_of(workshop: Workshop, run_id: object) -> zipfile.ZipFile:
    """The file of a run as it is downloaded."""
    with workshop.people.viewer.at_work():
        artefact = artefacts.published(db.session.get_one(Run, run_id))
        assert artefact is not None
        content = b"".join(artefact.pieces())
    assert len(content) == artefact.size
    return zipfile.ZipFile(io.BytesIO(content))


def test_a_created_export_becomes_a_file_that_can_be_downloaded(workshop: Workshop) -> None:
    workshop.worker()
    run_id = workshop.create(stores(name="Läden: alle"))
    run = workshop.ended(run_id)
    assert (run["state"], run["rows"], run["attempt"], run["deaths"]) == ("success", ROWS, 1, 0)
    assert workshop.events(run_id) == ["queued", "claimed", "published"]
    archive = zip_of(workshop, run_id)
    assert archive.namelist() == ["Läden_ alle.csv"]
    lines = archive.read("Läden_ alle.csv").decode().splitlines()
    assert (len(lines), lines[0], lines[1], lines[-1]) == (
        ROWS + 1, "Store,name", "00001,Store 1", f"0{ROWS},Store {ROWS}"
    )  # fmt: skip
    assert run["bytes"] == len(archive.read("Läden_ alle.csv"))
    assert workshop.files() == [run["artefact"]]


def test_pieces_of_a_download_begin_and_end_where_they_are_asked_to(workshop: Workshop) -> None:
    workshop.worker()
    run_id = workshop.create(stores())
    workshop.ended(run_id)
    with workshop.people.viewer.at_work():
        artefact = artefacts.published(db.session.get_one(Run, run_id))
        assert artefact is not None
        whole = b"".join(artefact.pieces())
        assert b"".join(artefact.pieces(100, 200)) == whole[100:200]
        assert b"".join(artefact.pieces(artefact.size - 7)) == whole[-7:]
        assert max(len(piece) for piece in artefact.pieces()) <= 256 * 1024
    with workshop.people.stranger.at_work():
        assert db.session.get(Run, run_id) is None


def test_one_ticket_is_enough_for_all_that_waits(workshop: Workshop) -> None:
    ids = [workshop.create(stores(name=f"Stores {number}")) for number in range(5)]
    workshop.services.redis.stop()
    workshop.services.redis.start()
    workshop.worker(RUN_SWEEP="60")  # it sweeps as it starts; after that only its drain can find the others
    for run_id in ids:
        assert workshop.ended(run_id)["state"] == "success"


def test_a_worker_that_starts_leaves_waiting_runs_as_they_are_until_it_takes_them(
    app: Flask, people: People, app_settings: dict[str, str]
) -> None:
    with people.exporter.at_work() as user:
        run_id = exports.create(user, stores(), uuid.uuid4()).latest_run_id
    preload(app, "exports")
    with people.viewer.at_work():
        run = db.session.get_one(Run, run_id)
        assert (run.state, run.attempt, run.worker, run.started_at) == ("queued", 0, None, None)
        assert [event.kind for event in runs.events_of(run)] == ["queued"]


def test_a_worker_has_one_thread_so_that_forking_is_safe(workshop: Workshop) -> None:
    worker = workshop.worker()
    assert workshop.ended(workshop.create(stores()))["state"] == "success"
    assert worker.num_threads() == 1


def test_an_export_that_breaks_a_rule_at_run_time_says_which(workshop: Workshop) -> None:
    run_id = workshop.create(stores())
    with workshop.people.exporter.at_work() as user:
        user.role = "viewer"
        db.session.commit()
    workshop.worker()
    run = workshop.ended(run_id)
    assert (run["state"], run["error_code"]) == ("failed", "rights.lost")
    assert (
        run["error_message"] == "The owner of this export, Exporter, may no longer run it: a viewer makes no exports."
    )
    assert workshop.files() == []


def test_an_idle_worker_told_to_go_leaves_at_once(workshop: Workshop) -> None:
    worker = workshop.worker(RUN_SWEEP="30")
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=5) == 0


def test_a_cancelled_run_stops_within_seconds_and_leaves_no_file(workshop: Workshop) -> None:
    workshop.pace(SLOW_S)
    workshop.worker()
    run_id = workshop.create(stores())
    workshop.working(run_id)
    asked_at = time.monotonic()
    with workshop.people.exporter.at_work() as user:
        runs.cancel(user, db.session.get_one(Run, run_id))
    run = workshop.ended(run_id)
    assert time.monotonic() - asked_at < 5
    assert run["state"] == "cancelled"
    assert workshop.files() == []
    assert workshop.events(run_id)[-2:] == ["cancel_requested", "stopped"]


def test_the_query_of_a_stopped_run_ends_in_the_database_too(workshop: Workshop) -> None:
    import psycopg

    workshop.pace(SLOW_S)
    workshop.worker()
    run_id = workshop.create(stores())
    workshop.working(run_id)
    with workshop.people.exporter.at_work() as user:
        runs.cancel(user, db.session.get_one(Run, run_id))
    workshop.ended(run_id)
    with psycopg.connect(workshop.source_url, autocommit=True) as connection:
        count = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'COPY%' AND datname = current_database()"
        until(lambda: connection.execute(count).fetchone() == (0,), "no COPY runs", 5)


@pytest.mark.parametrize("end", ["cancel", "third death"])
def test_a_run_that_waits_for_its_brand_begins_when_another_one_ends_and_not_with_the_next_sweep(
    workshop: Workshop, end: str
) -> None:
    workshop.pace(SLOW_S)
    first, second = workshop.create(stores(name="First")), workshop.create(stores(name="Second"))
    with psycopg.connect(workshop.services.database_url, autocommit=True) as connection:
        connection.execute("UPDATE runs SET deaths = 2 WHERE id = %s", [first])
    for _ in range(3):
        workshop.worker(RUN_SWEEP="60")
    for run_id in (first, second):
        workshop.until(run_id, lambda run: run["phase"] == "writing", "rows are written")
    third = workshop.create(stores(name="Third"))
    with workshop.people.exporter.at_work() as user:
        run = db.session.get_one(Run, first)
        if end == "cancel":
            runs.cancel(user, run)
        else:
            holder = next(one for one in workshop.started if str(run.worker).startswith(f"{HOST}-{one.pid}-"))
            holder.children()[0].kill()
    began = workshop.until(third, lambda run: run["started_at"], "the third begins", seconds=10)
    waited = began["started_at"] - workshop.ended(first)["finished_at"]
    assert timedelta(0) <= waited < timedelta(seconds=2)
    assert workshop.run(second)["state"] == "processing"
