"""`flask demo`: load the demo data, tell the demo login."""

from __future__ import annotations

import os

import click
import flask_migrate
from flask import current_app
from flask.cli import with_appcontext

from demo import load as loading
from demo import setup
from demo.parts import ALL, FIRST_QUARTER
from webapp import embedded
from webapp.config import Settings


@click.group()
def demo() -> None:
    """Demo data and the demo user."""


@demo.command("load")
@click.option("--all", "everything", is_flag=True, help="All of 2017 (1.6 million events), not only its first quarter.")
@click.option(
    "--times",
    default=1,
    metavar="N",
    type=click.IntRange(1, loading.MAX_TIMES),
    help="Store each event N times, with distinct keys.",
)
@click.option("--database", metavar="URL", help="The source, as a role that may create schemas. Default: the source.")
@with_appcontext
def load_command(everything: bool, times: int, database: str | None) -> None:
    """Load the demo data in place of what schema loyalty holds, and make its brands and users."""
    settings: Settings = current_app.config["SETTINGS"]
    part = ALL if everything else FIRST_QUARTER
    try:
        rows = loading.load(database or source_of(settings), part, times, lambda line: click.echo(line, err=True))
    except loading.SchemaTaken as error:
        raise click.ClickException(str(error)) from error
    if settings.embedded:
        flask_migrate.upgrade()
    setup.set_up(settings.home, address())
    click.echo(f"Loaded: {part.label}" + (f", events {times} times" if times > 1 else ""))
    for table, count in rows.items():
        click.echo(f"{count:>12,}  {table}")


@demo.command("login")
@with_appcontext
def login_command() -> None:
    """Print the demo's address and logins again."""
    settings: Settings = current_app.config["SETTINGS"]
    logins = setup.known_logins(settings.home)
    if not logins:
        raise click.ClickException("There is no demo login yet: script/server or flask demo load makes one.")
    for login in logins.values():
        click.echo(f"{login.url}  {login.email}  {login.password}")


def source_of(settings: Settings) -> str:
    """The source's address with the right to create: the embedded owner's, or the one that was set."""
    return embedded.join(settings.home).source_admin_url if settings.embedded else settings.source_database_url


def address() -> str:
    """Where script/server listens."""
    return f"http://127.0.0.1:{os.environ.get('PORT') or 5000}"
