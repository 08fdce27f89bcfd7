"""What came of a message: delivered, tried again later, given up; and a webhook that is switched off for it."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select, update

from exports.errors import WebhookError
from exports.errors.webhooks import WebhookBlocked
from exports.webhooks import read_url
from webapp.extensions import db
from webapp.models import Run, Webhook, WebhookMessage, clock
from webapp.services import audit, outgoing
from webapp.services.mail import accounts
from webapp.services.outgoing import Due
from webapp.services.runs.events import note
from webapp.services.webhooks.keeping import blocked, host_of

OFF_AFTER: Final = 5
"""Messages in a row that were given up, each after 24 hours of tries: then nobody is there any more."""
IN_TROUBLE: Final = timedelta(minutes=1)
"""So long a server that does not answer is asked for nothing more: fastworker has other things to do."""
SENDER: Final = "fastworker"
"""Who the audit log names."""


def delivered(due: Due, status: int, ms: int) -> None:
    """Its server has taken it; commits."""
    message = _end(due, "called", state="delivered", status=status, ms=ms, error=None)
    if message is not None:
        hook = update(Webhook).where(Webhook.id == message.webhook_id).values(given_up=0, last_success_at=clock())
        db.session.execute(hook.execution_options(synchronize_session=False))
    db.session.commit()


def dropped(due: Due) -> None:
    """Its webhook was switched off meanwhile; commits."""
    _end(due, None, state="dropped")
    db.session.commit()


def failed(due: Due, error: WebhookError, ms: int) -> None:
    """Try again later, or give up after the last try; commits."""
    told = {"error": error.message, "status": error.status, "ms": ms}
    former = db.session.scalar(select(WebhookMessage.error).where(WebhookMessage.id == due.id))
    wait = None if error.permanent else outgoing.wait_after(due)
    if wait is not None:
        kind = "call_waits" if due.tries == 1 else None  # the steps of a run tell the first failure and the end
        message = _change(due, kind, next_try_at=clock() + wait, **told)
    elif (message := _end(due, "not_called", state="given_up", **told)) is not None:
        _count(message, error)
    is_new = isinstance(error, WebhookBlocked) and former != error.message  # a name may lead elsewhere at each try
    if message is not None and is_new:
        webhook = db.session.get_one(Webhook, message.webhook_id)
        blocked(SENDER, "message", read_url(webhook.url), webhook)
    db.session.commit()


def put_off(webhook_id: uuid.UUID) -> None:
    """A server does not answer: what else waits for it waits a little longer, without a try; commits."""
    waiting = (WebhookMessage.webhook_id == webhook_id, WebhookMessage.state == "waiting")
    later = update(WebhookMessage).where(*waiting, WebhookMessage.next_try_at <= clock())
    values = later.values(next_try_at=clock() + IN_TROUBLE)
    db.session.execute(values.execution_options(synchronize_session=False))
    db.session.commit()


def _count(message: WebhookMessage, error: WebhookError) -> None:
    """One more did not get through; at OFF_AFTER the webhook is switched off, and admins are told."""
    more = update(Webhook).where(Webhook.id == message.webhook_id).values(given_up=Webhook.given_up + 1)
    options = {"synchronize_session": False, "populate_existing": True}
    webhook = db.session.scalars(more.returning(Webhook).execution_options(**options)).one()
    if webhook.given_up < OFF_AFTER or not webhook.is_on:
        return
    webhook.off_at, webhook.off_because = clock(), error.message
    facts = {"host": host_of(webhook), "reason": error.message}
    audit.record("webhook.switched_off", SENDER, webhook, result="failed", **facts)
    accounts.tell_admins("webhook_off", webhook=str(webhook.id), count=webhook.given_up, **facts)


def _end(due: Due, kind: str | None, **values: Any) -> WebhookMessage | None:
    return _change(due, kind, ended_at=clock(), **values)


def _change(due: Due, kind: str | None, **values: Any) -> WebhookMessage | None:
    message = outgoing.changed(WebhookMessage, due, **values)
    if message is not None and message.run_id is not None and kind is not None:
        webhook = db.session.get_one(Webhook, message.webhook_id)
        run = db.session.get_one(Run, message.run_id)
        note(run, kind, host=host_of(webhook), message=values.get("error") or "")
    return message
