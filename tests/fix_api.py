"""Programs that use the HTTP API: each with a token of somebody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.fix_app import Person


@dataclass(frozen=True)
class Program:
    """A client with a token; without one if `secret` is empty."""

    client: FlaskClient
    secret: str

    def ask(self, method: str, at: str, **options: Any) -> TestResponse:
        """A request; every error must be in the form that programs read."""
        headers = {**({"Authorization": f"Bearer {self.secret}"} if self.secret else {}), **options.pop("headers", {})}
        response = self.client.open(at, method=method, headers=headers, **options)
        if response.status_code >= 400 and method != "HEAD":
            told = response.get_json(force=True)
            assert response.content_type == "application/problem+json"
            assert told["status"] == response.status_code
            assert told["type"] == f"/api#{told['code']}"
            assert told["detail"]
        return response

    def get(self, at: str, **options: Any) -> TestResponse:
        """GET."""
        return self.ask("GET", f"/api/v1{at}", **options)

    def post(self, at: str, document: Any = None, **options: Any) -> TestResponse:
        """POST, of a JSON document if there is one."""
        body = {} if document is None else {"json": document}
        return self.ask("POST", f"/api/v1{at}", **body, **options)


def token_of(person: Person, *scopes: str, name: str = "Nightly import", days: int = 90) -> str:
    """The secret of a new token of that person, for everything unless scopes are named."""
    from webapp.models.tokens import SCOPES
    from webapp.services import tokens

    with person.at_work() as user:
        return tokens.create(user, tokens.Wanted(name, scopes or tuple(SCOPES), days))[1]


@pytest.fixture
def program(client: Callable[[Person | None], FlaskClient]) -> Callable[..., Program]:
    """`program(people.viewer, "exports:read")`: a program with a token of that person; `program(None)`: with none."""

    def start(person: Person | None, *scopes: str) -> Program:
        return Program(client(None), token_of(person, *scopes) if person is not None else "")

    return start
