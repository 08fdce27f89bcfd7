"""**People**: the users of the brand, for its admins."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request, url_for
from flask_login import current_user

from exports.errors import AccountRefused, ExportsError
from webapp.filters import number
from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import go, page
from webapp.models import User
from webapp.models.accounts import ROLES
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import exports, people
from webapp.services.people import GRANTS, NotDecided, Wanted
from webapp.services.progress import present
from webapp.views.lookups import find_user_or_404
from webapp.words import _

blueprint = Blueprint("people", __name__)


@blueprint.get("/users")
@action("users.list")
def index() -> Response:
    """Everybody of the brand."""
    authorize(current_user, "users.list")
    return page("people/list.html", found=people.listed(), now=present())


@blueprint.get("/users/new")
@action("users.invite")
def new() -> Response:
    """The form of an invitation."""
    authorize(current_user, "users.invite")
    return _form(Wanted("", "exporter"))


@blueprint.post("/users")
@action("users.invite")
def invite() -> Response:
    """**Invite**: the mail goes out by itself, now or when the mail server is there again."""
    authorize(current_user, "users.invite")
    email, wanted = "", Wanted("", "exporter")
    try:
        posted = Posted(request)
        posted.only({"email", "name", "role", *GRANTS})
        email, wanted = posted.text("email"), _read(posted)
        made = people.invite(_me(), email, wanted)
    except FormRefused as refused:
        return _form(wanted, email=email, problems=[(refused.input, refused.message)])
    except AccountRefused as refused:
        return _form(wanted, email=email, problems=[("email", refused.message)])
    flash(f"{made.name} is invited: a mail to {made.email} holds a link, for 24 hours.", "ok")
    return go(url_for("people.index"))


@blueprint.get("/users/<uuid:id>/edit")
@action("users.change")
def edit(id: uuid.UUID) -> Response:
    """Name, role and grants of a user."""
    person = find_user_or_404("users.change", id)
    return _form(people.of(person), person)


@blueprint.post("/users/<uuid:id>")
@action("users.change")
def change(id: uuid.UUID) -> Response:
    """Save them."""
    person = find_user_or_404("users.change", id)
    wanted = people.of(person)
    try:
        posted = Posted(request)
        posted.only({"name", "role", *GRANTS})
        wanted = _read(posted)
        people.change(_me(), person, wanted)
    except FormRefused as refused:
        return _form(wanted, person, problems=[(refused.input, refused.message)])
    except AccountRefused as refused:
        return _form(wanted, person, problems=[("role" if "admin" in refused.message else "name", refused.message)])
    flash(f"{person.name} is saved. It counts from the next page on.", "ok")
    return go(url_for("people.index"))


@blueprint.post("/users/<uuid:id>/link")
@action("users.change")
def send_link(id: uuid.UUID) -> Response:
    """Mail a new link to choose a password."""
    person = find_user_or_404("users.change", id)
    people.invite_again(_me(), person)
    flash(f"A mail to {person.email} holds a link to choose a password, for 24 hours.", "ok")
    return go(url_for("people.index"))


@blueprint.get("/users/<uuid:id>/disable")
@action("users.change")
def disabling(id: uuid.UUID) -> Response:
    """What becomes of the exports of somebody who is to be disabled."""
    return _disabling(find_user_or_404("users.change", id))


@blueprint.post("/users/<uuid:id>/disable")
@action("users.change")
def disable(id: uuid.UUID) -> Response:
    """**Disable**, once it is said what becomes of each export."""
    person = find_user_or_404("users.change", id)
    name = person.name
    decided = {export.id: request.form.get(f"export-{export.id}", "") for export in people.owned(person)}
    others = request.form.get("others", "")
    try:
        counts = people.disable(_me(), person, decided, others)
    except NotDecided as undecided:
        names = ", ".join(_("“{name}”", name=one) for one in undecided.names[:3])
        return _disabling(person, f"Say what becomes of {names}")
    except ExportsError as refused:
        return _disabling(find_user_or_404("users.change", id), refused.message)
    given, paused = (number(counts[one]) for one in ("handed_over", "paused"))
    if any(counts.values()):
        flash(f"{name} is disabled and signed out everywhere. {given} handed over, {paused} paused.", "ok")
    else:
        flash(f"{name} is disabled and signed out everywhere.", "ok")
    return go(url_for("people.index"))


@blueprint.post("/users/<uuid:id>/enable")
@action("users.change")
def enable(id: uuid.UUID) -> Response:
    """**Enable** again."""
    person = find_user_or_404("users.change", id)
    people.enable(_me(), person)
    flash(f"{person.name} can sign in again. Exports that were paused stay so.", "ok")
    return go(url_for("people.index"))


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _read(posted: Posted) -> Wanted:
    return Wanted(posted.text("name"), posted.text("role"), *(posted.checked(grant) for grant in GRANTS))


def _form(
    wanted: Wanted, person: User | None = None, *, email: str = "", problems: list[tuple[str, str]] | None = None
) -> Response:
    return page(
        "people/edit.html",
        status=422 if problems else 200,
        wanted=wanted,
        person=person,
        email=email,
        roles=ROLES,
        problems=problems or [],
    )


def _disabling(person: User, problem: str = "") -> Response:
    return page(
        "people/disable.html",
        status=422 if problem else 200,
        person=person,
        owned=people.owned(person),
        takers=[one for one in exports.takers() if one.id != person.id],
        chosen=request.form,
        problems=[("others", problem)] if problem else [],
    )
