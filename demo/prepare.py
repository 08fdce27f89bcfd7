"""`python -m demo.prepare URL`: tables, demo data and users, whatever of them is missing; a part of script/server."""

from __future__ import annotations

import signal
import sys

import flask_migrate
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app

from demo import load, setup
from demo.cli import source_of
from exports.errors import InstanceNewer
from webapp import create_app
from webapp.config import Settings
from webapp.extensions import db


def main(url: str) -> int:
    """Prepare for a server at this address: 0, or 1 with a sentence that says what is in the way."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C: the load's transaction ends with its connection
    app = create_app()
    settings: Settings = app.config["SETTINGS"]
    with app.app_context():
        try:
            migrate(settings)
            load_data(settings)
        except InstanceNewer as error:
            return _refuse(f"{error.message} {error.advised}")
        except load.SchemaTaken as error:
            return _refuse(str(error))
        setup.set_up(settings.home, url)
    return 0


def migrate(settings: Settings) -> None:
    """Bring the tables up to date. Raises InstanceNewer if they are ahead of this version."""
    script = ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())
    known = {revision.revision for revision in script.walk_revisions()}
    with db.engine.connect() as connection:
        there = set(MigrationContext.configure(connection).get_current_heads())
    if there - known:
        raise InstanceNewer(folder=settings.home)
    if there != set(script.get_heads()):
        flask_migrate.upgrade()


def load_data(settings: Settings) -> None:
    """Load the demo data unless they are there, and say so. Raises SchemaTaken."""
    told: list[str] = []

    def report(line: str) -> None:
        # The loader tells each table and index; a newcomer wants to know what takes so long, and that it ended.
        if not told:
            _say("Loading the demo data: the first quarter of 2017 (the first time only, about 20 s)")
        told.append(line)

    if load.ensure_loaded(source_of(settings), report=report):
        _say(f"Loaded {told[-1]}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is what script/server shows


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - see above
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
