"""Login, logout, the theme, and the profile page of a user."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from typing import Final

from flask import Blueprint, Response, current_app, g, request, session, url_for
from flask_limiter import RequestLimit
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user
from limits import parse
from werkzeug.exceptions import Unauthorized

from webapp.forms.accounts import LoginForm
from webapp.htmx import go, page
from webapp.models import User
from webapp.permissions import PUBLIC
from webapp.security import action
from webapp.services import brands, exports, logins, second_step, tokens
from webapp.services.progress import present
from webapp.tries import FAILURES, failing
from webapp.views import again, rows
from webapp.views.lookups import find_user_or_404
from webapp.views.rows import Live, Turned
from webapp.way_back import own_path
from webapp.web_extensions import hashed, limiter

blueprint = Blueprint("accounts", __name__)
blueprint.app_errorhandler(Unauthorized)(again.signed_out)

TOLD: Final = parse("1 per 15 minutes")
"""A limit that was reached is written down once, however often somebody goes on trying."""
WRONG: Final = "The email or the password is not right"
TOO_OFTEN: Final = "Too many failed tries. Wait 15 minutes, then try again."
HALF_IN: Final = "half_in"
"""In a session: whose password was right, and since when."""
THEMES: Final = ("system", "light", "dark")
SPOKEN: Final = (("", "English"), ("de", "Deutsch"))
"""Each language by its own name: whoever cannot read the page finds it all the same."""
YEAR_S: Final = 365 * 24 * 3600
PER_PAGE: Final = 20
"""Exports on a profile: below the forms of its own."""


def _account() -> str:
    return hashed("account", request.form.get("email", "").strip().lower())


def of_address() -> str:
    """The key of whoever asks, by the address."""
    return hashed("address", get_remote_address())


def failed(response: Response) -> bool:
    """Whether an answer counts as a failure."""
    return response.status_code == 422


def _too_often(limit: RequestLimit) -> Response:
    if limiter.limiter.hit(TOLD, limit.key):
        logins.limited(request.form.get("email", ""))
    response = _form(LoginForm(), 429, [("", TOO_OFTEN)])
    response.headers["Retry-After"] = str(15 * 60)
    return response


def _form(form: LoginForm, status: int = 200, problems: list[tuple[str, str]] | None = None) -> Response:
    return page("accounts/login.html", form=form, problems=problems or [], status=status)


@blueprint.get("/login")
@action(PUBLIC)
def login() -> Response:
    """The login form; who is logged in already goes on."""
    wanted = request.args.get("next")
    if current_user.is_authenticated:
        return go(own_path(wanted))
    return _form(LoginForm(formdata=None, next=own_path(wanted) if wanted else ""))


@blueprint.post("/login")
@action(PUBLIC)
@failing(failed, _too_often)
@limiter.limit(FAILURES, key_func=_account)
@limiter.limit(FAILURES, key_func=of_address)
def log_in() -> Response:
    """Check email and password; a session of its own begins with each login (RELIABILITY T8)."""
    form = LoginForm()
    if not form.validate():
        return _form(form, 422, [(name, errors[0]) for name, errors in form.errors.items()])
    user = logins.attempt(form.email.data, form.password.data)
    if user is None:
        return _form(form, 422, [("email", WRONG)])
    return let_in(user, form.next.data, form.kept.data)


@blueprint.post("/logout")
@action("account.leave")
def logout() -> Response:
    """**Sign out**: the session is over at the server too."""
    logins.left(current_user._get_current_object())
    logout_user()
    session.clear()
    return go("/login")


def let_in(user: User, wanted: str | None = None, kept: str | None = None) -> Response:
    """Begin a session for who gave the right password, or ask for the second step in one that is not a login yet."""
    begin_session()
    if second_step.is_on(user):
        session[HALF_IN], session["next"] = (user.token, time.time()), wanted or ""
        session["kept"] = kept or ""
        return go(url_for("second_step.ask"))
    return arrive(user, wanted, kept)


def arrive(user: User, wanted: str | None, kept: str | None) -> Response:
    """In the session that has begun: to where the person was on the way to, with what was typed before it."""
    login_user(user)
    typed = again.read(kept)
    return again.go_on(typed) if typed else go(own_path(wanted))


def begin_session() -> None:
    """A session of its own begins with each login and each new password."""
    current_app.session_interface.regenerate(session)  # type: ignore[attr-defined]
    session.clear()
    g.pop(current_app.config["WTF_CSRF_FIELD_NAME"], None)  # the token of the former one, for forms of this answer


@blueprint.post("/theme")
@action("account.leave")
def theme() -> Response:
    """**Theme**: kept in a cookie of this browser, since it is a matter of the screen one sits at."""
    response = go(own_path(request.form.get("next")))
    wanted = request.form.get("theme", "")
    if wanted in THEMES:
        secure = current_app.config["SESSION_COOKIE_SECURE"]
        response.set_cookie("theme", wanted, max_age=YEAR_S, samesite="Lax", httponly=True, secure=secure)
    return response


@blueprint.app_template_global("theme")
def chosen_theme() -> str:
    """The theme that this browser chose: system, light or dark."""
    wanted = request.cookies.get("theme")
    return wanted if wanted in THEMES else "system"


@blueprint.get("/users/<uuid:id>")
@action("users.see")
def profile(id: uuid.UUID) -> Response:
    """The profile page of a user: who it is, and the exports that are theirs."""
    person = find_user_or_404("users.see", id)
    return profile_page(person)


def profile_page(person: User, problems: list[tuple[str, str]] | None = None) -> Response:
    """The profile page, with what is wrong with the forms that it has for the person's own; or its exports alone."""
    asked = Turned(**rows.turned(url_for("accounts.profile", id=person.id)))
    found = exports.page(person, replace(asked.query, mine=True, per_page=PER_PAGE))
    shown = rows.of_exports(found.rows)
    is_own = person.id == current_user.id
    typed = request.form if problems else {}
    return page(
        "accounts/profile.html",
        fragments={"exports"},
        person=person,
        asked=asked,
        found=found,
        rows=shown,
        first=asked.first_of(found),
        per_page=PER_PAGE,
        live=Live.of(shown),
        charts=rows.charts_of(shown),
        is_own=is_own,
        tokens=tokens.of(person) if is_own else [],
        now=present(),
        second_step_on=second_step.is_on(person),
        codes_left=len(person.recovery_hashes),
        name=typed.get("name", person.name),
        time_zone=typed.get("time_zone", person.time_zone),
        language_chosen=typed.get("language", person.language or ""),
        languages=list(SPOKEN),
        zones=[(one, one) for one in sorted(brands.zones())],
        problems=problems or [],
        status=422 if problems else 200,
    )
