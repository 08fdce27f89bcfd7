"""What a definition's target must keep to for one user: whether its connection is there, and may be used or made."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Final

from exports.definition import Definition
from exports.errors import Problem
from exports.target import Upload
from webapp.models import Connection, User
from webapp.permissions import may
from webapp.services.connections import plain
from webapp.services.connections.listing import find
from webapp.services.connections.server import LABELS

MAY_NOT_MAKE: Final = "You may not make connections: choose a saved one, or ask an admin for the right"
NOT_THERE: Final = "There is no such connection, or it is not shared with you: choose another"


def problems(user: User, definition: Definition, making: uuid.UUID | None = None) -> Iterator[Problem]:
    """Every rule that the target breaks for this user. `making`: the connection that will be made with the export."""
    upload = definition.target
    if not isinstance(upload, Upload):
        return
    yield from plain.problems(user.brand, upload.type, at="target.type")
    if upload.by_hand or upload.connection == str(making):
        if not may(user, "connections.create"):
            at = "target.host" if upload.by_hand else "target.connection"
            yield Problem(at, "rights.new_target", MAY_NOT_MAKE)
        return
    connection = named(upload)
    if connection is None or not may(user, "connections.use", connection):
        yield Problem("target.connection", "target.connection", NOT_THERE)
    elif connection.type != upload.type:
        label = LABELS[connection.type]
        yield Problem("target.type", "target.type", f"The connection {connection.name} is of the type {label}")


def id_of(definition: Definition) -> uuid.UUID | None:
    """The connection that a definition names, for the export's row."""
    upload = definition.target
    return uuid.UUID(upload.connection) if isinstance(upload, Upload) and upload.connection else None


def named(upload: Upload) -> Connection | None:
    """The connection that an upload names; None if there is none."""
    try:
        return find(uuid.UUID(upload.connection or ""))
    except ValueError:
        return None
