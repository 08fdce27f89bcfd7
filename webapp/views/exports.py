"""The Exports page: every export of the brand, searched, filtered, sorted, live (SPEC section 2, UX section 3.1)."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, redirect, request, url_for
from flask_login import current_user

from exports import catalogue
from webapp.htmx import fragment, nothing_new, page, stop_polling
from webapp.models import Export, Run
from webapp.permissions import may
from webapp.security import action
from webapp.services import exports
from webapp.services.exports.files import latest_files
from webapp.services.exports.listing import PER_PAGE, SORTS, STATUSES, ListQuery
from webapp.services.progress import Progress, present, progress_of

blueprint = Blueprint("exports", __name__)

MAX_SEARCH: Final = 200
ARCHIVED: Final = "archived"
LAST_RUN_FAILED: Final = "last-run-failed"
"""Beside the statuses in the same list: a repeated export stays Active when its last run failed."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for; whatever makes no sense is left out."""

    search: str
    status: str
    model: str
    owner: str
    sort: str
    after: str
    first: int

    @property
    def query(self) -> ListQuery:
        """The same in the words of the service."""
        return ListQuery(
            search=self.search,
            status="" if self.status in (LAST_RUN_FAILED, ARCHIVED) else self.status,
            failed=self.status == LAST_RUN_FAILED,
            archived=self.status == ARCHIVED,
            model=self.model,
            mine=self.owner == "mine",
            sort=self.sort,  # type: ignore[arg-type]
            at=self.after,
        )

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set, the search aside."""
        return bool(self.status or self.model or self.owner)

    def address(self, **changes: Any) -> str:
        """The address that asks for the same but for the changes; without `after` among them, for the first page."""
        now = {"q": self.search, "status": self.status, "model": self.model, "owner": self.owner, "sort": self.sort}
        told = {key: value for key, value in {**now, **changes}.items() if value and (key, value) != ("sort", SORTS[0])}
        return url_for("exports.index") + (f"?{urlencode(told)}" if told else "")


def _asked() -> Asked:
    """Read the address."""

    def one_of(name: str, allowed: Iterable[str], default: str = "") -> str:
        value = request.args.get(name, "")
        return value if value in allowed else default

    search = request.args.get("q", "").strip()[:MAX_SEARCH].replace("\x00", "")
    first = request.args.get("first", "")
    return Asked(
        search=search.encode(errors="ignore").decode(),
        status=one_of("status", (*STATUSES, LAST_RUN_FAILED, ARCHIVED)),
        model=one_of("model", catalogue.builtin().models),
        owner=one_of("owner", ("mine",)),
        sort=one_of("sort", SORTS, SORTS[0]),
        after=request.args.get("after", "")[:2000],
        first=int(first) if first.isascii() and first.isdigit() and len(first) < 9 else 1,
    )


@blueprint.get("/")
@action("exports.list")
def home() -> Response:
    """The start page is the list."""
    return redirect(url_for("exports.index"))  # type: ignore[return-value]


@blueprint.get("/exports")
@action("exports.list")
def index() -> Response:
    """The list, or its table alone for a search, a filter or another page of it."""
    asked = _asked()
    found = exports.page(current_user, asked.query)
    first = max(1, min(asked.first if asked.after else 1, found.total - len(found.exports) + 1))
    models = catalogue.builtin().for_brand(current_user.brand.modules, {}).models.values()
    return page(
        "exports/list.html",
        fragments={"exports"},
        asked=asked,
        found=found,
        first=first,
        per_page=PER_PAGE,
        files=latest_files(found.exports),
        charts=exports.charts_of(found.exports),
        models=sorted((model.id, model.label) for model in models),
        live=_live(found.exports),
        may_create=may(current_user, "exports.create"),
        may_hand_over=may(current_user, "exports.hand_over"),
        choosable=_choosable(found.exports),
        statuses=[*((word, word) for word in STATUSES), (LAST_RUN_FAILED, "Last run failed"), (ARCHIVED, "Archived")],
    )


def _choosable(shown: Iterable[Export]) -> set[uuid.UUID]:
    """Those of a page that the person may do something to together with others."""
    return {one.id for one in shown if one.archived_at is None and may(current_user, "exports.archive", one)}


@dataclass(frozen=True)
class Live:
    """The rows of a list that can still change by themselves, and a mark that changes with them."""

    exports: list[Export]
    version: str
    progress: dict[uuid.UUID, Progress]

    @property
    def address(self) -> str:
        """Where they are asked for."""
        ids = ",".join(str(export.id) for export in self.exports)
        return url_for("exports.live", v=self.version, ids=ids)


def _is_live(run: Run | None) -> bool:
    return run is not None and run.is_live


def _live(shown: Iterable[Export]) -> Live:
    rows = [export for export in shown if _is_live(export.latest_run)]
    now = present() if rows else None
    going = {export.id: progress_of(export.latest_run, now) for export in rows if export.latest_run and now}
    return Live(rows, _version(rows), going)


def _version(rows: Iterable[Export]) -> str:
    parts = [
        f"{export.id} {export.status} {run.state} {run.rows} {run.expected_rows}"
        for export in rows
        if (run := export.latest_run) is not None
    ]
    return f"{zlib.crc32(chr(10).join(sorted(parts)).encode()):08x}"


@blueprint.get("/exports/live")
@action("exports.list")
def live() -> Response:
    """What has changed in the live rows of a list: one poll for all of them, ended when none is left."""
    rows = exports.of_ids(_ids(request.args.get("ids", "")))
    if rows and _version(rows) == request.args.get("v"):
        return nothing_new()
    now = _live(rows)
    ended = [export for export in rows if export not in now.exports]
    response = fragment("exports/_live.html", rows=rows, live=now, ended=ended, files=latest_files(rows))
    return response if now.exports else stop_polling(response)


def _ids(text: str) -> list[uuid.UUID]:
    found = []
    for part in text.split(",")[:PER_PAGE]:
        try:
            found.append(uuid.UUID(part))
        except ValueError:
            continue
    return found
