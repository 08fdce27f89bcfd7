"""A brand with a long history: 100,000 exports, their versions and runs, and an audit log (history.sql)."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks import engine
from webapp import embedded
from webapp.services.accounts import hash_password

EXPORTS: Final = 100_000
HISTORY: Final = Path(__file__).with_name("history.sql")
EMAIL: Final = "bench@maplegrocers.example"
PASSWORD: Final = "a password for twenty people"  # noqa: S105 - of a database that only the benchmark has


def fill(home: Path) -> psycopg.Connection[Any]:
    """The demo's brand and source in an installation of the benchmark's own, and the history, unless it is there."""
    home.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "EXPORTS_HOME": str(home)}
    if not (home / "demo-login.json").exists():
        subprocess.run([*engine.FLASK, "demo", "load"], cwd=engine.ROOT, env=environ, check=True)
    subprocess.run([*engine.FLASK, "db", "upgrade"], cwd=engine.ROOT, env=environ, check=True, capture_output=True)
    connection = psycopg.connect(embedded.join(home).database_url, autocommit=True)
    counted = connection.execute("SELECT count(*) FROM exports").fetchone()
    if counted is None or counted[0] < EXPORTS:
        with connection.transaction():
            _who(connection)
            connection.execute(HISTORY.read_bytes())
        connection.execute("VACUUM ANALYZE")
    connection.execute("DELETE FROM drafts")  # of former measurements: nobody has dozens
    connection.execute("ANALYZE")
    return connection


def _who(connection: psycopg.Connection[Any]) -> None:
    """A person to log in as, and the table that tells the history whose it is."""
    person = """
        INSERT INTO users (id, brand_id, email, name, time_zone, role, export_pii, use_new_target, see_audit,
                           password_hash, token)
        SELECT gen_random_uuid(), id, %s, 'Bench Person', 'Europe/Budapest', 'admin', true, true, true, %s, 'bench'
          FROM brands WHERE source_key = 'maple'
    """
    connection.execute(person, [EMAIL, hash_password(PASSWORD)])
    connection.execute("CREATE TEMP TABLE who ON COMMIT DROP AS SELECT brand_id brand, id person, email FROM users")
    connection.execute("DELETE FROM who WHERE email <> %s", [EMAIL])
