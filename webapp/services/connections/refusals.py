"""Where somebody wanted files to go and may not: kept in the audit log (RELIABILITY section 6, T3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from exports.errors import AddressBlocked
from webapp.extensions import db
from webapp.models import User
from webapp.services import audit

if TYPE_CHECKING:
    from webapp.services.connections.server import Server


class Coded(Protocol):
    """A problem of a definition or of a draft."""

    @property
    def code(self) -> str:
        """Which rule it is."""


Where = Literal["form", "test", "delivery"]


def record(actor: User | str, where: Where, type: str, host: str, port: int | str, thing: Any = None) -> None:
    """Write down that a server may not be reached, in the present transaction; the caller commits."""
    is_number = str(port).isascii() and str(port).isdigit()  # "²" is a digit for Python, and no number
    place = {"type": type, "host": host, "port": int(port) if is_number else None}
    audit.record("connection.blocked", actor, thing, result="denied", at=where, **place)


def keep(user: User, found: Iterable[Coded], server: Server) -> None:
    """Write it down if it is among the problems of what somebody typed, which is not saved: nothing else is kept."""
    if any(one.code == AddressBlocked.code for one in found):
        db.session.rollback()
        record(user, "form", server.type, server.host.strip(), server.port_or_usual)
        db.session.commit()
