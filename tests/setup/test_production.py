"""The Procfile as a deployment runs it: release, first brand and admin, four processes, from the login to a file."""

from __future__ import annotations

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.fix_mail import Postbox, serving
from tests.fix_services import Cluster, own_services
from tests.fix_webhooks import Listener
from tests.fix_wizard import form_of
from tests.setup.commands import ROOT, until
from tests.setup.test_server import free_port

pytestmark = pytest.mark.slow

HONCHO = re.compile(r"^\S+ (started|stopped) \(|^SIGTERM received|^sending SIG")
TOKEN = "a token of the tests that is long enough"


@dataclass
class Browser:
    """A person at the address, with the cookie that a browser keeps. It is for HTTPS, as a proxy in front speaks it."""

    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, data: dict[str, str] | None = None, **headers: str) -> tuple[int, bytes, str]:
        """Status, body, and where it leads."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **headers}
        if data is not None:
            sent |= {"Content-Type": "application/x-www-form-urlencoded", "Referer": "https://exports.example/"}
        sent |= {"Host": "exports.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        try:
            connection.request(method, path, urlencode(data) if data is not None else None, sent)
            response = connection.getresponse()
            for name, value in re.findall(r"^([^=]+)=([^;]*)", response.headers.get("Set-Cookie", "")):
                self.cookies[name] = value
            return response.status, response.read(), response.headers.get("Location", "")
        finally:
            connection.close()

    def token(self, path: str) -> str:
        """The token of a page's form."""
        found = re.search(rb'name="csrf_token" value="([^"]+)"', self.ask("GET", path)[1])
        assert found
        return found[1].decode()

    def fill_in(self, page: str, op: str, **changes: str) -> str:
        """Send the wizard's form of a page with some inputs filled in by a button; gives where it leads."""
        form = form_of(self.ask("GET", page)[1].decode())
        values = {**dict(form.values), **changes, "op": op}
        status, text, leads_to = self.ask("POST", form.buttons.get(op) or form.action or page, values)
        assert status == 303, form_of(text.decode()).values
        return leads_to

    def post(self, path: str, page: str, **data: str) -> tuple[int, bytes, str]:
        """Send a form of a page."""
        return self.ask("POST", path, {"csrf_token": self.token(page), **data})


def flask(environment: dict[str, str], *arguments: str) -> str:
    """What a command of the operator prints."""
    command = [sys.executable, "-m", "flask", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def procfile(environment: dict[str, str], port: int, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """All processes but the release, by honcho."""
    names = [line.split(":")[0] for line in (ROOT / "Procfile").read_text().splitlines() if line]
    honcho_ = [sys.executable, "-m", "honcho", "start", "--no-prefix", "--env", os.devnull]
    command = [*honcho_, "--port", str(port), *names[1:]]
    with log.open("wb") as out:
        honcho = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True)
        try:
            yield honcho
        finally:
            if honcho.poll() is None:
                honcho.send_signal(signal.SIGTERM)
            try:
                honcho.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(honcho.pid, signal.SIGKILL)
                raise


def test_a_deployment_from_the_release_to_a_file_and_back(
    postgres: Cluster, app_template: str, source_dsn: str, listener: Listener, tmp_path: Path
) -> None:
    port, log, postbox = free_port(), tmp_path / "log", Postbox()
    with own_services(postgres, app_template, tmp_path) as services, serving(postbox):
        empty = f"new_{secrets.token_hex(6)}"
        programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        environment = {
            **services.environment,
            "DATABASE_URL": postgres.create(empty),
            "MAIL_URL": f"smtp://127.0.0.1:{postbox.port}?tls=none",
            "EXPORTS_ALLOWED_NETWORKS": f"127.0.0.1:{listener.port}",
            "METRICS_TOKEN": TOKEN,
            "TRUSTED_PROXIES": "1",
            "WEB_CONCURRENCY": "2",
            "PATH": programs,
        }
        try:
            _set_up(environment)
            with procfile(environment, port, log) as honcho:
                _use(Browser(port), environment, listener, postbox)
                honcho.send_signal(signal.SIGTERM)
                honcho.wait(20)
        finally:
            postgres.drop(empty)
    _check_log(log)


def _set_up(environment: dict[str, str]) -> None:
    (release,) = re.findall(r"^release: flask (.*)$", (ROOT / "Procfile").read_text(), re.MULTILINE)
    flask(environment, *release.split())
    modules = ("stores", "coupons")
    named = [word for one in modules for word in ("--module", one)]
    flask(environment, "brand", "create", "Maple Grocers", "--key", "maple", "--timezone", "America/New_York", *named)
    told = flask(environment, "user", "create", "ann@maple.example", "--role", "admin")
    environment["ANN"] = told.split("Password: ")[1].strip()


def _use(ann: Browser, environment: dict[str, str], listener: Listener, postbox: Postbox) -> None:
    until(lambda: _is_ready(ann), 60)
    assert ann.ask("GET", "/metrics")[0] == 404
    assert ann.post("/login", "/login", email="ann@maple.example", password=environment["ANN"])[0] == 303
    hook = {"id": "00000000-0000-4000-8000-000000000001", "url": listener.url, "events": "finished"}
    status, page, _ = ann.post("/webhooks", "/webhooks/new", **hook)
    assert status == 201
    assert b"whsec_" in page
    run = _run(ann)
    until(lambda: ann.ask("GET", f"/runs/{run}/download")[0] == 200, 30)
    until(lambda: bool(listener.told) and bool(postbox.messages), 30)
    assert json.loads(listener.told[0].body)["data"]["run"] == run
    assert postbox.messages[0]["Subject"].startswith("Finished: Stores")
    told = ann.ask("GET", "/metrics", Authorization=f"Bearer {TOKEN}")[1].decode()
    assert 'exports_runs_ended{state="success"} 1.0' in told
    assert told.count("exports_workers{queue=") == told.count('"} 1.0\n', told.index("exports_workers{")) == 2


def _is_ready(ann: Browser) -> bool:
    try:
        return ann.ask("GET", "/readyz")[0] == 200
    except OSError:
        return False


def _run(ann: Browser) -> str:
    """Make an export of all stores by the wizard, without JavaScript; the id of its run."""
    at = ann.fill_in("/exports/new", "next", model="stores")
    changes = {
        "localization": {"name": "Stores"},
        "filters": {"filters-A-1-attribute": "id", "filters-A-1-operator": "is_not_empty"},
        "fields": {"all_fields": "1"},
    }
    at = ann.fill_in(at, "next", **changes.pop("localization"))
    at = ann.fill_in(at, "crit:A1", **{"filters-A-1-attribute": "id"})  # the page has its operators then
    while not at.endswith("/check"):
        at = ann.fill_in(at, "next", **changes.get(at.rpartition("/")[2], {}))
    at = ann.fill_in(at, "create")
    found = re.search(rb"/runs/([0-9a-f-]{36})", ann.ask("GET", at)[1])
    assert found
    return found[1].decode()


def _check_log(log: Path) -> None:
    """Every line of our processes is an object with its ids; honcho's own are not."""
    lines = [line for line in log.read_text().splitlines() if line.startswith("{")]
    told = [json.loads(line) for line in lines]
    others = [line for line in log.read_text().splitlines() if not line.startswith("{") and not HONCHO.search(line)]
    assert not others, others
    published = [one for one in told if "published" in one["message"]]
    assert [len(one["run"]) for one in published] == [36]
    access = [one for one in told if one["logger"] == "access"]
    assert {"request", "method", "path", "status", "ms", "ip"} <= set(access[-1])
    assert {one["ip"] for one in access} == {"192.0.2.7"}
    assert not [one for one in told if one["level"] in ("error", "critical")], told
