"""**Logs**, and the page of one run with what happened to it step by step (SPEC section 4, UX section 3.10)."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Response, request
from flask_login import current_user

from webapp.htmx import fragment, nothing_new, page, stop_polling
from webapp.models import Run
from webapp.security import action
from webapp.services import deliveries, personal, runs
from webapp.services.exports import History, chart_of, history_of, people_of
from webapp.services.progress import present
from webapp.views import uploads
from webapp.views.details import card_of, status_of
from webapp.views.lookups import find_export_or_404, find_run_or_404

blueprint = Blueprint("runs", __name__)


@blueprint.get("/exports/<uuid:id>/logs")
@action("exports.see")
def logs(id: uuid.UUID) -> Response:
    """The Logs tab: every run of an export, newest first; live, a page at a time."""
    export = find_export_or_404("exports.see", id)
    before, after = request.args.get("before", ""), request.args.get("after", "")
    return page("runs/logs.html", tab="runs.logs", **_of_logs(history_of(export, before, after)))


@blueprint.get("/exports/<uuid:id>/logs/live")
@action("exports.see")
def logs_live(id: uuid.UUID) -> Response:
    """The newest runs again: 204 if nothing has changed. It goes on as long as the export is active or runs."""
    found = history_of(find_export_or_404("exports.see", id))
    if found.version == request.args.get("v"):
        return nothing_new()
    return fragment("runs/_logs_live.html", **_of_logs(found))


def _of_logs(found: History) -> dict[str, Any]:
    """For the templates of Logs; only the newest page follows what goes on, and only while something can."""
    card = card_of(found.export)
    goes_on = found.export.active or found.export.next_run_at or (card.run and card.run.is_live)
    return {
        "card": card,
        "found": found,
        "history": found.runs,
        "seeable": personal.seeable(current_user, found.runs),
        "chart": chart_of(found.runs) if found.is_newest else None,
        "follows": bool(found.is_newest and goes_on),
    }


@blueprint.get("/runs/<uuid:id>")
@action("exports.see")
def view(id: uuid.UUID) -> Response:
    """One run, at the address that mails link to: what came of it, until when its file is kept, every step."""
    export, run = find_run_or_404("exports.see", id)
    people = people_of([run])
    return page("runs/view.html", tab="runs.logs", card=card_of(export, run), run=run, people=people, **_steps(run))


@blueprint.get("/runs/<uuid:id>/status")
@action("exports.see")
def status(id: uuid.UUID) -> Response:
    """The card of the run's page again: 204 if nothing has changed, 286 at the end of the run."""
    return status_of(card_of(*find_run_or_404("exports.see", id)))


@blueprint.get("/runs/<uuid:id>/events")
@action("exports.see")
def events(id: uuid.UUID) -> Response:
    """What happened, step by step: put into its fold when somebody opens it, and asked `live` by the run's own page."""
    _, run = find_run_or_404("exports.see", id)
    answer = fragment("runs/_steps.html", run=run, now=present(), **_steps(run))
    return stop_polling(answer) if "live" in request.args and not run.is_live else answer


def _steps(run: Run) -> dict[str, Any]:
    return {
        "steps": [(one.at, runs.told(one)) for one in runs.events_of(run)],
        "uploads": [(one, uploads.lines(one)) for one in deliveries.deliveries_of(run)],
    }
