"""Twelve secrets are planted; none is found where it must not be (RELIABILITY S3)."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest
import redis

from exports import ssh_keys
from tests.fix_app import stores
from tests.webapp.test_connections import FORM, posted
from tests.webapp.test_wizard_target import PATH, SERVER, at_target, created
from webapp.extensions import db
from webapp.models import Connection, Export
from webapp.services import connections, exports

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Open = Callable[["Person | None"], "FlaskClient"]
Tab = Callable[["Person"], "Wizard"]


def canary(number: int) -> str:
    """A secret that stands nowhere by chance."""
    return f"canary{number:02}-{uuid.uuid5(uuid.NAMESPACE_URL, str(number)).hex}"


def locked_key(passphrase: str) -> str:
    """A private key as a file with a passphrase."""
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(passphrase.encode())
    ).decode()


def test_no_planted_secret_is_found_anywhere(
    app: Flask,
    client: Open,
    tab: Tab,
    people: People,
    app_database: str,
    app_settings: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    answers: list[str] = []
    planted: list[str] = []

    def plant(number: int) -> str:
        planted.append(canary(number))
        return planted[-1]

    browser = client(people.exporter)
    # 1-4: the form of a connection: accepted, refused, a passphrase, a new one in place of an old one.
    answers.append(posted(browser, "/connections", **{**FORM, "password": plant(1)}).get_data(as_text=True))
    answers.append(
        posted(browser, "/connections", **{**FORM, "host": "no host", "password": plant(2)}).get_data(as_text=True)
    )
    phrase = plant(3)
    pem = locked_key(phrase)
    keyed = {**FORM, "name": "By key", "auth": "key", "password": "", "key": pem, "passphrase": phrase}
    answers.append(posted(browser, "/connections", **keyed).get_data(as_text=True))
    with people.exporter.at_work() as user:
        rows = {one.name: one.id for one in connections.usable(user)}
    answers.append(
        posted(browser, f"/connections/{rows['Partner']}", **{**FORM, "password": plant(4)}).get_data(as_text=True)
    )
    # 5, 6: the halves of private keys, pasted and made here.
    planted += [ssh_keys.read(pem, phrase).private.splitlines()[2], pem.splitlines()[2]]
    # 7-9: the wizard: saved as it is typed, replaced, refused.
    someone = at_target(tab(people.exporter))
    for number in (7, 8):
        someone.fill(**{**SERVER, "password": plant(number)}, path=PATH)
        answers.append(someone.save().get_data(as_text=True))
        someone.reload()
        answers.append(someone.html)
    someone.fill(password=plant(9) + "x" * 600)
    answers.append(someone.save().get_data(as_text=True))
    someone.reload()
    someone.press("test")
    answers.append(someone.html)
    export = created(someone)
    # 10: a definition with a password, by whoever posts one; 11: a password with a line end; 12: an unknown form.
    with people.exporter.at_work() as user:
        target = {"type": "sftp", "host": "sftp.partner.example", "username": "maple", "password": plant(10),
                  "path": "/in/x"}  # fmt: skip
        made = exports.create(user, stores(name="By definition", target=target), uuid.uuid4())
        answers.append(json.dumps(exports.definition_of(made).as_json()))
        answers.append(repr(stores(target=target)))
    answers.append(
        posted(browser, "/connections", **{**FORM, "name": "x", "password": f"{plant(11)}\nQUIT"}).get_data(
            as_text=True
        )
    )
    answers.append(browser.post("/connections", data={**FORM, "password": plant(12)}).get_data(as_text=True))

    with people.exporter.at_work() as user:
        row = db.session.get_one(Export, export.id)
        clone = exports.clone_as_draft(user, row, uuid.uuid4()).id
        everything = [one.id for one in db.session.query(Connection)]
    pages = [f"/exports/{export.id}", f"/exports/{export.id}/definition.json", f"/exports/{made.id}/definition.json",
             f"/drafts/{clone}/target", f"/drafts/{clone}/check", "/connections",
             *(f"/connections/{one}{end}" for one in everything for end in ("", "/edit"))]  # fmt: skip
    answers += [browser.get(one).get_data(as_text=True) for one in pages]

    assert len(planted) == 12
    whole = "\n".join(answers)
    found = {
        "answers": [one for one in planted if one in whole],
        "logs": [one for one in planted if one in caplog.text],
        "database": [one for one in planted if one in _dump(app_database)],
        "Redis": [one for one in planted if one in _keys_and_values(app_settings["REDIS_URL"])],
    }
    assert found == {"answers": [], "logs": [], "database": [], "Redis": []}
    assert re.search(r"gAAAA", _dump(app_database)), "they are there, sealed"


def _dump(url: str) -> str:
    """Everything that the application's database holds, as text; bytes as they are."""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rows = [str(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in tables]  # type: ignore[arg-type]
    return "\n".join(rows)


def _keys_and_values(url: str) -> str:
    with redis.Redis.from_url(url) as server:
        return "\n".join(f"{key!r} {server.dump(key)!r}" for key in server.scan_iter())
