"""Where flask-session keeps browsers' sessions: our own table, read by the request's connection, written by another.

flask-session's own SQLAlchemy store commits the request's ORM session, and unpickles what it cannot read (T14);
this one does neither. docs/decisions/002-session-store.md
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from flask import Flask, Request, g
from flask_session.base import ServerSideSession, ServerSideSessionInterface
from sqlalchemy import Insert, Select, Update, bindparam, delete, func, insert, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload

from webapp.extensions import db
from webapp.models.accounts import LoginSession, User
from webapp.models.base import clock, system_scope

REFRESH_AFTER = timedelta(minutes=1)
"""How stale an expiry may get before a request that changes nothing writes it anew."""
USER = "_user_id"
"""What flask-login calls the token of who is logged in."""
STARTED = "started"
TOUCHED = "touched"


def _now() -> datetime:
    return datetime.now(UTC)


class StoredSession(ServerSideSession):  # type: ignore[misc]
    """A session of our store. `kept_as`: the sid that it has a row by, None until it has one. `is_over`: the row is
    gone, as somebody signed out, or in, while this request was answered.
    """

    def __init__(self, initial: dict[str, Any] | None = None, *, sid: str, permanent: bool | None = None) -> None:
        super().__init__(initial, sid, permanent)
        self.kept_as = None if initial is None else sid
        self.is_over = False


class SessionStore(ServerSideSessionInterface):  # type: ignore[misc]
    """Idle for 30 minutes or 12 hours old: over (RELIABILITY T8)."""

    session_class = StoredSession
    ttl = True  # expired rows are removed by jobs/upkeep, not at random requests

    def __init__(self, app: Flask) -> None:
        super().__init__(app, key_prefix="", permanent=True, sid_length=32, serialization_format="json")

    def open_session(self, app: Flask, request: Request) -> Any:
        """As flask-session's. While there is no database nobody is signed in, and every cookie stays as it is: what has
        been seen is told by webapp/security.py, which can answer with a page.
        """
        try:
            return super().open_session(app, request)
        except OperationalError as error:
            g.without_session = error
            return self.make_null_session(app)

    def _get_store_id(self, sid: str) -> str:
        return hashlib.sha256(sid.encode(errors="replace")).hexdigest()

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        # By the connection that the request needs anyway: one of its own is to be begun and ended as well.
        with system_scope():
            found = db.session.execute(_arriving(), {"id": store_id, "now": _now()}).one_or_none()
        if found is None:
            return None
        g.arrived, g.present = found.User, found.now
        data: dict[str, Any] = json.loads(found.data)
        return data

    def _delete_session(self, store_id: str) -> None:
        with db.engine.begin() as connection:
            connection.execute(delete(LoginSession).where(LoginSession.id == store_id))

    def should_set_storage(self, app: Flask, session: ServerSideSession) -> bool:
        """Write what was changed, and at times what was only used, so that use keeps it alive."""
        return bool(session.modified) or _now().timestamp() - session.get(TOUCHED, 0) > REFRESH_AFTER.total_seconds()

    def should_set_cookie(self, app: Flask, session: StoredSession) -> bool:
        """Asked after the row was written: a late answer brings no cookie of a session that is over."""
        return not session.is_over and super().should_set_cookie(app, session)

    def _upsert_session(self, session_lifetime: timedelta, session: StoredSession, store_id: str) -> None:
        """Only a sid that this request made gets a row: what **Sign out** deleted stays deleted (RELIABILITY T8)."""
        now = _now()
        session.setdefault(STARTED, now.timestamp())
        session[TOUCHED] = now.timestamp()
        end = datetime.fromtimestamp(session[STARTED], UTC) + self.app.config["SESSION_ABSOLUTE_LIFETIME"]
        row = {"data": json.dumps(dict(session)).encode(), "expires_at": min(now + session_lifetime, end)}
        statement: Insert | Update = insert(LoginSession).values(id=store_id, **row)
        if session.kept_as == session.sid:
            statement = update(LoginSession).where(LoginSession.id == store_id).values(**row)
        with db.engine.begin() as connection:
            session.is_over = connection.execute(statement).rowcount == 0
        session.kept_as = session.sid


@cache
def _arriving() -> Select[Any]:
    """A session with what every page wants next: who is logged in by it, and what time it is for the database.

    The person is looked up by the text of the row, as PostgreSQL reads no JSON that has a NUL somewhere in it. Whether
    it is the right one is for the reader of the session to say (webapp/security.py).
    """
    token = func.substring(func.convert_from(LoginSession.data, "UTF8"), f'"{USER}": "([^"]*)"')
    wanted = select(LoginSession.data, clock().label("now"), User).outerjoin(User, User.token == token)
    wanted = wanted.options(joinedload(User.brand, innerjoin=False))  # a visitor's session has neither
    return wanted.where(LoginSession.id == bindparam("id"), LoginSession.expires_at > bindparam("now"))


def remove_expired() -> int:
    """Delete the rows of sessions that are over; returns how many."""
    with db.engine.begin() as connection:
        return connection.execute(delete(LoginSession).where(LoginSession.expires_at <= _now())).rowcount
