"""What webhooks are told: written down in the transaction of what it tells, sent later by fastworker.

Ids, status, sizes and a code; no name, no row and no value of a filter (docs/webhooks.md).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import current_app
from sqlalchemy import Select, func, select

from webapp.extensions import db
from webapp.models import Run, User, Webhook, WebhookMessage, brand_scope, clock
from webapp.permissions import Refused, authorize
from webapp.queues import WEBHOOK, enqueue_after_commit
from webapp.services import audit, outgoing
from webapp.services.outgoing import Due
from webapp.services.progress import present
from webapp.services.webhooks.keeping import host_of

AT_ONCE: Final = 20
"""Messages that go out side by side: a process has a thread for each."""
SHOWN: Final = 50
TESTS_A_MINUTE: Final = 6
"""As many as of connections (services/connections/testing.py): too few to look for open ports."""
TOLD: Final = {"success": "finished", "failed": "failed"}
"""What the end of a run is called, by the run's state; of others nobody is told."""


class NotNow(Exception):
    """A message cannot be sent now; the text says why."""


def run_ended(run: Run) -> None:
    """Write down what webhooks are told of a run that has just ended, once, in the transaction of its end."""
    kind = TOLD.get(run.state)
    if kind is None:
        return
    with brand_scope(run.brand_id):
        webhooks = db.session.scalars(_told_of(kind)).all()
        for one in webhooks:
            id = uuid.uuid5(run.id, f"{kind} {one.id}")
            if db.session.get(WebhookMessage, id) is None:  # whoever ends a run twice tells it once
                db.session.add(_message(one, id, kind, _of_run(run), run_id=run.id))
        if webhooks:
            enqueue_after_commit(WEBHOOK, run.id)


def rehearse() -> None:
    """Have the statement compiled that the end of a run asks; nothing is changed."""
    db.session.scalars(_told_of("finished")).all()


def _told_of(kind: str) -> Select[Webhook]:
    return select(Webhook).where(Webhook.off_at.is_(None), Webhook.events.contains([kind]))


def _message(webhook: Webhook, id: uuid.UUID, kind: str, data: dict[str, Any], **values: Any) -> WebhookMessage:
    name = f"run.{kind}" if "run_id" in values else kind
    body = {"type": name, "timestamp": _moment(present()), "data": data}
    text = json.dumps(body, separators=(",", ":"))
    return WebhookMessage(id=id, brand_id=webhook.brand_id, webhook_id=webhook.id, kind=kind, body=text, **values)


def _of_run(run: Run) -> dict[str, Any]:
    return {
        "run": str(run.id),
        "export": str(run.export_id),
        "version": run.version,
        "status": run.status,
        "moment": _moment(run.scheduled_for),
        "started_at": _moment(run.started_at),
        "finished_at": _moment(run.finished_at),
        "rows": run.rows,
        "bytes": run.bytes,
        "archive_bytes": run.archive_bytes,
        "sha256": run.sha256,
        "error": run.error_code,
        "url": f"{current_app.config['SETTINGS'].base_url}/runs/{run.id}",
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


def send_test(admin: User, webhook: Webhook) -> None:
    """Let a webhook be told that this is a test. Commits.

    Raises:
        NotNow: it is off, or was tested too often.
    """
    authorize(admin, "webhooks.change", webhook)
    _must_be_on(webhook)
    recent = (WebhookMessage.kind == "test", WebhookMessage.created_at > clock() - timedelta(minutes=1))
    if (db.session.scalar(select(func.count(WebhookMessage.id)).where(*recent)) or 0) >= TESTS_A_MINUTE:
        audit.record("rate.limited", admin, webhook, result="denied", asked="webhook.tested")
        db.session.commit()
        raise NotNow(f"That were {TESTS_A_MINUTE} tests within a minute. Wait a little, then try again.")
    message = _message(webhook, uuid.uuid4(), "test", {"webhook": str(webhook.id)})
    db.session.add(message)
    audit.record("webhook.tested", admin, webhook, host=host_of(webhook))
    enqueue_after_commit(WEBHOOK, message.id)
    db.session.commit()


def send_again(admin: User, message: WebhookMessage) -> None:
    """Send a message that is over once more, under its id and with its words. Commits.

    Raises:
        NotNow: it waits already, or its webhook is off.
    """
    webhook = db.session.get_one(Webhook, message.webhook_id)
    authorize(admin, "webhooks.change", webhook)
    _must_be_on(webhook)
    held = select(WebhookMessage).where(WebhookMessage.id == message.id).with_for_update()
    row = db.session.scalars(held.execution_options(populate_existing=True)).one()
    if row.state == "waiting":
        raise NotNow("It waits for its next try already.")
    row.state, row.tries, row.next_try_at = "waiting", 0, clock()
    row.ended_at = row.error = row.status = row.ms = None
    audit.record("webhook.sent_again", admin, webhook, message=str(row.id))
    enqueue_after_commit(WEBHOOK, row.id)
    db.session.commit()


def _must_be_on(webhook: Webhook) -> None:
    if not webhook.is_on:
        raise NotNow("This webhook is off. Switch it on first.")


def newest(webhook: Webhook) -> Sequence[WebhookMessage]:
    """What it was told lately, the newest first."""
    of_it = select(WebhookMessage).where(WebhookMessage.webhook_id == webhook.id)
    return db.session.scalars(of_it.order_by(WebhookMessage.created_at.desc(), WebhookMessage.id).limit(SHOWN)).all()


def find_message(webhook: Webhook, id: uuid.UUID) -> WebhookMessage:
    """One of them.

    Raises:
        Refused: there is none.
    """
    wanted = select(WebhookMessage).where(WebhookMessage.id == id, WebhookMessage.webhook_id == webhook.id)
    found = db.session.scalars(wanted).one_or_none()
    if found is None:
        raise Refused("webhooks.change", hidden=True)
    return found


def one_due() -> uuid.UUID | None:
    """A message that is to be sent now; None if there is none; in the caller's scope."""
    return outgoing.one_due(WebhookMessage)


def claim() -> list[Due]:
    """Take on what is due, at most AT_ONCE messages; commits; in the caller's scope."""
    return outgoing.claim(WebhookMessage, AT_ONCE)
