"""Every error of ours: code, sentence for a person, advice, and whether trying again can help.

    ExportsError
    ├── DefinitionRefused        the definition breaks rules; carries its problems
    ├── CatalogueError           a catalogue file is wrong (at start)
    ├── DateExpressionError      a `date:` expression that cannot be used
    │   ├── DateUnreadable · DateCombination
    │   └── DateNotInCalendar · DateOutOfRange
    ├── RunError                 a run cannot go on
    │   ├── SourceError          the database that rows come from
    │   │   ├── SourceUnreachable · SourceTimeout (SourceSlow) · SourceConflict · SourceBusy · SourceExhausted
    │   │   └── PreviewsBusy · FieldMissing · RowUnreadable · SourceRefused
    │   ├── FormatError          the file cannot be written as asked
    │   │   └── EnclosureNeeded
    │   ├── StorageError         the finished file cannot be kept
    │   │   └── DiskFull · StoreUnreachable · StoreRefused
    │   ├── TargetError          the upload server, or the way to it: errors/target.py has about 45
    │   ├── NoRows                   nothing matched, and the export wants to fail then
    │   ├── MaskKeyUnreadable    a masked column cannot be made
    │   ├── FileRemoved          what is to be uploaded is kept no longer
    │   ├── RightsLost           what the owner was allowed when it was saved is not allowed any more
    │   └── SystemFault          ours
    │       └── WorkerDied · DatabaseAway · Unexpected
    ├── NoFile                   what somebody wants to download is not there
    │   └── NotMade · Expired · Lost
    ├── PersonalFile             what somebody wants to download is not for them
    ├── CompareError             two runs cannot be compared: errors/compare.py has them
    ├── MomentPassed             a moment of a schedule at which nothing ran
    │   └── Missed · Overdue · Skipped
    ├── RunStopped               not an error of the run: somebody else decided
    │   └── Cancelled · Fenced · GivenBack · Overtaken
    ├── ExportArchived           nothing runs or changes of what was put aside
    ├── AccountRefused           a user cannot be made or changed as asked
    ├── SecondStepUnreadable     nobody can check the code of somebody who signs in
    ├── HandOverRefused          somebody cannot own this export
    ├── RequestError             a request to the API is not carried out: errors/request.py has about 20
    ├── MailError                a mail cannot be sent; never a reason for a run to fail
    │   ├── MailServerUnreachable · MailServerSlow · MailServerUntrusted
    │   └── MailLoginRefused · MailRefused · MailUnwritable · RecipientNotAllowed
    ├── WebhookError             a webhook cannot be told; never a reason for a run to fail
    │   ├── WebhookBlocked · WebhookUnreachable · WebhookSlow · WebhookUntrusted
    │   └── WebhookRefused · WebhookRedirected · WebhookSecretUnreadable · WebhookUnexpected
    └── SetUpError               this machine cannot run the embedded services yet
        ├── InstanceNewer · InstanceForeign · InstanceClosed · InstanceIncomplete
        └── NoSpace · ProgramMissing · ServiceFailed

Foreign errors (psycopg, OS, obstore) are translated where they enter, never caught further in.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from exports.errors.base import RETRIED as RETRIED
from exports.errors.base import RUN_AGAIN as RUN_AGAIN
from exports.errors.base import RUN_NOW as RUN_NOW
from exports.errors.base import TRY_AGAIN as TRY_AGAIN
from exports.errors.base import UPLOAD_AGAIN as UPLOAD_AGAIN
from exports.errors.base import ExportsError as ExportsError
from exports.errors.base import Problem as Problem
from exports.errors.base import RunError as RunError
from exports.errors.compare import CompareError as CompareError
from exports.errors.mail import MailError as MailError
from exports.errors.mail import MailLoginRefused as MailLoginRefused
from exports.errors.mail import MailRefused as MailRefused
from exports.errors.mail import MailServerSlow as MailServerSlow
from exports.errors.mail import MailServerUnreachable as MailServerUnreachable
from exports.errors.mail import MailServerUntrusted as MailServerUntrusted
from exports.errors.mail import MailUnwritable as MailUnwritable
from exports.errors.mail import RecipientNotAllowed as RecipientNotAllowed
from exports.errors.moments import Missed as Missed
from exports.errors.moments import MomentPassed as MomentPassed
from exports.errors.moments import Overdue as Overdue
from exports.errors.moments import Skipped as Skipped
from exports.errors.personal import FileRemoved as FileRemoved
from exports.errors.personal import MaskKeyUnreadable as MaskKeyUnreadable
from exports.errors.personal import PersonalFile as PersonalFile
from exports.errors.personal import SecondStepUnreadable as SecondStepUnreadable
from exports.errors.request import RequestError as RequestError
from exports.errors.setup import InstanceClosed as InstanceClosed
from exports.errors.setup import InstanceForeign as InstanceForeign
from exports.errors.setup import InstanceIncomplete as InstanceIncomplete
from exports.errors.setup import InstanceNewer as InstanceNewer
from exports.errors.setup import NoSpace as NoSpace
from exports.errors.setup import ProgramMissing as ProgramMissing
from exports.errors.setup import ServiceFailed as ServiceFailed
from exports.errors.setup import SetUpError as SetUpError
from exports.errors.target import AddressBlocked as AddressBlocked
from exports.errors.target import CredentialUnreadable as CredentialUnreadable
from exports.errors.target import HostUnknown as HostUnknown
from exports.errors.target import NamesUnavailable as NamesUnavailable
from exports.errors.target import TargetError as TargetError
from exports.errors.webhooks import WebhookError as WebhookError


class DefinitionRefused(ExportsError):
    """A definition that breaks at least one rule (SPEC section 11: exit status 2, HTTP 422)."""

    code = "definition.refused"
    sentence = "The definition cannot be used: {first}"
    advice = "Correct what is named and try again."

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(first=problems[0].message if problems else "it is empty")


class CatalogueError(ExportsError):
    """A catalogue file that cannot be used; raised at start."""

    code = "catalogue.invalid"
    sentence = "The catalogue file {file} is wrong at {key}: {reason}"
    advice = "Correct the file and start again."


class DateExpressionError(ExportsError):
    """A `date:` expression that cannot be used (REFERENCE section 3)."""

    @property
    def said(self) -> str:
        """Sentence and advice, as form, command line and API show them beside the input."""
        return f"{self.message} {self.advised}"


class DateUnreadable(DateExpressionError):
    code = "date.unreadable"
    sentence = "“{expression}” cannot be read."
    advice = "Write {instead}."


class DateCombination(DateExpressionError):
    code = "date.combination"
    sentence = "“{lost}” cannot stand beside “{beside}”: {reason}."
    advice = "Write {instead}."


class DateNotInCalendar(DateExpressionError):
    code = "date.not_in_calendar"
    sentence = "“{day}” is not a day of the calendar: {reason}."
    advice = "Write {instead}."


class DateOutOfRange(DateExpressionError):
    code = "date.out_of_range"
    sentence = "“{expression}” leads out of the years 1 to 9999."
    advice = "Write smaller numbers."


class SourceError(RunError):
    """The database that rows come from."""


class SourceUnreachable(SourceError):
    code = "source.unreachable"
    sentence = "The database did not answer or broke the connection."
    advice = f"{RETRIED} If it keeps failing, ask whoever runs the database."
    permanent = False


class SourceTimeout(SourceError):
    code = "source.timeout"
    sentence = "The query took longer than {limit} s."
    advice = "Add a filter that leaves fewer rows, or ask your operator to raise SOURCE_STATEMENT_TIMEOUT."


class SourceSlow(SourceTimeout):
    """Not the query of the file: one that is answered in a moment unless the table is locked or the database busy."""

    code = "source.slow"
    sentence = "The database took longer than {limit} s for a question that takes a moment."
    advice = f"{RETRIED} If it keeps failing, ask whoever runs the database."
    permanent = False


class SourceConflict(SourceError):
    code = "source.conflict"
    sentence = "The database, a read replica, had to stop the query to keep up with its primary."
    advice = f"{RETRIED} Your operator can switch hot_standby_feedback on."
    permanent = False


class SourceBusy(SourceError):
    code = "source.busy"
    sentence = "The database has no free connection."
    advice = RETRIED
    permanent = False


class PreviewsBusy(SourceError):
    code = "source.previews_busy"
    sentence = "Other previews use all connections that there are for them."
    advice = TRY_AGAIN
    permanent = False


class SourceExhausted(SourceError):
    code = "source.exhausted"
    sentence = "The database has run out of memory or disk space for this query."
    advice = f"{RETRIED} If it keeps failing, ask whoever runs the database."
    permanent = False


class SourceRefused(SourceError):
    code = "source.refused"
    sentence = "The database refused the login or the reading of a table."
    advice = "Ask your operator to check SOURCE_DATABASE_URL and the rights of its role."


class FieldMissing(SourceError):
    code = "source.field_missing"
    sentence = "A field of this export no longer exists in the database: {name}."
    advice = "Edit the export and take the field out, or ask your operator to correct the catalogue."
    in_definition = True


class RowUnreadable(SourceError):
    code = "source.row_unreadable"
    sentence = "A record holds a value that cannot be exported: {reason}."
    advice = "Correct the record, or leave the field or the record out."


class FormatError(RunError):
    """The file cannot be written as asked."""


class EnclosureNeeded(FormatError):
    code = "format.enclosure_needed"
    sentence = "Row {row} holds a value with the delimiter or a line end, and Enclosure is none."
    advice = 'Choose the enclosure " or another delimiter.'
    in_definition = True


class StorageError(RunError):
    """The finished file cannot be kept."""


class DiskFull(StorageError):
    code = "storage.disk_full"
    sentence = "There is no room left to keep the file."
    advice = "Ask your operator for more disk space, then run the export again."


class StoreUnreachable(StorageError):
    code = "storage.unreachable"
    sentence = "The file store did not take the file."
    advice = f"{RETRIED} If it keeps failing, ask your operator to check STORAGE_URL."
    permanent = False


class StoreRefused(StorageError):
    code = "storage.refused"
    sentence = "The file store refused the login, or there is no bucket of this name."
    advice = "Ask your operator to check STORAGE_URL and the credentials of the store, then run the export again."


class NoRows(RunError):
    """**If there are no rows**: fail (SPEC section 3.7)."""

    code = "run.no_rows"
    sentence = "No record matches, and this export is to fail then."
    advice = "Look at its filters, or choose otherwise under “If there are no rows”. Nothing was delivered."


class RightsLost(RunError):
    """What the owner was allowed when the export was saved is not allowed any more (SPEC section 10)."""

    code = "rights.lost"
    sentence = "The owner of this export, {owner}, may no longer run it: {reason}"
    advice = "Ask an admin for the right, or hand the export over to somebody who has it."

    @property
    def because(self) -> str:
        """Why a schedule was set inactive, as the end of a sentence: "set inactive because …"."""
        return f"its owner, {self.facts['owner']}, may no longer run it: {self.facts['reason'].rstrip('.')}"


class SystemFault(RunError):
    """Ours."""


class WorkerDied(SystemFault):
    code = "system.worker_died"
    sentence = "The worker died {deaths} times while it ran this export."
    advice = "Ask your operator to look at the worker's log: it may be short of memory."


class DatabaseAway(SystemFault):
    code = "system.database"
    sentence = "Our own database did not answer."
    advice = f"{RETRIED} If it keeps failing, ask your operator to look at it."
    permanent = False


class Unexpected(SystemFault):
    code = "system.unexpected"
    sentence = "Something went wrong that we did not foresee."
    advice = "Run it again. If it happens again, give your operator the number of the run."


class NoFile(ExportsError):
    """What somebody wants to download is not there."""


class NotMade(NoFile):
    code = "file.not_made"
    sentence = "This run has no file."
    advice = "Its page says why."


class NothingDelivered(NotMade):
    code = "file.nothing_delivered"
    sentence = "No record matched, so this run made no file."
    advice = "Its export delivers nothing if there are no rows. Edit it if you want a file with the header instead."


class Expired(NoFile):
    code = "file.expired"
    sentence = "The file was kept until {day} and has been removed."
    advice = "Run the export again to get a new one."


class Lost(NoFile):
    code = "file.lost"
    sentence = "The file store does not have this file any more."
    advice = "Run the export again to get a new one, and tell your operator."


class RunStopped(ExportsError):
    """Not an error of the run: somebody else decided."""


class Cancelled(RunStopped):
    code = "run.cancelled"
    sentence = "The run was cancelled."
    advice = "Run it again when you need the file."


class Fenced(RunStopped):
    code = "run.fenced"
    sentence = "Another worker has taken this run over."
    advice = "Nothing is to be done."


class GivenBack(RunStopped):
    code = "run.given_back"
    sentence = "The worker was told to stop, and the run is queued again."
    advice = "Nothing is to be done."


class Overtaken(RunStopped):
    code = "preview.overtaken"
    sentence = "Something newer was typed, and is looked at in place of this."
    advice = "Nothing is to be done."


class ExportArchived(ExportsError):
    """Asked of an export that was put aside."""

    code = "export.archived"
    sentence = "This export is archived."
    advice = "Restore it, then try again."


class AccountRefused(ExportsError):
    """A user cannot be made or changed as asked."""

    code = "account.refused"
    sentence = "The user cannot be saved: {reason}."
    advice = "Correct what is named and try again."


class HandOverRefused(ExportsError):
    """An export cannot be handed over as asked."""

    code = "export.hand_over_refused"
    sentence = "Not handed over: {reason}."
    advice = "Choose somebody else, or give that one the right."


def catalogue() -> Iterator[type[ExportsError]]:
    """Every error that has a code, for the docs and the test that holds them against it."""
    waiting = [ExportsError]
    while waiting:
        kind = waiting.pop()
        waiting.extend(kind.__subclasses__())
        if kind.code:
            yield kind


@cache
def in_definition() -> frozenset[str]:
    """The codes of the errors whose remedy is to change the export."""
    return frozenset(kind.code for kind in catalogue() if kind.in_definition)
