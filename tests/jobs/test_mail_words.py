"""A mail speaks the language that its recipient has chosen; whoever is no user gets English."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

import pytest

from tests.fix_app import People
from tests.fix_mail import Postbox
from tests.fix_words import in_german, left_in_english
from tests.jobs.test_mail import outbox, parts, send
from webapp.extensions import db
from webapp.models import Brand, Mail

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_exports import Exports

LARGE: Final = b"Store,name\n" + b"00001,Main Street\n" * 1_234


def test_everybody_gets_the_mail_about_a_run_in_their_own_language(
    app: Flask, people: People, made: Exports, postbox: Postbox
) -> None:
    outside = "ops@partner.example"
    with people.admin.at_work():
        db.session.get_one(Brand, people.admin.brand_id).mail_domains = ["partner.example"]
        db.session.commit()
    in_german(people.exporter)
    made.finished(people.exporter, "Kunden", LARGE, notify={"success": ["owner", people.viewer.email, outside]})
    send(app)
    found = {one["To"]: one for one in postbox.messages}
    for english in (people.viewer.email, outside):
        assert found[english]["Subject"] == "Finished: Kunden, 1,234 rows"
        assert "Who gets these mails is set under Notify" in parts(found[english])[0]
    assert found[people.exporter.email]["Subject"] == "Fertig: Kunden, 1.234 Zeilen"
    text, html = parts(found[people.exporter.email])
    for part in (text, html):
        for said in ("1.234 von 1.234 Zeilen", "22 kB (22.223 Bytes)", "aufbewahrt bis", "Gesendet von Exports für"):
            assert said in part
    assert '<html lang="de">' in html
    assert left_in_english(html) == []
    lines = [line for line in text.splitlines() if line.startswith(("Datenmodell:", "Zeilen:", "Dauer:"))]
    assert {len(line) - len(line.partition(":")[2].lstrip()) for line in lines} == {14}, "values stand below each other"


def test_why_a_run_failed_is_told_in_german(app: Flask, people: People, made: Exports, postbox: Postbox) -> None:
    in_german(people.exporter)
    made.create(people.exporter, "Preise")
    made.fail(made.claim())
    send(app)
    (message,) = postbox.messages
    assert message["Subject"] == "Fehlgeschlagen: Preise"
    assert "Ein Feld dieses Exports gibt es in der Datenbank nicht mehr: name." in parts(message)[0]
    assert left_in_english(parts(message)[1]) == []


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("disabled", "Gesperrt: Vera"),
        ("new_target", "Neues Ziel: sftp://files.example"),
        ("volume", "Vera hat 1.234 Zeilen personenbezogener Daten entnommen"),
        ("webhook_off", "Webhook abgeschaltet: hooks.example"),
        ("second_step_reset", "Ihr zweiter Schritt ist aus"),
        ("invitation", "Sie sind zu Exports eingeladen"),
        ("reset", "Wählen Sie ein neues Passwort für Exports"),
    ],
)
def test_a_mail_about_an_account_is_in_german(
    app: Flask, people: People, postbox: Postbox, kind: str, subject: str
) -> None:
    in_german(people.admin)
    facts = {
        "by": "Ada", "name": "Vera", "email": "vera@maple.example", "handed_over": 1, "paused": 2,
        "rows": 1234, "files": 2, "limit": 1000, "type": "SFTP",
        "address": "sftp://files.example", "before": "", "host": "hooks.example", "count": 20,
        "reason": "The server hooks.example could not be trusted: it does not speak TLS on this port.",
    }  # fmt: skip
    with people.admin.at_work() as admin:
        mail = Mail(id=uuid.uuid4(), kind=kind, user_id=admin.id, recipient=admin.email, facts=facts)
        db.session.add(mail)
        db.session.commit()
    send(app)
    (message,) = postbox.messages
    assert message["Subject"] == subject
    text, html = parts(message)
    assert left_in_english(html) == []
    assert "er spricht auf diesem Port kein TLS" in text or kind != "webhook_off"
    assert [one.state for one in outbox(people.admin)] == ["sent"]
