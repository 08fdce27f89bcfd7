"""Sends messages to webhooks: what is due, side by side, each bounded in time (docs/webhooks.md).

No page and no run waits for this. Threads talk to the servers and know nothing of the database; this process asks it
before and afterwards.
"""

from __future__ import annotations

import importlib
import logging
import time
import uuid
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from exports.addresses import Guard
from exports.errors.webhooks import WebhookError, WebhookSlow, WebhookUnexpected, WebhookUnreachable
from exports.webhooks import Place, read_url, signed, tell
from jobs import horse, scheduler
from webapp.extensions import db
from webapp.models import Webhook, WebhookMessage, brand_scope
from webapp.queues import WEBHOOK, top_up
from webapp.services import guarding, webhooks
from webapp.services.outgoing import Due

log = logging.getLogger("jobs.webhooks")

PASS_S: Final = 2.0
"""After this another ticket goes on: what waits in the same queue, the moments of schedules, waits no longer."""
HEADERS: Final = {"Content-Type": "application/json", "User-Agent": "Exports-Webhook/1"}


def send(run: str | None = None) -> None:
    """Send what is due, until nothing is. A ticket only says that there is work: `run` is not looked at."""
    begun = time.monotonic()
    while not horse.stopping() and (due := scheduler.take_messages()):
        _send_all(due)
        if time.monotonic() - begun > PASS_S:
            top_up(WEBHOOK, [due[0].id])
            return


def preload() -> None:
    """Before processes are forked: import what is otherwise imported at its first use."""
    for name in ("http.client", "ssl"):
        importlib.import_module(name)


@dataclass(frozen=True)
class Letter:
    """A message as it goes out. The secret has done its work and is not in it."""

    due: Due
    webhook_id: uuid.UUID
    place: Place
    headers: dict[str, str]
    body: bytes
    guard: Guard


@dataclass(frozen=True)
class Outcome:
    """What came of a letter: a status, or what was in the way."""

    letter: Letter
    ms: int
    status: int = 0
    error: WebhookError | None = None


def _send_all(due: Sequence[Due]) -> None:
    letters = [letter for one in due if (letter := _letter(one)) is not None]
    if not letters:
        return
    with ThreadPoolExecutor(len(letters), thread_name_prefix="webhook") as threads:
        for outcome in threads.map(_carry_out, letters):
            _settle(outcome)


def _letter(due: Due) -> Letter | None:
    """The letter; None if there is nothing to be sent (any more), which is settled then."""
    with brand_scope(due.brand_id):
        try:
            return _written(due)
        except WebhookError as error:
            webhooks.failed(due, error, 0)
        except Exception as error:  # whatever we did not foresee in one message holds up no other
            log.exception("message %s", due.id)
            db.session.rollback()
            webhooks.failed(due, WebhookUnexpected(str(error)), 0)
        finally:
            db.session.remove()
    return None


def _written(due: Due) -> Letter | None:
    message = db.session.get(WebhookMessage, due.id)
    if message is None:
        return None  # its webhook or its run was deleted at this moment
    webhook = db.session.get_one(Webhook, message.webhook_id)
    if not webhook.is_on:
        webhooks.dropped(due)
        return None
    place, body = read_url(webhook.url), message.body.encode()
    signature = signed(webhooks.opened_secret(webhook), f"msg_{due.id.hex}", int(time.time()), body)
    guard = guarding.webhook_guard(encrypted=place.is_encrypted)
    return Letter(due, webhook.id, place, {**HEADERS, **signature}, body, guard)


def _carry_out(letter: Letter) -> Outcome:
    """In a thread: talk to the server."""
    begun = time.monotonic()
    status, error = 0, None
    try:
        status = tell(letter.place, letter.headers, letter.body, letter.guard)
    except WebhookError as failed:
        error = failed
    except Exception as failed:  # as above
        log.exception("message %s", letter.due.id)
        error = WebhookUnexpected(str(failed))
    return Outcome(letter, round((time.monotonic() - begun) * 1000), status, error)


def _settle(outcome: Outcome) -> None:
    letter, error = outcome.letter, outcome.error
    with brand_scope(letter.due.brand_id):
        if error is None:
            webhooks.delivered(letter.due, outcome.status, outcome.ms)
        else:
            told = (letter.due.id, letter.place.host, letter.due.tries, error.code, error.message, error.detail)
            log.warning("message %s to %s: try %d: %s %s %s", *told)
            webhooks.failed(letter.due, error, outcome.ms)
            if isinstance(error, WebhookUnreachable | WebhookSlow):
                webhooks.put_off(letter.webhook_id)
    db.session.remove()
