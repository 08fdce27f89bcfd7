"""How migrations reach the application database: over the engine of the Flask application."""

from alembic import context
from flask import current_app

import webapp.models  # noqa: F401 - the tables must be known to the metadata

db = current_app.extensions["migrate"].db


def run() -> None:
    """Run inside one transaction, one process at a time (several machines may deploy at once)."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("SELECT pg_advisory_lock(7365627)")
        connection.commit()
        context.configure(connection=connection, target_metadata=db.metadata, compare_server_default=False)
        with context.begin_transaction():
            context.run_migrations()


run()
