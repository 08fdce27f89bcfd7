"""`flask models`: the data models, their fields, and the operators that each field has; `reflect`: cli/reflect.py."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click
from flask.cli import with_appcontext

from exports import catalogue
from exports.catalogue import Catalogue, DataModel
from exports.described import described, summary
from webapp.cli.brand_option import brand_option, chosen_brand
from webapp.cli.reflect import reflect
from webapp.services.brands import catalogue_of


class _Models(click.Group):
    """`models [MODEL]` beside `models reflect TABLE`: what is no other command is the name of a model."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args[:1] not in (["reflect"], ["--help"]):
            args = ["show", *args]
        return super().parse_args(ctx, args)


@click.group("models", cls=_Models)
def models() -> None:
    """List the data models of a brand or the fields of one, or draft a new one from a table.

    `models [MODEL] [--json]` is the same as `models show`.
    """


models.add_command(reflect)


@models.command("show")
@click.argument("model", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@brand_option
@with_appcontext
def show(model: str | None, as_json: bool, brand: str | None) -> None:
    """List the data models of a brand, or the fields of one MODEL with their types and operators."""
    seen = catalogue_of(chosen_brand(brand))
    if model is None:
        rows = [summary(one) for one in seen.models.values()]
        click.echo(_as_json(rows) if as_json else _table(["id", "label", "module", "fields", "custom"], rows))
        return
    told = described(_found(seen, model))
    if as_json:
        click.echo(_as_json(told))
        return
    listed = [*told["fields"], *({**one, "flags": ["filter only"]} for one in told["attributes"])]
    lines = [{**one, "type": _type(one), "flags": _words(one["flags"])} for one in listed]
    lines = [{**one, "operators": _words(one["operators"])} for one in lines]
    click.echo(_table(["id", "label", "type", "flags", "operators", "description"], lines))


def _found(seen: Catalogue, id: str) -> DataModel:
    if id in seen.models:
        return seen.models[id]
    known = catalogue.builtin().models.get(id)
    if known is not None:
        raise click.UsageError(f'The brand does not have the module "{known.module}" that {known.label} belongs to.')
    raise click.UsageError(f'There is no data model "{id}". There are: {", ".join(seen.models)}.')


def _type(field: dict[str, Any]) -> str:
    """`list of reference to stores`, as people say it."""
    items = f" of {field['items']}" if "items" in field else ""
    return f"{field['type']}{items}" + (f" to {field['reference']}" if "reference" in field else "")


def _words(words: Iterable[str]) -> str:
    return ", ".join(words)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _table(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> str:
    """Columns two spaces apart, their names above them; one record a line, so that a line can be searched for."""
    cells = [list(columns), *(["" if row[name] is None else str(row[name]) for name in columns] for row in rows)]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )
