"""The latest file of each export of a list: that of its newest Success, whatever came after it (SPEC section 2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import Export, Run, among
from webapp.services.exports.shown import Shown, ShownRun


def latest_files(shown: Iterable[Shown]) -> dict[uuid.UUID, ShownRun | Run]:
    """The newest Success by export id; exports that have none are left out.

    Most need no question: their newest run is it, or the only one. The others are asked for together.
    """
    found: dict[uuid.UUID, ShownRun | Run] = {}
    others: list[uuid.UUID] = []
    for export, run in shown:
        if run is not None and run.state == "success":
            found[export.id] = run
        elif export.several_runs:
            others.append(export.id)
    if others:
        found.update((run.export_id, run) for run in _newest_successes(others))
    return found


def _newest_successes(export_ids: list[uuid.UUID]) -> Iterable[Run]:
    found: Iterable[Run] = db.session.scalars(_newest_of_each(), {"ids": export_ids}).all()
    return found


@cache
def _newest_of_each() -> Select[Any]:
    """One walk down the index (brand, export, time) per export, not one over all of its runs."""
    inner = aliased(Run)
    newest = (
        select(inner.id)
        .where(inner.brand_id == Export.brand_id, inner.export_id == Export.id, inner.state == "success")
        .order_by(inner.created_at.desc())
        .limit(1)
        .correlate(Export)
        .scalar_subquery()
    )
    return select(Run).join(Export, Run.id == newest).where(among(Export.id))
