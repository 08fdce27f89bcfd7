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

KINDS: Final = frozenset(
    {
        "login.ok",
        "login.failed",
        "login.limited",
        "logout",
        "user.created",
        "user.invited",
        "user.changed",
        "user.disabled",
        "user.enabled",
        "user.password_changed",
        "user.reset_asked",
        "user.second_step_on",
        "user.second_step_off",
        "user.second_step_reset",
        "user.recovery_code_used",
        "audit.viewed",
        "audit.exported",
        "audit.removed",
        "brand.created",
        "brand.changed",
        "brand.keys_rotated",
        "field.created",
        "field.changed",
        "export.created",
        "export.archived",
        "export.deleted",
        "export.edited",
        "export.restored",
        "export.schedule_changed",
        "export.set_active",
        "export.set_inactive",
        "export.rights_lost",
        "export.handed_over",
        "export.date_cancelled",
        "run.requested",
        "run.started",
        "run.finished",
        "run.failed",
        "run.cancel_requested",
        "run.cancelled",
        "run.downloaded",
        "run.download_ended",
        "run.file_removed",
        "run.removal_requested",
        "runs.removed",
        "delivery.requested",
        "delivery.finished",
        "delivery.failed",
        "compare.requested",
        "compare.finished",
        "compare.failed",
        "compare.cancelled",
        "compare.shown",
        "compare.downloaded",
        "compare.download_ended",
        "compare.removed",
        "connection.created",
        "connection.changed",
        "connection.deleted",
        "connection.tested",
        "connection.blocked",
        "connection.credential_replaced",
        "connection.credentials_rotated",
        "connection.key_accepted",
        "connection.key_revoked",
        "webhook.created",
        "webhook.changed",
        "webhook.deleted",
        "webhook.secret_replaced",
        "webhook.tested",
        "webhook.sent_again",
        "webhook.switched_off",
        "webhook.blocked",
        "command.run",
        "command.why",
        "preview.shown",
        "token.created",
        "token.revoked",
        "rate.limited",
        "personal.viewed",
        "volume.exceeded",
        "access.denied",
        "csrf.failed",
    }
)
"""The closed list of what is recorded; each kind has a test."""


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
