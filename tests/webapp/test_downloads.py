"""**Download**: the zip in pieces, whole or from where it broke off; written down; not for viewers (RELIABILITY P9)."""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest
from sqlalchemy import select
from werkzeug.http import parse_options_header
from werkzeug.test import EnvironBuilder

from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, Run

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports, Made

Open = Callable[["Person | None"], "FlaskClient"]
BIG = random.Random(7).randbytes(1_500_000)  # noqa: S311 - bytes that do not shrink, the same ones each time
HOSTILE = json.loads((Path(__file__).parents[1] / "data" / "hostile_inputs.json").read_text())
NAMES = [
    one["value"]
    for one in HOSTILE
    if one["group"] == "export_name" and one["expect"].startswith("accept as plain data")
]


def entries(person: Person) -> list[tuple[str, dict[str, Any]]]:
    """What the audit log says of downloads."""
    with person.at_work():
        wanted = select(AuditEntry).where(AuditEntry.action.like("run.download%")).order_by(AuditEntry.number)
        return [(one.action, one.facts) for one in db.session.scalars(wanted)]


def address(export: Made) -> str:
    """Where the file of an export is."""
    return f"/runs/{export.run_id}/download"


def test_the_zip_holds_the_file_under_the_exports_name(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, "Coupon use")
    response = client(people.colleague).get(address(export))
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/zip"
    assert response.headers["Content-Disposition"] == (
        "attachment; filename=\"Coupon use.zip\"; filename*=UTF-8''Coupon%20use.zip"
    )
    with zipfile.ZipFile(io.BytesIO(response.data)) as archive:
        assert archive.namelist() == ["Stores.csv"]
        assert archive.read("Stores.csv").startswith(b"Store,name\n")


def test_it_comes_in_pieces_of_at_most_256_kib(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, content=BIG)
    response = client(people.exporter).get(address(export))
    sizes = [len(piece) for piece in response.iter_encoded()]
    assert sum(sizes) == int(response.headers["Content-Length"]) > 1_400_000
    assert max(sizes) <= 256 * 1024
    response.close()


def test_nobody_keeps_or_runs_what_was_downloaded(client: Open, people: People, made: Exports) -> None:
    headers = client(people.exporter).get(address(made.finished(people.exporter))).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox"
    assert headers["Content-Security-Policy"].strip() == policy


def test_the_tag_is_the_files_hash(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, content=b"a\n1\n")
    tag = client(people.exporter).get(address(export)).headers["ETag"]
    assert tag.strip('"') == hashlib.sha256(b"a\n1\n").hexdigest()


def test_who_has_the_file_already_gets_no_second_one(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    browser = client(people.exporter)
    tag = browser.head(address(export)).headers["ETag"]
    for header in (tag, f'"another", {tag}', f"W/{tag}"):
        response = browser.get(address(export), headers={"If-None-Match": header})
        assert (response.status_code, response.data, response.headers["ETag"]) == (304, b"", tag)
    assert entries(people.exporter) == [], "nothing was downloaded"
    assert browser.get(address(export), headers={"If-None-Match": '"another"'}).status_code == 200


@pytest.mark.parametrize(
    "asked", ["0-0", "0-9", "100-199", "-1", "-500", "1000-", "0-", "0-99999999999", "262143-262145"]
)
def test_a_part_is_that_part_of_the_whole(client: Open, people: People, made: Exports, asked: str) -> None:
    export = made.finished(people.exporter, content=BIG)
    browser = client(people.exporter)
    whole = browser.get(address(export)).data
    first, last = asked.split("-")
    start = int(first) if first else len(whole) - int(last)
    end = min(len(whole), int(last) + 1 if first and last else len(whole))
    response = browser.get(address(export), headers={"Range": f"bytes={asked}"})
    assert response.status_code == 206
    assert response.data == whole[start:end]
    assert response.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(whole)}"


def test_a_download_that_broke_off_goes_on_where_it_stopped(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, content=BIG)
    browser = client(people.exporter)
    response = browser.get(address(export))
    got = next(response.iter_encoded())
    tag = response.headers["ETag"]
    response.close()
    rest = browser.get(address(export), headers={"Range": f"bytes={len(got)}-", "If-Range": tag})
    assert rest.status_code == 206
    with zipfile.ZipFile(io.BytesIO(got + rest.data)) as archive:
        assert archive.read("Stores.csv") == BIG
    changed = browser.get(address(export), headers={"Range": f"bytes={len(got)}-", "If-Range": '"another"'})
    assert changed.status_code == 200


@pytest.mark.parametrize("asked", ["bytes=-0", "bytes=99999999-", "bytes=99999999-100000000"])
def test_a_part_that_is_not_there_is_refused(client: Open, people: People, made: Exports, asked: str) -> None:
    export = made.finished(people.exporter)
    response = client(people.exporter).get(address(export), headers={"Range": asked})
    assert response.status_code == 416
    assert response.headers["Content-Range"].startswith("bytes */")


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=" + ",".join(["0-"] * 1300),
        "bytes=5-2",
        "bytes=-",
        "bytes=a-b",
        "rows=0-1",
        "bytes=٣-",
        "",
        "bytes=0-1,5-6",
    ],
)
def test_several_parts_and_nonsense_get_the_whole(client: Open, people: People, made: Exports, asked: str) -> None:
    export = made.finished(people.exporter)
    response = client(people.exporter).get(address(export), headers={"Range": asked.encode().decode("latin-1")})
    assert response.status_code == 200
    assert "Content-Range" not in response.headers


def test_head_tells_the_size_and_is_no_download(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, content=BIG)
    response = client(people.exporter).head(address(export))
    assert response.status_code == 200
    assert response.data == b""
    assert int(response.headers["Content-Length"]) > 1_400_000
    assert response.headers["Accept-Ranges"] == "bytes"
    assert entries(people.exporter) == []


def test_a_download_is_written_down_when_it_begins_and_when_it_ends(
    client: Open, people: People, made: Exports
) -> None:
    export = made.finished(people.exporter, content=BIG)
    browser = client(people.exporter)
    response = browser.get(address(export))
    size = int(response.headers["Content-Length"])
    [(kind, facts)] = entries(people.exporter)
    digest = facts.pop("definition")
    assert len(digest) == 64
    assert (kind, facts) == (
        "run.downloaded",
        {"first_byte": 0, "bytes": size, "size": size, "model": "stores", "fields": ["id", "name"],
         "personal": False, "version": 1, "rows": 5792},
    )  # fmt: skip
    assert response.data
    response.close()
    assert entries(people.exporter)[1:] == [("run.download_ended", {"bytes": size, "complete": True})]


def test_a_download_that_broke_off_is_written_down_as_such(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, content=BIG)
    response = client(people.exporter).get(address(export))
    pieces = response.iter_encoded()
    next(pieces), next(pieces)
    response.close()
    action, facts = entries(people.exporter)[1]
    assert action == "run.download_ended"
    assert not facts["complete"]
    assert 0 < facts["bytes"] < len(BIG)


def test_a_client_that_is_gone_before_the_first_piece_is_written_down_as_such(
    client: Open, people: People, made: Exports
) -> None:
    export = made.finished(people.exporter, content=BIG)
    browser = client(people.exporter)
    cookie = browser.head(address(export)).request.headers["Cookie"]
    asked = EnvironBuilder(path=address(export), base_url="http://localhost", headers={"Cookie": cookie}).get_environ()
    answered = browser.application.wsgi_app(asked, lambda *_: lambda _: None)
    answered.close()  # as a server does that could not even send the headers
    assert [action for action, _ in entries(people.exporter)] == ["run.downloaded", "run.download_ended"]
    assert entries(people.exporter)[1][1] == {"bytes": 0, "complete": False}


def test_viewers_may_not(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    response = client(people.viewer).get(address(export))
    assert response.status_code == 403
    assert check(response.get_data(as_text=True)).title == "You may not do this – Exports"
    assert entries(people.exporter) == []


NO_FILE = {
    "queued": (404, "This run has no file", "Its page says why."),
    "failed": (404, "This run has no file", "Its page says why."),
    "out of date": (410, "The file was kept until 31 Jan 2026 and has been removed", "Run the export again"),
    "gone": (410, "The file store does not have this file any more", "Run the export again"),
}


@pytest.mark.parametrize("state", NO_FILE)
def test_what_is_not_there_is_said_in_words_on_a_page_like_the_others(
    client: Open, people: People, made: Exports, clock: Clock, artefacts_folder: Path, state: str
) -> None:
    clock.set("2026-01-01T10:00:00Z")
    if state in ("queued", "failed"):
        export = made.create(people.exporter)
        if state == "failed":
            made.fail(made.claim())
    else:
        export = made.finished(people.exporter)
        clock.set("2026-02-01T10:00:00Z" if state == "out of date" else "2026-01-02T10:00:00Z")
        if state == "gone":
            with people.exporter.at_work():
                key = db.session.get_one(Run, export.run_id).artefact
            assert key
            (artefacts_folder / key).unlink()
    status, title, advice = NO_FILE[state]
    response = client(people.exporter).get(address(export))
    assert response.status_code == status
    found = check(response.text)
    assert found.title == f"{title} – Exports"
    assert advice in found.text
    assert f"/runs/{export.run_id}" in found.links
    assert "sandbox" not in response.headers["Content-Security-Policy"], "it has our colours, and its links work"
    assert entries(people.exporter) == []


@pytest.mark.parametrize("name", NAMES)
def test_no_name_of_an_export_breaks_the_header_or_the_file(
    client: Open, people: People, made: Exports, name: str
) -> None:
    response = client(people.exporter).get(address(made.finished(people.exporter, name)))
    header = response.headers["Content-Disposition"]
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert kind == "attachment"
    plain = header.split('filename="')[1].split('"')[0]
    for told in (options["filename"], plain, unquote(header.rpartition("''")[2])):
        assert told.endswith(".zip")
        assert not set(told) & set('/\\:*?"<>|')
        assert told.strip(". ") == told
        assert len(told.encode()) <= 200
        assert not told.startswith("nul.")


def test_a_download_in_progress_ends_whole_when_its_file_is_removed(
    client: Open, people: People, made: Exports, clock: Clock
) -> None:
    from jobs import upkeep

    clock.set("2026-01-01T10:00:00Z")
    export = made.finished(people.exporter, content=BIG)
    pieces = client(people.exporter).get(address(export)).iter_encoded()
    read = next(pieces)
    clock.set("2026-02-01T10:00:00Z")
    with made.app.app_context():
        assert upkeep.expired_files() == 1
    with zipfile.ZipFile(io.BytesIO(read + b"".join(pieces))) as archive:
        assert archive.read("Stores.csv") == BIG
    assert client(people.exporter).get(address(export)).status_code == 410
