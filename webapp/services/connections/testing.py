"""**Test connection**: asked for by a page, carried out by a job, told phase by phase (SPEC section 3.7).

A test connects to where somebody says, with what is stored: it is limited per person, and written to the audit log.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, Delete, Update, delete, func, or_, select, update
from sqlalchemy.orm import aliased

from webapp.extensions import db
from webapp.models import Connection, ConnectionTest, User, clock
from webapp.queues import CONNECTION_TEST, enqueue_after_commit
from webapp.services import audit
from webapp.services.connections import trust
from webapp.services.connections.credentials import CredentialKind, Sealed
from webapp.services.connections.listing import find
from webapp.services.connections.server import Server
from webapp.services.progress import present

PER_MINUTE: Final = 6
"""Tests that a person may ask for in a minute: enough to try a password again, too few to look for open ports."""
WITHIN_S: Final = 15
"""A test tells whether a server can be used within this time (SPEC section 3.7)."""
UNTAKEN_S: Final = 20
"""After this time nobody will carry out a test any more: its workers or Redis are away."""
CREDENTIAL_KEPT: Final = timedelta(minutes=1)
"""Longer than until a test is taken, which reads its credential at once."""
KEPT: Final = timedelta(days=1)
"""How long tests are kept that no page of a connection shows: of drafts, and those before the newest."""


class TooOften(Exception):
    """A person asks for more tests than are allowed in a minute."""


@dataclass(frozen=True)
class Subject:
    """What is tested. `id`: of the connection, or the one that it will have. `tested`: what a later page compares."""

    id: uuid.UUID
    server: Server
    sealed: Sealed | None
    accepted_key: str
    path: str
    tested: dict[str, str]


def ask(user: User, subject: Subject) -> ConnectionTest:
    """Have a server tested; the caller has looked at the user's rights, and the server at the rules.

    Raises:
        TooOften: after PER_MINUTE tests in a minute.
    """
    lately = ConnectionTest.created_at > clock() - timedelta(minutes=1)
    asked = select(func.count()).select_from(ConnectionTest).where(ConnectionTest.asked_by_id == user.id, lately)
    if db.session.scalar(asked) >= PER_MINUTE:  # type: ignore[operator]  # a count is a number
        audit.record("rate.limited", user, user, result="denied", asked="connection.tested")
        db.session.commit()
        raise TooOften
    forget(subject.id)
    server = subject.server
    test = ConnectionTest(
        id=uuid.uuid4(),
        brand_id=user.brand_id,
        server=subject.id,
        asked_by_id=user.id,
        credential=subject.sealed.token if subject.sealed else None,
        about={
            "type": server.type,
            "host": server.host,
            "port": int(server.port_or_usual),
            "username": server.username,
            "kind": subject.sealed.kind if subject.sealed else "password",
            "accepted_key": subject.accepted_key,
            "path": subject.path,
            "tested": subject.tested,
        },
    )
    db.session.add(test)
    audit.record("connection.tested", user, test, host=server.host, port=int(server.port_or_usual), type=server.type)
    enqueue_after_commit(CONNECTION_TEST, test.id)
    db.session.commit()
    return test


def forget(server: uuid.UUID) -> None:
    """Remove what earlier tests of a server found, in the present transaction; those of the last minute are counted."""
    old = ConnectionTest.created_at < clock() - timedelta(minutes=1)
    db.session.execute(delete(ConnectionTest).where(ConnectionTest.server == server, old))


def bare() -> int:
    """Remove the credentials of tests that nobody finished, in the caller's scope; returns how many. Commits."""
    over = (ConnectionTest.credential.is_not(None), ConnectionTest.created_at < clock() - CREDENTIAL_KEPT)
    return _done(update(ConnectionTest).where(*over).values(credential=None))


def remove_old() -> int:
    """Remove tests that have outlived their time, in the caller's scope; returns how many. Commits.

    The newest one that was finished stays with its connection: pages tell how it went.
    """
    later = aliased(ConnectionTest)
    is_older = (later.created_at > ConnectionTest.created_at) & later.finished_at.is_not(None)
    overtaken = select(later.id).where(later.server == ConnectionTest.server, is_older).exists()
    of_nothing = ~select(Connection.id).where(Connection.id == ConnectionTest.server).exists()
    needless = or_(ConnectionTest.finished_at.is_(None), of_nothing, overtaken)
    return _done(delete(ConnectionTest).where(ConnectionTest.created_at < clock() - KEPT, needless))


def _done(change: Update | Delete) -> int:
    done = db.session.execute(change.execution_options(synchronize_session=False))
    db.session.commit()
    return done.rowcount if isinstance(done, CursorResult) else 0


def is_over(test: ConnectionTest) -> bool:
    """Whether nothing more comes: it is finished, or nobody took it."""
    return test.finished_at is not None or seconds(test) > UNTAKEN_S


def seconds(test: ConnectionTest) -> float:
    """How long it took, or takes so far."""
    begun = test.started_at or test.created_at
    return ((test.finished_at or present()) - begun).total_seconds()


def is_stale(test: ConnectionTest, connection: Connection) -> bool:
    """Whether the connection was changed, or another key accepted, after it was tested, on whichever page; or whether
    the key that it showed is.
    """
    since = [one for one in (connection.changed_at, connection.accepted_at) if one is not None]
    return any(one > test.created_at for one in since) or is_outdated(test, connection)


def is_outdated(test: ConnectionTest, connection: Connection) -> bool:
    """Whether the test was shown a key to be accepted, and a delivery reached the trusted server since."""
    success = connection.last_success_at
    return test.offered_key is not None and success is not None and success > test.created_at


# --- for the job


def begin(id: uuid.UUID) -> ConnectionTest | None:
    """Take a test; None if another worker has, or if nobody waits for it any more."""
    fresh = ConnectionTest.created_at > clock() - timedelta(seconds=UNTAKEN_S)
    held = (ConnectionTest.id == id, ConnectionTest.started_at.is_(None), fresh)
    taken = update(ConnectionTest).where(*held).values(started_at=clock()).returning(ConnectionTest)
    test = db.session.scalars(taken.execution_options(synchronize_session=False)).one_or_none()
    db.session.commit()
    return test


def sealed_of(test: ConnectionTest) -> Sealed | None:
    """The credential that it logs in with."""
    kind: CredentialKind = "key" if test.about["kind"] == "key" else "password"
    return Sealed(kind, test.credential) if test.credential else None


def add_phase(test: ConnectionTest, phase: dict[str, Any]) -> None:
    """A phase is over; commits, so that whoever waits sees it."""
    test.phases = [*test.phases, phase]
    db.session.commit()


def finish(test: ConnectionTest, error_code: str | None, shown_key: str = "", *, is_offered: bool = False) -> None:
    """The test is over: the credential goes, and the key that the server showed is told to its connection; commits.

    `is_offered`: nothing but that key is in the way, and somebody can accept it.
    """
    test.credential, test.finished_at = None, clock()
    test.error_code, test.offered_key = error_code, shown_key if is_offered else None
    connection: Connection | None = find(test.server)
    if connection is not None and (connection.host, connection.port) != (test.about["host"], test.about["port"]):
        connection = None  # it leads elsewhere, by now or until somebody saves what was tested
    if connection is not None and is_offered:
        trust.offered(connection, shown_key)
    elif connection is not None and shown_key and _is_verified(test, connection, shown_key):
        trust.verified(connection)
    db.session.commit()


def _is_verified(test: ConnectionTest, connection: Connection, shown_key: str) -> bool:
    """Whether what the test trusted is what the connection trusts: its key, or an authority that signed another one."""
    same = test.about["accepted_key"] in ("", connection.accepted_key)
    return shown_key == connection.accepted_key or (test.error_code is None and same)
