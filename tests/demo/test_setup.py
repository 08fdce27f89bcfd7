"""The demo makes brands, fields and logins once, and leaves alone what people have changed since."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from demo import setup
from demo.brands import BRANDS
from demo.cli import demo
from webapp.cli.brand_option import chosen_brand
from webapp.extensions import db
from webapp.models import Brand, CustomField, User, system_scope
from webapp.services import accounts, brands

if TYPE_CHECKING:
    from flask import Flask

URL = "http://127.0.0.1:5000"


def test_both_brands_are_made_with_their_fields_and_maple_is_the_default(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        setup.set_up(tmp_path, URL)
        assert chosen_brand(None).source_key == "maple"
        for brand in BRANDS:
            row = chosen_brand(brand.source_key)
            assert (row.name, row.time_zone, set(row.modules)) == (brand.name, brand.time_zone, set(brand.modules))
            models = brands.catalogue_of(row).models
            for field in brand.fields:
                if field.model in models:
                    known = models[field.model].fields[field.id]
                    assert (known.custom, known.column, known.path) == (True, field.column, field.where)
                    assert {value for value, _ in known.choices} == set(field.choices)


def test_the_login_file_is_its_owners_and_opens_the_door(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        login = setup.set_up(tmp_path, URL)["maple"]
        file = tmp_path / "demo-login.json"
        assert file.stat().st_mode & 0o777 == 0o600
        assert json.loads(file.read_text()) == {"url": URL, "email": login.email, "password": login.password}
        with system_scope():
            user = accounts.by_email(login.email)
            assert user is not None
            assert accounts.verify(user, login.password)
            assert (user.role, user.brand.source_key, user.export_pii) == ("admin", "maple", True)


def test_each_brand_has_a_user_with_a_password_of_its_own(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        logins = setup.set_up(tmp_path, URL)
        assert list(logins) == ["maple", "alpine"]
        assert len({login.password for login in logins.values()}) == 2
        assert all(len(login.password) >= accounts.MIN_PASSWORD for login in logins.values())
        with system_scope():
            assert db.session.scalar(select(func.count()).select_from(User)) == 2


def test_a_second_time_nothing_changes_but_the_address(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        first = setup.set_up(tmp_path, URL)
        maple = chosen_brand("maple")
        maple.modules, maple.name = ["coupons"], "Maple, renamed"
        db.session.commit()
        second = setup.set_up(tmp_path, "http://127.0.0.1:5001")
        assert [one.password for one in second.values()] == [one.password for one in first.values()]
        assert setup.known_logins(tmp_path) == second
        assert second["maple"].url.endswith(":5001")
        assert db.session.scalar(select(func.count()).select_from(Brand)) == 2
        assert chosen_brand("maple").modules == ["coupons"]
        with system_scope():
            fields = db.session.scalar(select(func.count()).select_from(CustomField))
            assert fields == sum(len(brand.fields) for brand in BRANDS)


@pytest.mark.parametrize("left", ["", '{"url": "http'])
def test_a_lost_or_torn_login_file_means_a_new_password(app: Flask, tmp_path: Path, left: str) -> None:
    with app.app_context():
        first = setup.set_up(tmp_path, URL)["maple"]
        (tmp_path / "demo-login.json").write_text(left)
        second = setup.set_up(tmp_path, URL)["maple"]
        assert second.password != first.password
        with system_scope():
            user = accounts.by_email(second.email)
            assert accounts.verify(user, second.password)
            assert not accounts.verify(user, first.password)


def test_a_login_file_of_another_database_is_replaced(app: Flask, tmp_path: Path) -> None:
    setup._write(tmp_path / "demo-login.json", setup.Login(URL, "demo@maplegrocers.example", "of another one"))
    with app.app_context():
        login = setup.set_up(tmp_path, URL)["maple"]
        with system_scope():
            assert accounts.verify(accounts.by_email(login.email), login.password)


def test_flask_demo_login_prints_every_login(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], home=tmp_path))
    missing = app.test_cli_runner().invoke(demo, ["login"])
    assert missing.exit_code == 1
    assert "script/server" in missing.output
    with app.app_context():
        logins = setup.set_up(tmp_path, URL)
    printed = app.test_cli_runner().invoke(demo, ["login"]).output
    assert printed.splitlines() == [f"{one.url}  {one.email}  {one.password}" for one in logins.values()]
