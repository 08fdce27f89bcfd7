"""What the API answers, as pydantic models: the document of the API is made from them."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from exports.schedule import Schedule
from webapp.models import Export, Run, User
from webapp.services.progress import progress_of

Moment = Annotated[datetime, AfterValidator(lambda at: at.astimezone(UTC))]
ExportStatus = Literal["Pending", "Processing", "Finished", "Failed", "Cancelled", "Active", "Inactive"]
RunStatus = Literal["Queued", "Processing", "Success", "Failed", "Cancelled", "Missed", "Skipped"]


class Shape(BaseModel):
    """An answer, or a body that is asked for: nothing in it is unknown."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(Shape):
    """A user of the brand."""

    id: uuid.UUID
    name: str

    @classmethod
    def of(cls, user: User) -> Self:
        """As others of the brand see it."""
        return cls(id=user.id, name=user.name)


class RunProgress(Shape):
    """How far a run is. What cannot be said yet is null."""

    phase: str | None
    seconds: float
    percent: int | None
    rows_per_second: int | None
    seconds_left: int | None


class RunFile(Shape):
    """The file of a run, as long as it is kept: a zip with one file in it. `sha256` is that of the file in the zip."""

    zip_bytes: int
    sha256: str
    kept_until: Moment


class RunFault(Shape):
    """Why a run has failed: `code` is one of the catalogue of errors."""

    code: str
    message: str
    advice: str


class RunAnswer(Shape):
    """One execution of an export. `rows` and `bytes` are of the file in the zip, so far."""

    id: uuid.UUID
    export_id: uuid.UUID
    version: int
    kind: Literal["schedule", "manual", "again"]
    status: RunStatus
    scheduled_for: Moment
    created_at: Moment
    started_at: Moment | None
    finished_at: Moment | None
    tries: int
    rows: int
    bytes: int
    progress: RunProgress | None
    file: RunFile | None
    error: RunFault | None

    @classmethod
    def of(cls, run: Run, now: datetime) -> Self:
        """As it is at that moment."""
        return cls(
            id=run.id, export_id=run.export_id, version=run.version, kind=run.kind,
            status=run.status, scheduled_for=run.scheduled_for, created_at=run.created_at,
            started_at=run.started_at, finished_at=run.finished_at, tries=run.tries, rows=run.rows, bytes=run.bytes,
            progress=_progress(run, now), file=_file(run, now), error=_fault(run),
        )  # fmt: skip


def _progress(run: Run, now: datetime) -> RunProgress | None:
    if not run.is_live:
        return None
    told = progress_of(run, now)
    return RunProgress(
        phase=run.phase, seconds=round(told.seconds, 1), percent=told.percent, rows_per_second=told.rate,
        seconds_left=told.seconds_left,
    )  # fmt: skip


def _file(run: Run, now: datetime) -> RunFile | None:
    if run.state != "success" or run.artefact is None or run.kept_until is None or run.kept_until <= now:
        return None
    return RunFile(zip_bytes=run.archive_bytes or 0, sha256=str(run.sha256), kept_until=run.kept_until)


def _fault(run: Run) -> RunFault | None:
    if run.error_code is None:
        return None
    return RunFault(code=run.error_code, message=run.error_message or "", advice=run.error_advice or "")


class ExportAnswer(Shape):
    """A saved export as lists show it; its definition has an address of its own. `schedule` is told in words there."""

    id: uuid.UUID
    name: str
    model: str
    status: ExportStatus
    version: int
    owner: Person
    created_by: Person
    created_at: Moment
    archived_at: Moment | None
    target: Literal["none", "ftp", "ftps", "sftp"]
    schedule: Literal["now", "on_date", "repeated"]
    schedule_words: str
    next_run_at: Moment | None
    latest_run: RunAnswer | None

    @classmethod
    def of(cls, export: Export, now: datetime) -> Self:
        """As it is at that moment."""
        return cls(
            id=export.id, name=export.name, model=export.model, status=export.status, version=export.version,
            owner=Person.of(export.owner), created_by=Person.of(export.created_by), created_at=export.created_at,
            archived_at=export.archived_at, target=export.target,
            schedule=export.schedule, schedule_words=export.schedule_words,
            next_run_at=export.next_run_at,
            latest_run=RunAnswer.of(export.latest_run, now) if export.latest_run else None,
        )  # fmt: skip


class ExportsPage(Shape):
    """A page of exports. `next` is what `after` of the next page is; null on the last one."""

    exports: list[ExportAnswer]
    next: str | None
    total: int = Field(description="How many there are in all, counted up to 1,000; to 100 in a search.")
    more_than_total: bool

    @classmethod
    def of(cls, found: Iterable[Export], next: str | None, total: int, more: bool, now: datetime) -> Self:
        """Of what was found."""
        exports = [ExportAnswer.of(one, now) for one in found]
        return cls(exports=exports, next=next, total=total, more_than_total=more)


class RunsPage(Shape):
    """A page of runs, newest first. `next` is what `after` of the next page is; null on the last one."""

    runs: list[RunAnswer]
    next: str | None


class CloneBody(Shape):
    """What the new export is called; empty: as the other one, with "(copy)"."""

    name: str = Field(default="", max_length=200)


class ScheduleBody(Shape):
    """The new schedule. `version`: refused if the export has another one by now; left out: whatever it has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    schedule: Schedule
    version: int | None = Field(default=None, ge=1, le=2**31 - 1)


class FieldAnswer(Shape):
    """A field of a data model, or what can only be filtered by, with its operators."""

    id: str
    label: str
    type: str
    items: str | None = Field(default=None, description="Of a list: the type of its entries.")
    reference: str | None = Field(default=None, description="Of a reference: what it refers to.")
    choices: dict[str, str] | None = Field(default=None, description="Of a closed list: value and label.")
    open: bool | None = Field(default=None, description="Whether other values than the choices may occur.")
    flags: list[str]
    operators: list[str]
    description: str


class ModelSummary(Shape):
    """A data model of the brand."""

    id: str
    label: str
    module: str | None
    fields: int
    custom: int
    description: str


class ModelsAnswer(Shape):
    """The data models that the brand's modules bring."""

    models: list[ModelSummary]


class ModelAnswer(Shape):
    """A data model with its fields: what a definition may name."""

    id: str
    label: str
    module: str | None
    description: str
    key: str
    fields: list[FieldAnswer]
    attributes: list[FieldAnswer]

    @classmethod
    def of(cls, described: dict[str, Any]) -> Self:
        """Of what `exports.described` says."""
        return cls.model_validate({key: value for key, value in described.items() if key != "custom"})


class ProblemAnswer(Shape):
    """One rule that a definition breaks: where, which, and in words."""

    at: str
    code: str
    message: str


class ProblemDetails(Shape):
    """An error (RFC 9457). `code` is one of the catalogue of errors; `errors` says where a body breaks which rules."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[ProblemAnswer]
    request: str | None = Field(default=None, description="The number of the request, where the fault is ours.")
