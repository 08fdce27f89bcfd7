"""Secrets are planted, go where they go in real use while all of it fails, and are found nowhere (RELIABILITY S3).

Looked through: every answer (pages, error pages, clones), all logs from DEBUG on, the mails that went out, Redis, the
application's database, and what commands print; each for the secret as it is and in base64.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import uuid
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg
import pytest
import redis
from aiosmtpd.smtp import AuthResult
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec
from flask.testing import FlaskClient
from sqlalchemy import select

from exports import ssh_keys
from exports.addresses import read_networks
from jobs import connection_test
from jobs.mail import send
from tests.delivery.scripted import ScriptedFtp
from tests.fix_app import cast_of, stores
from tests.fix_mail import Postbox, serving
from tests.fix_wizard import Wizard
from tests.fix_workshop import application
from tests.jobs.test_delivery import work
from tests.webapp.test_connections import FORM, posted
from tests.webapp.test_wizard_target import PATH, SERVER, at_target
from webapp.extensions import db
from webapp.models import Connection, ConnectionTest, Export, Mail, Run, clock
from webapp.services import connections, exports
from webapp.services.accounts import hash_password

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_app import People

SINKS = ("answers", "logs", "mails", "Redis", "database", "commands")


@dataclass
class Planted:
    """The secrets by what they are. `cores`: the part of each that no quoting changes."""

    cores: dict[str, str] = field(default_factory=dict)

    def plant(self, what: str) -> str:
        """A new one, which has signs in it that HTML, JSON, URLs and Python write otherwise."""
        self.cores[what] = uuid.uuid4().hex
        return f"ü&\"'<% {self.cores[what]}"

    def keep(self, what: str, secret: str) -> str:
        """One that has its own form."""
        assert len(secret) > 15
        self.cores[what] = secret
        return secret

    def found_in(self, text: str) -> list[str]:
        """Which of them stand in a text."""
        return [what for what, core in self.cores.items() if any(one in text for one in written(core))]


def written(core: str) -> list[str]:
    """A text as it may stand somewhere: as it is, in a URL, and in base64, of which each third byte begins anew."""
    found = [core, quote(core, safe="")]
    for before in range(3):
        encoded = base64.b64encode(b"x" * before + core.encode()).decode().rstrip("=")
        found.append(encoded[-(-before * 8 // 6) : -2])
    return found


def test_secrets_are_found_however_they_are_written() -> None:
    planted = Planted()
    secret = planted.plant("one")
    in_base64 = [base64.b64encode(f"{before}{secret}x".encode()).decode() for before in ("", "m", "\0me\0")]
    for text in (secret, repr(secret), quote(secret), json.dumps(secret), str({"a": secret.encode()}), *in_base64):
        assert planted.found_in(f"<p>{text}</p>") == ["one"]
    assert planted.found_in(secret[:-1]) == []


OF_THE_MAIL_SERVER = "mail.log"
"""What aiosmtpd logs, which plays the other side here: of course it was told the password."""


class Listening(logging.Handler):
    """Everything that anybody logs, tracebacks included."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name != OF_THE_MAIL_SERVER:
            self.lines.append(self.format(record))


@pytest.fixture
def heard() -> Iterator[Listening]:
    """The logs of all libraries, from DEBUG on."""
    root, handler = logging.getLogger(), Listening()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


class Place:
    """An installation whose settings are secrets, and everything that it says."""

    def __init__(self, app: Flask, planted: Planted, postbox: Postbox) -> None:
        self.app, self.planted, self.postbox = app, planted, postbox
        self.people: People = cast_of(app)
        self.answers: list[str] = []
        self.commands: list[str] = []

    def browser(self) -> FlaskClient:
        """A browser whose answers are all kept."""
        place = self

        class Kept(FlaskClient):
            def open(self, *args: Any, **kwargs: Any) -> Any:
                answer = super().open(*args, **kwargs)
                headers = [one for one in answer.headers if one[0] != "Set-Cookie"]
                place.answers.append(f"{headers} {answer.get_data(as_text=True)}")
                return answer

        return Kept(self.app, self.app.response_class, use_cookies=True)  # type: ignore[no-any-return]

    def run(self, *args: str) -> None:
        """A command of the command line."""
        self.commands.append(self.app.test_cli_runner().invoke(args=args).output)

    @contextmanager
    def at_work(self) -> Iterator[Any]:
        """The exporter's row, in the exporter's brand."""
        with self.people.exporter.at_work() as user:
            yield user

    @contextmanager
    def settings(self, **changes: Any) -> Iterator[None]:
        """Other settings for a while."""
        before = self.app.config["SETTINGS"]
        self.app.config["SETTINGS"] = replace(before, **changes)
        yield
        self.app.config["SETTINGS"] = before


@pytest.fixture
def place(app: Flask, app_settings: dict[str, str], source_dsn: str, heard: Listening) -> Iterator[Place]:
    """Its mail server refuses the login and repeats it; uploads may go to this machine. `app` sweeps what is left."""
    planted = Planted()
    mail_password = planted.plant("the password of the mail server").removeprefix("ü")  # ASCII alone

    repeated = f"535 5.7.8 What is {mail_password}"

    def refuse(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False, message=repeated)

    with ExitStack() as open_:
        postbox = open_.enter_context(serving(Postbox(), authenticator=refuse, auth_require_tls=False))
        told = {
            **app_settings,
            "SECRET_KEY": planted.keep("SECRET_KEY", uuid.uuid4().hex + uuid.uuid4().hex),
            "CREDENTIAL_KEYS": planted.keep("CREDENTIAL_KEYS", Fernet.generate_key().decode()),
            "MAIL_URL": f"smtp://exports:{quote(mail_password, safe='')}@127.0.0.1:{postbox.port}?tls=none",
        }
        secretive = open_.enter_context(application(told))
        secretive.config["SETTINGS"] = replace(
            secretive.config["SETTINGS"], allowed_networks=read_networks("127.0.0.0/8"), upload_connect_timeout=3
        )
        yield Place(secretive, planted, postbox)


def test_no_planted_secret_is_found_anywhere(
    place: Place, heard: Listening, app_database: str, app_settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = place.browser()
    _log_in(place, browser)
    _fill_in_connections(place, browser)
    _fail_a_test(place, browser)
    export_id = _fail_a_delivery(place, browser)
    _fail_by_source_and_store(place, browser, monkeypatch)
    _wizard_and_clone(place, browser)
    _break_a_page(place, browser, app_database)
    link_and_page = _mails(place)
    _open_everything(place, browser, export_id)

    assert len(place.planted.cores) >= 12
    server_log = "\n".join(heard.lines)
    said = {
        "answers": "\n".join(one for one in place.answers if one not in link_and_page),
        "logs": server_log,
        "mails": "\n".join(_parts(one) for one in place.postbox.messages if "/password?token=" not in _parts(one)),
        "Redis": _of_redis(app_settings["REDIS_URL"]),
        "database": _dump(app_database),
        "commands": "\n".join(place.commands),
    }
    assert {sink: place.planted.found_in(text) for sink, text in said.items()} == {sink: [] for sink in SINKS}
    assert all(said.values()), "each of them was looked through"
    assert "gAAAA" in said["database"], "credentials are there, sealed"
    assert "Exception on /connections" in server_log, "a page did break"
    assert "rq.queue Enqueueing job" in server_log, "libraries were heard as well"


def _log_in(place: Place, browser: FlaskClient) -> None:
    """A wrong try, the right one, and the page of the own account; the cookie is a secret as well."""
    password = place.planted.plant("a password of a person")
    with place.at_work() as user:
        user.password_hash = hash_password(password)
        db.session.commit()
    typed = {"email": place.people.exporter.email, "password": password}
    posted_at(browser, "/login", "/login", **{**typed, "email": "nobody@maple.example"})
    posted_at(browser, "/login", "/login", **typed)
    cookie = browser.get_cookie(place.app.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    place.planted.keep("the id of a session", cookie.value)
    profile = f"/users/{place.people.exporter.id}"
    posted_at(browser, profile, "/account/password", present=password, password="short", again="short")


def posted_at(browser: FlaskClient, page: str, to: str, **data: str) -> Any:
    """A form of a page, with its token."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(page).get_data(as_text=True))
    assert found is not None, page
    return browser.post(to, data={"csrf_token": found[1], **data})


def _fill_in_connections(place: Place, browser: FlaskClient) -> None:
    """Accepted, refused, replaced; a private key with a passphrase, whole and wrong; an input that there is not."""
    plant = place.planted.plant
    posted(browser, "/connections", **{**FORM, "password": plant("the password of a connection")})
    posted(browser, "/connections", **{**FORM, "host": "no host", "password": plant("the password of a refused one")})
    phrase = plant("a passphrase")
    pem = locked_key(phrase)
    keyed = {**FORM, "name": "By key", "auth": "key", "password": "", "key": pem, "passphrase": phrase}
    posted(browser, "/connections", **keyed)
    posted(browser, "/connections", **{**keyed, "name": "Wrong", "passphrase": f"{phrase}?"})
    place.planted.keep("a private key, unlocked", ssh_keys.read(pem, phrase).private.splitlines()[2])
    place.planted.keep("a private key, locked", pem.splitlines()[2])
    with place.at_work() as user:
        saved = {one.name: one.id for one in connections.usable(user)}
    posted(browser, f"/connections/{saved['Partner']}", **{**FORM, "password": plant("a new password")})
    posted(browser, "/connections", **{**FORM, "name": "x", "password": f"{plant('one with a line end')}\nQUIT"})
    browser.post("/connections", data={**FORM, "password": plant("one without the token")})


def locked_key(passphrase: str) -> str:
    """A private key as a file with a passphrase."""
    locked = form.BestAvailableEncryption(passphrase.encode())
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, locked).decode()


def _fail_a_test(place: Place, browser: FlaskClient) -> None:
    """Of a server that repeats the password as it refuses it."""
    password = place.planted.plant("a password that a server repeats")
    server = ScriptedFtp({"PASS": f"530 I do not understand PASS {password}"})
    try:
        at = {"type": "ftp", "host": "127.0.0.1", "port": str(server.port), "name": "Refuses"}
        page = posted(browser, "/connections", **{**FORM, **at, "password": password}).headers["Location"]
        posted(browser, f"{page}/test")
        with place.at_work():
            test_id = db.session.scalars(select(ConnectionTest)).one().id
        with place.app.app_context():
            connection_test.test(run=str(test_id))
        assert "Cannot be used" in browser.get(page).get_data(as_text=True)
        assert any(password in line for line in server.logged), "it was sent"
    finally:
        server.stop()


def _fail_a_delivery(place: Place, browser: FlaskClient) -> uuid.UUID:
    """By a definition with a password, to a server that repeats it in an answer that people are shown."""
    password = place.planted.plant("the password of a definition")
    no = f"550 {password} has no right to this"
    server = ScriptedFtp({"CWD": no, "MKD": no})
    target = {"type": "ftp", "host": "127.0.0.1", "port": server.port, "username": "maple", "password": password,
              "path": "/in/x"}  # fmt: skip
    try:
        definition = stores(name="By definition", target=target)
        place.commands.append(repr(definition))
        with place.at_work() as user:
            export_id = exports.create(user, definition, uuid.uuid4()).id
        work(place.app)
    finally:
        server.stop()
    with place.at_work():
        run = db.session.scalars(select(Run).where(Run.export_id == export_id)).one()
        assert (run.state, run.error_code) == ("failed", "target.folder_refused")
    assert "*** has no right to this" in browser.get(f"/exports/{export_id}").get_data(as_text=True)
    return export_id


def _fail_by_source_and_store(place: Place, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source and an object store that cannot be reached, whose passwords stand in their settings."""
    password = quote(place.planted.plant("the password of the source"), safe="")
    nowhere = f"postgresql://exports:{password}@127.0.0.1:9/x"
    with place.at_work() as user:
        exports.create(user, stores(name="No source"), uuid.uuid4())
    with place.settings(source_database_url=nowhere):
        work(place.app)
    key = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": place.planted.plant("the key of the store")}
    for name, value in {**key, "AWS_ENDPOINT": "http://127.0.0.1:9", "AWS_ALLOW_HTTP": "true"}.items():
        monkeypatch.setenv(name, value)
    with place.at_work() as user:
        export_id = exports.create(user, stores(name="Kept elsewhere"), uuid.uuid4()).id
    work(place.app)
    with place.at_work():
        run = db.session.scalars(select(Run).where(Run.export_id == export_id)).one()
        assert run.state == "success"
        download = f"/runs/{run.id}/download"
    with place.settings(storage_url="s3://bucket/files"):
        assert browser.get(download).status_code >= 500


def _wizard_and_clone(place: Place, browser: FlaskClient) -> None:
    """Saved as it is typed, replaced, refused, made an export of, and that one cloned."""
    someone = at_target(Wizard(browser, place.people.exporter))
    for what in ("a password in the wizard", "another one in the wizard"):
        someone.fill(**{**SERVER, "password": place.planted.plant(what)}, path=PATH)
        someone.save()
        someone.reload()
    someone.fill(password=place.planted.plant("one that is too long") + "x" * 600)
    someone.save()
    someone.reload()
    someone.press("test")
    with place.at_work():
        before = {one.id for one in db.session.scalars(select(Export))}
    someone.open("check")
    someone.press("create")
    with place.at_work() as user:
        (export,) = (one for one in db.session.scalars(select(Export)) if one.id not in before)
        clone = exports.clone_as_draft(user, export, uuid.uuid4()).id
    for address in (f"/drafts/{clone}/target", f"/drafts/{clone}/check"):
        browser.get(address)


def _break_a_page(place: Place, browser: FlaskClient, app_database: str) -> None:
    """The database refuses a statement, with what was to be stored among its parameters."""
    password = place.planted.plant("a password as a page breaks")
    with psycopg.connect(app_database, autocommit=True) as connection:
        connection.execute("ALTER TABLE connections RENAME COLUMN public_key TO away")
    try:
        answer = posted(browser, "/connections", **{**FORM, "name": "Broken", "password": password})
        assert answer.status_code == 500
    finally:
        with psycopg.connect(app_database, autocommit=True) as connection:
            connection.execute("ALTER TABLE connections RENAME COLUMN away TO public_key")


def _mails(place: Place) -> list[str]:
    """Refused first, with the password repeated; then they go out, with a link for somebody who forgot a password.

    The answers that may hold its token: the page to which it leads.
    """
    other = place.browser()
    posted_at(other, "/password/forgotten", "/password/forgotten", email=place.people.viewer.email)
    with place.app.app_context():
        send()
    with place.at_work():
        waiting = list(db.session.scalars(select(Mail)))
        assert {str(one.error)[:50] for one in waiting} == {"The mail server refused the login: 535 5.7.8 What "}
        for one in waiting:
            one.next_try_at = clock()
        db.session.commit()
    with serving(Postbox()) as postbox, place.settings(mail_server=postbox.server), place.app.app_context():
        send()
    place.postbox.messages += postbox.messages
    (link,) = {found[1] for one in postbox.messages if (found := re.search(r"/password\?token=(\S+)", _parts(one)))}
    place.planted.keep("the token of a link", link)
    begun = len(place.answers)
    posted_at(other, f"/password?token={link}", "/password", token=link, password="a", again="b")
    pages = place.answers[begun:]
    chosen = place.planted.plant("a chosen password")
    posted_at(other, f"/password?token={link}", "/password", token=link, password=chosen, again=chosen)
    return [*pages, place.answers[-2]]


def _open_everything(place: Place, browser: FlaskClient, export_id: uuid.UUID) -> None:
    """Pages of what was made, and the commands that print settings or definitions."""
    with place.at_work():
        ids = [one.id for one in db.session.scalars(select(Connection))]
        run_ids = [one.id for one in db.session.scalars(select(Run))]
    pages = ["/exports", "/connections", f"/exports/{export_id}/definition.json", f"/exports/{export_id}/logs"]
    pages += [f"/connections/{one}{end}" for one in ids for end in ("", "/edit")]
    pages += [f"/runs/{one}{end}" for one in run_ids for end in ("", "/events")]
    for address in pages:
        browser.get(address)
    admin = place.browser()
    with admin.session_transaction() as session:
        session["_user_id"], session["_fresh"] = place.people.admin.token, True
    for address in ("/audit", "/connections/keys", "/settings", "/audit/export"):
        admin.get(address)
    place.run("credentials", "rotate")
    place.run("export", "definition", "By definition", "--brand", "Maple Grocers")
    place.commands.append(repr(place.app.config["SETTINGS"]))


# --- what is looked through


def _parts(message: Any) -> str:
    """A mail: its headers, its text and its HTML, decoded."""
    bodies = [message.get_body((kind,)).get_content() for kind in ("plain", "html")]
    return "\n".join([str(message.items()), *bodies])


def _dump(url: str) -> str:
    """Everything that the application's database holds, as text; bytes as they are."""
    with psycopg.connect(url) as connection:
        tables = [name for (name,) in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
        rows = [str(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in tables]  # type: ignore[arg-type]
    return "\n".join(rows)


def _of_redis(url: str) -> str:
    """Every key with what it holds, as the clients wrote it; RQ packs what its jobs hold."""
    read = {
        b"string": lambda server, key: [server.get(key)],
        b"list": lambda server, key: server.lrange(key, 0, -1),
        b"set": lambda server, key: list(server.smembers(key)),
        b"zset": lambda server, key: server.zrange(key, 0, -1),
        b"hash": lambda server, key: [part for pair in server.hgetall(key).items() for part in pair],
        b"stream": lambda server, key: [repr(server.xrange(key)).encode()],
    }  # type: dict[bytes, Callable[[Any, bytes], list[bytes]]]
    with redis.Redis.from_url(url) as server:
        values = {key: read[server.type(key)](server, key) for key in server.scan_iter()}
    return "\n".join(f"{key!r} {[_unpacked(one) for one in found]!r}" for key, found in values.items())


def _unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value
