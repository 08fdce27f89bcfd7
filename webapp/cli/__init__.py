"""Commands of the flask program. Each is imported when it is called: a shell waits for every import (SPEC 14)."""

from __future__ import annotations

import importlib
from typing import Final

import click
from flask import Flask

COMMANDS: Final = {
    "audit": ("webapp.cli.audit", "The audit log."),
    "brand": ("webapp.cli.brand", "Brands and their limits."),
    "credentials": ("webapp.cli.credentials", "Passwords and keys of connections."),
    "date": ("webapp.cli.date", "Say which day a date: expression means."),
    "export": ("webapp.cli.export", "Run, check and show exports."),
    "models": ("webapp.cli.models", "List the data models and their fields, or draft one."),
    "token": ("webapp.cli.token", "Tokens of the HTTP API."),
    "user": ("webapp.cli.user", "People who log in."),
}
"""Name -> module, which has the command under the same name, and what the list of commands says of it."""
OF_EXTENSIONS: Final = {"db": ("flask_migrate.cli", "Perform database migrations.")}
"""What extensions add to the application itself, named here so that nobody has to make one to know of it."""


class Later(click.Group):
    """A command that is not imported yet."""

    def __init__(self, name: str, module: str, short_help: str) -> None:
        super().__init__(name, short_help=short_help, add_help_option=False)
        self.module = module

    def load(self) -> click.Command:
        """The command itself."""
        command: click.Command = getattr(importlib.import_module(self.module), str(self.name))
        return command

    def make_context(self, *arguments: object, **options: object) -> click.Context:
        """From here on the command itself stands in."""
        return self.load().make_context(*arguments, **options)  # type: ignore[arg-type]


def register(app: Flask) -> None:
    """Bind every command to the application."""
    for name, (module, short_help) in COMMANDS.items():
        app.cli.add_command(Later(name, module, short_help))
