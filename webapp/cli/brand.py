"""`flask brand limits`: what an operator sets for a brand as long as its admins have no page for it."""

from __future__ import annotations

from typing import Final

import click
from flask.cli import AppGroup, with_appcontext

from webapp.cli.brand_option import brand_option, chosen_brand

brand = AppGroup("brand", help="Brands and their limits.")

DAY: Final = 24 * 60


@brand.command("limits")
@brand_option
@click.option("--minimum-minutes", type=click.IntRange(1, DAY), help="Minutes between two runs of a repeated export.")
@with_appcontext
def limits(brand: str | None, minimum_minutes: int | None) -> None:
    """Show the limits of a brand, changed if options say so.

    Schedules that were saved before go on as they are: a limit counts when one is made or changed.
    """
    from webapp.extensions import db
    from webapp.models import brand_scope
    from webapp.services import audit

    chosen = chosen_brand(brand)
    with brand_scope(chosen.id):
        if minimum_minutes is not None and minimum_minutes != chosen.minimum_minutes:
            before, chosen.minimum_minutes = chosen.minimum_minutes, minimum_minutes
            audit.record("brand.changed", audit.OPERATOR, minimum_minutes=minimum_minutes, before=before)
            db.session.commit()
        apart = f"{chosen.minimum_minutes} minute{'s' if chosen.minimum_minutes != 1 else ''}"
        click.echo(f"{chosen.name}: runs of a repeated export are at least {apart} apart.")
