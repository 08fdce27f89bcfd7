"""`flask brand limits`: the smallest distance between runs, which counts wherever a schedule is made or changed."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from exports.errors import DefinitionRefused
from tests.fix_app import Clock, People, stores
from webapp.extensions import db
from webapp.models import AuditEntry, Brand, Export, brand_scope
from webapp.services import exports, schedules

OFTEN = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0,4"}
SELDOM = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0,5"}
SAID = "Runs must be at least 5 minutes apart (set by your admin)"


def test_a_raised_limit_counts_for_what_is_made_or_changed_and_not_for_what_is_there(
    app: Flask, people: People, clock: Clock, source_dsn: str, tmp_path: Path
) -> None:
    clock.set("2026-11-23 09:42+00")
    with people.exporter.at_work() as user:
        before = exports.create(user, stores(schedule=OFTEN), uuid.uuid4()).id
    run = app.test_cli_runner().invoke
    told = run(args=["brand", "limits", "--brand", "Maple Grocers", "--minimum-minutes", "5"])
    assert "Maple Grocers: runs of a repeated export are at least 5 minutes apart.\n" in told.output
    assert "1 minute apart" in run(args=["brand", "limits", "--brand", "Alpine Sports"]).output
    with people.exporter.at_work() as user:
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "brand.changed")).one()
        assert entry.facts == {"minimum_minutes": 5, "before": 1}
        with pytest.raises(DefinitionRefused) as refused:
            exports.create(user, stores(schedule=OFTEN), uuid.uuid4())
        assert [one.message for one in refused.value.problems] == [SAID]
        other = stores(schedule={**OFTEN, "minutes": "0,3"}).schedule
        with pytest.raises(DefinitionRefused) as refused:
            schedules.change_schedule(user, db.session.get_one(Export, before), other, 1)
        assert [one.message for one in refused.value.problems] == [SAID]
        export = schedules.set_active(user, schedules.set_inactive(user, db.session.get_one(Export, before)))
        assert export.state == "active"
        exports.create(user, stores(schedule=SELDOM), uuid.uuid4())
    file = tmp_path / "often.json"
    file.write_text(json.dumps(stores(schedule=OFTEN).as_json()))
    checked = run(args=["export", "check", str(file), "--brand", "Maple Grocers"])
    assert (checked.exit_code, json.loads(checked.output)["message"]) == (2, SAID)


@pytest.mark.parametrize("minutes", ["0", "-1", "1441", "five"])
def test_no_other_distance_can_be_set(app: Flask, people: People, minutes: str) -> None:
    told = app.test_cli_runner().invoke(args=["brand", "limits", "--minimum-minutes", minutes])
    assert told.exit_code == 2


def test_domains_that_mails_may_go_to_are_allowed_and_taken_back(app: Flask, people: People) -> None:
    run = app.test_cli_runner().invoke
    limits = ["brand", "limits", "--brand", "Maple Grocers"]
    assert "Maple Grocers: mails go to users alone.\n" in run(args=limits).output
    told = run(args=[*limits, "--mail-domain", "Partner.example", "--mail-domain", "@agency.example"]).output
    assert "Maple Grocers: mails go to users and to addresses of agency.example, partner.example.\n" in told
    told = run(args=[*limits, "--no-mail-domain", "partner.example"]).output
    assert "Maple Grocers: mails go to users and to addresses of agency.example.\n" in told
    refused = run(args=[*limits, "--mail-domain", "nonsense"])
    assert refused.exit_code == 2
    assert '"nonsense" is no domain such as company.example' in refused.output


def test_a_brand_is_made_with_its_first_admin(app: Flask, people: People) -> None:
    run = app.test_cli_runner().invoke
    wanted = ["brand", "create", "Birch Books", "--key", "birch", "--timezone", "Europe/Vienna", "--module", "stores"]
    told = run(args=wanted)
    assert told.exit_code == 0, told.output
    assert "Birch Books is made." in told.output
    admin = run(args=["user", "create", "first@birch.example", "--role", "admin", "--brand", "Birch Books"])
    assert "first@birch.example is an admin of Birch Books." in admin.output
    with app.app_context():
        made = db.session.scalars(select(Brand).where(Brand.source_key == "birch")).one()
        assert (made.time_zone, made.modules) == ("Europe/Vienna", ["stores"])
        with brand_scope(made.id):
            kept = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)).all()
    assert kept == ["brand.created", "user.created"]
    for change, said in (
        ([], "already"),
        (["--key", "maple"], "already"),
        (["--timezone", "posixrules"], "is no time zone"),
        (["--module", "nuclear"], 'There is no module "nuclear"'),
    ):
        refused = run(args=[*wanted[:2], "Other", *wanted[3:], *change] if change else wanted)
        assert refused.exit_code == 2
        assert said in refused.output
