"""Commands on a database that is not of this version say so (SPEC section 11)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg

from tests.fix_app import stores

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.fix_app import People


def test_a_database_of_an_older_version_is_named_and_what_to_do(
    app: Flask, people: People, app_database: str, tmp_path: Path
) -> None:
    from webapp.cli.export import export

    file = tmp_path / "definition.json"
    file.write_text(json.dumps(stores().as_json()))
    with psycopg.connect(app_database, autocommit=True) as connection:
        connection.execute("ALTER TABLE brands RENAME COLUMN log_days TO no_longer")
    try:
        with app.app_context():
            told = app.test_cli_runner().invoke(export, ["run", str(file), "--out", "-"])
    finally:
        with psycopg.connect(app_database, autocommit=True) as connection:
            connection.execute("ALTER TABLE brands RENAME COLUMN no_longer TO log_days")
    assert told.exit_code == 1
    assert "The database is of an older version: script/server or flask db upgrade brings it up to date." in told.output
    assert "Traceback" not in told.output
    assert "log_days" not in told.output, "no SQL"
