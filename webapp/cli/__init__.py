"""Commands of the flask program."""

from flask import Flask


def register(app: Flask) -> None:
    """Bind every command to the application."""
    for command in ():
        app.cli.add_command(command)
