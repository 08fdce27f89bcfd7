"""What one brand sees: its catalogue with its custom fields, and what surrounds its queries."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from flask import current_app
from sqlalchemy import Select, Text, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from exports import catalogue
from exports.catalogue import Catalogue, DataField, FieldType
from exports.errors import SourceError
from exports.zones import names as known_zones
from exports.zones import zone
from webapp.extensions import db
from webapp.models import Brand, CustomField, brand_scope
from webapp.services import masks

if TYPE_CHECKING:
    from exports.definition import Definition
    from exports.query import Surroundings
    from exports.source.base import Source
    from exports.source.pool import PreviewPool
    from exports.source.postgresql import PostgresSource


@cache
def _custom_fields() -> Select[str]:
    """All of them in one text, by which the catalogue made of them is known: nearly every page asks, and none changes
    them.
    """
    one = CustomField
    facts = func.json_build_array(
        one.model, one.field, one.label, one.type, one.description, one.choices, one.identifier, one.computed,
        one.mandatory, one.personal, one.column, one.path, one.created_at, one.updated_at,
    )  # fmt: skip
    told = func.json_agg(aggregate_order_by(facts, one.model, one.position)).cast(Text)
    return select(told).select_from(one)


def catalogue_of(brand: Brand, modules: Iterable[str] | None = None) -> Catalogue:
    """The catalogue as a brand sees it: models of its modules, with its custom fields behind their own.

    `modules`: others than those that it has.
    """
    with brand_scope(brand.id):
        told = db.session.scalar(_custom_fields())
    return _catalogue(frozenset(brand.modules if modules is None else modules), told or "[]")


@lru_cache(maxsize=32)
def _catalogue(modules: frozenset[str], told: str) -> Catalogue:
    custom: dict[str, list[DataField]] = {}
    for model, *facts in json.loads(told):
        custom.setdefault(model, []).append(_as_field(*facts))
    return catalogue.builtin().for_brand(modules, custom)


def _as_field(
    id: str, label: str, type: str, description: str, choices: dict[str, str], identifier: bool, computed: bool,
    mandatory: bool, personal: bool, column: str, path: list[str], created_at: str, updated_at: str,
) -> DataField:  # fmt: skip
    return DataField(
        id=id,
        label=label,
        type=FieldType(type),
        description=description,
        choices=tuple(choices.items()),
        identifier=identifier,
        computed=computed,
        mandatory=mandatory,
        personal=personal,
        custom=True,
        column=column,
        path=tuple(path),
        created_at=datetime.fromisoformat(created_at),
        updated_at=datetime.fromisoformat(updated_at),
    )


def source() -> PostgresSource:
    """Where this installation's rows come from."""
    settings = current_app.config["SETTINGS"]
    return _source(
        settings.source_database_url, settings.work_mem, settings.source_statement_timeout, settings.source_parts
    )


@lru_cache(maxsize=4)
def _source(url: str, work_mem: str, timeout: int, parts: int) -> PostgresSource:
    from exports.source.parts import Parts
    from exports.source.postgresql import PostgresSource

    return PostgresSource(url, work_mem=work_mem, statement_timeout=timeout, parts=Parts(parts))


def surroundings(
    brand: Brand,
    moment: datetime,
    asked: Source | None = None,
    about: Definition | None = None,
    seen: Catalogue | None = None,
) -> Surroundings:
    """What a query of this brand needs beside the definition: brand, base moment, segments, rows of custom fields.

    `asked`: the source on a connection that is there already; `about`: the one definition that it is for; `seen`: the
    brand's catalogue, if it was read already.
    """
    from exports.query import surroundings_of

    made = surroundings_of(asked or source(), seen or catalogue_of(brand), brand.source_key, moment, about)
    # The source that this process keeps keeps its zones; the key is fetched when something is hashed.
    return replace(made, zone=source().zone, mask_key=partial(masks.key_of, brand.id))


def previews() -> PreviewPool:
    """The connections of this process for previews."""
    return _previews(source(), current_app.config["SETTINGS"].source_pool)


@lru_cache(maxsize=4)
def _previews(source: PostgresSource, size: int) -> PreviewPool:
    from exports.source.pool import PreviewPool

    return PreviewPool(source, size=size)


def zones() -> frozenset[str]:
    """The time zones that can be chosen: those that the source knows as well (SPEC section 3.2)."""
    try:
        return _of_both(source().zones())
    except SourceError:
        return known_zones()  # the run asks again, and says that the source cannot be read


@lru_cache(maxsize=4)
def _of_both(of_source: frozenset[str]) -> frozenset[str]:
    return known_zones() & of_source


def clock(name: str) -> ZoneInfo:
    """The rules of a zone of `zones()`, by which the source tells the times in the file (decisions/008-zone-rules)."""
    try:
        return source().zone(name)
    except SourceError:
        return zone(name)  # for words beside an input alone: the run asks again


def segments(brand: Brand) -> tuple[tuple[str, str], ...]:
    """The segments that can be chosen, (id, name) by name."""
    found = surroundings(brand, datetime.now(UTC)).segments.values()
    return tuple(sorted(((one.id, one.name) for one in found), key=lambda pair: (pair[1].casefold(), pair[0])))
