"""From a definition to one SELECT: the whole transformation happens in the database (DESIGN section 2).

Identifiers come from the catalogue, what a person typed is bound. Every SELECT carries the brand condition, and it is
added here, in `of_brand`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import sqlalchemy as sa

from exports import aggregation, masks
from exports.catalogue import Catalogue
from exports.columns import Context, Expression, literal, relation
from exports.conditions import any_of, each_of
from exports.definition import Definition
from exports.formats import Format, format_of
from exports.render import Cell, as_text, cells
from exports.surroundings import Segment, Surroundings, surroundings_of

JIT_LIMIT: Final = 50
"""With more predicates compiling costs more than it saves: 1,000 took 9.2 s, without 0.24 s (RELIABILITY fact 7)."""


@dataclass(frozen=True)
class Raw:
    """A cell that Replace values or Default may change: its place in the row, what it is made of, the text before."""

    place: int
    cell: Cell
    text: Expression

    def was_changed(self, text: str) -> bool:
        """Whether something else than this text stands in the file; NULL is the empty text here."""
        return self.cell.replace.get(text, text) != text or bool(not text and self.cell.default)


@dataclass(frozen=True)
class Query:
    """The statements of one definition at one moment. `rows` has the columns of the file, c0, c1, ..., in key order.

    `groups` is what stands in place of the records if they are aggregated; `relation`, `key`, `brand`, `criteria` and
    `where` speak of the records all the same. `criteria` are the conditions of each set, without the brand's.
    `raws` are the cells whose text may be another one than was stored; `beside` those that stand behind the columns of
    the file in `rows` as they were stored. `settings` are those of the transaction that the statements need.
    """

    rows: sa.Select[Any]
    key: Expression
    relation: sa.FromClause
    brand: Expression
    criteria: tuple[tuple[Expression, ...], ...]
    where: Expression
    format: Format
    headers: tuple[str, ...]
    timezone: str
    predicates: int
    groups: sa.FromClause | None = None
    raws: tuple[Raw, ...] = ()
    beside: tuple[Raw, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def with_raws(self) -> Query:
        """The same with what was stored beside what stands in the file, for showing both; not for writing a file."""
        texts = [one.text.label(f"r{one.place}") for one in self.raws]
        return replace(self, rows=self.rows.add_columns(*texts), beside=self.raws) if texts else self

    @property
    def jit(self) -> bool:
        """Whether compiling the statement can pay."""
        return self.predicates <= JIT_LIMIT

    @property
    def count(self) -> sa.Select[Any]:
        """How many rows the file has: records that match, or groups of them."""
        if self.groups is not None:
            return sa.select(sa.func.count()).select_from(self.groups)
        return self.count_records

    @property
    def count_records(self) -> sa.Select[Any]:
        """How many records match, whether they are aggregated or not."""
        return sa.select(sa.func.count()).select_from(self.relation).where(self.where)

    def count_where(self, condition: Expression) -> sa.Select[Any]:
        """How many records of the brand meet a condition."""
        return sa.select(sa.func.count()).select_from(self.relation).where(self.brand, condition)

    @property
    def count_sets(self) -> sa.Select[Any]:
        """How many records match in all, how many more than one set, how many each set, in one row.

        No fence keeps a set from being worked out for each of these numbers: behind one the table is not read by
        several processes at once, which took twice as long (21 s in place of 10.5 s for 16.6 million events).
        """
        wholes = [sa.and_(*set_) for set_ in self.criteria]
        matched = [sa.cast(sa.func.coalesce(one, sa.false()), sa.Integer()) for one in wholes]
        how_many: Expression = sum(matched, sa.literal_column("0"))
        several = sa.func.count().filter(how_many > sa.literal_column("1"))
        numbers: list[Expression] = [sa.func.count(), several, *(sa.func.count().filter(one) for one in wholes)]
        return sa.select(*numbers).select_from(self.relation).where(self.where)

    @property
    def matching(self) -> sa.Select[Any]:
        """The keys of the records that match, in no order: what the planner is asked about for an estimate.

        Aggregated: the groups.
        """
        if self.groups is not None:
            return sa.select(self.groups)
        return sa.select(self.key.label("key")).select_from(self.relation).where(self.where)

    def first(self, limit: int) -> sa.Select[Any]:
        """The first rows of the file by walking along the key: quick if many records match."""
        return self.rows.limit(limit)

    def some(self, limit: int) -> sa.Select[Any]:
        """Rows of the file wherever they are found first: a sample, for when its first rows take too long."""
        return self.rows.order_by(None).limit(limit)

    def first_by_key(self, limit: int) -> sa.Select[Any]:
        """The first rows of the file by finding all keys that match before sorting them: quick if few records match.

        The OFFSET is a fence: without it the planner walks along the key all the same (DESIGN section 2, "Preview").
        """
        if self.groups is not None:
            return self.first(limit)  # all groups have to be made before the first is known
        found = self.matching.offset(0).subquery("found")
        keys = sa.select(found.c.key).order_by(sa.collate(found.c.key, "C")).limit(limit)
        columns = self.rows.selected_columns
        chosen = sa.select(*columns).select_from(self.relation).where(self.brand, self.key.in_(keys))
        return chosen.order_by(sa.collate(self.key, "C"))


def of_brand(context: Context) -> Expression:
    """The condition that holds every statement to the records of one brand."""
    if context.model.brand == "all":
        return sa.true()
    return context.relation.c[context.model.brand] == literal(context.surroundings.brand)


def build(definition: Definition, catalogue: Catalogue, surroundings: Surroundings) -> Query:
    """The statements of a definition that keeps to the rules (`checking.query_of` sees to that).

    Raises:
        DefinitionRefused: a segment that it names cannot be used.
        MaskKeyUnreadable: a column is hashed, and the brand's key cannot be read.
    """
    model = catalogue.models[definition.model]
    context = Context(
        catalogue, model, relation(model, surroundings), definition.timezone, surroundings,
        iso=definition.file.times == "iso",
    )  # fmt: skip
    columns = cells(definition, model)
    format = format_of(definition.file)
    key = context.relation.c[model.fields[model.key].column]
    brand = of_brand(context)
    criteria = each_of(definition.filters, context)
    where = sa.and_(brand, any_of(criteria))
    headers = tuple(one.header for one in columns)
    predicates = _predicates(definition, surroundings, any(one.field.special == "segments" for one in columns))
    if definition.aggregation:
        made = aggregation.groups(columns, context, where, format.native)
        of_groups = replace(context, relation=made.relation)
        shown = _labelled(format.columns(made.cells, of_groups))
        rows, groups = sa.select(*shown).select_from(made.relation).order_by(*made.order), made.relation
        raws = tuple(one for one in _raws(made.cells, of_groups) if one.cell.default)
    else:
        shown = _labelled(format.columns(columns, context))
        rows = sa.select(*shown).select_from(context.relation).where(where).order_by(sa.collate(key, "C"))
        groups, raws = None, tuple(_raws(columns, context))
    hashed = any(one.field.mask == "hash" for one in columns)
    settings = masks.settings(surroundings.mask_key()) if hashed else {}
    return Query(
        rows, key, context.relation, brand, criteria, where, format, headers, definition.timezone, predicates, groups,
        raws, settings=settings,
    )  # fmt: skip


def _raws(columns: Sequence[Cell], context: Context) -> Iterator[Raw]:
    """The cells that may be changed. Of a group key there is no one text before: it is changed before it is grouped."""
    for place, one in enumerate(columns):
        if one.replace or one.default:
            yield Raw(place, one, as_text(one.field, context))


def _labelled(columns: list[Expression]) -> list[sa.Label[Any]]:
    return [one.label(f"c{place}") for place, one in enumerate(columns)]


def _predicates(definition: Definition, surroundings: Surroundings, segments_shown: bool) -> int:
    """How many criteria the statement tests, those of the segments it looks into included."""
    own = [one for set_ in definition.filters for one in set_]
    if not segments_shown and not any(one.operator.endswith("in_segment") for one in own):
        return len(own)
    return len(own) + sum(len(set_) for one in surroundings.segments.values() for set_ in one.filters)


__all__ = ["JIT_LIMIT", "Query", "Segment", "Surroundings", "build", "of_brand", "surroundings_of"]
