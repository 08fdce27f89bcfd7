"""The newest runs of an export as bars: rows and duration, failed ones marked (webapp/drawn.py)."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Select, select, true

from webapp.extensions import db
from webapp.models import Export, Run, among
from webapp.models.states import ENDED, LIVE

IN_LIST: Final = 12
"""Runs in a row of the list: what fits beside a status."""
IN_LOGS: Final = 40
Measure = Literal["rows", "seconds"]
"""What a line of bars shows."""
SMALLEST: Final = 6
"""Percent of the height that a run with a few rows has all the same: it is not nothing."""


class Bar(NamedTuple):
    """One run that has ended. Only a file has rows; what did not start took no time."""

    at: datetime
    state: str
    rows: int
    seconds: float


@dataclass(frozen=True)
class Chart:
    """Bars from the oldest to the newest."""

    bars: Sequence[Bar]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many runs ended in which state, the most frequent first."""
        return Counter(one.state for one in self.bars).most_common()

    @property
    def rows(self) -> tuple[int, int] | None:
        """The fewest and the most rows; None if no run made a file."""
        return _ends([one.rows for one in self.bars if one.state == "success"])

    @property
    def seconds(self) -> tuple[float, float] | None:
        """The shortest and the longest duration."""
        return _ends([one.seconds for one in self.bars if one.state == "success"])

    def heights(self, of: Measure) -> list[int]:
        """Of each bar, in percent of the most rows, or of the longest duration."""
        values = [getattr(one, of) for one in self.bars]
        most = max(values)
        return [max(SMALLEST, round(100 * one / most)) if one > 0 else 0 for one in values]


def _ends(numbers: list[Any]) -> tuple[Any, Any] | None:
    return (min(numbers), max(numbers)) if numbers else None


def chart_of(runs: Iterable[Any]) -> Chart | None:
    """The bars of runs, which come with the newest first; None if fewer than two have ended: that is no history.

    Of a run only its state, rows and times are looked at.
    """
    ended = [run for run in runs if run.state in ENDED][:IN_LOGS]
    if len(ended) < 2:
        return None
    return Chart([_bar(run) for run in reversed(ended)])


def _bar(run: Any) -> Bar:
    rows = run.rows if run.state == "success" else 0
    started, finished = run.started_at, run.finished_at
    seconds = (finished - started).total_seconds() if started and finished else 0.0
    return Bar(started or run.scheduled_for, run.state, rows, seconds)


def charts_of(ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Chart]:
    """The newest runs of exports with these ids, by the ids, in one question.

    One walk down the index (brand, export, time) for each of them.
    """
    if not ids:
        return {}
    found: dict[uuid.UUID, list[Any]] = {}
    for row in db.session.execute(_newest_of_each(), {"ids": ids}):
        found.setdefault(row.export, []).append(row)
    return {id: chart for id, rows in found.items() if (chart := chart_of(rows)) is not None}


@cache
def _newest_of_each() -> Select[Any]:
    columns = (Run.state, Run.rows, Run.started_at, Run.finished_at, Run.scheduled_for, Run.created_at)
    has_ended = (Run.state != one for one in sorted(LIVE))
    of_it = (Run.brand_id == Export.brand_id, Run.export_id == Export.id, *has_ended)
    newest = select(*columns).where(*of_it).order_by(Run.created_at.desc()).limit(IN_LIST).correlate(Export).lateral()
    wanted = select(Export.id.label("export"), newest).join(newest, true()).where(among(Export.id))
    return wanted.order_by(Export.id, newest.c.created_at.desc())
