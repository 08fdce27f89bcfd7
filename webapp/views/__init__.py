"""Views, one module per page."""

from flask import Flask

from webapp.views import (
    accounts,
    api,
    audit,
    cloning,
    comparing,
    connections,
    details,
    downloads,
    editing,
    exports,
    fields,
    handing_over,
    health,
    mailbox,
    models,
    passwords,
    people,
    personal,
    removing,
    runs,
    schedules,
    second_step,
    settings,
    several,
    tokens,
    webhooks,
    wizard,
)


def register(app: Flask) -> None:
    """Bind every page and the API to the application."""
    pages = (
        accounts, audit, cloning, comparing, connections, details, downloads, editing, exports, fields, handing_over,
        health, mailbox, models, passwords, people, personal, removing,
        runs, schedules, second_step, settings, several, tokens, webhooks, wizard,
    )  # fmt: skip
    for page in pages:
        app.register_blueprint(page.blueprint)
    api.register(app)
