"""`flask brand limits`: what an operator sets for a brand as long as its admins have no page for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
from flask.cli import AppGroup, with_appcontext

from webapp.cli.brand_option import brand_option, chosen_brand

if TYPE_CHECKING:
    from webapp.models import Brand

brand = AppGroup("brand", help="Brands and their limits.")

DAY: Final = 24 * 60


@brand.command("limits")
@brand_option
@click.option("--minimum-minutes", type=click.IntRange(1, DAY), help="Minutes between two runs of a repeated export.")
@click.option("--mail-domain", "allowed", multiple=True, metavar="DOMAIN", help="Allow mails to addresses of it.")
@click.option("--no-mail-domain", "forbidden", multiple=True, metavar="DOMAIN", help="Allow them no more.")
@click.option("--plain-ftp/--no-plain-ftp", default=None, help="Whether files may go to servers without encryption.")
@with_appcontext
def limits(
    brand: str | None,
    minimum_minutes: int | None,
    allowed: tuple[str, ...],
    forbidden: tuple[str, ...],
    plain_ftp: bool | None,
) -> None:
    """Show the limits of a brand, changed if options say so.

    Schedules that were saved before go on as they are: their limit counts when one is made or changed. Mails to an
    address whose domain is allowed no more are not sent from then on, and nothing is uploaded by plain FTP where that
    is off.
    """
    from webapp.models import brand_scope

    domains = tuple(map(_domain, allowed)), tuple(map(_domain, forbidden))
    chosen = chosen_brand(brand)
    with brand_scope(chosen.id):
        if minimum_minutes is not None:
            _change(chosen, "minimum_minutes", minimum_minutes)
        _change(chosen, "mail_domains", sorted({*chosen.mail_domains, *domains[0]} - {*domains[1]}))
        if plain_ftp is not None:
            _change(chosen, "plain_ftp", plain_ftp)
        apart = f"{chosen.minimum_minutes} minute{'s' if chosen.minimum_minutes != 1 else ''}"
        click.echo(f"{chosen.name}: runs of a repeated export are at least {apart} apart.")
        others = f"users and to addresses of {', '.join(chosen.mail_domains)}" if chosen.mail_domains else "users alone"
        click.echo(f"{chosen.name}: mails go to {others}.")
        click.echo(f"{chosen.name}: plain FTP is {'allowed' if chosen.plain_ftp else 'switched off'}.")


def _domain(typed: str) -> str:
    """A domain as it is compared.

    Raises:
        click.UsageError: it is none.
    """
    from exports.recipients import is_domain

    domain = typed.strip().lower().removeprefix("@")
    if not is_domain(domain):
        raise click.UsageError(f'"{typed}" is no domain such as company.example')
    return domain


def _change(brand: Brand, limit: str, value: Any) -> None:
    """Set a limit, and write down what it was; commits."""
    from webapp.extensions import db
    from webapp.services import audit

    before = getattr(brand, limit)
    if before != value:
        setattr(brand, limit, value)
        audit.record("brand.changed", audit.OPERATOR, **{limit: value, "before": before})
        db.session.commit()
