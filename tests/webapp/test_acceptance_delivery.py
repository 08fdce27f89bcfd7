"""The acceptance lines 21, 22, 24, 25 and 27 of REFERENCE.md section 8: what is delivered, told, kept and cloned."""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from jobs import scheduler
from jobs.mail import send
from tests.delivery.servers import PASSWORD, USER, SftpServer
from tests.fix_app import stores
from tests.fix_connections import partner
from tests.fix_mail import Postbox
from tests.fix_pages import check
from tests.jobs.test_delivery import work
from tests.webapp.test_wizard_target import at_target, created
from webapp.extensions import db
from webapp.models import Connection, Export, Run
from webapp.services import connections, exports
from webapp.services.connections import Credential

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports
    from tests.fix_wizard import Wizard

Open = Callable[["Person | None"], "FlaskClient"]
Tab = Callable[["Person"], "Wizard"]
pytestmark = pytest.mark.usefixtures("upload_here", "source_dsn")


@pytest.fixture
def there(people: People, sftp_server: SftpServer) -> str:
    """The id of the exporter's connection to a real server."""
    wanted, _ = partner(host="127.0.0.1", port=str(sftp_server.port), username=USER)
    with people.exporter.at_work() as user:
        saved = connections.create(user, wanted, Credential("password", PASSWORD))
        connections.accept(user, saved, sftp_server.trust)
        return str(saved.id)


def files(folder: Path) -> list[str]:
    """All files of the server."""
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


def test_21_and_22_the_path_gets_the_date_and_its_extension_and_the_box_makes_an_archive(
    app: Flask, tab: Tab, people: People, clock: Clock, sftp_server: SftpServer, there: str
) -> None:
    """In the export's zone, where it is still the 23rd: New York at 02:00 UTC of the 24th."""
    clock.set("2023-06-24 02:00+00")
    someone = at_target(tab(people.exporter))
    someone.fill(connection=there)
    someone.press("form")
    for archive, told in (("", "20230623.csv"), ("1", "20230623.csv.zip")):
        someone.fill(path="/upload/exports/Antavo_EventCounts_%Y%m%d", archive=archive)
        someone.save()
        someone.reload()
        assert f"A run now: /upload/exports/Antavo_EventCounts_{told}" in someone.text, "shown beside the input"
    created(someone)
    work(app)
    assert files(sftp_server.folder) == ["upload/exports/Antavo_EventCounts_20230623.csv.zip"]
    with people.exporter.at_work() as user:
        target = {"type": "sftp", "connection": there, "path": "/upload/exports/Antavo_EventCounts_%Y%m%d"}
        exports.create(user, stores(target=target), uuid.uuid4())
    work(app)
    plain, packed = (sftp_server.folder / "upload/exports" / one for one in (
        "Antavo_EventCounts_20230623.csv", "Antavo_EventCounts_20230623.csv.zip"))  # fmt: skip
    assert plain.read_bytes().startswith(b"Store,name\n")
    with zipfile.ZipFile(packed) as archive:
        assert archive.namelist() == ["Stores for the partner.csv"]


def test_24_finished_shows_download_and_mails_the_creator(
    app: Flask, client: Open, tab: Tab, people: People, postbox: Postbox
) -> None:
    someone = at_target(tab(people.exporter), "none")
    export = created(someone)
    browser = client(people.exporter)
    page = f"/exports/{export.id}"
    assert re.search(r'href="(/runs/[^"]+/download)"', browser.get(page).text) is None, "not yet"
    work(app)
    found = re.search(r'href="(/runs/[^"]+/download)"', browser.get(page).text)
    assert found is not None
    assert "Finished" in check(browser.get(page).text).text
    answer = browser.get(found[1])
    with zipfile.ZipFile(io.BytesIO(answer.get_data())) as archive:
        assert archive.namelist() == ["Stores for the partner.csv"]
    with app.app_context():
        send()
    (mail,) = postbox.messages
    assert (mail["To"], mail["Subject"].split(",")[0]) == (people.exporter.email, "Finished: Stores for the partner")
    link = found[1].removesuffix("/download")
    assert f"https://exports.example{link}" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert browser.get(link).status_code == 200


def test_25_each_run_of_a_repeated_export_is_mailed_and_stands_in_logs_with_its_error(
    app: Flask, client: Open, people: People, clock: Clock, made: Exports, postbox: Postbox
) -> None:
    clock.set(datetime(2026, 11, 23, 9, 42, tzinfo=UTC))
    daily = {"type": "repeated", "every": "day", "hours": "6", "minutes": "0"}
    with people.exporter.at_work() as user:
        export_id = exports.create(user, stores(schedule=daily), uuid.uuid4()).id
    for day, fails in ((24, False), (25, True), (26, False), (27, False)):
        clock.set(datetime(2026, 11, day, 6, 0, 1, tzinfo=UTC))
        with app.app_context():
            scheduler.fire_all_due()
        mine = made.claim()
        clock.set(datetime(2026, 11, day, 6, 0, 2, tzinfo=UTC))
        made.fail(mine) if fails else made.publish(mine)
        with app.app_context():
            send()
    subjects = [one["Subject"].partition(":")[0] for one in postbox.messages]
    assert subjects == ["Finished", "Failed", "Works again", "Finished"]
    assert {one["To"] for one in postbox.messages} == {people.exporter.email}
    logs = check(client(people.exporter).get(f"/exports/{export_id}/logs").text).text
    assert logs.count("Success") >= 3
    assert "A field of this export no longer exists in the database: name." in logs
    with people.exporter.at_work():
        assert len(db.session.scalars(select(Run).where(Run.export_id == export_id)).all()) == 4


def test_27_a_clone_has_everything_and_its_password_goes_by_reference_or_is_typed_again(
    tab: Tab, client: Open, people: People, there: str, sftp_server: SftpServer
) -> None:
    target = {"type": "sftp", "connection": there, "path": "/in/x_%Y", "archive": True, "if_exists": "number"}
    with people.exporter.at_work() as user:
        original = exports.create(user, stores(target=target, if_empty="fail"), uuid.uuid4())
        export_id, before = original.id, exports.definition_of(original)

    def cloned(person: Person) -> Wizard:
        with person.at_work() as user:
            draft = exports.clone_as_draft(user, db.session.get_one(Export, export_id), uuid.uuid4()).id
        someone = tab(person)
        someone.path = f"/drafts/{draft}/target"
        someone.open("target")
        return someone

    own = cloned(people.exporter)
    assert own.value("connection") == there
    assert "never copied" not in own.text
    own.open("check")
    own.press("create")
    with people.exporter.at_work():
        copy = db.session.scalars(select(Export).where(Export.id != export_id)).one()
        assert exports.definition_of(copy) == before.model_copy(update={"name": "Stores (copy)"})
        assert len(db.session.scalars(select(Connection)).all()) == 1

    with people.exporter.at_work():  # handed over, with a connection that is not shared
        db.session.get_one(Export, export_id).owner_id = people.colleague.id
        db.session.commit()
    other = cloned(people.colleague)
    host = {name: other.value(name) for name in ("host", "port", "username", "password", "path")}
    assert host == {"host": "127.0.0.1", "port": str(sftp_server.port), "username": USER,
                    "password": "", "path": "/in/x_%Y"}  # fmt: skip
    assert "Type the password or the private key again: it is never copied." in other.text
    other.press("next")
    assert [input for input, _sentence in other.problems] == ["password"]
    answers = [own.html, other.html, client(people.colleague).get(f"/exports/{export_id}/definition.json").text]
    assert not [one for one in answers if PASSWORD in one]
