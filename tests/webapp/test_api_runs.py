"""Runs by the API: asked for, followed, cancelled, their files fetched whole or in parts."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from tests.fix_api import Program
from tests.fix_exports import CONTENT
from webapp.extensions import db
from webapp.models import Run
from webapp.services import exports

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_app import Clock, People
    from tests.fix_exports import Exports

Start = Callable[..., Program]


def test_a_run_is_followed_from_its_queue_to_its_file(program: Start, people: People, made: Exports) -> None:
    mine = program(people.exporter)
    export = made.finished(people.exporter)
    response = mine.post(f"/exports/{export.id}/runs")
    run = response.get_json()
    at = response.headers["Location"].removeprefix("/api/v1")
    assert (run["status"], run["kind"], run["version"], run["file"]) == ("Queued", "manual", 1, None)
    claimed = made.claim()
    made.beat(claimed, 500, 9_000, expected=1_000)
    told = mine.get(at).get_json()
    assert (told["status"], told["rows"], told["bytes"]) == ("Processing", 500, 9_000)
    assert (told["progress"]["phase"], told["progress"]["percent"]) == ("writing", 50)
    made.publish(claimed)
    told = mine.get(at).get_json()
    assert (told["status"], told["rows"], told["bytes"], told["progress"]) == ("Success", 2, len(CONTENT), None)
    assert len(told["file"]["sha256"]) == 64
    assert told["error"] is None
    assert mine.get(f"/exports/{export.id}").get_json()["status"] == "Finished"


def test_why_a_run_failed_is_told_with_what_to_do(program: Start, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    made.fail(made.claim())
    told = program(people.viewer).get(f"/runs/{export.run_id}").get_json()
    assert told["status"] == "Failed"
    assert told["error"] == {
        "code": "source.field_missing",
        "message": "A field of this export no longer exists in the database: name.",
        "advice": "Edit the export and take the field out, or ask your operator to correct the catalogue. "
        "Then press Run now.",
    }


def test_the_runs_of_an_export_come_in_pages_newest_first(program: Start, people: People, made: Exports) -> None:
    mine = program(people.exporter)
    export = made.create(people.exporter)
    ids = [str(export.run_id), *(mine.post(f"/exports/{export.id}/runs").get_json()["id"] for _ in range(4))]
    found, after = [], ""
    while True:
        page = mine.get(f"/exports/{export.id}/runs?limit=2{after}").get_json()
        found.append([one["id"] for one in page["runs"]])
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert [len(page) for page in found] == [2, 2, 1]
    assert [id_ for page in found for id_ in page] == ids[::-1]
    assert mine.get(f"/exports/{export.id}/runs?after=bm90aGluZw").status_code == 422


def test_cancel_ends_what_waits_and_leaves_what_has_ended(program: Start, people: People, made: Exports) -> None:
    mine = program(people.exporter)
    export = made.create(people.exporter)
    for _ in range(2):
        assert mine.post(f"/runs/{export.run_id}/cancel").get_json()["status"] == "Cancelled"
    done = made.finished(people.exporter)
    assert mine.post(f"/runs/{done.run_id}/cancel").get_json()["status"] == "Success"


def test_an_archived_export_is_not_run(program: Start, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    with people.exporter.at_work() as user:
        exports.archive(user, exports.find(export.id))  # type: ignore[arg-type]
    response = program(people.exporter).post(f"/exports/{export.id}/runs")
    assert (response.status_code, response.get_json(force=True)["code"]) == (409, "export.archived")


def test_a_file_is_fetched_whole_in_parts_and_only_once(program: Start, people: People, made: Exports) -> None:
    mine = program(people.colleague)
    export = made.finished(people.exporter)
    at = f"/runs/{export.run_id}/download"
    whole = mine.get(at)
    tag = whole.headers["ETag"]
    assert tag.strip('"') == mine.get(f"/runs/{export.run_id}").get_json()["file"]["sha256"]
    with zipfile.ZipFile(io.BytesIO(whole.data)) as archive:
        assert archive.read("Stores.csv") == CONTENT
    part = mine.get(at, headers={"Range": "bytes=10-", "If-Range": tag})
    assert (part.status_code, part.data) == (206, whole.data[10:])
    assert mine.get(at, headers={"If-None-Match": tag}).status_code == 304
    beyond = mine.get(at, headers={"Range": "bytes=999999-"})
    assert (beyond.status_code, beyond.get_json(force=True)["code"]) == (416, "request.range")
    assert beyond.headers["Content-Range"] == f"bytes */{len(whole.data)}"
    assert mine.ask("HEAD", f"/api/v1{at}").headers["Content-Length"] == str(len(whole.data))


def test_why_there_is_no_file(
    program: Start, people: People, made: Exports, clock: Clock, artefacts_folder: Path
) -> None:
    mine = program(people.exporter)
    waiting = made.create(people.exporter)
    made.publish(made.claim())
    with people.exporter.at_work():
        key = db.session.get_one(Run, waiting.run_id).artefact
    queued = made.create(people.exporter)
    (artefacts_folder / str(key)).unlink()
    lost = mine.get(f"/runs/{waiting.run_id}/download")
    assert (lost.status_code, lost.get_json(force=True)["code"]) == (410, "file.lost")
    none = mine.get(f"/runs/{queued.run_id}/download")
    assert (none.status_code, none.get_json(force=True)["code"]) == (404, "file.not_made")
    clock.forward(timedelta(days=31))
    old = mine.get(f"/runs/{waiting.run_id}/download")
    assert (old.status_code, old.get_json(force=True)["code"]) == (410, "file.expired")
    assert mine.get(f"/runs/{waiting.run_id}").get_json()["file"] is None


def test_another_brands_run_is_not_there(program: Start, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    theirs = program(people.stranger)
    for at in (f"/runs/{export.run_id}", f"/runs/{export.run_id}/download", f"/exports/{export.id}/runs"):
        assert theirs.get(at).get_json(force=True)["code"] == "access.not_found"
    with people.exporter.at_work():
        assert db.session.scalars(select(Run)).one().state == "success"
