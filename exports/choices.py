"""What a reference can name: records of the brand, found by a part of their name or id, bounded in rows and in time.

No index is asked of the source. A whole id is found by the key. A part is looked for in the first `SCANNED` records,
in one pass that ends after `WITHIN_S` seconds; where people choose by the id itself (customers, events) the key's order
by code points, which is that of the files too, leads to the ids that begin like it, however many there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from exports.catalogue import Catalogue, DataField, ReferencedTable
from exports.columns import Expression, literal, translated
from exports.conditions import folded
from exports.errors import SourceTimeout
from exports.source.base import Source
from exports.special.attributes import REFERENCES
from exports.surroundings import IN_USE

SHOWN: Final = 20
"""Choices in one answer."""
SCANNED: Final = 200_000
"""Records looked through for a part of a name: more than any catalogue of products that people choose from by hand, and
a bound for tables that grow without one. 92,331 took 0.1 to 0.23 s (docs/filters.md)."""
WITHIN_S: Final = 1.0
"""Somebody types and waits."""
DEEPEST: Final = 10
"""How many groups above a group are named; parents may run in a circle."""


@dataclass(frozen=True)
class Choice:
    """A record: `name` is what people know it by, `above` the groups it is part of, the outermost first."""

    id: str
    name: str
    above: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Campaigns › Spring sale."""
        return " › ".join((*self.above, self.name))


@dataclass(frozen=True)
class Found:
    """The first choices that fit; `more`: how many others do, None if not all were looked at."""

    choices: tuple[Choice, ...] = ()
    more: int | None = 0


def among(field: DataField, text: str) -> Found:
    """The choices of a dropdown that hold the text in label or value; capital letters do not count."""
    wanted = text.strip().casefold()
    fitting = [Choice(id, label) for id, label in field.choices if wanted in f"{label}\n{id}".casefold()]
    return Found(tuple(fitting[:SHOWN]), max(len(fitting) - SHOWN, 0))


def table_of(field: DataField, catalogue: Catalogue) -> ReferencedTable | None:
    """Where the records stand that are chosen for an attribute, by its reference or by what its operators ask for."""
    asked = REFERENCES.get(field.asks) if field.asks else None
    return catalogue.references.get(field.reference or asked or "")


def find(
    text: str, reference: ReferencedTable, catalogue: Catalogue, source: Source, brand: str, *, scanned: int = SCANNED
) -> Found:
    """The brand's records whose name or id holds the text, among the first `scanned`; the one with this id first.

    Raises:
        SourceError: the source cannot be read. Taking too long is none: then only a whole id is found.
    """
    table = _Table(reference, catalogue, brand)
    wanted = text.strip()
    exact = _rows(source, table.exactly(wanted)) if wanted else []
    try:
        rows, fitting = _looked_for(wanted, table, source, scanned)
    except SourceTimeout:
        rows, fitting = [], None
    found = list({row[0]: row for row in (*exact, *rows)}.values())[:SHOWN]
    more = None if fitting is None else fitting - len(found)
    return Found(tuple(_with_groups_above(found, table, source)), more)


def _looked_for(text: str, table: _Table, source: Source, scanned: int) -> tuple[list[Row], int | None]:
    """The first records that fit, and how many do; None if not all were looked at."""
    if table.is_by_id:
        rows = _rows(source, table.beginning(text))
        return rows, None if len(rows) == SHOWN else len(rows)
    counted = source.select(table.holding(text, scanned), seconds=WITHIN_S)
    all_seen = not source.select(table.behind(scanned), seconds=WITHIN_S)
    fitting = counted[0][3] if counted else 0
    return [_row(row) for row in counted], fitting if all_seen else None


def names(
    ids: Iterable[str], reference: ReferencedTable, catalogue: Catalogue, source: Source, brand: str
) -> Mapping[str, Choice]:
    """The brand's records with these ids, by id; those that are not there are left out.

    Raises:
        SourceError: the source cannot be read.
    """
    table = _Table(reference, catalogue, brand)
    wanted = sorted(set(ids))
    found = _with_groups_above(_rows(source, table.by_id(wanted)), table, source) if wanted else []
    return {one.id: one for one in found}


Row = tuple[str, str, str | None]
"""Id, name, and the id of the group above."""


def _rows(source: Source, select: sa.Select[Any]) -> list[Row]:
    return [_row(row) for row in source.select(select, seconds=WITHIN_S)]


def _row(row: tuple[Any, ...]) -> Row:
    """A record without a name is called by its id."""
    return row[0], row[1] or row[0], row[2]


def _with_groups_above(rows: Collection[Row], table: _Table, source: Source) -> list[Choice]:
    """The choices, groups as a tree: each behind the ones it is part of."""
    known = {id: (name, parent) for id, name, parent in rows}
    for _level in range(DEEPEST):
        missing = {parent for _name, parent in known.values() if parent} - known.keys()
        if not missing:
            break
        above = _rows(source, table.by_id(sorted(missing)))
        known |= dict.fromkeys(missing, ("", None)) | {id: (name, parent) for id, name, parent in above}
    choices = [Choice(id, name, _above(parent, known)) for id, name, parent in rows]
    return sorted(choices, key=lambda one: [*one.above, one.name]) if table.parent else choices


def _above(parent: str | None, known: Mapping[str, tuple[str, str | None]]) -> tuple[str, ...]:
    path: list[str] = []
    for _level in range(DEEPEST):
        name, further = known.get(parent or "", ("", None))
        if not name:
            break
        path.insert(0, name)
        parent = further
    return tuple(path)


class _Table:
    """The table of a reference, and the statements about it."""

    def __init__(self, reference: ReferencedTable, catalogue: Catalogue, brand: str) -> None:
        schema, _, name = reference.table.rpartition(".")
        groups, segments = (catalogue.roles.get(role, {}) for role in ("group_parent", "segments"))
        self.parent = groups.get("parent") if groups.get("table") == reference.table else None
        self.status = segments.get("status") if segments.get("table") == reference.table else None
        used = {reference.key, reference.name, reference.brand, self.parent, self.status} - {None, "all"}
        table = sa.table(name, *(sa.column(str(one)) for one in sorted(map(str, used))), schema=schema or None)
        self.is_by_id = reference.name == reference.key
        self.key: Expression = sa.type_coerce(table.c[reference.key], sa.Text())
        column = table.c[reference.name]
        named = translated(sa.type_coerce(column, JSONB())) if reference.translated else column
        parent = table.c[self.parent] if self.parent else sa.null()
        mine = sa.true() if reference.brand == "all" else table.c[reference.brand] == literal(brand)
        columns = (self.key.label("id"), sa.type_coerce(named, sa.Text()).label("name"), parent.label("parent"))
        self.all = sa.select(*columns).select_from(table).where(mine)
        in_use = table.c[self.status].in_([literal(one) for one in IN_USE]) if self.status else sa.true()
        self.offered = self.all.where(in_use)

    def exactly(self, id: str) -> sa.Select[Any]:
        """The record with this id, if it can be chosen."""
        return self.offered.where(self.key == literal(id))

    def by_id(self, ids: list[str]) -> sa.Select[Any]:
        """The records with these ids, the archived as well: they may have been chosen before."""
        texts = ARRAY(sa.Text())
        return self.all.where(self.key == sa.any_(sa.cast(sa.literal(ids, texts), texts)))

    def beginning(self, text: str) -> sa.Select[Any]:
        """The records whose id begins like this, whatever order the column is kept in."""
        key = sa.collate(self.key, "C")
        return self.offered.where(sa.func.starts_with(key, literal(text))).order_by(key).limit(SHOWN)

    def behind(self, scanned: int) -> sa.Select[Any]:
        """A record that is not among the first, if there is one."""
        return self.offered.offset(scanned).limit(1)

    def holding(self, text: str, scanned: int) -> sa.Select[Any]:
        """The records whose name or id holds the text, with the number of all that do in the last column.

        First the ids that begin like it, then the names that do, then the others, each by name.
        """
        looked = self.offered.limit(scanned).subquery("looked")
        id, name, part = folded(looked.c.id), folded(looked.c.name), folded(literal(text))
        rank = sa.case((sa.func.starts_with(id, part), 0), (sa.func.starts_with(name, part), 1), else_=2)
        held = sa.or_(sa.func.strpos(name, part) > 0, sa.func.strpos(id, part) > 0)
        columns = (looked.c.id, looked.c.name, looked.c.parent, sa.func.count().over())
        wanted = sa.select(*columns).order_by(*([rank] if text else []), looked.c.name, looked.c.id).limit(SHOWN)
        return wanted.where(held) if text else wanted


def personal(field: DataField, reference: ReferencedTable, catalogue: Catalogue) -> bool:
    """Whether ids or names of a reference are personal: the field is, or a model's field in one of these columns."""
    shown = {reference.key, reference.name}
    columns = (
        one
        for model in catalogue.models.values()
        if model.table == reference.table
        for one in model.fields.values()
        if one.column in shown and not one.path
    )
    return field.personal or any(one.personal for one in columns)
