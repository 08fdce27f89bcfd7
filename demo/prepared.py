"""Whether everything is as the last start left it: then the next one need not look at tables and data (1.6 s less)."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from webapp import ROOT, embedded
from webapp.config import Settings

NOTE, LOGIN = "prepared.json", "demo-login.json"
# What a start would look at: the revision of the tables, and what the loader noted at the schema.
STATES = (
    "SELECT version_num FROM alembic_version ORDER BY 1",
    "SELECT obj_description('loyalty'::regnamespace, 'pg_namespace')",
)


def is_prepared(settings: Settings, url: str) -> bool:
    """Whether this very code prepared these very databases, for this address."""
    note = _json(settings.home / NOTE)
    if not settings.embedded or not note or login(settings.home).get("url") != url:
        return False
    return note == {"code": _code(), "state": _state(settings)}


def remember(settings: Settings) -> None:
    """Note that everything is prepared."""
    state = _state(settings) if settings.embedded else None
    if state is not None:
        (settings.home / NOTE).write_text(json.dumps({"code": _code(), "state": state}) + "\n")


def login(home: Path) -> dict[str, str]:
    """The login of the first brand: url, email, password; empty if there is none yet."""
    return _json(home / LOGIN)


def _json(file: Path) -> dict[str, str]:
    try:
        found = json.loads(file.read_text())
    except (FileNotFoundError, ValueError):  # one that was cut short is as good as none
        return {}
    return found if isinstance(found, dict) else {}


def _code() -> str:
    """Changes with anything that a preparation does."""
    digest = hashlib.sha256()
    for folder in (ROOT / "migrations", ROOT / "demo"):
        for file in sorted(folder.rglob("*.*")):
            if file.suffix in (".py", ".sql", ".toml"):
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _state(settings: Settings) -> str | None:
    """What the databases say of themselves; None if they have not been prepared. By psql: it starts in 10 ms."""
    addresses = embedded.join(settings.home)
    psql = str(Path(addresses.programs) / "psql")
    said = []
    for query, url in zip(STATES, (addresses.database_url, addresses.source_admin_url), strict=True):
        run = subprocess.run([psql, "-XAtqc", query, url], capture_output=True, text=True)  # noqa: S603 - our own words
        if run.returncode:
            return None
        said.append(run.stdout.strip())
    return "\n".join(said)
