"""The demo's side of the application database: two brands, their custom fields, and a user of each to log in as."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import select

from demo.brands import BRANDS, FIRST, DemoBrand, Field
from webapp.extensions import db
from webapp.models import Brand, CustomField, brand_scope
from webapp.services import accounts
from webapp.services.audit import OPERATOR


@dataclass(frozen=True)
class Login:
    """What a person needs to log in; the shape of demo-login.json (SPEC section 13)."""

    url: str
    email: str
    password: str


def set_up(home: Path, url: str) -> dict[str, Login]:
    """Make what is missing, inside an application context; returns the logins by source key, maple's first.

    What is there stays as it is: modules and fields may have been changed on the admin pages, a password by its owner.
    A user whose login file is lost gets a new password.
    """
    logins = {}
    for brand in sorted(BRANDS, key=lambda one: one.source_key != FIRST):
        row = _brand(brand)
        with brand_scope(row.id):
            _fields(row, brand.fields)
            logins[brand.source_key] = _login(row, brand, home, url)
    return logins


def known_logins(home: Path) -> dict[str, Login]:
    """The logins that set_up has written, by source key."""
    found = {brand.source_key: _read(login_file(home, brand)) for brand in reversed(BRANDS)}
    return {key: login for key, login in found.items() if login is not None}


def login_file(home: Path, brand: DemoBrand) -> Path:
    """demo-login.json for the first brand, demo-login-<brand>.json for the other."""
    return home / ("demo-login.json" if brand.source_key == FIRST else f"demo-login-{brand.source_key}.json")


def _brand(brand: DemoBrand) -> Brand:
    row: Brand | None = db.session.scalar(select(Brand).where(Brand.source_key == brand.source_key))
    if row is None:
        row = Brand(
            source_key=brand.source_key, name=brand.name, time_zone=brand.time_zone, modules=list(brand.modules)
        )
        db.session.add(row)
        # Each in a transaction of its own: the first one made is the default of the command line.
        db.session.commit()
    return row


def _fields(brand: Brand, fields: tuple[Field, ...]) -> None:
    there = {(row.model, row.field) for row in db.session.scalars(select(CustomField))}
    for position, one in enumerate(fields):
        if (one.model, one.id) not in there:
            db.session.add(
                CustomField(
                    brand_id=brand.id,
                    model=one.model,
                    field=one.id,
                    label=one.label,
                    description=one.description,
                    type=one.type,
                    choices={value: value for value in one.choices},
                    identifier=one.identifier,
                    computed=one.computed,
                    personal=one.personal,
                    column=one.column,
                    path=list(one.where),
                    position=position,
                )
            )
    db.session.commit()


def _login(row: Brand, brand: DemoBrand, home: Path, url: str) -> Login:
    file = login_file(home, brand)
    kept, user = _read(file), accounts.by_email(brand.email)
    if user is not None and kept is not None:
        login = Login(url, kept.email, kept.password)
    else:
        login = Login(url, brand.email, accounts.new_password())
        if user is None:
            accounts.create_user(
                row, brand.email, brand.person, role="admin", time_zone=None, password=login.password, actor=OPERATOR
            )
        else:
            user.password_hash = accounts.hash_password(login.password)
            db.session.commit()
    if login != kept:
        _write(file, login)
    return login


def _read(file: Path) -> Login | None:
    """What a login file says; None for none, or for one that was cut short."""
    try:
        return Login(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None


def _write(file: Path, login: Login) -> None:
    """Replace the file in one step; nobody but its owner may ever read it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with open(new, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as written:
        json.dump(asdict(login), written)
    new.replace(file)
