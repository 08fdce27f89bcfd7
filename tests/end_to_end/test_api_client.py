"""A program that knows nothing but the OpenAPI document creates, runs, waits for and downloads an export."""

from __future__ import annotations

import io
import socket
import zipfile
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests
from jsonschema_rs import Draft202012Validator

from tests.fix_api import token_of
from tests.fix_workshop import ROWS, until

if TYPE_CHECKING:
    from tests.fix_workshop import Workshop

SILENT = 40
"""More than the threads of the one process: without a limit they would hold all of them for ever."""
SLOW_START_S = 120.0
"""It imports the whole application, on a machine that may be busy with other tests."""


@dataclass
class Client:
    """Finds operations in the document by what they are called, and asks them as it says."""

    base: str
    token: str

    def __post_init__(self) -> None:
        self.document = requests.get(f"{self.base}/api/openapi.json", timeout=10).json()
        self.operations = {
            one["operationId"]: (method, path, one)
            for path, item in self.document["paths"].items()
            for method, one in item.items()
            if isinstance(one, dict)
        }
        (self.scheme,) = self.document["components"]["securitySchemes"].values()

    def ask(self, name: str, body: Any = None, **values: str) -> requests.Response:
        """Do an operation, and hold its answer against what the document promises of it."""
        method, path, told = self.operations[name]
        assert self.scheme["scheme"] == "bearer"
        headers = {"Authorization": f"Bearer {self.token}"}
        if any(one["name"] == "Idempotency-Key" for one in told.get("parameters", ())):
            headers["Idempotency-Key"] = f"client-{name}"
        server = self.document["servers"][0]["url"].rstrip("/")
        response = requests.request(
            method, self.base + server + path.format(**values), json=body, headers=headers, timeout=30
        )
        promised = told["responses"][str(response.status_code)]
        kind = response.headers["Content-Type"].partition(";")[0]
        if kind == "application/json":
            self._hold(response.json(), promised["content"][kind]["schema"])
        return response

    def _hold(self, answer: Any, schema: dict[str, Any]) -> None:
        Draft202012Validator({**schema, "components": self.document["components"]}).validate(answer)

    def example(self, model: dict[str, Any]) -> dict[str, Any]:
        """A definition with what the schema requires and the model offers: whatever has its first field filled."""
        required = self.document["components"]["schemas"]["Definition"]["required"]
        field = model["fields"][0]["id"]
        operator = next(one for one in model["fields"][0]["operators"] if one == "is_not_empty")
        known = {"name": "By a program", "model": model["id"], "timezone": "UTC"}
        assert set(required) == set(known)
        return {
            **known,
            "filters": [[{"attribute": field, "operator": operator}]],
            "fields": [{"from": one["id"]} for one in model["fields"][:2]],
        }


@pytest.fixture
def server(workshop: Workshop) -> str:
    """The address of a web process of the installation, as production serves it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = str(free.getsockname()[1])
    process = workshop.start(
        "gunicorn", "--config", "webapp/gunicorn.py", "wsgi:app",
        PORT=port, WEB_CONCURRENCY="1", BIND="127.0.0.1", CLIENT_SILENCE="1",
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return requests.get(f"{base}/healthz", timeout=5).ok
        except requests.ConnectionError:
            assert process.is_running(), workshop.said(process)
            return False

    until(answers, "the web process answers", SLOW_START_S)
    return base


def test_a_program_goes_from_the_document_to_the_file(workshop: Workshop, server: str) -> None:
    workshop.worker()
    client = Client(server, token_of(workshop.people.exporter))
    stores = client.ask("get_model", id="stores").json()
    made = client.ask("create_export", client.example(stores))
    assert made.status_code == 201
    again = client.ask("create_export", client.example(stores))
    assert again.json() == made.json(), "repeated after a lost answer"
    run_id = made.json()["latest_run"]["id"]

    def run() -> dict[str, Any]:
        return dict(client.ask("get_run", id=run_id).json())

    ended = until(lambda: (found := run())["finished_at"] and found, "the run's end")
    assert (ended["status"], ended["rows"]) == ("Success", ROWS)
    with zipfile.ZipFile(io.BytesIO(client.ask("download_file", id=run_id).content)) as archive:
        lines = archive.read(archive.namelist()[0]).decode().splitlines()
    assert len(lines) == ROWS + 1
    assert lines[1] == "00001,Store 1"
    second = client.ask("run_export", id=made.json()["id"]).json()
    until(lambda: client.ask("get_run", id=second["id"]).json()["status"] == "Success", "the second run's end")
    assert [one["id"] for one in client.ask("list_runs", id=made.json()["id"]).json()["runs"]] == [second["id"], run_id]


def test_clients_that_promise_a_body_and_say_nothing_hold_up_nobody(workshop: Workshop, server: str) -> None:
    token = token_of(workshop.people.exporter)
    host, port = server.removeprefix("http://").split(":")
    program = f"/api/v1/exports HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json"
    person = "/login HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded"
    rest = f"\r\nHost: {host}\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    with ExitStack() as held:
        silent = [held.enter_context(socket.create_connection((host, int(port)), timeout=30)) for _ in range(SILENT)]
        for number, one in enumerate(silent):
            one.sendall(f"POST {(program, person)[number % 2]}{rest}".encode())
        client = Client(server, token)
        for _ in range(5):
            assert client.ask("list_exports").status_code == 200
        for one in silent:
            assert b" 400 " in to_the_end(one)
    assert client.ask("list_exports").json()["total"] == 0, "none of them made anything"


def to_the_end(connection: socket.socket) -> bytes:
    """What comes until the server closes the connection."""
    said = b""
    while piece := connection.recv(65_536):
        said += piece
    return said
