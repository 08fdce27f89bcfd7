"""Webhooks made, changed and deleted by the admins of their brand."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import func, select

from exports.errors import AddressBlocked, CredentialUnreadable
from exports.errors.webhooks import WebhookBlocked, WebhookSecretUnreadable
from exports.webhooks import Place, UrlRefused, new_secret, read_url
from webapp.extensions import db
from webapp.models import User, Webhook, clock
from webapp.models.webhooks import EVENTS
from webapp.permissions import Refused, authorize
from webapp.services import audit, guarding
from webapp.services.adding import add_once

MAX_WEBHOOKS: Final = 10
"""Of a brand: each is told of every run."""


@dataclass(frozen=True)
class Wanted:
    """A webhook as somebody wants it."""

    url: str = ""
    events: tuple[str, ...] = EVENTS
    is_on: bool = True


def listed() -> Sequence[Webhook]:
    """The webhooks of the present brand, the oldest first."""
    return db.session.scalars(select(Webhook).order_by(Webhook.created_at, Webhook.id)).all()


def find(user: User, id: uuid.UUID) -> Webhook:
    """One of them.

    Raises:
        Refused: there is none, or the user may not see it.
    """
    found = db.session.scalars(select(Webhook).where(Webhook.id == id)).one_or_none()
    if found is None:
        raise Refused("webhooks.change", hidden=True)
    authorize(user, "webhooks.change", found)
    return found


def wanted_of(webhook: Webhook) -> Wanted:
    """What it is now."""
    return Wanted(webhook.url, tuple(webhook.events), webhook.is_on)


def problems(wanted: Wanted, webhook: Webhook | None = None) -> Iterator[tuple[str, str]]:
    """What is wrong: input and sentence. `webhook`: the one that is changed."""
    try:
        place = read_url(wanted.url.strip())
        guarding.webhook_guard(encrypted=place.is_encrypted).check(place.host, place.port)
        if not place.is_encrypted and not guarding.is_allowed(place.host):
            yield "url", "The address must begin with https://: only in networks that your operator allows it need not"
    except UrlRefused as refused:
        yield "url", str(refused)
    except AddressBlocked:
        yield "url", f"{WebhookBlocked.sentence} {WebhookBlocked.advice}"
    if not wanted.events or set(wanted.events) - set(EVENTS):
        yield "events", "Choose what it is told of"
    if webhook is None and (db.session.scalar(select(func.count(Webhook.id))) or 0) >= MAX_WEBHOOKS:
        yield "url", f"There are {MAX_WEBHOOKS} webhooks already: delete one first"


def keep_blocked(admin: User, wanted: Wanted, webhook: Webhook | None = None) -> None:
    """Write down that an address was typed that may not be told anything; nothing else is kept. Commits."""
    try:
        place = read_url(wanted.url.strip())
        guarding.webhook_guard(encrypted=place.is_encrypted).check(place.host, place.port)
    except UrlRefused:
        return
    except AddressBlocked:
        db.session.rollback()
        blocked(admin, "form", place, webhook)
        db.session.commit()


def blocked(actor: User | str, at: str, place: Place, webhook: Webhook | None) -> None:
    """Write down that the guard of addresses refused one, at a form or a message; the caller commits."""
    audit.record("webhook.blocked", actor, webhook, result="denied", at=at, host=place.host, port=place.port)


def create(admin: User, id: uuid.UUID, wanted: Wanted) -> tuple[Webhook, str]:
    """Make a webhook without problems; gives it and its secret, which nobody is shown again. Commits.

    The same id again gives the same webhook, without its secret.
    """
    authorize(admin, "webhooks.change")
    webhook = Webhook(id=id, brand_id=admin.brand_id, created_by_id=admin.id)
    secret = _put_secret(webhook)
    _put(webhook, wanted)
    if (known := add_once(webhook)) is not None:
        return known, ""
    audit.record("webhook.created", admin, webhook, **_facts(webhook))
    db.session.commit()
    return webhook, secret


def change(admin: User, webhook: Webhook, wanted: Wanted) -> None:
    """Change a webhook; switching it on forgets what did not get through. Commits."""
    authorize(admin, "webhooks.change", webhook)
    before = _facts(webhook)
    _put(webhook, wanted)
    if _facts(webhook) != before:
        audit.record("webhook.changed", admin, webhook, before=before, after=_facts(webhook))
    db.session.commit()


def replace_secret(admin: User, webhook: Webhook) -> str:
    """Sign with a new secret from now on; gives it. Commits."""
    authorize(admin, "webhooks.change", webhook)
    secret = _put_secret(webhook)
    webhook.secret_changed_at = clock()
    audit.record("webhook.secret_replaced", admin, webhook, host=host_of(webhook))
    db.session.commit()
    return secret


def delete(admin: User, webhook: Webhook) -> None:
    """Delete a webhook and what it was told; what waits does not go out. Commits."""
    authorize(admin, "webhooks.change", webhook)
    audit.record("webhook.deleted", admin, webhook, **_facts(webhook))
    db.session.delete(webhook)
    db.session.commit()


def opened_secret(webhook: Webhook) -> str:
    """What it is signed with.

    Raises:
        WebhookSecretUnreadable: its key is not in CREDENTIAL_KEYS any more.
    """
    try:
        return guarding.sealer().open(webhook.secret, str(webhook.id))
    except CredentialUnreadable as error:
        raise WebhookSecretUnreadable(error.detail) from error


def rotate() -> int:
    """Seal every secret of the present brand again with the newest key; returns how many. The caller commits.

    Raises:
        CredentialUnreadable: one is sealed with a key that is not here any more.
    """
    rows = list(db.session.scalars(select(Webhook).with_for_update()))
    for one in rows:
        one.secret = guarding.sealer().rotated(one.secret)
    return len(rows)


def host_of(webhook: Webhook) -> str:
    """What pages, mails and logs name it by: the path of an address may hold a key."""
    return read_url(webhook.url).host


def _put_secret(webhook: Webhook) -> str:
    secret = new_secret()
    webhook.secret = guarding.sealer().seal(secret, str(webhook.id))
    return secret


def _put(webhook: Webhook, wanted: Wanted) -> None:
    webhook.url, webhook.events = wanted.url.strip(), [one for one in EVENTS if one in wanted.events]
    if wanted.is_on and not webhook.is_on:
        webhook.off_at = webhook.off_because = None
        webhook.given_up = 0
    elif not wanted.is_on and webhook.is_on:
        webhook.off_at = clock()


def _facts(webhook: Webhook) -> dict[str, Any]:
    """What the audit log says of it: that the address was changed shows in its digest, a key in its path does not."""
    place = read_url(webhook.url)
    return {
        "host": place.host,
        "encrypted": place.is_encrypted,
        "address_sha256": audit.digest(webhook.url),
        "events": list(webhook.events),
        "on": webhook.off_at is None,
    }
