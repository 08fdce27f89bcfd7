"""One of each thing that addresses speak of, and every route with its address."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from flask import Flask
from sqlalchemy import select

from exports import catalogue
from jobs.compare import execute as compare_runs
from jobs.mail import send
from tests.fix_app import stores
from tests.fix_mail import mailing_by
from webapp.extensions import db
from webapp.models import Mail, User

if TYPE_CHECKING:
    from werkzeug.routing import Rule

    from tests.fix_app import People
    from tests.fix_exports import Exports

DAILY: Final = {"type": "repeated", "every": "day"}


@dataclass(frozen=True)
class Things:
    """What addresses speak of."""

    export: uuid.UUID
    run: uuid.UUID
    draft: uuid.UUID
    user: uuid.UUID
    repeated: uuid.UUID
    connection: uuid.UUID
    mail: uuid.UUID
    field: uuid.UUID
    token: uuid.UUID
    compare: uuid.UUID
    webhook: uuid.UUID
    message: uuid.UUID


@pytest.fixture
def things(app: Flask, people: People, made: Exports) -> Iterator[Things]:
    """A finished export, a repeated one, a draft and a connection of the exporter; the mail about its run is caught."""
    from tests.fix_connections import partner
    from webapp.services import connections, custom_fields, drafts, exports, tokens, webhooks

    export = made.finished(people.exporter)
    later = made.finished_again(people.exporter, export, b"Store,name\n00001,Park\n")
    compare = made.asked_to_compare(people.exporter, export.run_id, later)
    with app.app_context():
        compare_runs()
    with people.exporter.at_work() as user:
        draft = drafts.start(user, catalogue.builtin().models["stores"])
        repeated = exports.create(user, stores(schedule=DAILY), uuid.uuid4())
        connection = connections.create(user, *partner())
        token = tokens.create(user, tokens.Wanted("Nightly import", ("exports:read",)))[0].id
        newcomer = User(
            brand_id=user.brand_id, email="newcomer@maple.example", name="New", time_zone="UTC", role="viewer",
            password_hash="nobody logs in with this",
        )  # fmt: skip
        db.session.add(newcomer)
        db.session.commit()
        ids = (export.id, export.run_id, draft.id, newcomer.id, repeated.id, connection.id)
    with mailing_by(app, None):
        with app.app_context():
            send()
        with people.exporter.at_work():
            mail = db.session.scalars(select(Mail.id).limit(1)).one()
        with people.admin.at_work() as admin:
            wanted = custom_fields.Wanted("customers", "shoe_size", "Shoe size", column="properties")
            field = custom_fields.create(admin, wanted).id
            webhook, _ = webhooks.create(admin, uuid.uuid4(), webhooks.Wanted("https://hooks.example/"))
            webhooks.send_test(admin, webhook)
            message = webhooks.newest(webhook)[0].id
        yield Things(*ids, mail, field, token, compare, webhook.id, message)


def rules(app: Flask) -> list[Rule]:
    """Every route."""
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint)


def changes(rule: Rule) -> bool:
    """Whether it is one that changes something."""
    return "POST" in (rule.methods or ())


def address(rule: Rule, things: Things) -> str:
    """The address of a route."""
    values: dict[str, str] = {
        "step": "filters",
        "label": "A1",
        "part": "value",
        "attribute": "group_id",
        "draft_id": str(things.draft),
        "message_id": str(things.message),
    }
    if "id" in rule.arguments:
        kind = rule.rule.removeprefix("/api/v1").split("/")[1]
        of_repeated = rule.endpoint.startswith("schedules.") or rule.rule.endswith("active")
        export = things.repeated if of_repeated else things.export
        ids = {"exports": export, "runs": things.run, "users": things.user, "models": "stores",
               "connections": things.connection, "mailbox": things.mail, "fields": things.field,
               "tokens": things.token, "compares": things.compare,
               "webhooks": things.webhook}  # fmt: skip
        values["id"] = str(ids[kind])
    asked = f"?export={things.export}" if rule.endpoint.startswith("handing_over.") else ""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values[found[1]], rule.rule) + asked
