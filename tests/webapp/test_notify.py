"""**Notify**: who may be named, with the same words from form, definition and command line (SPEC section 9)."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from exports.definition import parse
from exports.errors import DefinitionRefused
from tests.fix_app import stores
from webapp.extensions import db
from webapp.models import Brand, User, clock
from webapp.services import definitions, exports

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_app import People

NOT_HERE = "is no user of Maple Grocers: choose one, or ask an admin to allow the domain"
REFUSED = {
    "ann": "“ann” is no email address",
    "ann@": "“ann@” is no email address",
    "Ann <ann@maple.example>": "“Ann <ann@maple.example>” is no email address",
    "ann@maple.example,bob@maple.example": "“ann@maple.example,bob@maple.example” is no email address",
    "ann@maple.example\nBcc: all@maple.example": "“ann@maple.example\nBcc: all@maple.example” is no email address",
    "ann@maple.example\x85": "“ann@maple.example\x85” is no email address",
    "nobody@maple.example": f"nobody@maple.example {NOT_HERE}",
    "stranger@alpine.example": f"stranger@alpine.example {NOT_HERE}",
}


def messages(people: People, **notify: Any) -> list[tuple[str, str]]:
    """What is wrong with the recipients of an export of the exporter's."""
    with people.exporter.at_work() as user:
        found = definitions.problems(user, stores(notify=notify))
        return [(one.at, one.message) for one in found if one.at.startswith("notify")]


@pytest.mark.parametrize("address", REFUSED)
def test_who_cannot_be_told_is_refused_in_words(people: People, address: str) -> None:
    assert messages(people, failure=[address]) == [("notify.failure.0", REFUSED[address])]


def test_users_of_the_brand_and_allowed_domains_are_fine_in_whatever_case(people: People) -> None:
    with people.admin.at_work():
        db.session.get_one(Brand, people.admin.brand_id).mail_domains = ["partner.example"]
        db.session.commit()
    assert messages(people, success=["owner", "Viewer@Maple.example", "ann@PARTNER.example"], failure=[]) == []
    assert messages(people, success=["ann@sub.partner.example"]) == [
        (
            "notify.success.0",
            "ann@sub.partner.example is no user of Maple Grocers: choose one, or an address that ends with "
            "@partner.example",
        )
    ]


def test_a_disabled_user_and_a_second_entry_are_named(people: People) -> None:
    with people.admin.at_work():
        db.session.get_one(User, people.viewer.id).disabled_at = clock()
        db.session.commit()
    viewer, manager = people.viewer.email, people.manager.email
    assert messages(people, success=[viewer], failure=[manager, manager.upper()]) == [
        ("notify.failure.1", f"{manager.upper()} stands twice: keep one of them"),
        ("notify.success.0", f"{viewer} is disabled and gets no mail: take it out"),
    ]


def test_there_are_caps() -> None:
    document = stores().as_json()
    for notify, said in (
        ({"success": [f"a{n}@b.example" for n in range(21)]}, "At most 20 recipients on success"),
        ({"failure": ["a" * 250 + "@b.example"]}, "The address in Notify is longer than 254 characters"),
        ({"failure": [7]}, "The address in Notify must be text"),
        ({"always": []}, "notify.always is not known here: take it out"),
    ):
        with pytest.raises(DefinitionRefused) as refused:
            parse({**document, "notify": notify})
        assert [one.message for one in refused.value.problems] == [said]


def test_what_is_left_out_is_the_owner_on_both() -> None:
    document = {one: value for one, value in stores().as_json().items() if one != "notify"}
    assert parse(document).as_json()["notify"] == {"success": ["owner"], "failure": ["owner"]}


def test_export_check_says_the_same(app: Flask, people: People, source_dsn: str, tmp_path: Path) -> None:
    path = tmp_path / "definition.json"
    path.write_text(json.dumps(stores(notify={"success": ["nobody@maple.example"], "failure": []}).as_json()))
    told = app.test_cli_runner().invoke(args=["export", "check", str(path), "--brand", "Maple Grocers"])
    assert told.exit_code == 2
    assert json.loads(told.output)["message"] == REFUSED["nobody@maple.example"]


def test_nothing_is_saved_with_a_recipient_who_cannot_be_told(people: People, source_dsn: str) -> None:
    with people.exporter.at_work() as user, pytest.raises(DefinitionRefused, match="no user of Maple"):
        exports.create(user, stores(notify={"success": ["nobody@maple.example"]}), uuid.uuid4())
