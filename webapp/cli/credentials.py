"""`flask credentials rotate`: after a new key was put before the others in CREDENTIAL_KEYS (docs/connections.md)."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup, with_appcontext

credentials = AppGroup("credentials", help="What is sealed: passwords and keys of connections, keys of brands.")


@credentials.command("rotate")
@with_appcontext
def rotate() -> None:
    """Seal every credential of every brand again, with the first key of CREDENTIAL_KEYS.

    Afterwards the other keys can be taken out.
    """
    from sqlalchemy import select

    from exports.errors import CredentialUnreadable
    from webapp.extensions import db
    from webapp.models import Brand, brand_scope
    from webapp.services import audit, rotating

    count = 0
    for brand_id, name in db.session.execute(select(Brand.id, Brand.name).order_by(Brand.name)).all():
        with brand_scope(brand_id):
            try:
                count += rotating.rotate(audit.OPERATOR, brand_id)
            except CredentialUnreadable as error:
                click.echo(f"{name}: {error.message} {error.advised}", err=True)
                sys.exit(1)
    click.echo(f"{count:,} credential{'s' if count != 1 else ''} sealed with the first key of CREDENTIAL_KEYS.")
