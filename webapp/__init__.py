"""What answers browsers and API clients."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

# The keeper of the embedded services and script/server import this package and need nothing of Flask.
if TYPE_CHECKING:
    from flask import Flask

    from webapp.config import Settings

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; the settings are read from the environment unless they are given.

    Raises:
        SettingError: naming the variable that is missing or makes no sense.
        CatalogueError: naming the catalogue file and the key.
    """
    from werkzeug.middleware.proxy_fix import ProxyFix

    from webapp import access_log, cli, drawn, errors, filters, icons, security, static_files, tries, views, words
    from webapp import htmx as fragments
    from webapp.extensions import db
    from webapp.models.sessions import SessionStore
    from webapp.web_extensions import csrf, htmx, limiter, login, migrate

    app = create_program(settings)
    settings = app.config["SETTINGS"]
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    app.session_interface = SessionStore(app)
    access_log.register(app)  # before all else that may answer: what the limiter refuses is a request too
    for extension in (csrf, login, htmx, limiter):
        extension.init_app(app)
    for part in (security, errors, filters, fragments, icons, drawn, tries, words, views, cli, static_files):
        part.register(app)
    security.require_actions(app)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app


def create_program(settings: Settings | None = None) -> Flask:
    """Make the application without what answers browsers: a command waits for every import (SPEC section 14).

    Raises as `create_app`.
    """
    from flask import Flask

    from exports import catalogue
    from webapp import database, logs
    from webapp.config import read
    from webapp.extensions import db

    catalogue.builtin()
    settings = settings or read(os.environ)
    logs.hide(settings.secrets)
    app = Flask("exports", root_path=str(ROOT), template_folder="templates", static_folder=None)
    app.config.update(settings.flask())
    db.init_app(app)
    with app.app_context():
        database.keep(db.engine)
    return app
