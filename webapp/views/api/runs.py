"""Runs by the API: run now, follow, cancel, download (docs/api.md)."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Response, url_for
from pydantic import Field

from exports.errors import Expired, ExportArchived, Lost, NothingDelivered, NotMade, PersonalFile, StoreUnreachable
from exports.errors.request import RangeUnknown
from webapp.bearer import scope
from webapp.models import Run
from webapp.security import action, sandboxed
from webapp.services import runs
from webapp.services.exports import history_of
from webapp.services.progress import present
from webapp.views import downloads
from webapp.views.api.exports import me
from webapp.views.api.operations import answers, asks, operation, repeatable, reply
from webapp.views.api.places import Limit, opaque, place
from webapp.views.api.shapes import RunAnswer, RunsPage, Shape
from webapp.views.lookups import find_export_or_404, find_run_or_404

ZIP: Final = {"type": "string", "format": "binary"}


class RunsAsked(Shape):
    """Which runs of an export."""

    after: str = Field(default="", max_length=2_000, description="Where a page begins: `next` of the page before.")
    limit: Limit = 50


@operation("GET", "/exports/<uuid:id>/runs", "Runs")
@action("exports.see")
@scope("exports:read")
@answers(200, RunsPage, "A page of the runs.", is_found=True)
@asks(RunsAsked)
def list_runs(id: uuid.UUID, asked: RunsAsked) -> RunsPage:
    """List the runs of an export, newest first."""
    export = find_export_or_404("exports.see", id)
    found = history_of(export, before=place("runs", asked.after), per_page=asked.limit)
    now = present()
    return RunsPage(runs=[RunAnswer.of(one, now) for one in found.runs], next=opaque("runs", found.older))


@operation("POST", "/exports/<uuid:id>/runs", "Runs")
@action("exports.run")
@scope("runs:write")
@answers(201, RunAnswer, "The run, which waits for a worker.", [ExportArchived], is_found=True)
@repeatable
def run_export(id: uuid.UUID, made_with: uuid.UUID) -> Response:
    """Run an export now, with its present version."""
    export = find_export_or_404("exports.run", id)
    run = runs.request_run(me(), export, made_with)
    return reply(RunAnswer.of(run, present()), 201, url_for("api.get_run", id=run.id))


@operation("GET", "/runs/<uuid:id>", "Runs")
@action("exports.see")
@scope("exports:read")
@answers(200, RunAnswer, "The run.", is_found=True)
def get_run(id: uuid.UUID) -> RunAnswer:
    """Show a run: its status, how far it is, its file, or why it failed."""
    return _told(find_run_or_404("exports.see", id)[1])


@operation("POST", "/runs/<uuid:id>/cancel", "Runs")
@action("exports.cancel")
@scope("runs:write")
@answers(200, RunAnswer, "The run. One that is in progress ends within seconds; one that has ended stays so.",
         is_found=True)  # fmt: skip
def cancel_run(id: uuid.UUID) -> RunAnswer:
    """Cancel a run."""
    return _told(runs.cancel(me(), find_run_or_404("exports.cancel", id)[1]))


@operation("GET", "/runs/<uuid:id>/download", "Runs")
@action("exports.download")
@scope("files:download")
@sandboxed
@answers(
    200,
    ZIP,
    "The zip. Its ETag is the SHA-256 of the file in it.",
    [NotMade, NothingDelivered, Expired, Lost, PersonalFile, RangeUnknown, StoreUnreachable],
    is_found=True,
    kind="application/zip",
    also={206: "The part that the header Range asks for.", 304: "It is the file of If-None-Match."},
)
def download_file(id: uuid.UUID) -> Response:
    """Download the file of a run, or a part of it (Range), or learn that it is still the same (If-None-Match)."""
    return downloads.file_of(find_run_or_404("exports.download", id)[1])


def _told(run: Run) -> RunAnswer:
    return RunAnswer.of(run, present())
