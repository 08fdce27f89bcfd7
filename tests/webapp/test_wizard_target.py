"""Upload target in the wizard: a saved connection or all by hand, with a password that is never shown again."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.fix_connections import partner
from tests.fix_pages import check
from tests.webapp.test_wizard_create import ready
from webapp.extensions import db
from webapp.models import AuditEntry, Connection, ConnectionTest, Draft, Export, ExportVersion
from webapp.services import connections, exports
from webapp.services.connections import Credential, credentials

if TYPE_CHECKING:
    from tests.fix_app import Clock, People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]
SECRET = "correct horse battery"
SERVER = {"host": "sftp.partner.example", "port": "2222", "username": "maple", "password": SECRET}
PATH = "/in/stores_%Y%m%d"


def at_target(someone: Wizard, type_: str = "sftp") -> Wizard:
    """A draft that is whole but for its target, whose type is chosen."""
    ready(someone, "Stores for the partner")
    someone.open("target")
    someone.fill(target=type_)
    someone.press("form")
    return someone


def created(someone: Wizard) -> Export:
    """The export that Create makes."""
    someone.open("check")
    assert someone.problems == []
    someone.press("create")
    with someone.person.at_work():
        return db.session.scalars(select(Export)).one()


def test_a_server_filled_in_by_hand_becomes_a_connection_with_the_export(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(**SERVER, path=PATH)
    someone.press("next")
    assert someone.step == "check"
    assert "maple@sftp.partner.example:2222" in someone.text
    assert "/in/stores_" in someone.text
    export = created(someone)
    with people.exporter.at_work():
        saved = db.session.scalars(select(Connection)).one()
        assert (export.target, export.connection_id) == ("sftp", saved.id)
        assert saved.address == "maple@sftp.partner.example:2222"
        target = exports.definition_of(db.session.get_one(Export, export.id)).target
        assert (target.connection, target.path) == (str(saved.id), PATH)  # type: ignore[union-attr]
        sealed = connections.sealed_of(saved)
        assert sealed is not None
        assert credentials.opened(sealed, saved.id).secret == SECRET


def test_the_password_is_stored_sealed_as_it_is_typed_and_never_comes_back(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(**SERVER, path=PATH)
    answers = [someone.save().get_data(as_text=True)]
    someone.reload()
    answers.append(someone.html)
    assert "Password stored – type to replace" in someone.html
    assert (someone.value("host"), someone.value("password")) == ("sftp.partner.example", "")
    someone.press("next")
    answers.append(someone.html)
    someone.open("target")
    someone.fill(host="no host")
    someone.press("next")
    assert someone.problems == [("host", someone.beside("host").removeprefix("Error: "))]
    answers.append(someone.html)
    assert not [one for one in answers if SECRET in one]
    with people.exporter.at_work():
        drafts = json.dumps([one.document for one in db.session.scalars(select(Draft))])
        assert SECRET not in drafts
    someone.fill(host="sftp.partner.example")
    someone.press("next")
    assert someone.step == "check", "what was stored still counts"


def test_the_same_password_again_is_no_change(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(**SERVER, path=PATH)
    someone.save()
    token = someone.typed.upload.token
    someone.save()
    assert someone.typed.upload.token == token
    someone.fill(password="another one")
    someone.save()
    assert someone.typed.upload.token != token


@pytest.mark.parametrize("typed", ["********", "'; DROP--", "pässwörd🙂", " with spaces "])
def test_any_text_is_a_password_as_it_stands(tab: Tab, people: People, typed: str) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(**{**SERVER, "password": typed}, path=PATH)
    someone.press("next")
    created(someone)
    with people.exporter.at_work():
        saved = db.session.scalars(select(Connection)).one()
        sealed = connections.sealed_of(saved)
        assert sealed is not None
        assert credentials.opened(sealed, saved.id).secret == typed


def test_what_is_missing_is_said_at_each_input(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.press("next")
    assert dict(someone.problems) == {
        "host": "Enter the host",
        "username": "Enter the username",
        "password": "Enter the password",
        "path": "Enter a path with the name of the file",
    }


def test_a_key_made_here_is_shown_to_be_copied(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(auth="made")
    someone.press("form")
    public = someone.typed.upload.public
    assert public.startswith("ssh-ed25519 ")
    assert public in someone.html
    someone.reload()
    assert someone.typed.upload.public == public
    someone.fill(host="sftp.partner.example", username="maple", path=PATH)
    someone.press("next")
    created(someone)
    with people.exporter.at_work():
        saved = db.session.scalars(select(Connection)).one()
        assert (saved.credential_kind, saved.public_key) == ("key", public)


def test_a_text_that_is_no_key_is_named_and_not_kept(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(auth="key")
    someone.press("form")
    someone.fill(host="sftp.partner.example", username="maple", path=PATH, key="my secret, misplaced")
    someone.press("next")
    assert dict(someone.problems)["key"].startswith("This is no private key.")
    assert "misplaced" not in someone.html
    with people.exporter.at_work():
        assert "misplaced" not in json.dumps([one.document for one in db.session.scalars(select(Draft))])


def test_a_saved_connection_is_chosen_and_kept_by_a_clone(tab: Tab, people: People) -> None:
    with people.manager.at_work() as user:
        saved = connections.create(user, *partner("Shared one", shared=True)).id
        hidden = connections.create(user, *partner("Not shared")).id
    someone = at_target(tab(people.exporter))
    assert someone.form.choices["connection"] == ["", str(saved)]
    someone.fill(connection=str(saved))
    someone.press("form")
    assert "host" not in dict(someone.form.values)
    someone.fill(path=PATH)
    someone.press("next")
    export = created(someone)
    with people.exporter.at_work() as user:
        assert [one.id for one in db.session.scalars(select(Connection)).all()].count(saved) == 1
        row = db.session.get_one(Export, export.id)
        draft = exports.clone_as_draft(user, row, export.id)
        assert Draft.document is not None
        assert draft.document["upload"]["connection"] == str(saved)
        assert draft.document["upload"]["token"] == ""
    other = at_target(tab(people.exporter))
    other.post([("target", "sftp"), ("connection", str(hidden)), ("path", PATH), ("if_empty", "header")])
    other.open("target")
    assert dict(other.problems)["connection"].startswith("There is no such connection")
    assert "Not shared" not in other.text


def test_without_the_right_nobody_fills_in_a_server(tab: Tab, people: People) -> None:
    with people.exporter.at_work() as user:
        user.use_new_target = False
        db.session.commit()
    someone = at_target(tab(people.exporter))
    assert "host" not in dict(someone.form.values)
    someone.post([("target", "sftp"), *SERVER.items(), ("path", PATH), ("if_empty", "header")])
    someone.open("target")
    assert dict(someone.problems)["connection"].startswith("You may not make connections")


def test_the_path_is_shown_as_it_will_be_at_the_next_run(tab: Tab, people: People, clock: Clock) -> None:
    clock.set("2026-11-24 08:00+00")
    someone = at_target(tab(people.exporter))
    someone.open("schedule")
    someone.fill(schedule="repeated")
    someone.press("form")
    someone.fill(every="day", hours="3", minutes="0")
    someone.press("next")
    someone.open("target")
    values = [*(one for one in someone.form.values if one[0] != "path"), ("path", "/in/%Y-%m-%d_%H%M")]
    address = f"/drafts/{someone.draft_id}/target/path"
    told = check(someone.swap(values, "pathx", address).get_data(as_text=True), whole=False).text
    # 03:00 UTC is 22:00 of the day before in New York, whose zone the export has.
    assert told == "Run of Tue 24 Nov 22:00: /in/2026-11-24_2200.csv"
    told = check(
        someone.swap([*values[:-1], ("path", "/in/%Q")], "pathx", address).get_data(as_text=True), whole=False
    ).text
    assert told.startswith("The path holds %Q, which is no placeholder")
    assert someone.typed.upload.path == ""


def test_a_repeated_export_without_a_placeholder_is_warned(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.open("schedule")
    someone.fill(schedule="repeated")
    someone.press("form")
    someone.press("next")
    someone.open("target")
    someone.fill(**SERVER, path="/in/stores")
    someone.press("next")
    assert someone.step == "check"
    assert "Each run replaces the file of the run before" in someone.text


def test_ftp_is_told_to_be_open_to_read(tab: Tab, people: People) -> None:
    assert "FTP sends the password unencrypted" in at_target(tab(people.exporter), "ftp").text


def test_an_upload_is_for_programs_so_that_spreadsheets_are_not_protected(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    assert someone.typed.file.protect is False
    someone.fill(target="none")
    someone.press("form")
    assert someone.typed.file.protect is True


# --- Test connection


def test_a_test_is_asked_of_what_is_typed_and_is_old_when_that_changes(wizard: Tab, people: People) -> None:
    someone = at_target(wizard(people.exporter))
    someone.fill(**SERVER, path=PATH)
    answer = someone.swap(someone.form.values, "test", f"/drafts/{someone.draft_id}/target/test")
    assert "Testing…" in check(answer.get_data(as_text=True), whole=False).text
    with people.exporter.at_work():
        test = db.session.scalars(select(ConnectionTest)).one()
        assert (test.about["host"], test.about["port"], test.about["username"]) == (
            "sftp.partner.example",
            2222,
            "maple",
        )
        assert re.fullmatch(r"/in/stores_\d{8}\.csv", test.about["path"])
        assert SECRET not in json.dumps(test.about)
        test.started_at = test.finished_at = test.created_at
        db.session.commit()
    someone.reload()
    assert "Can be used" in someone.text
    someone.fill(username="oak")
    saved = someone.save().get_data(as_text=True)
    assert "Changed since the test" in check(saved, whole=False).text


def test_nothing_is_tested_while_something_is_missing(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    answer = someone.swap(someone.form.values, "test", f"/drafts/{someone.draft_id}/target/test")
    assert "Not tested: Enter the host." in check(answer.get_data(as_text=True), whole=False).text
    someone.press("test")
    assert someone.status == 422
    assert "Not tested: Enter the host." in someone.text
    with people.exporter.at_work():
        assert db.session.scalars(select(ConnectionTest)).all() == []


def after_a_test(someone: Wizard, people: People, **found: Any) -> uuid.UUID:
    """The server is tested, and a worker writes down what it found; the id of the test."""
    someone.fill(**SERVER, path=PATH)
    someone.press("test")
    with people.exporter.at_work():
        test = db.session.scalars(select(ConnectionTest)).one()
        test.started_at = test.finished_at = test.created_at
        for name, value in found.items():
            setattr(test, name, value)
        id_ = test.id
        db.session.commit()
    someone.reload()
    return id_


def test_a_test_file_that_could_not_be_removed_is_named_and_the_server_can_be_used(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    after_a_test(someone, people, phases=[
        {"phase": "rename", "seconds": 0.1, "code": "", "facts": {"left": ".x.csv.t-2.part"}}
    ])  # fmt: skip
    assert "Can be used" in someone.text
    assert "The test file .x.csv.t-2.part could not be removed: delete it by hand." in someone.text
    assert "removed again" not in someone.text


def test_all_that_is_wrong_with_a_server_is_told_at_once_in_the_order_of_the_form(tab: Tab, people: People) -> None:
    someone = at_target(tab(people.exporter))
    someone.fill(host="10.0.0.1", port="22x", username="", password="", path="")
    someone.press("next")
    assert [input for input, _ in someone.problems] == ["host", "port", "username", "password", "path"]
    with people.exporter.at_work():
        blocked = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "connection.blocked")).one()
        assert blocked == {"at": "form", "type": "sftp", "host": "10.0.0.1", "port": None}


def test_an_accepted_key_goes_with_the_connection_unless_the_server_changes(tab: Tab, people: People) -> None:
    key = "ssh-ed25519 SHA256:4nNpWzP0DrbzCm5o3VvJtK3c3gH6bA2m1lq8sQd0x0A"
    someone = at_target(tab(people.exporter))
    unknown = "target.host_key_unknown"
    id_ = after_a_test(someone, people, error_code=unknown, offered_key=key, phases=[
        {"phase": "security", "seconds": 0.1, "code": unknown, "facts": {"key": key}, "message": "not accepted",
         "advice": ""}
    ])  # fmt: skip
    assert "Server key, seen for the first time" in someone.text
    assert key in someone.text
    values = [*someone.form.values, ("accept", str(id_))]
    someone.swap(values, "test", f"/drafts/{someone.draft_id}/target/accept")
    assert someone.typed.upload.trusted_key == key
    someone.reload()
    someone.press("next")
    created(someone)
    with people.exporter.at_work():
        assert db.session.scalars(select(Connection)).one().accepted_key == key
        versions = json.dumps([one.definition for one in db.session.scalars(select(ExportVersion))])
        assert SECRET not in versions
    moved = someone_typed_elsewhere(tab(people.exporter), key)
    assert moved == ""


def someone_typed_elsewhere(someone: Wizard, key: str) -> str:
    """The key that is trusted after another host was typed than the one that it was accepted for."""
    upload = at_target(someone).typed.upload.with_(host="one.example").with_accepted(key)
    assert upload.trusted_key == key
    return upload.with_(host="two.example").trusted_key


def test_a_test_of_somebody_else_is_not_shown(tab: Tab, people: People) -> None:
    with people.manager.at_work() as user:
        connections.create(user, *partner("Shared one", shared=True))
    assert Credential("password", SECRET).__repr__().find(SECRET) == -1
