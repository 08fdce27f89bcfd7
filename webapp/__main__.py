"""The flask program of script/flask: our own commands start without pages and plug-ins, others as flask starts them."""

from __future__ import annotations

import gc

import click
from flask.cli import FlaskGroup, ScriptInfo

from webapp import create_app, create_program
from webapp.cli import COMMANDS, OF_EXTENSIONS, Later


class Program(FlaskGroup):
    """Finds our commands first: looking for a plug-in's command loads every plug-in, and with them pandas."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names. flask would make the application to ask it, and so start the services only to show a list."""
        self._load_plugin_commands()
        return sorted({*click.Group.list_commands(self, ctx), *COMMANDS, *OF_EXTENSIONS})

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The command of that name."""
        if name in OF_EXTENSIONS:
            return Later(name, *OF_EXTENSIONS[name])
        if name not in COMMANDS:
            return super().get_command(ctx, name)
        ctx.obj = ScriptInfo(create_app=create_program, load_dotenv_defaults=False)
        return Later(name, *COMMANDS[name])


FEWER_COLLECTIONS = 50_000
"""Start-up makes a hundred thousand objects that all stay: looking through them again and again takes a tenth of it."""


def main() -> None:
    """Run one command."""
    gc.set_threshold(FEWER_COLLECTIONS)
    Program(create_app=create_app, load_dotenv=False).main(prog_name="flask")


if __name__ == "__main__":
    main()
