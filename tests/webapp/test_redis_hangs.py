"""A Redis that takes connections and never answers: pages answer within two seconds all the same (RELIABILITY F7)."""

from __future__ import annotations

import re
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.fix_app import People
from webapp import config, create_app
from webapp.extensions import db


@pytest.fixture
def hanging(app: Flask, app_settings: dict[str, str]) -> Iterator[Flask]:
    """The application, with such a Redis."""
    path = Path("/tmp") / f"hole-{uuid.uuid4().hex[:12]}"  # noqa: S108 - tmp_path may be too long for a socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen(50)
        hanging = create_app(config.read({**app_settings, "REDIS_URL": f"unix://{path}?db=0"}))
        yield hanging
        with hanging.app_context():
            db.engine.dispose()
    path.unlink()


@pytest.mark.parametrize("page", ["/login", "/healthz"])
def test_pages_answer(hanging: Flask, people: People, page: str) -> None:
    browser = hanging.test_client()
    for _ in range(2):
        began = time.monotonic()
        assert browser.get(page, base_url="https://localhost").status_code == 200
        assert time.monotonic() - began < 2


def test_a_login_is_answered(hanging: Flask, people: People) -> None:
    browser = hanging.test_client()
    page = browser.get("/login", base_url="https://localhost").text
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found
    form = {"email": people.exporter.email, "password": "wrong password", "csrf_token": found[1]}
    for _ in range(2):
        began = time.monotonic()
        answer = browser.post(
            "/login", data=form, base_url="https://localhost", headers={"Referer": "https://localhost/login"}
        )
        assert answer.status_code == 422
        assert time.monotonic() - began < 2
