"""Lookup and permission in one call, at the start of each view: what is not yours looks as if it were not there."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import abort, request
from flask_login import current_user
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import ApiToken, Compare, Connection, Export, Run, User
from webapp.permissions import Refused, authorize, may
from webapp.services import compares, connections, exports, tokens


def find_export_or_404(action: str, id: uuid.UUID) -> Export:
    """The export of the person's brand with this id, if the person may do the action to it.

    Raises:
        Refused: hidden (404) if there is no such export in this brand; else 403.
    """
    export = exports.find(id)
    if export is None:
        raise Refused(action, hidden=True)
    authorize(current_user, action, export)
    return export


def find_run_or_404(action: str, id: uuid.UUID) -> tuple[Export, Run]:
    """A run of the person's brand and its export, if the person may do the action to the export. Raises as above."""
    run = db.session.scalars(select(Run).where(Run.id == id)).one_or_none()
    if run is None:
        raise Refused(action, hidden=True)
    return find_export_or_404(action, run.export_id), run


def find_runs_or_404(action: str, ids: Sequence[uuid.UUID]) -> list[Run]:
    """Runs of the person's brand, if the person may do the action to the exports of all of them. Raises as above."""
    wanted = select(Run, Export).join(Export, Export.id == Run.export_id).where(Run.id.in_(ids))
    found = {run.id: (run, export) for run, export in db.session.execute(wanted.where(Export.deleted_at.is_(None)))}
    if set(ids) - set(found):
        raise Refused(action, hidden=True)
    for _, export in found.values():
        authorize(current_user, action, export)
    return [found[id][0] for id in ids]


def find_compare_or_404(action: str, id: uuid.UUID, also: str = "") -> tuple[Compare, Run, Run]:
    """A comparison with its earlier and its later run, if the person may do the action to the exports of both, and what
    else is asked for to the comparison itself. Raises as above."""
    found = compares.find(id)
    if found is None:
        raise Refused(action, hidden=True)
    earlier, later = find_runs_or_404(action, (found.earlier_id, found.later_id))
    if also:
        authorize(current_user, also, found)
    return found, earlier, later


def find_user_or_404(action: str, id: uuid.UUID) -> User:
    """A user of the person's brand, if the person may do the action to that user. Raises as above."""
    user = db.session.scalars(select(User).where(User.id == id)).one_or_none()
    if user is None:
        raise Refused(action, hidden=True)
    authorize(current_user, action, user)
    return user


def find_connection_or_404(action: str, id: uuid.UUID) -> Connection:
    """A connection of the person's brand, if the person may do the action to it. One that an exporter may not even use
    is not there.

    Raises:
        Refused: as above.
    """
    connection = connections.find(id)
    if connection is None or not may(current_user, "connections.see", connection):
        raise Refused(action, hidden=True)
    authorize(current_user, action, connection)
    return connection


def find_token_or_404(action: str, id: uuid.UUID) -> ApiToken:
    """An API token of the person's brand, if the person may do the action to it: the own, for admins any.

    Raises:
        Refused: hidden (404) in every other case.
    """
    token = tokens.find(id)
    if token is None or not may(current_user, action, token):
        raise Refused(action, hidden=True)
    return token


def name_of(user_id: uuid.UUID) -> str:
    """Who somebody of the person's brand is, as a sentence names it: "you" for the person."""
    if user_id == current_user.id:
        return "you"
    return db.session.scalars(select(User.name).where(User.id == user_id)).one_or_none() or "somebody"


def token_of_form() -> uuid.UUID:
    """What makes a second click on a button do nothing more; 400 without one."""
    try:
        return uuid.UUID(request.form.get("token", ""))
    except ValueError:
        abort(400)
