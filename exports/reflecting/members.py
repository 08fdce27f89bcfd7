"""Proposals of custom fields: the members of a JSONB column, as a sample of its rows has them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from exports.catalogue import DataModel, FieldType
from exports.columns import IS_DATE, IS_LOCAL_TIME, IS_TIME
from exports.reflecting.guesses import is_personal, label

SAMPLED: Final = 10_000
"""Rows that are looked at: a member that none of them has is rare."""
WHOLE: Final = r"^-?[0-9]{1,18}$"


@dataclass(frozen=True)
class Member:
    """A member as a custom field would have it; `share` of the rows have it, in whole percent."""

    name: str
    label: str
    type: FieldType
    personal: bool
    share: int


def statement(model: DataModel, column: str, brand: str) -> sa.Select[Any]:
    """For each member of a column: its name, the kinds of its values, how many rows have it, how their texts look."""
    schema, _, name = str(model.table).rpartition(".")
    whose: list[sa.ColumnClause[Any]] = [] if model.brand == "all" else [sa.column(model.brand)]
    table = sa.table(name, sa.column(column), *whose, schema=schema or None)
    rows = sa.select(table.c[column].label("object")).where(sa.func.jsonb_typeof(table.c[column]) == "object")
    if whose:
        rows = rows.where(table.c[model.brand] == sa.literal(brand))
    sample = rows.limit(SAMPLED).cte("sample")
    pair: Any = sa.func.jsonb_each(sample.c.object).table_valued("key", "value").render_derived("pair")
    kind, text = sa.func.jsonb_typeof(pair.c.value), pair.c.value.op("#>>", return_type=sa.Text())(sa.text("'{}'"))
    filled = kind != "null"

    def all_match(pattern: str) -> Any:
        return sa.func.bool_and(text.op("~")(sa.literal(pattern))).filter(filled)

    total = sa.select(sa.func.count()).select_from(sample).scalar_subquery()
    return (
        sa.select(
            pair.c.key, sa.func.array_agg(sa.distinct(kind)).filter(filled), sa.func.count().filter(filled), total,
            all_match(WHOLE), all_match(IS_DATE), all_match(f"({IS_TIME})|({IS_LOCAL_TIME})"),
        )
        .select_from(sample.join(pair, sa.true()))
        .group_by(pair.c.key)
        .order_by(sa.func.count().filter(filled).desc(), pair.c.key)
    )  # fmt: skip


def fields_of(rows: Iterable[tuple[Any, ...]]) -> Iterator[Member]:
    """What the rows of `statement` stand for; objects and what is now this and now that are left out."""
    for name, kinds, number, total, whole, day, time in rows:
        type = _type(set(kinds or ()), whole=whole, day=day, time=time)
        if type is not None:
            yield Member(name, label(name), type, is_personal(name), max(1, round(100 * number / total)))


def _type(kinds: set[str], *, whole: bool, day: bool, time: bool) -> FieldType | None:
    if kinds == {"number"}:
        return FieldType.INTEGER if whole else FieldType.FLOAT
    if kinds == {"boolean"}:
        return FieldType.BOOLEAN
    if kinds == {"array"}:
        return FieldType.LIST
    if kinds == {"string"}:
        return FieldType.DATE if day else FieldType.DATETIME if time else FieldType.STRING
    return None
