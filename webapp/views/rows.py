"""The rows of a list of exports or of their runs, and what of them changes by itself (UX section 3.1)."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import request
from flask_login import current_user

from webapp.drawn import url_for
from webapp.models import Run
from webapp.permissions import may
from webapp.services import exports
from webapp.services.exports import ListQuery, Page
from webapp.services.exports.charting import Chart
from webapp.services.exports.files import latest_files
from webapp.services.exports.listing import SORTS
from webapp.services.exports.shown import Shown, ShownExport, ShownRun
from webapp.services.progress import Progress, present, progress_of


@dataclass(frozen=True, slots=True)
class Row:
    """What the list shows: an export with its newest run and its latest file, or, `alone`, one of its runs."""

    export: ShownExport
    run: ShownRun | None
    alone: bool
    file: ShownRun | Run | None
    """The run whose file it is; None also where there were no rows and nothing was delivered."""
    id: uuid.UUID
    """What the ids of its cells end in."""
    url: str
    """The page with everything about it."""
    status: str
    """The word of SPEC section 2 for a run, or for the export."""
    at: datetime
    """**Created at**: of a run its start, of one that waits its moment, as in Logs."""
    is_live: bool
    """Whether it can still change by itself."""

    @property
    def has_reason(self) -> bool:
        """Whether there is anything to say below its name."""
        run = self.run
        return bool(self.export.schedule_words) or (run is not None and (run.state != "success" or not run.sha256))


def of_exports(shown: Sequence[Shown]) -> list[Row]:
    """A row for each export."""
    files = latest_files(shown)
    return [_of_export(export, run, files.get(export.id)) for export, run in shown]


def _of_export(export: ShownExport, run: ShownRun | None, file: ShownRun | Run | None) -> Row:
    file = file if file and not file.delivered_nothing else None
    is_live, url = run is not None and run.is_live, url_for("details.view", id=export.id)
    return Row(export, run, False, file, export.id, url, export.status, export.created_at, is_live)


def of_runs(shown: Iterable[Shown]) -> list[Row]:
    """A row for each run."""
    return [_of_run(export, run) for export, run in shown if run]


def _of_run(export: ShownExport, run: ShownRun) -> Row:
    file = run if run.state == "success" and not run.delivered_nothing else None
    at, url = run.started_at or run.scheduled_for, url_for("runs.view", id=run.id)
    return Row(export, run, True, file, run.id, url, run.status, at, run.is_live)


def charts_of(rows: Iterable[Row]) -> Mapping[uuid.UUID, Chart]:
    """The newest runs of each repeated export in a small picture; a single run has none."""
    repeated = [row.id for row in rows if not row.alone and row.run and row.export.schedule == "repeated"]
    return exports.charts_of(repeated)


def choosable(rows: Iterable[Row]) -> set[uuid.UUID]:
    """The exports that the person may do something to together with others; of single runs none."""
    shown = [row.export for row in rows if not row.alone and row.export.archived_at is None]
    user = current_user._get_current_object()  # not asked for again for each of them
    return {one.id for one in shown if may(user, "exports.archive", one)}


@dataclass(frozen=True)
class Live:
    """The rows that can still change by themselves, and a mark that changes with them."""

    rows: Sequence[Row]
    version: str
    progress: dict[uuid.UUID, Progress]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Live:
        """Those among the rows shown."""
        going = [row for row in rows if row.is_live]
        now = present() if going else None
        progress = {row.id: progress_of(row.run, now) for row in going if row.run and now}
        return cls(going, version_of(going), progress)

    @property
    def address(self) -> str:
        """Where they are asked for."""
        ids = ",".join(str(row.id) for row in self.rows)
        runs = "1" if self.rows and self.rows[0].alone else None
        return url_for("exports.live", v=self.version, ids=ids, runs=runs)


def version_of(rows: Iterable[Row]) -> str:
    """Changes with whatever the rows show of what goes on."""
    parts = [
        f"{row.id} {row.status} {run.state} {run.rows} {run.expected_rows}"
        for row in rows
        if (run := row.run) is not None
    ]
    return f"{zlib.crc32(chr(10).join(sorted(parts)).encode()):08x}"


# --- what an address asks for ---

FIRST_DIGITS: Final = 8


@dataclass(frozen=True)
class Turned:
    """Order and page of a list at `base`, as its address asks for them; whatever makes no sense is left out."""

    base: str
    sort: str
    after: str
    first: int

    @property
    def filters(self) -> dict[str, str]:
        """What else the address asks for."""
        return {}

    @property
    def query(self) -> ListQuery:
        """The same in the words of the service."""
        return ListQuery(sort=self.sort, at=self.after)  # type: ignore[arg-type]

    def address(self, **changes: Any) -> str:
        """The address that asks for the same but for the changes; without `after` among them, for the first page."""
        now = {**self.filters, "sort": self.sort}
        told = {key: value for key, value in {**now, **changes}.items() if value and (key, value) != ("sort", SORTS[0])}
        return self.base + (f"?{urlencode(told)}" if told else "")

    def first_of(self, found: Page[Any]) -> int:
        """The number of the first row of a page: told by the link that led to it, and no more than there are."""
        told = self.first if self.after else 1
        return told if found.more_than_counted else max(1, min(told, found.total - len(found.rows) + 1))


def turned(base: str) -> dict[str, Any]:
    """Order and page, as the address asks for them: the arguments of Turned."""
    sort, first = request.args.get("sort", ""), request.args.get("first", "")
    is_number = first.isascii() and first.isdigit() and len(first) <= FIRST_DIGITS
    return {
        "base": base,
        "sort": sort if sort in SORTS else SORTS[0],
        "after": request.args.get("after", "")[:2000],
        "first": int(first) if is_number else 1,
    }
