"""`--brand NAME`: for which brand a command speaks (SPEC section 11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click
from sqlalchemy import or_, select
from sqlalchemy.exc import ProgrammingError

from webapp.extensions import db
from webapp.models import Brand

DEMO_BRAND: Final = "maple"
"""The first brand of the demo data, as the source names it: the default where there are several brands."""

NOT_MIGRATED: Final = {
    "42P01": "The database is empty: script/server or flask demo load makes what is needed.",
    "42703": "The database is of an older version: script/server or flask db upgrade brings it up to date.",
}
"""What it means that a table, or a column, is not there, by PostgreSQL's code."""

Command = TypeVar("Command", bound=Callable[..., Any])


def brand_option(command: Command) -> Command:
    """Give a command the option `--brand`, as its argument `brand`: the text that was typed, or None."""
    return click.option("--brand", metavar="NAME", help="The brand, by its name. Default: the only one.")(command)


def chosen_brand(name: str | None) -> Brand:
    """The brand of that name; without a name the only one, else the demo's first.

    Raises:
        click.UsageError: there is no such brand, or none was named and there are several.
    """
    brands = _known()
    if name is not None:
        found: Brand | None = db.session.scalar(select(Brand).where(or_(Brand.name == name, Brand.source_key == name)))
        if found is None:
            raise click.UsageError(f'There is no brand "{name}". {_brands()}')
        return found
    if len(brands) == 1:
        return brands[0]
    demo = next((one for one in brands if one.source_key == DEMO_BRAND), None)
    if demo is None:
        raise click.UsageError(f"Say which brand is meant: --brand NAME. {_brands()}")
    return demo


def _known() -> list[Brand]:
    """All brands.

    Raises:
        click.UsageError: the database has no tables yet, or those of an older version.
    """
    try:
        return list(db.session.scalars(select(Brand)))
    except ProgrammingError as error:
        db.session.rollback()
        if (told := NOT_MIGRATED.get(getattr(error.orig, "sqlstate", None) or "")) is None:
            raise
        raise click.UsageError(told) from error


def _brands() -> str:
    names = list(db.session.scalars(select(Brand.name).order_by(Brand.name)))
    return f"There are: {', '.join(names)}." if names else "There is none yet."
