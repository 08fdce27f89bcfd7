"""A run writes to S3, a download reads from there, and retention removes it: web and workers share no disk."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from jobs import upkeep
from tests.fix_store import Bucket
from webapp.services import artefacts

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports


@pytest.fixture(autouse=True)
def _in_the_bucket(app: Flask, bucket: Bucket) -> Iterator[None]:
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, storage_url=bucket.url)
    artefacts._store.cache_clear()  # it is kept by its address, which is another server's in the next test
    yield
    app.config["SETTINGS"] = before
    artefacts._store.cache_clear()


def test_a_file_is_made_downloaded_in_parts_and_removed_at_its_day(
    bucket: Bucket,
    people: People,
    made: Exports,
    clock: Clock,
    client: Callable[[Person | None], FlaskClient],
) -> None:
    clock.set("2026-01-01T10:00:00Z")
    content = b"Store\n" + bytes(range(32, 127)) * 9_000
    export = made.finished(people.exporter, content=content)
    assert len(bucket.holds()) == 1
    browser = client(people.exporter)
    whole = browser.get(f"/runs/{export.run_id}/download")
    with zipfile.ZipFile(io.BytesIO(whole.data)) as archive:
        assert archive.read("Stores.csv") == content
    assert whole.headers["ETag"].strip('"') == hashlib.sha256(content).hexdigest()
    part = browser.get(f"/runs/{export.run_id}/download", headers={"Range": "bytes=100-1999"})
    assert (part.status_code, part.data) == (206, whole.data[100:2000])
    clock.set("2026-02-01T10:00:00Z")
    with made.app.app_context():
        assert upkeep.expired_files() == 1
    assert bucket.holds() == []
    assert browser.get(f"/runs/{export.run_id}/download").status_code == 410


def test_files_of_attempts_that_never_were_published_are_removed(bucket: Bucket, people: People, made: Exports) -> None:
    made.finished(people.exporter)
    made.create(people.exporter)
    mine = made.claim()
    with made.app.app_context():
        for key in (mine.key, "somebody/elses.zip"):
            sink = artefacts.store().open_writer(key)
            sink.write(b"x")
            sink.close()
    made.fail(mine)
    with made.app.app_context():
        assert upkeep.orphans() == 1
    assert len(bucket.holds()) == 2
    assert "files/somebody/elses.zip" in bucket.holds()
