"""Views, one module per page."""

from flask import Flask

from webapp.views import (
    accounts,
    cloning,
    details,
    downloads,
    editing,
    exports,
    health,
    models,
    runs,
    schedules,
    wizard,
)


def register(app: Flask) -> None:
    """Bind every page to the application."""
    for page in (accounts, cloning, details, downloads, editing, exports, health, models, runs, schedules, wizard):
        app.register_blueprint(page.blueprint)
