"""Personal data: who sees a colleague's file, what a definition tells, masks from the wizard to the file (SPEC 10)."""

from __future__ import annotations

import hmac
import io
import json
import uuid
import zipfile
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy import select, update

from exports.errors import DefinitionRefused, MaskKeyUnreadable
from tests.fix_app import stores
from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry, Brand, CustomField, ExportVersion, Run, User
from webapp.services import brands, exports, masks, personal
from webapp.services.progress import present

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_api import Program
    from tests.fix_app import People, Person
    from tests.fix_exports import Exports
    from tests.fix_wizard import Wizard

Open = Callable[["Person | None"], "FlaskClient"]
Tab = Callable[["Person"], "Wizard"]
ADDRESS: Final = "ann.smith@maple.example"
EVERYBODY: Final = [[{"attribute": "_id", "operator": "is_not_empty"}]]
RAW: Final[dict[str, Any]] = {
    "model": "customers",
    "filters": EVERYBODY,
    "fields": [{"from": "_id"}, {"from": "email"}],
}
MASKED: Final[dict[str, Any]] = {**RAW, "fields": [{"from": "_id"}, {"from": "email", "mask": "hash"}]}
EVENTS: Final[dict[str, Any]] = {
    "model": "events", "filters": [[{"attribute": "action", "operator": "is_not_empty"}]],
}  # fmt: skip
ASKING: Final[dict[str, Any]] = {
    **RAW, "fields": [{"from": "_id"}],
    "filters": [[{"attribute": "email", "operator": "equals", "value": ADDRESS}]],
}  # fmt: skip


def denied(person: Person) -> list[str]:
    """The runs that the audit log of the person's brand says were kept back."""
    with person.at_work():
        wanted = select(AuditEntry).where(AuditEntry.action == "access.denied").order_by(AuditEntry.number)
        return [str(one.object_id) for one in db.session.scalars(wanted)]


# --- a colleague's file


@pytest.mark.parametrize(
    ("definition", "reason"),
    [
        (RAW, "Email address is personal, and you lack the right to export personal fields"),
        ({**EVENTS, "fields": [], "all_fields": True}, "is personal, and you lack the right"),
        (ASKING, "Email address is personal, and you lack the right to export personal fields"),
        (MASKED, ""),
        ({**RAW, "fields": [{"from": "_id"}]}, ""),
        ({**RAW, "filters": [[{"attribute": "email", "operator": "is_not_empty"}]], "fields": [{"from": "_id"}]}, ""),
    ],
)
def test_a_file_is_downloaded_by_who_might_have_made_it(
    client: Open, people: People, made: Exports, definition: dict[str, Any], reason: str
) -> None:
    export = made.finished(people.exporter, "Mails", **definition)
    address = f"/runs/{export.run_id}/download"
    assert client(people.exporter).get(address).status_code == 200
    with people.exporter.at_work():
        facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "run.downloaded")).one()
    assert (facts["model"], facts["personal"]) == (definition["model"], bool(reason))
    browser = client(people.colleague)
    answer = browser.get(address)
    view, run, logs = (
        browser.get(at).get_data(as_text=True)
        for at in (f"/exports/{export.id}", f"/runs/{export.run_id}", f"/exports/{export.id}/logs")
    )
    if not reason:
        assert answer.status_code == 200
        assert all(address in page for page in (view, run, logs))
        return
    assert answer.status_code == 403
    page = check(answer.get_data(as_text=True))
    assert "This file is not for you: " in page.text
    assert reason in page.text
    assert "Ask an admin for the right to export personal fields" in page.text
    assert denied(people.colleague) == [str(export.run_id)]
    assert not any(address in page for page in (view, run, logs))
    assert "The file holds personal data: you need the right to export personal fields." in check(view).text


def test_the_grant_opens_it_from_the_next_request_on(client: Open, people: People, made: Exports) -> None:
    export = made.finished(people.exporter, **RAW)
    browser = client(people.colleague)
    with people.colleague.at_work() as user:
        db.session.get_one(User, user.id).export_pii = True
        db.session.commit()
    assert browser.get(f"/runs/{export.run_id}/download").status_code == 200


def test_what_is_gone_from_the_catalogue_counts_as_personal(people: People, made: Exports) -> None:
    with people.admin.at_work() as admin:
        field = {"model": "customers", "field": "shoe", "label": "Shoe", "type": "string", "path": ["shoe"]}
        db.session.add(CustomField(**field))
        db.session.commit()
        assert admin.export_pii
    export = made.finished(people.exporter, **{**RAW, "fields": [{"from": "shoe"}]})
    with people.colleague.at_work() as user:
        run = db.session.get_one(Run, export.run_id)
        assert personal.may_see_data(user, run)
        db.session.delete(db.session.scalars(select(CustomField)).one())
        db.session.commit()
        assert not personal.may_see_data(user, run)
    with people.exporter.at_work() as user:
        assert personal.may_see_data(user, db.session.get_one(Run, export.run_id))


def test_todays_marks_count_and_those_of_a_version_are_its_own(people: People, made: Exports) -> None:
    with people.admin.at_work():
        field = {"model": "customers", "field": "shoe", "label": "Shoe", "type": "string", "path": ["shoe"]}
        db.session.add(CustomField(**field))
        db.session.commit()
    export = made.finished(people.exporter, **{**RAW, "fields": [{"from": "shoe"}]})
    with people.colleague.at_work() as user:
        run = db.session.get_one(Run, export.run_id)
        db.session.execute(update(CustomField).values(personal=True))
        db.session.commit()
        assert personal.seeable(user, [run]) == set()
        db.session.execute(update(CustomField).values(personal=False))
        db.session.commit()
        assert personal.seeable(user, [run]) == {run.id}


def test_a_viewer_and_another_brand_see_no_data_whatever_it_is(people: People, made: Exports) -> None:
    export = made.finished(people.exporter)
    with people.exporter.at_work():
        run = db.session.get_one(Run, export.run_id)
        db.session.expunge_all()
    for person in (people.viewer, people.stranger):
        with person.at_work() as user:
            assert not personal.may_see_data(user, run)


# --- what a definition tells


def test_the_values_that_somebody_asks_for_are_hidden_from_who_lacks_the_right(
    client: Open, people: People, made: Exports
) -> None:
    pairs = [{"value": ADDRESS, "new": "me"}]
    definition = {**ASKING, "fields": [{"from": "email", "replace": pairs}, {"from": "_id"}]}
    export = made.finished(people.exporter, "Asked", **definition)
    with people.exporter.at_work() as user:
        found = exports.find(export.id)
        assert found is not None
        before = exports.definition_of(found)
        after = before.model_copy(
            update={"filters": ((before.filters[0][0].model_copy(update={"value": "b@maple.example"}),),)}
        )
        assert exports.changes(user, before, after) == [
            f"Criterion changed: Email address equals {ADDRESS} → Email address equals b@maple.example"
        ]
    for person, is_told in ((people.exporter, True), (people.colleague, False), (people.viewer, False)):
        browser = client(person)
        for at in ("", "/definition.json", "/versions"):
            page = browser.get(f"/exports/{export.id}{at}").get_data(as_text=True)
            assert (ADDRESS in page) == (is_told and at != "/versions"), (person.email, at)
    document = json.loads(client(people.viewer).get(f"/exports/{export.id}/definition.json").data)
    assert document["filters"][0][0]["value"] == "(hidden)"
    assert document["fields"][0]["replace"] == [{"value": "(hidden) 1", "new": "me"}]
    with people.manager.at_work() as user:
        assert exports.changes(user, before, after) == ["A personal value is another one"]


def test_a_program_gets_no_more_than_the_person_that_it_acts_as(
    program: Callable[..., Program], people: People, made: Exports
) -> None:
    export = made.finished(people.exporter, "Asked", **ASKING)
    theirs, own = program(people.colleague), program(people.exporter)
    refused = theirs.get(f"/runs/{export.run_id}/download")
    assert (refused.status_code, refused.get_json(force=True)["code"]) == (403, "rights.personal_file")
    assert denied(people.colleague) == [str(export.run_id)]
    assert own.get(f"/runs/{export.run_id}/download").status_code == 200
    for one, value in ((theirs, "(hidden)"), (own, ADDRESS)):
        document = one.get(f"/exports/{export.id}/definition").get_json()
        assert document["filters"][0][0]["value"] == value


# --- masks


def test_a_masked_field_needs_no_right(people: People) -> None:
    with people.colleague.at_work() as user:
        exports.create(user, stores(**MASKED), uuid.uuid4())
        with pytest.raises(DefinitionRefused) as refused:
            exports.create(user, stores(**RAW), uuid.uuid4())
    [problem] = refused.value.problems
    assert problem.message == ("Email address is personal: you need the right to export personal fields, or mask it")


def test_a_mask_is_chosen_in_the_wizard_shown_in_the_preview_and_in_words(
    wizard: Tab, people: People, source_dsn: str
) -> None:
    someone = wizard(people.colleague)
    someone.begin("customers")
    someone.fill(name="Masked")
    someone.press("next")
    someone.fill({"filters-A-1-attribute": "_id", "filters-A-1-operator": "is_not_empty"})
    someone.press("next")
    someone.open("fields")
    for id in ("email", "_id", "birth_date"):
        someone.fill(pick=id)
        someone.press("add")
    assert "fields-2-mask" not in dict(someone.form.values), "what is not personal has no such choice"
    assert someone.form.choices["fields-1-mask"] == ["", "hash", "last4"]
    someone.fill({"fields-1-mask": "hash", "fields-3-mask": "last4"})
    someone.press("next")
    assert someone.problems == [
        ("fields-3-mask", "Last 4 needs a text or a whole number: choose Hash for Date of birth")
    ]
    someone.fill({"fields-3-mask": "hash"})
    someone.press("preview") if "preview" in someone.form.buttons else someone.save()
    shown = someone.client.get(f"/drafts/{someone.draft_id}/fields/preview").get_data(as_text=True)
    assert "@" not in check(shown, whole=False).text
    someone.press("next")
    someone.open("check")
    assert "Hash" in someone.text
    assert "The file holds" not in someone.text
    someone.press("create")
    page = check(someone.html).text
    assert "email Hash" in page
    with people.colleague.at_work():
        document = db.session.scalars(select(ExportVersion.definition)).one()
    assert [one["mask"] for one in document["fields"]] == ["hash", None, "hash"]


def test_a_change_of_a_mask_is_told_in_words(people: People) -> None:
    with people.exporter.at_work() as user:
        raw, masked = stores(**RAW), stores(**MASKED)
        assert exports.changes(user, raw, masked) == ["Personal data of email: Keep → Hash"]
        assert exports.changes(user, masked, raw) == ["Personal data of email: Hash → Keep"]


# --- the brand's key


def test_the_key_is_made_once_for_a_brand_and_stored_sealed(people: People, source_dsn: str) -> None:
    with people.exporter.at_work() as user:
        key = masks.key_of(user.brand_id)
        assert masks.key_of(user.brand_id) == key
        assert len(key) == 32
        kept = db.session.scalars(select(Brand.mask_key).where(Brand.id == user.brand_id)).one()
        assert kept is not None
        assert key not in kept
        assert key.hex().encode() not in kept
        around = brands.surroundings(user.brand, present())
        assert around.mask_key() == key
        assert key.hex() not in repr(around)
    with people.stranger.at_work() as user:
        assert masks.key_of(user.brand_id) != key


def test_a_key_that_cannot_be_opened_is_told_and_not_replaced(app: Flask, people: People) -> None:
    with people.exporter.at_work() as user:
        masks.key_of(user.brand_id)
        table = select(Brand.mask_key).where(Brand.id == user.brand_id)
        kept = db.session.scalars(table).one()
        stranger = db.session.scalars(select(Brand.id).where(Brand.id != user.brand_id)).one()
        db.session.execute(update(Brand).where(Brand.id == stranger).values(mask_key=kept))
        db.session.commit()
        with pytest.raises(MaskKeyUnreadable):
            masks.key_of(stranger)  # another brand's
        assert db.session.scalars(select(Brand.mask_key).where(Brand.id == stranger)).one() == kept


def test_rotating_seals_the_key_anew_and_the_hashes_stay(
    app: Flask, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    with people.exporter.at_work() as user:
        before = masks.key_of(user.brand_id)
        settings = app.config["SETTINGS"]
        new = Fernet.generate_key().decode()
        monkeypatch.setitem(app.config, "SETTINGS", replace(settings, credential_keys=(new, *settings.credential_keys)))
        result = app.test_cli_runner().invoke(app.cli, ["credentials", "rotate"])
        assert result.exit_code == 0, result.output
        monkeypatch.setitem(app.config, "SETTINGS", replace(settings, credential_keys=(new,)))
        assert masks.key_of(user.brand_id) == before
        kinds = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.action == "brand.keys_rotated")).all()
        assert list(kinds) == [{"count": 1}]


def test_from_create_to_the_file_a_mask_hides_the_value_and_the_hash_is_the_brands(
    app: Flask, people: People, client: Open, source_dsn: str
) -> None:
    from jobs import runs as jobs_runs
    from jobs.scheduler import take_next

    with people.colleague.at_work() as user:
        made = exports.create(user, stores(**{**MASKED, "file": {"extension": "json"}}), uuid.uuid4())
        run_id = made.latest_run_id
    with app.app_context():
        mine = take_next("worker of a test")
        assert mine is not None
        jobs_runs.attempt(mine)
    with psycopg.connect(source_dsn) as connection:
        asked = "SELECT _id, email FROM loyalty.customers WHERE brand = 'maple' AND email <> ''"
        emails = dict(connection.execute(asked).fetchall())
    answer = client(people.colleague).get(f"/runs/{run_id}/download")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        found = {one["_id"]: one["email"] for one in json.loads(archive.read(archive.namelist()[0]))}
    with people.colleague.at_work() as user:
        key = masks.key_of(user.brand_id)
    assert emails
    for id, email in emails.items():
        assert found[id] == hmac.new(key, email.encode(), "sha256").hexdigest()
