"""The details of an export: its status, live, its file, and what it is (SPEC section 4, UX section 3.9)."""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from flask import Blueprint, Response, abort, flash, make_response, request, url_for
from flask_login import current_user

from exports import recipients, schedule, words
from exports.definition import Definition
from exports.errors import in_definition
from exports.target import NoTarget, Upload
from webapp.htmx import fragment, go, instead, nothing_new, page, stop_polling
from webapp.models import Delivery, Export, Run, User
from webapp.permissions import may
from webapp.security import action, sandboxed
from webapp.services import artefacts, brands, choices, connections, deliveries, exports, personal, runs, schedules
from webapp.services.artefacts import Artefact
from webapp.services.mail.results import Trouble, troubles
from webapp.services.progress import Progress, began, present, progress_of
from webapp.services.why import Explained, explain_saved
from webapp.views.downloads import disposition
from webapp.views.lookups import find_export_or_404, find_run_or_404, name_of, token_of_form

blueprint = Blueprint("details", __name__)


@dataclass(frozen=True)
class Card:
    """What the card of a run shows: on the View tab of the newest one, or, `alone`, on the run's own page."""

    export: Export
    run: Run | None
    alone: bool
    now: datetime
    artefact: Artefact | None
    began: datetime | None
    cancelled_by: str
    progress: Progress | None
    may_download: bool
    kept_back: bool
    may_cancel: bool
    may_run: bool
    may_compare: bool
    may_set_active: bool
    may_set_inactive: bool
    may_clone: bool
    may_edit: bool
    may_archive: bool
    may_hand_over: bool
    may_restore: bool
    may_delete: bool
    inactive_by: str
    token: uuid.UUID
    deliveries: Sequence[Delivery] = ()

    @property
    def tabs(self) -> list[tuple[str, str]]:
        """The pages of this export."""
        return tabs_of(self.export)

    @property
    def poll(self) -> str:
        """The address that says how the run goes on."""
        if self.run is not None and self.alone:
            return url_for("runs.status", id=self.run.id, v=self.version)
        return url_for("details.status", id=self.export.id, v=self.version)

    @cached_property
    def last_file(self) -> Run | None:
        """The newest run that has a file, for the View tab of an export whose newest run has none."""
        if self.alone or self.artefact or not self.may_download:
            return None
        run = exports.last_file_of(self.export)
        return run if run is not None and personal.may_see_data(current_user, run) else None

    @cached_property
    def ahead(self) -> Run | None:
        """The run of the same export whose end this one waits for."""
        return exports.in_progress_of(self.export) if self.run is not None and self.run.state == "queued" else None

    @cached_property
    def mail_trouble(self) -> Trouble | None:
        """Why somebody did not get the mail about this run (yet)."""
        return troubles([self.run]).get(self.run.id) if self.run is not None else None

    @property
    def own_delivery(self) -> Delivery | None:
        """The delivery that the run itself makes; None for a download."""
        return self.deliveries[0] if self.deliveries and not self.deliveries[0].is_again else None

    @property
    def delivered(self) -> list[Delivery]:
        """The deliveries that are there, the first one first."""
        return [one for one in self.deliveries if one.state == "delivered"]

    @property
    def uploading_again(self) -> Delivery | None:
        """The newest **Upload again**, until it is delivered."""
        newest = self.deliveries[-1] if self.deliveries else None
        return newest if newest is not None and newest.is_again and newest.state != "delivered" else None

    @property
    def may_upload_again(self) -> bool:
        """Whether the file is kept, was to be uploaded, and nothing is on its way already."""
        waits = self.uploading_again is not None and self.uploading_again.state != "failed"
        return self.may_run and bool(self.deliveries) and not waits and is_kept(self.run, self.now)

    @property
    def repeats_in_vain(self) -> bool:
        """Whether the export has to be changed: the definition of that time would fail again."""
        return self.run is not None and self.run.error_code in in_definition()

    @property
    def follows_upload(self) -> bool:
        """Whether an **Upload again** is still going on."""
        return self.uploading_again is not None and self.uploading_again.state != "failed"

    @cached_property
    def runs_and_files(self) -> tuple[int, int]:
        """How many there are of each: Logs counts them, and Delete takes them away."""
        return exports.runs_and_files(self.export)

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
        parts = (run.id, run.state, run.rows, run.expected_rows, run.attempt, run.cancel_requested_at, ticking,
                 self.ahead and self.ahead.id,
                 [(one.state, one.failures, one.sent if ticking else 0) for one in self.deliveries])  # fmt: skip
        return f"{zlib.crc32(repr(parts).encode()):08x}"


def tabs_of(export: Export) -> list[tuple[str, str]]:
    """The pages of an export: endpoint and label (SPEC section 4)."""
    is_scheduled = export.schedule != "now" and export.archived_at is None
    changes = is_scheduled and may(current_user, "exports.change_schedule", export)
    return [
        ("details.view", "View"),
        ("runs.logs", "Logs"),
        *([("schedules.change", "Change schedule")] if changes else []),
        *([("editing.versions", "Versions")] if export.version > 1 else []),
    ]


def card_of(export: Export, alone: Run | None = None) -> Card:
    """What the pages of an export show of its newest run, or of the one whose own page it is."""
    run, now = alone or export.latest_run, present()
    finished = run if run is not None and run.state == "success" else None
    aside = export.archived_at is not None
    may_download = may(current_user, "exports.download", export)
    return Card(
        export=export,
        run=run,
        alone=alone is not None,
        now=now,
        artefact=artefacts.published(finished) if finished else None,
        began=began(finished) if finished else None,
        cancelled_by=name_of(run.cancel_requested_by_id) if run and run.cancel_requested_by_id else "",
        progress=progress_of(run, now) if run and run.is_live else None,
        may_download=may_download,
        kept_back=finished is not None and may_download and not personal.may_see_data(current_user, finished),
        may_cancel=may(current_user, "exports.cancel", export),
        may_compare=may(current_user, "exports.compare", export),
        may_run=not aside and may(current_user, "exports.run", export),
        may_set_active=not aside and export.active is False and may(current_user, "exports.set_active", export),
        may_set_inactive=not aside and export.active is True and may(current_user, "exports.set_inactive", export),
        may_clone=may(current_user, "exports.clone", export),
        may_edit=not aside and may(current_user, "exports.edit", export),
        may_hand_over=not aside and may(current_user, "exports.hand_over", export),
        may_archive=not aside and may(current_user, "exports.archive", export),
        may_restore=aside and may(current_user, "exports.restore", export),
        may_delete=may(current_user, "exports.delete", export),
        inactive_by=name_of(export.inactive_by_id) if export.inactive_by_id else "",
        token=uuid.uuid4(),
        deliveries=deliveries.deliveries_of(run) if run and export.target != "none" else (),
    )


def is_kept(run: Run | None, now: datetime) -> bool:
    """Whether the file of a run that has ended is still there."""
    if run is None or run.is_live or run.artefact is None:
        return False
    return run.kept_until is not None and run.kept_until > now


@blueprint.get("/exports/<uuid:id>")
@action("exports.see")
def view(id: uuid.UUID) -> Response:
    """The View tab."""
    export = find_export_or_404("exports.see", id)
    user: User = current_user
    catalogue = brands.catalogue_of(user.brand)
    model = catalogue.models.get(export.model)
    definition = personal.shown(user, exports.definition_of(export), model)
    called = choices.called(user, catalogue, model, definition.filters)
    return page(
        "details/view.html",
        fragments={"why_out"},
        card=card_of(export),
        tab="details.view",
        scheduling=schedule.sentence(definition.schedule),
        definition=definition,
        columns=words.columns(definition, model),
        filters=words.filters(definition, model, called),
        file=words.file(definition.file),
        if_empty=words.IF_EMPTY[definition.if_empty],
        notify={one: words.recipients(getattr(definition.notify, one)) for one in recipients.MEMBERS},
        document=_as_document(definition),
        key_label=model.fields[model.key].label if model and may(user, "exports.preview", export) else "",
        explained=_explained(export),
        **_of_upload(definition.target),
    )


def _explained(export: Export) -> Explained | None:
    """Why the record is in the file or not that the address names: a question, which changes nothing."""
    id = request.args.get("why")
    if id is None or not may(current_user, "exports.preview", export):
        return None
    return explain_saved(current_user._get_current_object(), export, exports.definition_of(export), id)


def _of_upload(target: NoTarget | Upload) -> dict[str, Any]:
    """Where the file is uploaded to, by the connection as it is now."""
    if isinstance(target, NoTarget):
        return {"upload": None}
    connection = connections.named(target)
    return {
        "upload": target,
        "connection": connection,
        "may_see_connection": connection is not None and may(current_user, "connections.see", connection),
        "if_exists": words.IF_EXISTS[target.if_exists],
    }


@blueprint.get("/exports/<uuid:id>/status")
@action("exports.see")
def status(id: uuid.UUID) -> Response:
    """The card again: 204 if nothing has changed, 286 with the whole card at the end of the run."""
    return status_of(card_of(find_export_or_404("exports.see", id)))


def status_of(card: Card) -> Response:
    """What the poll of a card is answered."""
    if card.run is not None and (card.run.is_live or card.follows_upload):
        if card.version == request.args.get("v"):
            return nothing_new()
        if not card.run.is_live:
            return instead(fragment("details/_ended.html", card=card), "#run-card")
        return fragment("details/_progress.html", card=card)
    return stop_polling(instead(fragment("details/_ended.html", card=card), "#run-card"))


@blueprint.post("/exports/<uuid:id>/run")
@action("exports.run")
def run(id: uuid.UUID) -> Response:
    """**Run now**: the form's token makes a second click find the run of the first."""
    export = find_export_or_404("exports.run", id)
    runs.request_run(current_user._get_current_object(), export, token_of_form())
    return go(url_for("details.view", id=id))


def _as_document(definition: Definition) -> str:
    """A definition as people read it."""
    return json.dumps(definition.as_json(), indent=2, ensure_ascii=False)


@blueprint.post("/runs/<uuid:id>/again")
@action("exports.run")
def again(id: uuid.UUID) -> Response:
    """**Run again** of a run that failed; a second click finds the run of the first."""
    export, found = find_run_or_404("exports.run", id)
    runs.request_again(current_user._get_current_object(), found, token_of_form())
    return go(url_for("details.view", id=export.id))


@blueprint.post("/runs/<uuid:id>/upload")
@action("exports.run")
def upload_again(id: uuid.UUID) -> Response:
    """**Upload again** of a run whose file is kept; a second click finds the delivery of the first."""
    _export, found = find_run_or_404("exports.run", id)
    try:
        deliveries.request_again(current_user._get_current_object(), found, token_of_form())
    except deliveries.NothingToUpload:
        flash("The file of this run is not kept any more: run the export again.", "warn")
    return go(url_for("runs.view", id=id))


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
    model = brands.catalogue_of(current_user.brand).models.get(export.model)
    shown = personal.shown(current_user, exports.definition_of(export, int(version[:9])), model)
    response = make_response(_as_document(shown) + "\n")
    response.content_type = "application/json; charset=utf-8"
    response.headers["Content-Disposition"] = disposition(export.name, "json")
    return response
