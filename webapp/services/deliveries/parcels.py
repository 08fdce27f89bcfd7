"""What is sent, and to where: the file of a run as its definition wants it uploaded, and the server of a connection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from flask import current_app

from exports import delivery, paths
from exports.archive import unzipped
from exports.definition import Definition
from exports.errors import RightsLost, StoreUnreachable
from exports.errors.target import ConnectionGone, PathUnusable
from exports.target import Upload
from webapp.extensions import db
from webapp.models import Connection, Delivery, Run, User
from webapp.permissions import may
from webapp.services import artefacts, brands, connections
from webapp.services.connections import reaching
from webapp.services.deliveries.journal import failed_before


def limits() -> delivery.Limits:
    """How long the steps of a delivery may take, by the operator's settings."""
    settings = current_app.config["SETTINGS"]
    return delivery.Limits(settings.upload_connect_timeout, settings.upload_silence, settings.upload_grace)


def connection_of(upload: Upload, owner: User) -> Connection:
    """The connection that an upload names.

    Raises:
        ConnectionGone: there is none any more.
        RightsLost: the owner of the export may use it no more (SPEC section 10).
        PlainFtpOff: an admin has switched servers of its kind off.
    """
    connection = connections.named(upload)
    if connection is None:
        raise ConnectionGone
    if not may(owner, "connections.use", connection):
        raise RightsLost(owner=owner.name, reason=f"the connection {connection.name} is not shared with them.")
    connections.plain.refuse(owner.brand, connection.type)
    return connection


def server_of(upload: Upload, owner: User) -> tuple[Connection, delivery.Server]:
    """The connection of an upload, and its server with the opened credential.

    Raises:
        ConnectionGone, RightsLost, PlainFtpOff: as `connection_of`.
        CredentialMissing, CredentialUnreadable: nobody can log in with what is stored.
    """
    connection = connection_of(upload, owner)
    return connection, reaching.server_of(connection)


def remote_path(run: Run, definition: Definition, upload: Upload) -> str:
    """The name that the file gets there: fixed by the run's row and version, whenever it is sent (RELIABILITY P4).

    Raises:
        PathUnusable: it cannot be used; only a definition of an older version could have such a one.
    """
    zone = brands.clock(definition.timezone)
    try:
        return paths.expand(upload.path, run.scheduled_for, zone, definition.file.extension, upload.archive)
    except paths.PathRefused as refused:
        raise PathUnusable(reason=str(refused)) from refused


def parcel_of(run: Run, row: Delivery, definition: Definition, upload: Upload) -> delivery.Parcel:
    """The file of a run: as it is, or its archive.

    Raises:
        PathUnusable: as `remote_path`.
    """
    size = int(run.archive_bytes or 0) if upload.archive else run.bytes
    tag = str(run.id) if not row.is_again else f"{run.id}-{row.number}"
    path = remote_path(run, definition, upload)
    return delivery.Parcel(
        path=row.path or path,
        unnumbered=path,
        size=size,
        sha256="" if upload.archive else str(run.sha256),
        pieces=lambda: _archive(run) if upload.archive else _plain(run),
        tag=tag,
        attempt=row.attempt,
        if_exists=upload.if_exists,
        chosen=row.path is not None,
        was_renaming=row.renaming_attempt,
        former=_former(run, row, upload),
    )


def _former(run: Run, row: Delivery, upload: Upload) -> tuple[int, str] | None:
    """What the run that failed may have left under the name that this one keeps: its end is not known."""
    failed = failed_before(run) if upload.if_exists == "number" and not row.is_again else None
    if failed is None or failed.path != row.path or failed.renaming_attempt is None:
        return None
    sha256 = "" if upload.archive else str(db.session.get_one(Run, failed.run_id).sha256 or "")
    return failed.size or 0, sha256


def _archive(run: Run) -> Iterator[bytes]:
    try:
        yield from artefacts.store().read(str(run.artefact), 0, int(run.archive_bytes or 0))
    except FileNotFoundError as error:
        raise StoreUnreachable(f"{run.artefact} is not there") from error


def _plain(run: Run) -> Iterable[bytes]:
    """The file itself. What the store gives back has to be what was put there: it is hashed on its way."""
    digest = hashlib.sha256()
    for piece in unzipped(_archive(run)):
        digest.update(piece)
        yield piece
    if digest.hexdigest() != run.sha256:
        raise StoreUnreachable(f"{run.artefact} holds other bytes than were put there")
