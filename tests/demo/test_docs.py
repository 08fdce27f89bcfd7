"""docs/demo-data.md says of every column whether it is real, derived, drawn or empty, and says it rightly."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.demo.conftest import MODELS

DOCS = (Path(__file__).parents[2] / "docs" / "demo-data.md").read_text()
ROWS = {
    cells[0]: [re.findall(r"`(\w+)`", cell) for cell in cells[1:]]
    for cells in ([cell.strip() for cell in line.strip("|").split("|")] for line in DOCS.splitlines())
    if cells[0] in MODELS
}

NOT_IN_THE_FIRST_WEEK = {"optout_at"}


@pytest.mark.parametrize("model", MODELS)
def test_every_column_has_its_place_in_the_docs(rows: Callable[..., list[Any]], model: str) -> None:
    columns = rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND attname <> 'brand'",
        f"loyalty.{model}",
    )
    assert sorted(name for names in ROWS[model] for name in names) == sorted(name for (name,) in columns)


@pytest.mark.parametrize("model", MODELS)
def test_columns_are_empty_where_the_docs_say_so_and_nowhere_else(rows: Callable[..., list[Any]], model: str) -> None:
    names = [name for names in ROWS[model] for name in names]
    filled = ", ".join(f"count(nullif(nullif(\"{name}\"::text, '{{}}'), '[]'))" for name in names)
    counts = rows(f"SELECT {filled} FROM loyalty.{model} WHERE brand = 'maple'")[0]
    empty = {name for name, count in zip(names, counts, strict=True) if not count}
    assert empty - NOT_IN_THE_FIRST_WEEK == set(ROWS[model][3])
