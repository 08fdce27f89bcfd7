"""`flask brand`: how an operator makes a brand, and sets what its admins have no page for (SPEC section 11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
from flask.cli import AppGroup, with_appcontext

from webapp.cli.brand_option import brand_option, chosen_brand

if TYPE_CHECKING:
    from webapp.models import Brand

brand = AppGroup("brand", help="Brands and their limits.")

DAY: Final = 24 * 60
MAX_NAME: Final = 100


@brand.command("create")
@click.argument("name")
@click.option("--key", required=True, help="Its value in the brand column of the source's tables; `all` has none.")
@click.option("--timezone", required=True, help="IANA name, such as Europe/Budapest.")
@click.option("--module", "modules", multiple=True, metavar="MODULE", help="A module it has, as often as needed.")
@with_appcontext
def create(name: str, key: str, timezone: str, modules: tuple[str, ...]) -> None:
    """Make a brand; `flask user create --role admin` makes its first admin."""
    from webapp.extensions import db
    from webapp.models import Brand, brand_scope
    from webapp.services import audit

    if wrong := _wrong(name, key, timezone, modules):
        raise click.UsageError(wrong)
    made = Brand(source_key=key, name=name.strip(), time_zone=timezone, modules=sorted(set(modules)))
    db.session.add(made)
    db.session.flush()
    with brand_scope(made.id):
        audit.record("brand.created", audit.OPERATOR, name=made.name, key=key, modules=made.modules)
        db.session.commit()
        click.echo(f"{made.name} is made. Its first admin: flask user create EMAIL --role admin --brand {made.name!r}")


def _wrong(name: str, key: str, timezone: str, modules: tuple[str, ...]) -> str:
    """Why there can be no such brand; empty if there can."""
    from sqlalchemy import or_, select

    from exports import catalogue, zones
    from webapp.extensions import db
    from webapp.models import Brand

    if not name.strip().isprintable() or not 0 < len(name.strip()) <= MAX_NAME or not key.isprintable() or not key:
        return f"A brand needs a name of at most {MAX_NAME} printable characters, and a key."
    if timezone not in zones.names():
        return f'"{timezone}" is no time zone such as Europe/Budapest.'
    known = catalogue.builtin().modules
    if unknown := sorted(set(modules) - set(known)):
        return f'There is no module "{unknown[0]}". There are: {", ".join(sorted(known))}.'
    taken = select(Brand.id).where(or_(Brand.name == name.strip(), Brand.source_key == key))
    return "There is a brand of this name or with this key already." if db.session.scalars(taken).first() else ""


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
