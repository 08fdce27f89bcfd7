"""Views, one module per page."""

from flask import Flask

from webapp.views import health


def register(app: Flask) -> None:
    """Bind every page to the application."""
    for page in (health,):
        app.register_blueprint(page.blueprint)
