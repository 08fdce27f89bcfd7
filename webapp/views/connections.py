"""**Connections**: the saved upload servers of a brand, each with its page, its test, and the key that is trusted."""

from __future__ import annotations

import uuid
from typing import Any, Final

from flask import Blueprint, Response, flash, request, url_for
from flask_login import current_user

from exports.errors import Problem
from webapp.forms.connections import ConnectionForm, of_connection, read
from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import fragment, go, is_htmx, page
from webapp.models import Connection, User
from webapp.permissions import authorize, may
from webapp.security import action
from webapp.services import connections
from webapp.services.connections import InUse, KeyChanged, NotKept, Server, testing
from webapp.services.progress import present
from webapp.views.lookups import find_connection_or_404, name_of
from webapp.views.testing import TOO_OFTEN, Panel, answer_of_poll

blueprint = Blueprint("connections", __name__)

ACCEPTED_KEY: Final = "The key is accepted: uploads go to this server only, as long as it has this key."
ACCEPTED_CERTIFICATE: Final = (
    "The certificate is accepted: uploads go to this server only, as long as it has this certificate."
)


def _user() -> User:
    user: User = current_user._get_current_object()
    return user


@blueprint.get("/connections")
@action("connections.list")
def index() -> Response:
    """The connections that the person may use."""
    authorize(current_user, "connections.list")
    return page(
        "connections/list.html",
        found=connections.listed(_user()),
        may_create=may(current_user, "connections.create"),
        now=present(),
    )


@blueprint.get("/connections/new")
@action("connections.create")
def new() -> Response:
    """The form of a new connection."""
    authorize(current_user, "connections.create")
    return _form(ConnectionForm())


@blueprint.post("/connections")
@action("connections.create")
def create() -> Response:
    """Make it and go to its page."""
    authorize(current_user, "connections.create")
    form = ConnectionForm()
    try:
        form = read(Posted(request), form)
        if form.problem:
            raise NotKept([form.problem])
        made = connections.create(_user(), form.wanted, form.credential)
    except FormRefused as refused:
        return _form(form, None, [(refused.input, refused.message)])
    except NotKept as refused:
        return _form(form, None, _told(refused.problems, form))
    flash(f"{made.name} is saved. Test it, so that you know that it can be used.", "ok")
    return go(url_for("connections.view", id=made.id))


@blueprint.get("/connections/<uuid:id>")
@action("connections.see")
def view(id: uuid.UUID) -> Response:
    """A connection: where it leads, what is trusted, who uses it."""
    return _view(find_connection_or_404("connections.see", id))


@blueprint.get("/connections/<uuid:id>/edit")
@action("connections.change")
def edit(id: uuid.UUID) -> Response:
    """Its form."""
    connection = find_connection_or_404("connections.change", id)
    return _form(of_connection(connection), connection)


@blueprint.post("/connections/<uuid:id>")
@action("connections.change")
def change(id: uuid.UUID) -> Response:
    """Change it; what was given as password or key takes the place of what is stored."""
    connection = find_connection_or_404("connections.change", id)
    form = of_connection(connection)
    try:
        form = read(Posted(request), form)
        if form.problem:
            raise NotKept([form.problem])
        connections.change(_user(), connection, form.wanted, form.credential)
    except FormRefused as refused:
        return _form(form, connection, [(refused.input, refused.message)])
    except NotKept as refused:
        return _form(form, find_connection_or_404("connections.change", id), _told(refused.problems, form))
    flash(f"{connection.name} is saved. It counts for every export that uses it, from the next upload on.", "ok")
    return go(url_for("connections.view", id=id))


@blueprint.post("/connections/<uuid:id>/delete")
@action("connections.change")
def delete(id: uuid.UUID) -> Response:
    """**Delete**, if no export uses it; asked first where no dialog has."""
    connection = find_connection_or_404("connections.change", id)
    if request.form.get("sure") != "1":
        return page("connections/delete.html", connection=connection, used_by=connections.uses_of(connection))
    name = connection.name
    try:
        connections.delete(_user(), connection)
    except InUse as used:
        uses = (
            f"{name} stays: {used.exports:,} exports use it."
            if used.exports != 1
            else f"{name} stays: one export uses it."
        )
        flash(uses, "warn")
        return go(url_for("connections.view", id=id))
    flash(f"{name} is deleted.", "ok")
    return go(url_for("connections.index"))


# --- Test connection, and which key is trusted


@blueprint.post("/connections/<uuid:id>/test")
@action("connections.test")
def test(id: uuid.UUID) -> Response:
    """**Test connection**."""
    connection = find_connection_or_404("connections.test", id)
    refused = _ask(connection)
    if is_htmx():
        return fragment("connections/_test.html", panel=_panel(connection, refused))
    if refused:
        return _view(connection, refused)
    return go(url_for("connections.view", id=id, _anchor="test"))


@blueprint.get("/connections/<uuid:id>/test")
@action("connections.test")
def tested(id: uuid.UUID) -> Response:
    """How the newest test goes on."""
    return answer_of_poll(_panel(find_connection_or_404("connections.test", id)))


@blueprint.post("/connections/<uuid:id>/accept")
@action("connections.see")
def accept(id: uuid.UUID) -> Response:
    """Trust the key that the person looked at: the first one, or as an admin a changed one; then test again."""
    connection = find_connection_or_404("connections.see", id)
    key = request.form.get("key", "")
    if not key or key not in _offered(connection):
        flash("The server shows another key by now. Test again.", "warn")
        return go(url_for("connections.view", id=id))
    try:
        connections.accept(_user(), connection, key)
    except KeyChanged:
        flash("The server shows another key by now. Compare the new one.", "warn")
        return go(url_for("connections.view", id=id))
    refused = _ask(connection)
    flash(ACCEPTED_CERTIFICATE if connection.type == "ftps" else ACCEPTED_KEY, "ok")
    if refused:
        flash(refused, "warn")
    return go(url_for("connections.view", id=id))


@blueprint.post("/connections/<uuid:id>/revoke")
@action("connections.accept_changed_key")
def revoke(id: uuid.UUID) -> Response:
    """Trust no key of this server any more."""
    connection = find_connection_or_404("connections.accept_changed_key", id)
    connections.revoke(_user(), connection)
    flash("Nothing is uploaded there until a key is accepted again.", "ok")
    return go(url_for("connections.view", id=id))


@blueprint.get("/connections/keys")
@action("connections.accept_changed_key")
def keys() -> Response:
    """**Accepted host keys**: every key that is trusted, those that changed first."""
    authorize(current_user, "connections.accept_changed_key")
    found = [one.connection for one in connections.listed(_user())]
    trusted = [one for one in found if one.accepted_key or one.offered_key]
    people = {one.accepted_by_id: name_of(one.accepted_by_id) for one in trusted if one.accepted_by_id}
    ordered = sorted(trusted, key=lambda one: not one.is_blocked)
    return page("connections/keys.html", found=ordered, people=people, now=present())


# --- what they share


def _view(connection: Connection, refused: str = "") -> Response:
    used, count = connections.exports_of(connection)
    return page(
        "connections/view.html",
        status=422 if refused else 200,
        connection=connection,
        panel=_panel(connection, refused),
        used=used,
        used_by=count,
        created_by=name_of(connection.created_by_id),
        accepted_by=name_of(connection.accepted_by_id) if connection.accepted_by_id else "",
        may_change=may(current_user, "connections.change", connection),
        may_revoke=may(current_user, "connections.accept_changed_key", connection),
        label=connections.LABELS[connection.type],
        now=present(),
    )


def _form(
    form: ConnectionForm, connection: Connection | None = None, problems: list[tuple[str, str]] | None = None
) -> Response:
    sealed = connections.sealed_of(connection) if connection is not None else None
    context: dict[str, Any] = {
        "form": form,
        "connection": connection,
        "sealed": sealed,
        "kinds": connections.kinds(current_user.brand, form.type),
        "may_share": may(current_user, "connections.share", connection),
        "used_by": connections.uses_of(connection) if connection is not None else 0,
        "problems": problems or [],
        "problem_at": dict(problems or []),
    }
    return page("connections/edit.html", status=422 if problems else 200, **context)


def _told(problems: list[Problem], form: ConnectionForm) -> list[tuple[str, str]]:
    """Each problem at its input; that of the credential depends on which kind is to be given."""
    credential = "key" if form.wants == "key" else "password"
    return [(credential if one.at == "credential" else one.at, one.message) for one in problems]


def _ask(connection: Connection) -> str:
    """Have it tested; else why not."""
    server = Server.of(connection)
    sealed, key = connections.sealed_of(connection), connection.accepted_key or ""
    user = _user()
    off = connections.plain.problems(user.brand, server.type)
    if wrong := [*off, *connections.problems(server, None, stored=True)]:
        return f"Not tested: {wrong[0].message}"
    try:
        testing.ask(user, testing.Subject(connection.id, server, sealed, key, path="", tested={}))
    except testing.TooOften:
        return TOO_OFTEN
    return ""


def _panel(connection: Connection, refused: str = "") -> Panel:
    newest = connections.last_test(connection.id)
    return Panel(
        poll_url=url_for("connections.tested", id=connection.id),
        accept_url=url_for("connections.accept", id=connection.id),
        test=newest,
        connection=connection,
        stale=newest is not None and connections.is_stale(newest, connection),
        refused=refused,
    )


def _offered(connection: Connection) -> set[str]:
    """The keys that the server showed: the newest test's, and the one that a delivery met."""
    newest = connections.last_test(connection.id)
    tested = newest.offered_key if newest and not connections.is_outdated(newest, connection) else None
    return {one for one in (connection.offered_key, tested) if one}
