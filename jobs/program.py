"""The application as workers and schedulers have it."""

from __future__ import annotations

import os
from typing import Any

from flask import Flask
from sqlalchemy import event

from webapp import config, create_program, logs
from webapp.extensions import db


def create() -> Flask:
    """As `webapp.create_program`; besides, a process that is stopped (SIGSTOP, a machine that sleeps or is cut off) in
    the middle of a transaction holds its rows for a lease at most: then the database ends its session, and others go on
    with what it held. When it wakes up it is told so.
    """
    logs.set_up(config.log_format(os.environ))
    app = create_program()
    lease_ms = app.config["SETTINGS"].run_lease * 1000

    def limit(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute(f"SET idle_in_transaction_session_timeout = {lease_ms}")
        connection.autocommit = False

    with app.app_context():
        event.listen(db.engine, "connect", limit)
    return app
