"""Requests with an Idempotency-Key: carried out once, and answered alike for 24 hours (docs/api.md).

The row of a request is written in the transaction of what it makes: either both are there or none, and who repeats a
request meanwhile waits at the row. A request that is refused leaves no row: it may be corrected under the same key.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid

from flask import current_app
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from exports.errors.request import KeyReused
from webapp.extensions import db
from webapp.models import ApiRequest, clock, system_scope


def new() -> uuid.UUID:
    """What something is made with that nobody repeats."""
    return uuid.uuid4()


def begin(token_id: uuid.UUID, key: str, method: str, path: str, body: bytes) -> ApiRequest:
    """The row of a request, with its answer if it was answered before. The caller carries it out and commits.

    Raises:
        KeyReused: the key came with another request.
    """
    print_ = _print(method, path, body)
    mine = (ApiRequest.token_id == token_id, ApiRequest.key == key)
    db.session.execute(delete(ApiRequest).where(*mine, ApiRequest.expires_at <= clock()))
    found = db.session.scalars(select(ApiRequest).where(*mine)).one_or_none()
    if found is None:
        found = ApiRequest(id=uuid.uuid4(), token_id=token_id, key=key, print=print_, made_with=new())
        db.session.add(found)
        try:
            db.session.flush()
        except IntegrityError:  # the same request came at the same moment, and has ended by now
            db.session.rollback()
            found = db.session.scalars(select(ApiRequest).where(*mine)).one()
    if not hmac.compare_digest(found.print, print_):
        raise KeyReused
    return found


def keep(token_id: uuid.UUID, key: str, status: int, answer: str, location: str) -> None:
    """Answer the same to whoever repeats the request; the first answer stays. Commits."""
    mine = (ApiRequest.token_id == token_id, ApiRequest.key == key, ApiRequest.answer.is_(None))
    db.session.execute(update(ApiRequest).where(*mine).values(status=status, answer=answer, location=location))
    db.session.commit()


def remove_expired() -> int:
    """Forget the requests of before, of all brands; returns how many. Commits."""
    with system_scope():
        old = delete(ApiRequest).where(ApiRequest.expires_at <= clock())
        done = db.session.execute(old.execution_options(synchronize_session=False))
        db.session.commit()
    return done.rowcount  # type: ignore[attr-defined,no-any-return]


def _print(method: str, path: str, body: bytes) -> bytes:
    """Keyed, since a body may hold a password: nobody who reads the table can try some."""
    secret = current_app.config["SECRET_KEY"].encode()
    return hmac.new(secret, b"\n".join([method.encode(), path.encode(), body]), hashlib.sha256).digest()
