"""Columns of text that PostgreSQL reads: JSON objects, arrays and amounts, made for whole columns at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Integers = npt.NDArray[np.integer[Any]]
TIMESTAMP = pa.timestamp("s", "UTC")


@dataclass(frozen=True)
class Json:
    """A value that stands in a jsonb column though it is a list, a text or a number."""

    value: Any


# One encoder for all: json.dumps makes a new one for each value, which took half of the time.
compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
"""A value as compact JSON text."""


def integers(values: Integers) -> pa.Array:
    """Whole numbers as text."""
    return pa.array(values).cast(pa.string())


def amounts(cents: npt.NDArray[np.int64]) -> pa.Array:
    """Amounts in cents as decimal numbers with two digits; each different one is written once."""
    different, places = np.unique(cents, return_inverse=True)
    written = [f"{'-' if one < 0 else ''}{abs(one) // 100}.{abs(one) % 100:02d}" for one in different.tolist()]
    return pa.array(written, pa.string()).take(pa.array(places))


def quoted(values: pa.Array) -> pa.Array:
    """Texts as JSON strings; null stays null."""
    coded = values.dictionary_encode()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    written = pa.array([compact(one) for one in coded.dictionary.to_pylist()], pa.string())
    return written.take(coded.indices)


def members(values: Mapping[str, pa.Array]) -> pa.Array:
    """Members of a JSON object, each as `"id":value,`; a null value leaves its member out."""
    pieces: list[Any] = []
    for id, column in values.items():
        if column.null_count:
            pieces.append(pc.fill_null(pc.binary_join_element_wise(f'"{id}":', column, ",", ""), ""))
        else:
            pieces += [f'"{id}":', column, ","]
    return pc.binary_join_element_wise(*pieces, "")


def json_objects(*parts: pa.Array) -> pa.Array:
    """Complete objects of what `members` made; at least one member must be there."""
    together = pc.binary_join_element_wise("{", *parts, "")
    return pc.binary_join_element_wise(pc.utf8_rtrim(together, ","), "}", "")


def one_element_arrays(values: pa.Array) -> pa.Array:
    """Arrays of one plain text each (ids without commas, quotes, braces); null stays null."""
    return pc.binary_join_element_wise("{", values, "}", "")


def array_literal(values: Iterable[str]) -> str:
    """PostgreSQL's text form of a text[]."""
    return "{" + ",".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in values) + "}"


def timestamps(seconds: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Unix seconds as moments; null where `missing`."""
    return pa.array(seconds, mask=missing).cast(TIMESTAMP)


def dates(days: npt.NDArray[np.datetime64], missing: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Calendar days; null where `missing`."""
    return pa.array(days.astype("datetime64[D]"), pa.date32(), mask=missing)


def repeated(value: str | None, rows: int) -> pa.Array:
    """The same text in every row."""
    return pa.repeat(pa.scalar(value, pa.string()), rows)


def table_of(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """A small table from rows; a column that a row lacks is null there. All columns are text as PostgreSQL reads it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in names})


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Json):
        return compact(value.value)
    if isinstance(value, dict):
        return compact(value)
    if isinstance(value, (list, tuple)):
        return array_literal(_text(one) or "" for one in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)


def joined(*pieces: pa.Array | str) -> pa.Array:
    """Texts put together row by row; null where a piece is null."""
    return pc.binary_join_element_wise(*pieces, "")
