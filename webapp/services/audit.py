"""The audit log: `record` writes who did what, in the transaction of what was done (RELIABILITY section 6)."""

from __future__ import annotations

import hashlib
from typing import Any, Final

from flask import g, has_request_context, request
from sqlalchemy import Text, cast, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from webapp.extensions import db
from webapp.models import AuditEntry, User

OPERATOR: Final = "operator (command line)"

KINDS: Final[dict[str, str]] = {
    "login.ok": "Signed in",
    "login.failed": "Signing in failed",
    "login.limited": "Signed in too often",
    "logout": "Signed out",
    "user.created": "User created",
    "user.invited": "User invited",
    "user.changed": "User changed",
    "user.disabled": "User disabled",
    "user.enabled": "User enabled",
    "user.password_changed": "Password changed",
    "user.reset_asked": "New password asked for",
    "user.second_step_on": "Second step turned on",
    "user.second_step_off": "Second step turned off",
    "user.second_step_reset": "Second step taken away",
    "user.recovery_code_used": "Recovery code used",
    "audit.viewed": "Audit log looked at",
    "audit.exported": "Audit log exported",
    "audit.removed": "Audit log shortened",
    "brand.created": "Brand created",
    "brand.changed": "Settings changed",
    "brand.keys_rotated": "Keys of the brand renewed",
    "field.created": "Custom field created",
    "field.changed": "Custom field changed",
    "export.created": "Export created",
    "export.archived": "Export archived",
    "export.deleted": "Export deleted",
    "export.edited": "Export edited",
    "export.restored": "Export restored",
    "export.schedule_changed": "Schedule changed",
    "export.set_active": "Export set active",
    "export.set_inactive": "Export set inactive",
    "export.rights_lost": "Rights lost",
    "export.handed_over": "Export handed over",
    "export.date_cancelled": "Date cancelled",
    "run.requested": "Run asked for",
    "run.started": "Run started",
    "run.finished": "Run finished",
    "run.failed": "Run failed",
    "run.cancel_requested": "Cancelling asked for",
    "run.cancelled": "Run cancelled",
    "run.downloaded": "File downloaded",
    "run.download_ended": "Download ended",
    "run.file_removed": "File removed",
    "run.removal_requested": "Removal of the file asked for",
    "runs.removed": "Runs removed",
    "delivery.requested": "Delivery asked for",
    "delivery.finished": "Delivered",
    "delivery.failed": "Delivery failed",
    "compare.requested": "Comparison asked for",
    "compare.finished": "Comparison finished",
    "compare.failed": "Comparison failed",
    "compare.cancelled": "Comparison cancelled",
    "compare.shown": "Comparison looked at",
    "compare.downloaded": "Comparison downloaded",
    "compare.download_ended": "Download of the comparison ended",
    "compare.removed": "Comparison removed",
    "connection.created": "Connection created",
    "connection.changed": "Connection changed",
    "connection.deleted": "Connection deleted",
    "connection.tested": "Connection tested",
    "connection.blocked": "Connection blocked",
    "connection.credential_replaced": "Credential replaced",
    "connection.credentials_rotated": "Credentials sealed anew",
    "connection.key_accepted": "Key accepted",
    "connection.key_revoked": "Key revoked",
    "webhook.created": "Webhook created",
    "webhook.changed": "Webhook changed",
    "webhook.deleted": "Webhook deleted",
    "webhook.secret_replaced": "Secret replaced",
    "webhook.tested": "Webhook tested",
    "webhook.sent_again": "Message sent again",
    "webhook.switched_off": "Webhook switched off",
    "webhook.blocked": "Webhook blocked",
    "command.run": "Run by a command",
    "command.why": "Why? by a command",
    "preview.shown": "Preview looked at",
    "token.created": "Token made",
    "token.revoked": "Token revoked",
    "rate.limited": "Asked too often",
    "personal.viewed": "Personal data looked at",
    "volume.exceeded": "Much personal data taken out",
    "access.denied": "Access denied",
    "csrf.failed": "Form refused",
}
"""The closed list of what is recorded, and how each is called on the page; each kind has a test."""


def record(kind: str, actor: User | str, thing: Any = None, *, result: str = "ok", **facts: Any) -> None:
    """Add an entry to the present transaction; the caller commits. Facts hold no secrets and no result data."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of audit entry")
    user = actor if isinstance(actor, User) else None
    facts = {**facts, **acting_by()} if user is not None else facts
    brand = user.brand_id if user else getattr(thing, "brand_id", None)
    db.session.add(
        AuditEntry(
            **({"brand_id": brand} if brand else {}),
            actor_id=user.id if user else None,
            actor=actor.email if isinstance(actor, User) else actor,
            ip=request.remote_addr if has_request_context() else None,
            request=g.get("request_id") if has_request_context() else None,
            action=kind,
            object_type=type(thing).__tablename__ if thing is not None else None,
            object_id=str(thing.id) if thing is not None else None,
            result=result,
            facts=facts,
        )
    )


def acting_by() -> dict[str, str]:
    """By which of the person's API tokens the present request acts, if by one."""
    name = g.get("acts_by") if has_request_context() else None
    return {"token": name} if name else {}


def digest(text: str) -> str:
    """What tells that a text is another one, where the text itself may hold a secret."""
    return hashlib.sha256(text.encode()).hexdigest()


def record_for_email(kind: str, email: str, result: str = "failed") -> None:
    """Add an entry of whoever has this email, of nobody if nobody has it: one statement, so that both take as long.

    In the system scope, since nobody is logged in; the caller commits.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is no kind of audit entry")
    values = {
        "id": func.gen_random_uuid(),
        "brand_id": User.brand_id,
        "actor_id": User.id,
        "actor": User.email,
        "ip": literal(request.remote_addr),
        "request": literal(g.get("request_id")),
        "action": literal(kind),
        "object_type": literal(User.__tablename__),
        "object_id": cast(User.id, Text),
        "result": literal(result),
        "facts": literal({}, JSONB),
    }
    whose = select(*values.values()).where(User.email == email)
    db.session.execute(insert(AuditEntry).from_select(list(values), whose, include_defaults=False))
