"""sqlmap finds no way into SQL by the parameters of lists, searches, pages and previews (RELIABILITY S5)."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import psycopg
import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from tests.campaigns import drill, ended, is_long, tell
from tests.fix_api import token_of
from tests.fix_app import stores
from tests.webapp.test_wizard_filters import at_filters, choose

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports
    from tests.fix_wizard import Wizard

pytestmark = pytest.mark.skipif(not is_long(), reason="takes up to an hour: script/soak sqlmap")

IN_ALL_S: Final = 3_500
OPTIONS: Final = (
    "--batch", "--level=2", "--risk=1", "--dbms=PostgreSQL", "--flush-session", "--disable-coloring", "--retries=0",
    "--timeout=15", "--threads=4", "--ignore-code=*", "--skip-waf",
)  # fmt: skip
FOUND: Final = ("identified the following injection point", "is vulnerable", "appears to be injectable")
NOTHING: Final = "all tested parameters do not appear to be injectable"


@dataclass(frozen=True)
class Target:
    """An address with the parameters to try. `marked`: those in address or body that bear a star."""

    name: str
    url: str
    parameters: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""


def tried(target: Target, folder: Path, seconds: float) -> str:
    """What sqlmap says of it."""
    command = [str(Path(sys.executable).parent / "sqlmap"), "-u", target.url, *OPTIONS, f"--output-dir={folder}"]
    command += ["-p", target.parameters] if target.parameters else []
    command += [f"--data={target.body}"] if target.body else []
    command += [f"--header={name}: {value}" for name, value in target.headers.items()]
    environment = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds, env=environment, check=False, stdin=subprocess.DEVNULL
    )
    return done.stdout


@pytest.fixture
def leaky(app_database: str) -> Iterator[str]:
    """An application that is open, on the same database: what sqlmap must find to be believed."""
    app = Flask("leaky")

    @app.get("/")
    def names() -> str:
        with psycopg.connect(app_database) as connection:
            wanted = f"SELECT name FROM users WHERE name LIKE '{request.args['q']}%'"
            return repr(connection.execute(wanted).fetchall())  # type: ignore[arg-type]

    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/?q=E"
    server.shutdown()
    thread.join()
    server.server_close()


@drill("sqlmap")
def test_it_would_find_one(leaky: str, people: People, tmp_path: Path) -> None:
    told = tried(Target("leaky", leaky, "q"), tmp_path, 600)
    assert any(words in told for words in FOUND), told[-2_000:]
    ended()


@pytest.fixture
def targets(
    app: Flask, site: str, client: Callable[[Person | None], FlaskClient], people: People, made: Exports,
    tab: Callable[[Person], Wizard], source_dsn: str, monkeypatch: pytest.MonkeyPatch,
) -> list[Target]:  # fmt: skip
    """Pages with the exporter's session, the API with a token; no limit of requests."""
    monkeypatch.setitem(app.config, "SETTINGS", dataclasses.replace(app.config["SETTINGS"], api_limit=10_000_000))
    export = made.finished(people.exporter)
    browser = client(people.exporter)
    browser.get("/exports")
    cookie = browser.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    session = {"Cookie": f"{cookie.key}={cookie.value}"}
    admin = client(people.admin)
    admin.get("/exports")
    of_admin = admin.get_cookie(app.config["SESSION_COOKIE_NAME"])
    assert of_admin is not None
    token = {"Authorization": f"Bearer {token_of(people.exporter)}"}
    json_token = {**token, "Content-Type": "application/json"}
    wizard = tab(people.exporter)
    at_filters(wizard, "customers")
    choose(wizard, "last_name", "equals")
    wizard.fill({"filters-A-1-value": "Smith", "why": "1"})
    form = urlencode([*wizard.form.values, ("op", "why")])
    drafts = f"{site}/drafts/{wizard.draft_id}"
    filters = [[{"attribute": "name", "operator": "contains", "value": "Store*"}]]
    past = {"type": "on_date", "at": "2000-01-01T00:00:00Z"}
    definition = json.dumps(stores(name="By sqlmap", schedule=past, filters=filters).as_json())
    return [
        Target("list: search", f"{site}/exports?q=store&sort=name", "q,sort", session),
        Target("list: filters", f"{site}/exports?status=Active&model=stores&owner=mine", "status,model,owner", session),
        Target("list: pages", f"{site}/exports?after=W10&first=1", "after,first", session),
        Target("audit log", f"{site}/audit?q=exporter", "q", {"Cookie": f"{of_admin.key}={of_admin.value}"}),
        Target("API: search, order", f"{site}/api/v1/exports?search=store&sort=name", "search,sort", token),
        Target("API: filters", f"{site}/api/v1/exports?status=Active&model=stores", "status,model", token),
        Target("API: pages", f"{site}/api/v1/exports?after=bmFtZTpb&limit=5", "after,limit", token),
        Target("API: runs", f"{site}/api/v1/exports/{export.id}/runs?after=cnVuczpb&limit=5", "after,limit", token),
        Target("API: model", f"{site}/api/v1/models/stores*", "", token),
        Target("API: id", f"{site}/api/v1/runs/{export.run_id}*", "", token),
        Target("API: definition", f"{site}/api/v1/exports", "", json_token, definition),
        Target("API: clone", f"{site}/api/v1/exports/{export.id}/clone", "", json_token, '{"name": "x*"}'),
        Target("records to choose", f"{drafts}/choices/rewards?q=cou", "q", session),
        Target("preview: Why?", f"{drafts}/filters/why", "why,filters-A-1-value", session, form),
        Target("preview: rows", f"{drafts}/filters/preview?rows=1&of=1", "rows,of", session),
    ]


@drill("sqlmap")
def test_no_parameter_is_open(targets: list[Target], tmp_path: Path) -> None:
    for target in targets:
        folder = tmp_path / target.name.replace(" ", "-").replace(":", "").replace(",", "")
        told = tried(target, folder, IN_ALL_S / len(targets))
        assert not any(words in told for words in FOUND), told[-3_000:]
        assert NOTHING in told, f"{target.name} was not tried: {told[-3_000:]}"
        tell(f"{target.name}: nothing")
        ended()
