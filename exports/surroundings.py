"""What a definition is read against when it runs: whose records, at which moment, with which segments and fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from exports import customer_fields, zones
from exports.catalogue import Catalogue, ReferencedTable
from exports.definition import Criterion, Definition
from exports.operators import Input, operator_of
from exports.special import reading
from exports.values import Unreadable

if TYPE_CHECKING:
    from exports.source.base import Source

Filters = tuple[tuple[Criterion, ...], ...]
"""OR sets of AND criteria, as `Definition.filters`."""

IN_USE: Final = ("active", "inactive")
"""Segments that can be chosen; drafts and the archived cannot (REFERENCE 2.3)."""
SEGMENT_OPERATORS: Final = frozenset({"in_segment", "not_in_segment"})
LOOKED_UP: Final = {Input.GROUPS: "user_groups", Input.REWARDS: "rewards", Input.ACTIVITIES: "challenges"}
"""What is chosen from tables small enough that an id which is not there is a mistake, and the reference it is of."""
UNREADABLE: Final[Filters] = ((Criterion(attribute="(unreadable)", operator="equals"),),)
"""In place of a filter that has not the shape of one: who asks for the segment is told, nobody else is stopped."""


@cache
def _filters() -> TypeAdapter[Filters]:
    """Made when the first segment is read: a command that reads none need not wait for it."""
    return TypeAdapter(Filters)


@dataclass(frozen=True)
class Segment:
    """A segment of the brand's customers: who is in it is told by its own filters, at the moment of the run."""

    id: str
    name: str
    status: str
    filters: Filters

    @classmethod
    def read(cls, id: str, name: str, status: str, filters: Any) -> Segment:
        """From a row of the source: `filters` is the object that its JSON gives."""
        try:
            return cls(id, name, status, _filters().validate_python(filters, strict=False))
        except ValidationError:
            return cls(id, name, status, UNREADABLE)


def no_mask_key() -> bytes:
    """Where nothing is masked."""
    raise ValueError("a mask without the brand's key")


@dataclass(frozen=True)
class Surroundings:
    """Everything about a run that is not in its definition.

    `brand` is the value in the brand column of the source's tables, `moment` the aware base moment of the run (one for
    all of its retries), `segments` those of the brand that can be chosen, by id, `customer_fields` the rows of the
    model Customer fields by field id (SPEC section 12). `zone` gives the rules of a time zone: those of the source, by
    which it tells the times in the file. `mask_key` fetches the brand's key for masks.
    """

    brand: str
    moment: datetime
    segments: Mapping[str, Segment] = field(default_factory=dict)
    customer_fields: tuple[Mapping[str, Any], ...] = ()
    zone: Callable[[str], ZoneInfo] = zones.zone
    mask_key: Callable[[], bytes] = no_mask_key

    def __post_init__(self) -> None:
        if not self.brand:
            raise ValueError("a query without a brand")
        if self.moment.utcoffset() is None:
            raise ValueError("the moment of a run needs an offset")


def surroundings_of(
    source: Source, catalogue: Catalogue, brand: str, moment: datetime, about: Definition | None = None
) -> Surroundings:
    """What surrounds a brand's runs at `moment`: its segments from the source, its fields from the catalogue.

    For the definition that it is `about`, the segments are asked for only if a criterion or a column is about them.

    Raises:
        SourceError: the source cannot be read.
    """
    customers = catalogue.models.get("customers")
    rows = customer_fields.rows(customers) if customers else ()
    segments = _segments(source, catalogue, brand) if about is None or _asks_segments(about, catalogue) else {}
    return Surroundings(brand, moment, segments, rows, source.zone)


def _asks_segments(definition: Definition, catalogue: Catalogue) -> bool:
    model = catalogue.models.get(definition.model)
    shown = model.all_fields if model and definition.all_fields else ()
    if model:
        shown = (*shown, *(model.fields[one.from_] for one in definition.fields if one.from_ in model.fields))
    asked = any(one.operator in SEGMENT_OPERATORS for set_ in definition.filters for one in set_)
    return asked or any(one.special == "segments" for one in shown)


def known_ids(definition: Definition, source: Source, catalogue: Catalogue, brand: str) -> dict[Input, frozenset[str]]:
    """Of the groups, rewards and challenges that a definition chooses, those which the brand has.

    The source is asked only about what was chosen, by key, and not at all if nothing was. Products and actions are not
    looked at: people choose what is not in the catalogue any more.

    Raises:
        SourceError: the source cannot be read.
    """
    found = {}
    for input, ids in _chosen(definition, catalogue).items():
        table = catalogue.references.get(LOOKED_UP[input])
        if table is not None:
            found[input] = frozenset(_among(sorted(ids), table, source, brand))
    return found


def _chosen(definition: Definition, catalogue: Catalogue) -> dict[Input, set[str]]:
    """The ids of all criteria that can be read; the others have their own message."""
    model = catalogue.models.get(definition.model)
    chosen: dict[Input, set[str]] = {}
    for one in (one for set_ in definition.filters for one in set_):
        field = model.attribute(one.attribute) if model else None
        operator = operator_of(field, one.operator) if field else None
        if operator is not None and operator.input in LOOKED_UP:
            try:
                ids = reading.chosen(one.value, operator.input).ids
            except Unreadable:
                continue
            chosen.setdefault(operator.input, set()).update(ids)
    return chosen


def _among(ids: list[str], reference: ReferencedTable, source: Source, brand: str) -> list[str]:
    import sqlalchemy as sa
    from sqlalchemy.dialects.postgresql import ARRAY

    schema, _, name = reference.table.rpartition(".")
    key: sa.ColumnClause[Any] = sa.column(reference.key)
    table = sa.table(name, key, sa.column(reference.brand), schema=schema or None)
    texts = ARRAY(sa.Text())
    chosen = sa.select(key).select_from(table).where(key == sa.any_(sa.cast(sa.literal(ids, texts), texts)))
    if reference.brand != "all":
        chosen = chosen.where(table.c[reference.brand] == sa.literal(brand))
    return [row[0] for row in source.select(chosen, seconds=5.0)]


def _segments(source: Source, catalogue: Catalogue, brand: str) -> dict[str, Segment]:
    role = catalogue.roles.get("segments")
    if role is None:
        return {}
    import sqlalchemy as sa

    schema, _, name = role["table"].rpartition(".")
    columns: dict[str, sa.ColumnClause[Any]] = {one: sa.column(role[one]) for one in ("id", "name", "status", "filter")}
    table = sa.table(name, *columns.values(), sa.column(role["brand"]), schema=schema or None)
    chosen = sa.select(*columns.values()).where(
        table.c[role["brand"]] == sa.literal(brand), columns["status"].in_([sa.literal(one) for one in IN_USE])
    )
    found = source.select(chosen.order_by(columns["id"]), seconds=5.0)
    return {id: Segment.read(id, name, status, filters) for id, name, status, filters in found}
