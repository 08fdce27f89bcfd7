"""The settings, read once from the environment by readers that refuse nonsense and name the variable."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from exports.errors import SetUpError
from webapp import embedded

MIN_SECRET = 32
MAX_BODY = 1024 * 1024
"""Bytes of a request (RELIABILITY T13). Flask's own limit for a form is half of it, which 500 long headers pass."""


class SettingError(SystemExit):
    """A setting that is missing or makes no sense; its text names the variable and says what to do."""


@dataclass(frozen=True)
class Settings:
    """Everything that differs from one installation to the next."""

    database_url: str
    source_database_url: str
    redis_url: str
    storage_url: str
    secret_key: str
    embedded: bool
    home: Path
    work_mem: str = "64MB"
    source_statement_timeout: int = 3600
    source_parts: int = 2
    source_pool: int = 4
    trusted_proxies: int = 0
    run_lease: int = 30
    run_sweep: int = 5
    runs_per_brand: int = 2

    def flask(self) -> dict[str, object]:
        """The keys that Flask and its extensions read."""
        return {
            "SECRET_KEY": self.secret_key,
            "SQLALCHEMY_DATABASE_URI": sqlalchemy_url(self.database_url),
            "SQLALCHEMY_ENGINE_OPTIONS": {"pool_size": 8, "max_overflow": 24, "pool_pre_ping": True},
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
    secret = environ.get("SECRET_KEY", "")
    if len(secret) >= MIN_SECRET:
        return secret
    if secret or not is_embedded:
        raise SettingError(
            f"SECRET_KEY must be set, to a random text of at least {MIN_SECRET} characters: "
            'python3 -c "import secrets; print(secrets.token_urlsafe(48))" makes one.'
        )
    return _kept_secret(folder / "secret-key")


def _kept_secret(path: Path) -> str:
    """The embedded installation's own key: made at the first start, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return path.read_text()


def read(environ: Mapping[str, str]) -> Settings:
    """All settings; starts or joins the embedded services if no address is set.

    Raises:
        SettingError: naming the variable, or what keeps the embedded services from starting.
    """
    folder = home(environ)
    database_url = environ.get("DATABASE_URL", "")
    is_embedded = not database_url
    if is_embedded:
        try:
            addresses = embedded.join(folder)
        except SetUpError as error:
            raise SettingError(f"{error.message} {error.advised}") from error
        database_url, source_url, redis_url = addresses.database_url, addresses.source_url, addresses.redis_url
    else:
        source_url = environ.get("SOURCE_DATABASE_URL", "")
        redis_url = environ.get("REDIS_URL", "")
        for name, value in (("SOURCE_DATABASE_URL", source_url), ("REDIS_URL", redis_url)):
            if not value:
                raise SettingError(f"{name} must be set as well, since DATABASE_URL is.")
    storage_url = environ.get("STORAGE_URL", "") or (f"file://{folder}/artefacts" if is_embedded else "")
    if not storage_url:
        raise SettingError("STORAGE_URL must be set: file:///folder, s3://bucket/prefix, gs://… or az://…")
    return Settings(
        database_url=database_url,
        source_database_url=source_url,
        redis_url=redis_url,
        storage_url=storage_url,
        secret_key=_secret(environ, folder, is_embedded),
        embedded=is_embedded,
        home=folder,
        work_mem=environ.get("SOURCE_WORK_MEM") or "64MB",
        source_statement_timeout=_number(environ, "SOURCE_STATEMENT_TIMEOUT", 3600, 1, 86_400),
        source_parts=_number(environ, "SOURCE_PARTS", 2, 1, 8),
        trusted_proxies=_number(environ, "TRUSTED_PROXIES", 0, 0, 5),
        run_lease=_number(environ, "RUN_LEASE", 30, 1, 3600),
        run_sweep=_number(environ, "RUN_SWEEP", 5, 1, 60),
        runs_per_brand=_number(environ, "RUNS_PER_BRAND", 2, 1, 1000),
    )
