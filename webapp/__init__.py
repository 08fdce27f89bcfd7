"""What answers browsers and API clients."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from exports import catalogue
from webapp import cli, errors, filters, security, static_files, views
from webapp.config import Settings, read
from webapp.extensions import bootstrap, csrf, db, htmx, limiter, login, migrate
from webapp.models.sessions import SessionStore

ROOT = Path(__file__).resolve().parent.parent


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; the settings are read from the environment unless they are given.

    Raises:
        SettingError: naming the variable that is missing or makes no sense.
        CatalogueError: naming the catalogue file and the key.
    """
    catalogue.builtin()
    settings = settings or read(os.environ)
    app = Flask("exports", root_path=str(ROOT), template_folder="templates", static_folder="static")
    app.config.update(settings.flask())
    db.init_app(app)
    migrate.init_app(app, db, directory=str(ROOT / "migrations"))
    app.session_interface = SessionStore(app)
    for extension in (csrf, login, htmx, limiter, bootstrap):
        extension.init_app(app)
    for part in (security, errors, filters, views, cli, static_files):
        part.register(app)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app
