"""`flask export list|show|definition|clone`: exports that were saved (SPEC section 11)."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

import click
from flask.cli import with_appcontext

from exports.definition import parse
from exports.errors import DefinitionRefused
from webapp.cli.brand_option import brand_option, chosen_brand
from webapp.cli.usage import Command, refuse

if TYPE_CHECKING:
    from webapp.models import Export


@click.command("list", cls=Command)
@brand_option
@click.option("--json", "as_json", is_flag=True, help="One JSON line for each export.")
@with_appcontext
def list_(brand: str | None, as_json: bool) -> None:
    """List the exports of a brand, newest first."""
    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    from webapp.extensions import db
    from webapp.models import Export, brand_scope

    with brand_scope(chosen_brand(brand).id):
        newest = (
            select(Export)
            .where(Export.archived_at.is_(None), Export.deleted_at.is_(None))
            .order_by(Export.created_at.desc(), Export.id)
        )
        for one in db.session.scalars(newest.options(joinedload(Export.latest_run), joinedload(Export.created_by))):
            line = _line(one)
            click.echo(json.dumps(line) if as_json else "  ".join(str(value) for value in line.values()))


def _line(one: Export) -> dict[str, Any]:
    return {
        "id": str(one.id),
        "created_at": one.created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "created_by": one.created_by.email,
        "model": one.model,
        "status": one.status,
        "bytes": one.latest_run.bytes if one.latest_run else 0,
        "name": one.name,
    }


@click.command("show", cls=Command)
@click.argument("name")
@brand_option
@with_appcontext
def show(name: str, brand: str | None) -> None:
    """Show one export, by its id or its name, and its latest runs."""
    from sqlalchemy import select

    from webapp.extensions import db
    from webapp.models import Run, brand_scope

    with brand_scope(chosen_brand(brand).id):
        found = find_export(name)
        for key, value in {**_line(found), "version": found.version}.items():
            click.echo(f"{key}: {value}")
        for one in db.session.scalars(
            select(Run).where(Run.export_id == found.id).order_by(Run.created_at.desc()).limit(20)
        ):
            reason = f"  {one.error_message}" if one.error_message else ""
            started = one.created_at.astimezone(UTC).isoformat(timespec="seconds")
            click.echo(f"run {one.id}: {started}  {one.status}  {one.rows} rows, {one.bytes} bytes{reason}")


@click.command("definition", cls=Command)
@click.argument("name")
@brand_option
@click.option("--version", type=int, help="Default: the present one.")
@with_appcontext
def definition(name: str, brand: str | None, version: int | None) -> None:
    """Print the definition of an export, by its id or its name: what `flask export run` takes."""
    from sqlalchemy import select

    from webapp.extensions import db
    from webapp.models import ExportVersion, brand_scope

    with brand_scope(chosen_brand(brand).id):
        found = find_export(name)
        number = version or found.version
        wanted = select(ExportVersion).where(ExportVersion.export_id == found.id, ExportVersion.number == number)
        saved = db.session.scalars(wanted).one_or_none()
        if saved is None:
            raise click.UsageError(f"{found.name} has no version {number}.")
        click.echo(json.dumps(parse(saved.definition).as_json(), ensure_ascii=False, indent=2))


def find_export(name: str) -> Export:
    """The export with that id, or the only one with that name, in the present brand."""
    import uuid

    from sqlalchemy import select
    from sqlalchemy.orm import joinedload

    from webapp.extensions import db
    from webapp.models import Export

    try:
        same = Export.id == uuid.UUID(name)
    except ValueError:
        same = Export.name == name
    wanted = (
        select(Export)
        .where(same, Export.deleted_at.is_(None))
        .options(joinedload(Export.latest_run), joinedload(Export.created_by))
    )
    found = list(db.session.scalars(wanted))
    if len(found) != 1:
        several = f"{len(found)} exports are called {name}: use an id." if found else f"There is no export {name}."
        raise click.UsageError(several)
    return found[0]


@click.command("clone", cls=Command)
@click.argument("name")
@brand_option
@click.option("--name", "new_name", metavar="NAME", default="", help="Of the new export. Default: NAME (copy).")
@with_appcontext
def clone(name: str, brand: str | None, new_name: str) -> None:
    """Make a new export with the definition of another one, named by its id or its name; print the new one's id.

    It belongs to the owner of the other one, and starts or waits for its moment as after Create.
    """
    from webapp.extensions import db
    from webapp.models import User, brand_scope
    from webapp.permissions import Refused
    from webapp.services import audit, exports

    with brand_scope(chosen_brand(brand).id):
        found = find_export(name)
        owner = db.session.get_one(User, found.owner_id)
        try:
            made = exports.clone(owner, found, new_name, audit.OPERATOR)
        except DefinitionRefused as refused:
            refuse(refused.problems)
        except Refused as refused:
            raise click.ClickException(f"{owner.name}, who owns {found.name}, may not create exports.") from refused
        click.echo(str(made.id))


COMMANDS: Final = (list_, show, definition, clone)
