"""No room, or no store, for the file (F20, F21): the run says so, nothing of it is left, others go on."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import psutil
import psycopg

from tests.faults.ground import BIG
from tests.fix_app import stores
from tests.fix_workshop import Workshop
from webapp.services import artefacts, exports

if TYPE_CHECKING:
    from pathlib import Path


def big(workshop: Workshop) -> uuid.UUID:
    """An export of half a megabyte that is hard to compress; its run."""
    with workshop.people.stranger.at_work() as user:
        run_id = exports.create(user, stores(name="Big"), uuid.uuid4()).latest_run_id
    assert run_id is not None
    return run_id


def unfinished(workshop: Workshop) -> list[str]:
    """What was begun in the store."""
    with workshop.app.app_context():
        return list(artefacts.store().unfinished())


def test_a_full_disk_fails_the_run_with_its_reason_and_others_go_on(workshop: Workshop) -> None:
    with psycopg.connect(workshop.source_url, autocommit=True) as connection:
        connection.execute(BIG)
    worker = workshop.worker()
    psutil.Process(worker.pid).rlimit(psutil.RLIMIT_FSIZE, (100_000, psutil.RLIM_INFINITY))
    run = workshop.ended(big(workshop))
    assert (run["state"], run["error_code"], run["attempt"]) == ("failed", "storage.disk_full", 1)
    assert run["error_message"] == "There is no room left to keep the file."
    assert "more disk space" in run["error_advice"]
    assert workshop.files() == []
    assert unfinished(workshop) == []
    assert workshop.ended(workshop.create(stores()))["state"] == "success"


def test_a_store_that_is_away_is_waited_for(workshop: Workshop) -> None:
    workshop.worker()
    assert workshop.files() == []
    folder: Path = workshop.store_folder
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("no folder")
    run_id = workshop.create(stores())
    run = workshop.until(run_id, lambda run: run["failures"], "it is put off")
    facts: tuple[Any, ...] = (run["state"], run["error_code"], run["error_message"])
    assert facts == ("queued", "storage.unreachable", "The file store did not take the file.")
    assert "tried again by itself" in run["error_advice"]
    folder.unlink()
    aside.rename(folder)
    with psycopg.connect(workshop.services.database_url, autocommit=True) as connection:
        connection.execute("UPDATE runs SET not_before = clock()")
    assert workshop.ended(run_id)["state"] == "success"
