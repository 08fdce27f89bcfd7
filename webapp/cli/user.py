"""`flask user create`: how an operator makes the first people (SPEC section 11)."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup, with_appcontext

from exports.errors import AccountRefused
from webapp.cli.brand_option import brand_option, chosen_brand

user = AppGroup("user", help="People who log in.")


@user.command("create")
@click.argument("email")
@click.option("--name", help="Default: what stands before the @.")
@click.option("--role", type=click.Choice(["viewer", "exporter", "manager", "admin"]), default="exporter")
@brand_option
@click.option("--timezone", help="IANA name, such as Europe/Budapest. Default: the brand's.")
@click.option("--ask-password", is_flag=True, help="Type the password; otherwise a random one is printed, once.")
@with_appcontext
def create(
    email: str, name: str | None, role: str, brand: str | None, timezone: str | None, ask_password: bool
) -> None:
    """Make a user who can log in at once."""
    from webapp.models import system_scope
    from webapp.services import accounts, audit

    password = click.prompt("Password", hide_input=True, confirmation_prompt=True) if ask_password else None
    given = password or accounts.new_password()
    try:
        with system_scope():
            made = accounts.create_user(
                chosen_brand(brand),
                email,
                name or email.partition("@")[0],
                role=role,
                time_zone=timezone,
                password=given,
                actor=audit.OPERATOR,
            )
            told = f"{made.email} is {'an' if role[0] in 'ae' else 'a'} {role} of {made.brand.name}."
    except AccountRefused as refusal:
        click.echo(f"{refusal.message} {refusal.advised}", err=True)
        sys.exit(2)
    click.echo(told)
    if password is None:
        click.echo(f"Password: {given}")
