"""What came of a mail: sent, caught, tried again later, given up; and what a run's page says of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, or_, select

from exports.errors import MailError
from webapp.extensions import db
from webapp.models import Mail, Run, among, clock
from webapp.services import outgoing
from webapp.services.outgoing import Due
from webapp.services.runs.events import note


def sent(due: Due, recipient: str) -> None:
    """The server has it; commits."""
    _end(due, "mailed", state="sent", recipient=recipient, error=None)


def caught(due: Due, recipient: str, parts: Mapping[str, str]) -> None:
    """Keep it, to be read on the page Mailbox: subject, text, html; commits."""
    _end(due, "caught", state="caught", recipient=recipient, error=None, **parts)


def dropped(due: Due) -> None:
    """Nobody gets it: the user was disabled; commits."""
    _end(due, None, state="dropped", error=None)


def failed(due: Due, recipient: str, error: MailError) -> None:
    """Try again later, or give up after the last try; commits."""
    wait = None if error.permanent else outgoing.wait_after(due)
    if wait is None:
        _end(due, "not_mailed", state="given_up", recipient=recipient, error=error.message)
        return
    again = {"next_try_at": clock() + wait, "recipient": recipient, "error": error.message}
    kind = "mail_waits" if due.tries == 1 else None  # the steps of a run tell the first failure and the end
    _change(due, kind, **again)


def _end(due: Due, kind: str | None, **values: Any) -> None:
    _change(due, kind, ended_at=clock(), **values)


def _change(due: Due, kind: str | None, **values: Any) -> None:
    """Compare and set: of a mail that another try has overtaken nothing is changed."""
    mail = outgoing.changed(Mail, due, **values)
    if mail is not None and mail.run_id is not None and kind is not None:  # others are about an account
        run = db.session.get_one(Run, mail.run_id)
        note(run, kind, recipient=values["recipient"], message=values["error"] or "")
    db.session.commit()


@dataclass(frozen=True)
class Trouble:
    """Mails about one run that could not be sent (yet). `again_at`: when the next of them is tried again."""

    recipients: tuple[str, ...]
    message: str
    again_at: datetime | None


def troubles(runs: Iterable[Run]) -> Mapping[uuid.UUID, Trouble]:
    """What could not be sent of the mails about these runs, by the run's id."""
    ids = [run.id for run in runs if not run.is_live]
    if not ids:
        return {}
    found: dict[uuid.UUID, list[Any]] = {}
    for mail in db.session.execute(_not_sent(), {"ids": ids}):
        found.setdefault(mail.run_id, []).append(mail)
    return {run_id: _trouble(mails) for run_id, mails in found.items()}


@cache
def _not_sent() -> Select[*tuple[Any, ...]]:
    """Values and no entities: nearly always there are none, and each page of a run asks."""
    columns = (Mail.run_id, Mail.state, Mail.recipient, Mail.error, Mail.next_try_at)
    not_sent = or_(Mail.state == "waiting", Mail.state == "given_up")
    return select(*columns).where(among(Mail.run_id), Mail.error.is_not(None), not_sent).order_by(Mail.recipient)


def _trouble(mails: list[Any]) -> Trouble:
    waiting = [mail.next_try_at for mail in mails if mail.state == "waiting"]
    return Trouble(
        tuple(mail.recipient for mail in mails), mails[0].error or "", min(waiting) if waiting else None
    )  # fmt: skip
