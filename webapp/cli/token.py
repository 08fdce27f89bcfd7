"""`flask token`: how an operator makes, sees and revokes API tokens (docs/api.md)."""

from __future__ import annotations

import json
import sys
import uuid
from datetime import UTC
from typing import TYPE_CHECKING

import click
from flask.cli import AppGroup, with_appcontext

from exports.errors.request import TokenRefused
from webapp.cli.brand_option import brand_option, chosen_brand
from webapp.models.tokens import SCOPES

if TYPE_CHECKING:
    from webapp.models import ApiToken

token = AppGroup("token", help="Tokens of the HTTP API.")


@token.command("create")
@click.argument("email")
@click.option("--name", required=True, help="What will use it.")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(list(SCOPES)), help="Default: all of them.")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="How long it is valid.")
@brand_option
@with_appcontext
def create(email: str, name: str, scopes: tuple[str, ...], days: int, brand: str | None) -> None:
    """Make a token that acts as the user with this EMAIL; its secret is printed, once."""
    from webapp.models import brand_scope
    from webapp.services import accounts, audit, tokens

    with brand_scope(chosen_brand(brand).id):
        owner = accounts.by_email(email)
        if owner is None or not owner.is_active:
            raise click.UsageError(f"There is no active user with the email {email} in this brand.")
        wanted = tokens.Wanted(name, scopes or tuple(SCOPES), days)
        try:
            made, secret = tokens.create(owner, wanted, actor=audit.OPERATOR)
        except TokenRefused as refusal:
            click.echo(f"{refusal.message} {refusal.advised}", err=True)
            sys.exit(2)
        click.echo(f"Token {made.id} acts as {owner.email}, valid until {made.expires_at:%Y-%m-%d}.", err=True)
        click.echo(secret)


@token.command("list")
@brand_option
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each token.")
@with_appcontext
def list_(brand: str | None, as_json: bool) -> None:
    """List the tokens of a brand that are in force."""
    from webapp.models import brand_scope
    from webapp.services import tokens

    with brand_scope(chosen_brand(brand).id):
        for one in tokens.listed():
            line = _line(one)
            click.echo(json.dumps(line) if as_json else "  ".join(str(value) for value in line.values()))


def _line(one: ApiToken) -> dict[str, str | None]:
    used = one.last_used_at.astimezone(UTC).isoformat(timespec="seconds") if one.last_used_at else None
    return {
        "id": str(one.id),
        "owner": one.owner.email,
        "valid_until": f"{one.expires_at.astimezone(UTC):%Y-%m-%d}",
        "last_used_at": used,
        "scopes": ",".join(one.scopes),
        "name": one.name,
    }


@token.command("revoke")
@click.argument("id", type=click.UUID)
@brand_option
@with_appcontext
def revoke(id: uuid.UUID, brand: str | None) -> None:
    """Revoke the token with this ID."""
    from webapp.models import brand_scope
    from webapp.services import audit, tokens

    with brand_scope(chosen_brand(brand).id):
        found = tokens.find(id)
        if found is None:
            raise click.UsageError(f"There is no token {id} in this brand.")
        tokens.revoke(None, found, actor=audit.OPERATOR)
        click.echo(f"{found.name} is revoked.")
