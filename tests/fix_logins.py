"""Somebody with a password, and the way in by the login form."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

PASSWORD: Final = "correct horse battery staple"


@pytest.fixture
def exporter(people: People) -> Person:
    """The exporter, with a password."""
    from webapp.extensions import db
    from webapp.services.accounts import hash_password

    with people.exporter.at_work() as user:
        user.password_hash = hash_password(PASSWORD)
        db.session.commit()
    return people.exporter


def token(client: FlaskClient, page: str = "/login") -> str:
    """The token against forged requests that a page gives its forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).get_data(as_text=True))
    assert found is not None, page
    return found[1]


def log_in(client: FlaskClient, email: str, password: str, **more: str) -> tuple[int, str, str]:
    """Post the login form: status, Location, page."""
    data = {"csrf_token": token(client), "email": email, "password": password, **more}
    response = client.post("/login", data=data)
    return response.status_code, response.headers.get("Location", ""), response.get_data(as_text=True)
