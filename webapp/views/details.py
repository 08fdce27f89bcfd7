"""The details of an export: its status, live, its file, and what it is (SPEC section 4, UX section 3.9)."""

from __future__ import annotations

import json
import uuid
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, make_response, request, url_for
from flask_login import current_user

from exports import schedule, words
from webapp.htmx import fragment, go, instead, nothing_new, page, stop_polling
from webapp.models import Export, Run, User
from webapp.permissions import may
from webapp.security import action, sandboxed
from webapp.services import artefacts, brands, choices, exports, runs, schedules
from webapp.services.artefacts import Artefact
from webapp.services.exports import History, history_of
from webapp.services.progress import Progress, began, present, progress_of
from webapp.views.downloads import disposition
from webapp.views.lookups import find_export_or_404, find_run_or_404, name_of, token_of_form

blueprint = Blueprint("details", __name__)


@dataclass(frozen=True)
class Card:
    """What the card above the summary shows of the newest run."""

    export: Export
    run: Run | None
    now: datetime
    artefact: Artefact | None
    began: datetime | None
    cancelled_by: str
    progress: Progress | None
    may_download: bool
    may_cancel: bool
    may_run: bool
    may_change_schedule: bool
    may_set_active: bool
    may_set_inactive: bool
    may_clone: bool
    may_edit: bool
    inactive_by: str
    token: uuid.UUID

    @property
    def tabs(self) -> list[tuple[str, str]]:
        """The pages of this export: endpoint and label (SPEC section 4)."""
        repeated, scheduled = self.export.schedule == "repeated", self.export.schedule != "now"
        return [
            ("details.view", "View"),
            *([("details.logs", "Logs")] if repeated else []),
            *([("schedules.change", "Change schedule")] if scheduled and self.may_change_schedule else []),
            *([("editing.versions", "Versions")] if self.export.version > 1 else []),
        ]

    @property
    def extension(self) -> str:
        """Of the file in the zip."""
        return self.artefact.member.rpartition(".")[2] if self.artefact else "file"

    @property
    def version(self) -> str:
        """Changes with everything that the card shows; while rows come, with each second."""
        run = self.run
        if run is None:
            return ""
        ticking = round(self.progress.seconds, 1) if self.progress and run.state == "processing" else ""
        parts = (run.id, run.state, run.rows, run.expected_rows, run.attempt, run.cancel_requested_at, ticking)
        return f"{zlib.crc32(repr(parts).encode()):08x}"

    @property
    def events(self) -> list[tuple[datetime, str]]:
        """What happened, step by step."""
        return [(one.at, runs.told(one)) for one in runs.events_of(self.run)] if self.run else []


def card_of(export: Export) -> Card:
    """What the pages of an export show of it."""
    run, now = export.latest_run, present()
    finished = run if run is not None and run.state == "success" else None
    return Card(
        export=export,
        run=run,
        now=now,
        artefact=artefacts.published(finished) if finished else None,
        began=began(finished) if finished else None,
        cancelled_by=name_of(run.cancel_requested_by_id) if run and run.cancel_requested_by_id else "",
        progress=progress_of(run, now) if run and run.is_live else None,
        may_download=may(current_user, "exports.download", export),
        may_cancel=may(current_user, "exports.cancel", export),
        may_run=may(current_user, "exports.run", export),
        may_change_schedule=may(current_user, "exports.change_schedule", export),
        may_set_active=export.active is False and may(current_user, "exports.set_active", export),
        may_set_inactive=export.active is True and may(current_user, "exports.set_inactive", export),
        may_clone=may(current_user, "exports.clone", export),
        may_edit=may(current_user, "exports.edit", export),
        inactive_by=name_of(export.inactive_by_id) if export.inactive_by_id else "",
        token=uuid.uuid4(),
    )


@blueprint.get("/exports/<uuid:id>")
@action("exports.see")
def view(id: uuid.UUID) -> Response:
    """The View tab."""
    export = find_export_or_404("exports.see", id)
    definition = exports.definition_of(export)
    user: User = current_user
    catalogue = brands.catalogue_of(user.brand)
    model = catalogue.models.get(export.model)
    called = choices.called(user, catalogue, model, definition.filters)
    history = exports.runs_of(export)
    return page(
        "details/view.html",
        card=card_of(export),
        tab="details.view",
        scheduling=schedule.sentence(definition.schedule),
        definition=definition,
        columns=words.columns(definition, model),
        filters=words.filters(definition, model, called),
        file=words.file(definition.file),
        document=document_of(export),
        history=history if len(history) > 1 and export.schedule != "repeated" else [],
    )


@blueprint.get("/exports/<uuid:id>/logs")
@action("exports.see")
def logs(id: uuid.UUID) -> Response:
    """The Logs tab of a repeated export: its runs, newest first; live, a page at a time."""
    export = find_export_or_404("exports.see", id)
    if export.schedule != "repeated":
        abort(404)
    before = request.args.get("before", "")
    return page("details/logs.html", tab="details.logs", **_of_logs(history_of(export, before), is_newest=not before))


@blueprint.get("/exports/<uuid:id>/logs/live")
@action("exports.see")
def logs_live(id: uuid.UUID) -> Response:
    """The newest runs again: 204 if nothing has changed. It goes on as long as the export is active or runs."""
    export = find_export_or_404("exports.see", id)
    found = history_of(export)
    if found.version == request.args.get("v"):
        return nothing_new()
    return fragment("details/_logs_live.html", **_of_logs(found, is_newest=True))


def _of_logs(found: History, *, is_newest: bool) -> dict[str, Any]:
    """For the templates of Logs; only the newest page follows what goes on, and only while something can."""
    card = card_of(found.export)
    follows = is_newest and bool(found.export.active or (card.run and card.run.is_live))
    return {"card": card, "found": found, "history": found.runs, "follows": follows}


@blueprint.get("/exports/<uuid:id>/status")
@action("exports.see")
def status(id: uuid.UUID) -> Response:
    """The card again: 204 if nothing has changed, 286 with the whole card at the end of the run."""
    card = card_of(find_export_or_404("exports.see", id))
    if card.run is not None and card.run.is_live:
        if card.version == request.args.get("v"):
            return nothing_new()
        return fragment("details/_progress.html", card=card)
    return stop_polling(instead(fragment("details/_ended.html", card=card), "#run-card"))


@blueprint.post("/exports/<uuid:id>/run")
@action("exports.run")
def run(id: uuid.UUID) -> Response:
    """**Run now**: the form's token makes a second click find the run of the first."""
    export = find_export_or_404("exports.run", id)
    runs.request_run(current_user._get_current_object(), export, token_of_form())
    return go(url_for("details.view", id=id))


def document_of(export: Export, version: int | None = None) -> str:
    """The definition of a version, by default the present one, as people read it."""
    return json.dumps(exports.definition_of(export, version).as_json(), indent=2, ensure_ascii=False)


@blueprint.post("/runs/<uuid:id>/again")
@action("exports.run")
def again(id: uuid.UUID) -> Response:
    """**Run again** of a run that failed; a second click finds the run of the first."""
    export, found = find_run_or_404("exports.run", id)
    runs.request_again(current_user._get_current_object(), found, token_of_form())
    return go(url_for("details.view", id=export.id))


@blueprint.post("/runs/<uuid:id>/cancel")
@action("exports.cancel")
def cancel(id: uuid.UUID) -> Response:
    """**Cancel**."""
    export, found = find_run_or_404("exports.cancel", id)
    runs.cancel(current_user._get_current_object(), found)
    return go(url_for("details.view", id=export.id))


@blueprint.post("/exports/<uuid:id>/cancel")
@action("exports.cancel")
def cancel_date(id: uuid.UUID) -> Response:
    """**Cancel** of an On-date that has not come."""
    export = find_export_or_404("exports.cancel", id)
    schedules.cancel_date(current_user._get_current_object(), export)
    return go(url_for("details.view", id=id))


@blueprint.get("/exports/<uuid:id>/definition.json")
@action("exports.see")
@sandboxed
def definition(id: uuid.UUID) -> Response:
    """The definition as the command line and the API take it."""
    export = find_export_or_404("exports.see", id)
    version = request.args.get("version", str(export.version))
    if not (version.isascii() and version.isdigit() and 0 < int(version[:9]) <= export.version):
        abort(404)
    response = make_response(document_of(export, int(version[:9])) + "\n")
    response.content_type = "application/json; charset=utf-8"
    response.headers["Content-Disposition"] = disposition(export.name, "json")
    return response
