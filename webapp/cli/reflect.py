"""`flask models reflect`: a first draft of a catalogue file from a table, or of custom fields from a JSONB column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click
from flask.cli import with_appcontext

from webapp.cli.brand_option import brand_option, chosen_brand

if TYPE_CHECKING:
    from exports.catalogue import DataModel
    from exports.reflecting import Member
    from webapp.models import Brand

COLUMN: Final = "properties"


@click.command("reflect")
@click.argument("table")
@click.option("--key", metavar="COLUMN", help="What tells the records apart. Default: the primary key.")
@click.option(
    "--brand-column", metavar="COLUMN|all", help="Whose record it is; all: everybody's. Default: brand, if it is there."
)
@click.option(
    "--custom", metavar="COLUMN", is_flag=False, flag_value=COLUMN, help="Instead: the members of a JSONB column."
)
@click.option("--make", is_flag=True, help="With --custom: make these fields for the brand.")
@brand_option
@with_appcontext
def reflect(
    table: str, key: str | None, brand_column: str | None, custom: str | None, make: bool, brand: str | None
) -> None:
    """Write a first draft of a catalogue file for TABLE to standard output.

    With --custom the members of its column properties (or COLUMN) are proposed as custom fields of a brand, and with
    --make they are made.
    """
    if custom is not None:
        _members(table, custom, chosen_brand(brand), make=make)
        return
    if make:
        raise click.UsageError("--make goes with --custom: a catalogue file is read and corrected by a person first.")
    _draft(table, key, brand_column)


def _draft(named: str, key: str | None, whose: str | None) -> None:
    from exports import reflecting
    from exports.errors import ExportsError
    from webapp.services import brands

    try:
        table = reflecting.read(brands.source(), named)
    except ExportsError as error:
        raise click.ClickException(error.told_now) from error
    if table is None:
        raise click.UsageError(f"There is no table {named} that the role of SOURCE_DATABASE_URL can see.")
    try:
        made = reflecting.draft(table, whose, key)
    except reflecting.NoKey as error:
        raise click.UsageError(f"{error}.") from error
    click.echo(made.text, nl=False)
    click.echo(f'Keep it as exports/catalogue/{made.id}.toml, and add "{made.id}" to models in _shared.toml.', err=True)
    if made.view:
        click.echo("First run the CREATE VIEW that stands at its top.", err=True)


def _members(named: str, column: str, brand: Brand, *, make: bool) -> None:
    from exports import reflecting
    from exports.errors import ExportsError
    from webapp.services import brands, custom_fields

    model = _model_of(named, brand)
    if column not in custom_fields.columns(model):
        raise click.UsageError(f"{model.label} has no JSONB column {column}.")
    try:
        asked = reflecting.statement(model, column, brand.source_key)
        rows = brands.source().select(asked, seconds=60)
    except ExportsError as error:
        raise click.ClickException(error.told_now) from error
    known = {one.path for one in model.fields.values() if one.column == column}
    found = [one for one in reflecting.fields_of(rows) if (one.name,) not in known]
    for one in found:
        told = _made(brand, model, column, one) if make else ""
        marks = "personal, guessed by its name" if one.personal else ""
        click.echo("\t".join((one.name, one.type.value, one.label, f"{one.share} % of the rows", marks, told)).rstrip())
    if not found:
        click.echo("No member is missing among the fields.", err=True)


def _made(brand: Brand, model: DataModel, column: str, member: Member) -> str:
    """Make a field of a member; what came of it."""
    from exports.reflecting.guesses import field_id, words
    from webapp.models import brand_scope
    from webapp.services import audit, custom_fields

    id = field_id("_".join(words(member.name)) or "field", set(model.fields))
    wanted = custom_fields.Wanted(
        model.id, id, member.label, member.type.value, column=column, path=member.name, personal=member.personal
    )
    with brand_scope(brand.id):
        wrong = next(custom_fields.problems(brand, wanted), None)
        if wrong is None and "." in member.name:
            wrong = ("path", "a name with a dot cannot be reached")
        if wrong is not None:
            return f"not made: {wrong[1]}"
        try:
            custom_fields.make(audit.OPERATOR, wanted)
        except custom_fields.FieldTaken as taken:
            return f"not made: {taken}"
    return f"made as {id}"


def _model_of(named: str, brand: Brand) -> DataModel:
    from webapp.services import brands

    models = brands.catalogue_of(brand).models
    found = next((one for one in models.values() if named in (one.table, one.id)), None)
    if found is None:
        raise click.UsageError(f"No data model of {brand.name} reads the table {named}.")
    return found
