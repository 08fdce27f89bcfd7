"""The settings, read once from the environment by readers that refuse nonsense and name the variable."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from exports import addresses
from exports.addresses import Allowed, Ports
from exports.errors import SetUpError
from exports.mail_server import MailServer, MailUrlRefused
from exports.secrets import is_key, new_key
from webapp import embedded

Read = TypeVar("Read")

MIN_SECRET = 32
MIN_DIFFERENT = 10
"""Different characters that a secret must have: a random one of 32 has about 25, a key held down 1."""
PLACEHOLDERS = ("changeme", "change-me", "change_me", "secret_key", "secret-key", "replace", "default", "insecure")
"""What examples write where a secret is to stand (RELIABILITY T18: default keys are how others were broken into)."""
MAIL_FROM = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,253}")
STORAGE_URL = re.compile(r"file:///.|(s3|gs|az)://[^/]")
MAX_BODY = 1024 * 1024
"""Bytes of a request (RELIABILITY T13). Flask's own limit for a form is half of it, which 500 long headers pass."""


UPLOADS_HERE = "127.0.0.1:2121, 127.0.0.1:2222, [::1]:2121, [::1]:2222"
"""What the embedded installation may reach on its own machine: two ports at which an FTP or an SFTP server can be tried
out (RELIABILITY T3)."""


class SettingError(SystemExit):
    """A setting that is missing or makes no sense; its text names the variable and says what to do."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one installation to the next."""

    # Whoever prints the settings prints no secret: addresses hold passwords.
    database_url: str = field(repr=False)
    source_database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    storage_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    embedded: bool
    home: Path
    base_url: str
    mail_from: str
    mail_server: MailServer | None = None
    work_mem: str = "64MB"
    source_statement_timeout: int = 3600
    source_parts: int = 2
    source_pool: int = 4
    trusted_proxies: int = 0
    api_limit: int = 300
    run_lease: int = 30
    run_sweep: int = 5
    runs_per_brand: int = 2
    credential_keys: tuple[str, ...] = field(default=(), repr=False)
    allowed_networks: tuple[Allowed, ...] = ()
    allowed_ports: Ports = field(default_factory=lambda: addresses.read_ports(addresses.DEFAULT_PORTS))
    upload_connect_timeout: int = 15
    upload_silence: int = 40
    upload_grace: int = 60
    metrics_token: str = field(default="", repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret by its value, so that no line of a log holds one."""
        urls = (self.database_url, self.source_database_url, self.redis_url, self.storage_url)
        passwords = [urlsplit(url).password or "" for url in urls]
        mail = self.mail_server.password if self.mail_server else ""
        return tuple(filter(None, (self.secret_key, *self.credential_keys, self.metrics_token, mail, *passwords)))

    @property
    def base_host(self) -> str:
        """The host of our address: by it we introduce ourselves to mail servers."""
        return urlsplit(self.base_url).hostname or "localhost"

    def flask(self) -> dict[str, object]:
        """The keys that Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": sqlalchemy_url(self.database_url),
            "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 8, "max_overflow": 24, "pool_use_lifo": True},
            "MAX_CONTENT_LENGTH": MAX_BODY,
            "MAX_FORM_MEMORY_SIZE": MAX_BODY,
            "MAX_FORM_PARTS": 10_000,
            "PERMANENT_SESSION_LIFETIME": timedelta(minutes=30),
            "SESSION_ABSOLUTE_LIFETIME": timedelta(hours=12),
            "SESSION_COOKIE_NAME": "exports_session" if self.embedded else "__Host-exports_session",
            "SESSION_COOKIE_SECURE": not self.embedded,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            "SESSION_REFRESH_EACH_REQUEST": False,
            "WTF_CSRF_TIME_LIMIT": None,
            "WTF_CSRF_CHECK_DEFAULT": False,
            "RATELIMIT_STORAGE_URI": limiter_url(self.redis_url),
            "RATELIMIT_IN_MEMORY_FALLBACK_ENABLED": True,
            "BOOTSTRAP_SERVE_LOCAL": True,
            "SETTINGS": self,
        }


def sqlalchemy_url(url: str) -> str:
    """A libpq URL as SQLAlchemy wants it: driver named, `postgres://` accepted as Heroku writes it."""
    scheme, _, rest = url.partition("://")
    if scheme not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise SettingError(f"DATABASE_URL must begin with postgresql://, not {scheme}://")
    return f"postgresql+psycopg://{rest}"


def limiter_url(redis_url: str) -> str:
    """The Redis address in the limiter's spelling of Unix sockets."""
    return redis_url.replace("unix://", "redis+unix://", 1)


def home(environ: Mapping[str, str]) -> Path:
    """The folder of the embedded data (SPEC section 11)."""
    return Path(environ.get("EXPORTS_HOME") or "instance").resolve()


def _number(environ: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise SettingError(f'{name} must be a whole number from {low} to {high}, not "{text}".')
    return int(text)


def _secret(environ: Mapping[str, str], folder: Path, is_embedded: bool) -> str:
    if not environ.get("SECRET_KEY") and is_embedded:
        return _kept_secret(folder / "secret-key")
    return _random_text(environ, "SECRET_KEY")


def _random_text(environ: Mapping[str, str], name: str) -> str:
    """A secret that somebody made for this installation: long enough, and nothing that an example says."""
    secret = environ.get(name, "")
    if len(secret) < MIN_SECRET or is_guessable(secret):
        raise SettingError(
            f"{name} must be set, to a random text of at least {MIN_SECRET} characters that no example has: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))" makes one.'
        )
    return secret


def is_guessable(secret: str) -> bool:
    """Whether a secret is a placeholder, or hardly more than one character again and again."""
    plain = secret.lower()
    return len(set(secret)) < MIN_DIFFERENT or any(one in plain for one in PLACEHOLDERS)


def _kept_secret(path: Path, make: Callable[[], str] = lambda: secrets.token_urlsafe(48)) -> str:
    """The embedded installation's own key: made at the first start, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(make())
    except FileExistsError:
        pass
    return path.read_text()


def _credential_keys(environ: Mapping[str, str], folder: Path, is_embedded: bool) -> tuple[str, ...]:
    given = environ.get("CREDENTIAL_KEYS", "")
    if not given and is_embedded:
        given = _kept_secret(folder / "credential-keys", new_key)
    keys = tuple(one.strip() for one in given.split(",") if one.strip())
    if not keys or not all(map(is_key, keys)) or any(len(set(one)) < MIN_DIFFERENT for one in keys):
        raise SettingError(
            "CREDENTIAL_KEYS must be set, to one key or several with commas between, the newest first: "
            'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())" makes one.'
        )
    return keys


def _uploads(environ: Mapping[str, str], is_embedded: bool) -> dict[str, Any]:
    """What uploads may reach, and how long they may take: see docs/settings.md."""
    here = UPLOADS_HERE if is_embedded else ""
    return {
        "allowed_networks": _read(environ, "EXPORTS_ALLOWED_NETWORKS", here, addresses.read_networks),
        "allowed_ports": _read(environ, "EXPORTS_ALLOWED_PORTS", addresses.DEFAULT_PORTS, addresses.read_ports),
        "upload_connect_timeout": _number(environ, "UPLOAD_CONNECT_TIMEOUT", 15, 1, 30),
        "upload_silence": _number(environ, "UPLOAD_SILENCE", 40, 1, 55),
        "upload_grace": _number(environ, "UPLOAD_GRACE", 60, 1, 86_400),
    }


def _read(environ: Mapping[str, str], name: str, default: str, reader: Callable[[str], Read]) -> Read:
    """What a reader of the domain makes of a variable."""
    try:
        return reader(environ.get(name, default))
    except ValueError as error:
        raise SettingError(f"{name}: {error}.") from error


def _base_url(environ: Mapping[str, str], is_embedded: bool) -> str:
    """Under which address people reach us: what the links in mails begin with."""
    text = environ.get("BASE_URL", "").rstrip("/")
    if not text and is_embedded:
        return f"http://127.0.0.1:{environ.get('PORT') or 5000}"
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.path or parts.query)
    except ValueError:
        is_good = False
    if not is_good or not text.isprintable() or "@" in text:
        raise SettingError(
            "BASE_URL must be the address under which people reach this installation, such as "
            "https://exports.company.example: links in mails begin with it."
        )
    return text


def _mail_server(environ: Mapping[str, str], is_embedded: bool) -> MailServer | None:
    """Where mails are handed over; None on the embedded default: they are caught, and read on the page Mailbox."""
    url = environ.get("MAIL_URL", "")
    if not url and is_embedded:
        return None
    try:
        return MailServer.parse(url)
    except MailUrlRefused as refused:
        raise SettingError(f"MAIL_URL must be the address of a mail server: {refused}.") from refused


def _mail_from(environ: Mapping[str, str], base_url: str) -> str:
    """The sender of our mails."""
    text = environ.get("MAIL_FROM") or f"exports@{urlsplit(base_url).hostname}"
    if not MAIL_FROM.fullmatch(text):
        raise SettingError(f'MAIL_FROM must be an email address such as exports@company.example, not "{text}".')
    return text


def _refuse_open(environ: Mapping[str, str]) -> None:
    """The embedded installation is for the machine that it runs on: it has a login that was printed, mails that anybody
    there reads, and no encryption (RELIABILITY T18).
    """
    if "DYNO" in environ:
        raise SettingError("DATABASE_URL must be set: on a platform there is no disk to keep embedded data on.")
    refuse_public([(environ.get("BIND") or "127.0.0.1",)])


def refuse_public(addresses_: Iterable[Any]) -> None:
    """Let the embedded installation listen on this machine alone; addresses are as Python's sockets have them.

    Raises:
        SettingError: one of them is reached from outside.
    """
    if not all(isinstance(one, str) or is_loopback(one[0]) for one in addresses_):  # a text is a socket in a folder
        raise SettingError(
            "BIND must be an address of this machine alone, such as 127.0.0.1, as long as DATABASE_URL is not set: the "
            "embedded services are for trying Exports out. docs/deploy.md says what others need to reach it."
        )


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def log_format(environ: Mapping[str, str]) -> str:
    """`json` for collectors of logs, `text` for people: what is embedded is looked at in a terminal."""
    chosen = environ.get("LOG_FORMAT") or ("json" if environ.get("DATABASE_URL") else "text")
    if chosen not in ("json", "text"):
        raise SettingError(f'LOG_FORMAT must be json or text, not "{chosen}".')
    return chosen


def read(environ: Mapping[str, str]) -> Settings:
    """All settings; starts or joins the embedded services if no address is set.

    Raises:
        SettingError: naming the variable, or what keeps the embedded services from starting.
    """
    folder = home(environ)
    database_url = environ.get("DATABASE_URL", "")
    is_embedded = not database_url
    log_format(environ)
    if is_embedded:
        _refuse_open(environ)
        try:
            joined = embedded.join(folder)
        except SetUpError as error:
            raise SettingError(f"{error.message} {error.advised}") from error
        database_url, source_url, redis_url = joined.database_url, joined.source_url, joined.redis_url
    else:
        source_url = environ.get("SOURCE_DATABASE_URL", "")
        redis_url = environ.get("REDIS_URL", "")
        for name, value in (("SOURCE_DATABASE_URL", source_url), ("REDIS_URL", redis_url)):
            if not value:
                raise SettingError(f"{name} must be set as well, since DATABASE_URL is.")
    storage_url = environ.get("STORAGE_URL", "") or (f"file://{folder}/artefacts" if is_embedded else "")
    if not STORAGE_URL.match(storage_url):
        raise SettingError("STORAGE_URL must be set: file:///folder, s3://bucket/prefix, gs://… or az://…")
    base_url = _base_url(environ, is_embedded)
    return Settings(
        database_url=database_url,
        source_database_url=source_url,
        redis_url=redis_url,
        storage_url=storage_url,
        secret_key=_secret(environ, folder, is_embedded),
        embedded=is_embedded,
        home=folder,
        base_url=base_url,
        mail_from=_mail_from(environ, base_url),
        mail_server=_mail_server(environ, is_embedded),
        work_mem=environ.get("SOURCE_WORK_MEM") or "64MB",
        source_statement_timeout=_number(environ, "SOURCE_STATEMENT_TIMEOUT", 3600, 1, 86_400),
        source_parts=_number(environ, "SOURCE_PARTS", 2, 1, 8),
        trusted_proxies=_number(environ, "TRUSTED_PROXIES", 0, 0, 5),
        api_limit=_number(environ, "API_LIMIT", 300, 1, 1_000_000),
        run_lease=_number(environ, "RUN_LEASE", 30, 1, 3600),
        run_sweep=_number(environ, "RUN_SWEEP", 5, 1, 60),
        runs_per_brand=_number(environ, "RUNS_PER_BRAND", 2, 1, 1000),
        credential_keys=_credential_keys(environ, folder, is_embedded),
        metrics_token=_random_text(environ, "METRICS_TOKEN") if environ.get("METRICS_TOKEN") else "",
        **_uploads(environ, is_embedded),
    )
