"""The Exports page: every export of the brand, searched, filtered, sorted, live (SPEC section 2, UX section 3.1)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from flask import Blueprint, Response, redirect, request, url_for
from flask_login import current_user

from exports import catalogue
from webapp.htmx import fragment, nothing_new, page, stop_polling
from webapp.permissions import may
from webapp.security import action
from webapp.services import drafts, exports
from webapp.services.exports.listing import PER_PAGE, STATUSES, ListQuery
from webapp.views import rows
from webapp.views.rows import Live, Turned

blueprint = Blueprint("exports", __name__)

MAX_SEARCH: Final = 200
ARCHIVED: Final = "archived"
LAST_RUN_FAILED: Final = "last-run-failed"
"""Beside the statuses in the same list: a repeated export stays Active when its last run failed."""


@dataclass(frozen=True)
class Asked(Turned):
    """What the address of the list asks for beside order and page."""

    search: str
    status: str
    model: str
    owner: str
    runs: str

    @property
    def filters(self) -> dict[str, str]:
        """As they stand in the address."""
        return {"q": self.search, "status": self.status, "model": self.model, "owner": self.owner, "runs": self.runs}

    @property
    def query(self) -> ListQuery:
        """The same in the words of the service."""
        return replace(
            super().query,
            search=self.search,
            status="" if self.status in (LAST_RUN_FAILED, ARCHIVED) else self.status,
            failed=self.status == LAST_RUN_FAILED,
            archived=self.status == ARCHIVED,
            model=self.model,
            mine=self.owner == "mine",
            runs=self.runs == "1",
        )

    @property
    def is_filtered(self) -> bool:
        """Whether a filter is set, the search aside."""
        return bool(self.status or self.model or self.owner or self.runs)

    @property
    def is_first(self) -> bool:
        """Whether it is the whole list that is asked for, from its beginning."""
        return not (self.search or self.is_filtered or self.after)


def _asked() -> Asked:
    """Read the address."""

    def one_of(name: str, allowed: Iterable[str]) -> str:
        value = request.args.get(name, "")
        return value if value in allowed else ""

    search = request.args.get("q", "").strip()[:MAX_SEARCH].replace("\x00", "")
    return Asked(
        **rows.turned(url_for("exports.index")),
        search=search.encode(errors="ignore").decode(),
        status=one_of("status", (*STATUSES, LAST_RUN_FAILED, ARCHIVED)),
        model=one_of("model", catalogue.builtin().models),
        owner=one_of("owner", ("mine",)),
        runs=one_of("runs", ("1",)),
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
    shown = rows.of_runs(found.rows) if asked.runs else rows.of_exports(found.rows)
    models = catalogue.builtin().for_brand(current_user.brand.modules, {}).models.values()
    may_create = may(current_user, "exports.create")
    return page(
        "exports/list.html",
        fragments={"exports"},
        asked=asked,
        found=found,
        rows=shown,
        first=asked.first_of(found),
        per_page=PER_PAGE,
        charts=rows.charts_of(shown),
        models=sorted((model.id, model.label) for model in models),
        live=Live.of(shown),
        may_create=may_create,
        waiting=drafts.waiting(current_user) if may_create and asked.is_first else [],
        may_hand_over=may(current_user, "exports.hand_over"),
        choosable=rows.choosable(shown),
        statuses=[*((word, word) for word in STATUSES), (LAST_RUN_FAILED, "Last run failed"), (ARCHIVED, "Archived")],
    )


@blueprint.get("/exports/live")
@action("exports.list")
def live() -> Response:
    """What has changed in the live rows of a list: one poll for all of them, ended when none is left."""
    ids = _ids(request.args.get("ids", ""))
    of_runs = request.args.get("runs") == "1"
    shown = rows.of_runs(exports.shown_runs_of_ids(ids)) if of_runs else rows.of_exports(exports.shown_of_ids(ids))
    if shown and rows.version_of(shown) == request.args.get("v"):
        return nothing_new()
    now = Live.of(shown)
    ended = [row for row in shown if not row.is_live]
    response = fragment("exports/_live.html", rows=shown, live=now, ended=ended)
    return response if now.rows else stop_polling(response)


def _ids(text: str) -> list[uuid.UUID]:
    found = []
    for part in text.split(",")[:PER_PAGE]:
        try:
            found.append(uuid.UUID(part))
        except ValueError:
            continue
    return found
