"""`flask audit verify`: whether a row of the audit log was changed or taken out since it was sealed (docs/audit.md)."""

from __future__ import annotations

import sys

import click
from flask.cli import AppGroup, with_appcontext

from webapp.cli.brand_option import brand_option, chosen_brand

audit = AppGroup("audit", help="The audit log.")


@audit.command("verify")
@brand_option
@with_appcontext
def verify(brand: str | None) -> None:
    """Go through the chain of a brand's audit log and say up to which row it is sealed; exit status 1 if it is broken.

    Keep the row and the seal that are printed: who takes away the newest rows cannot make these again.
    """
    from webapp.models import brand_scope
    from webapp.services import sealing

    chosen = chosen_brand(brand)
    with brand_scope(chosen.id):
        found = sealing.verify()
    if found.wrong:
        click.echo(f"{chosen.name}: {found.wrong}. Up to row {found.place:,} the log is as it was written.", err=True)
        sys.exit(1)
    waiting = f" {found.waiting:,} newer row{'s are' if found.waiting != 1 else ' is'} not sealed yet."
    if not found.place:
        click.echo(f"{chosen.name}: no row is sealed yet.{waiting if found.waiting else ''}")
        return
    click.echo(f"{chosen.name}: sealed up to row {found.place:,}, seal {found.seal}.{waiting if found.waiting else ''}")
