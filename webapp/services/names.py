"""Every name that an export and its files have had: what the search of the list looks through (SPEC section 2).

Three characters and more are found anywhere in a name, by its trigrams; fewer at its beginning. Where many are
expected nothing is looked up: the list walks its own order and looks at the names of each export, which finds a page
of them sooner.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from sqlalchemy import ColumnElement, func, select, text

from exports.archive import file_name
from exports.definition import Definition
from webapp.extensions import db
from webapp.models import Export, ExportName

INDEXED: Final = 3
"""A search of fewer characters looks at the beginning of names only (SPEC section 2)."""
MANY: Final = 2_000
"""More names than this are not looked up. Among 100,000 exports of which so many fit, walking the list looks at 2,500
for a page of 50, as pages were when that was measured; looking up 2,000 takes as long.
"""

EXPECTED_FOR_S: Final = 60.0
"""So long what the planner expects is taken for true."""


def names_of(definition: Definition) -> list[str]:
    """The name of an export and that of its file; the file's alone if the other is its beginning."""
    of_file = file_name(definition.name, definition.file.extension)
    return [of_file] if of_file.startswith(definition.name) else [definition.name, of_file]


def remember(export_id: uuid.UUID, names: Iterable[str]) -> None:
    """Let an export be found by these names as well; the caller commits. A name that it has twice does no harm."""
    wanted = list(names)
    known = select(ExportName.name).where(ExportName.export_id == export_id, ExportName.name.in_(wanted))
    for name in set(wanted) - set(db.session.scalars(known)):
        db.session.add(ExportName(export_id=export_id, name=name))


def named(search: str) -> ColumnElement[bool]:
    """Whether an export, or a file of it, has or had this in its name; every character is taken literally."""
    literal = search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    pattern = f"%{literal}%" if len(search) >= INDEXED else f"{literal}%"
    fits: ColumnElement[bool] = func.lower(ExportName.name).like(func.lower(pattern))
    if _expected(pattern, int(time.monotonic() // EXPECTED_FOR_S)) > MANY:
        own = (ExportName.brand_id == Export.brand_id, ExportName.export_id == Export.id)
        return select(ExportName.id).where(*own, fits).correlate(Export).exists()
    if len(search) >= INDEXED:
        fits &= ExportName.trigrams.contains(func.trigrams(search))
    return Export.id.in_(select(ExportName.export_id).where(fits))


@lru_cache(maxsize=256)
def _expected(pattern: str, _minute: int) -> int:
    """How many names the planner expects to fit, of all brands: from its histogram, without looking at any.

    That changes with each ANALYZE alone: it is not asked again for another page, order or filter of the same search.
    """
    asked = text("EXPLAIN (FORMAT JSON) SELECT FROM export_names WHERE lower(name) LIKE lower(:pattern)")
    told = db.session.execute(asked, {"pattern": pattern}, execution_options={**_NO_BRAND}).scalar_one()
    return int(told[0]["Plan"]["Plan Rows"])


_NO_BRAND: Final = dict(touches_no_brand=True)  # noqa: C408 - a plan holds nothing of any brand
