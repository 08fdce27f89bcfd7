"""A password forgotten, chosen by a link of a mail, and changed by who is logged in (SPEC section 10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from flask import Blueprint, Response, flash, g, request, url_for
from flask_limiter import RequestLimit
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user

from exports.errors import AccountRefused
from webapp import words
from webapp.htmx import go, page
from webapp.models import User
from webapp.permissions import PUBLIC, authorize
from webapp.security import action
from webapp.services import accounts, links, logins
from webapp.tries import FAILURES, failing
from webapp.views.accounts import TOLD, begin_session, let_in, profile_page
from webapp.web_extensions import hashed, limiter

blueprint = Blueprint("passwords", __name__)

P = ParamSpec("P")

ASKED = "5 per 15 minutes"
TOO_OFTEN = "A link was asked for too often. Wait 15 minutes, then try again."
OWN_TOO_OFTEN = "The password was wrong too often. Wait 15 minutes, then try again."
NOT_ALIKE = "The two passwords are not the same"
SENT = "If there is an account with this address, a mail with a link is on its way. It is valid for 24 hours."


def _account() -> str:
    return hashed("reset", request.form.get("email", "").strip().lower())


def _address() -> str:
    return hashed("reset-address", get_remote_address())


def _too_often(limit: RequestLimit) -> Response:
    if limiter.limiter.hit(TOLD, limit.key):
        logins.limited(request.form.get("email", ""), "rate.limited")
    response = _forgotten([("email", TOO_OFTEN)], 429)
    response.headers["Retry-After"] = str(15 * 60)
    return response


# --- the own password, asked for once more: whoever finds a browser signed in is not to find it out by trying


def _own() -> str:
    return hashed("own-password", str(current_user.id))


def _was_wrong(_response: Response) -> bool:
    return bool(g.get("password_was_wrong"))


def _wrong_too_often(limit: RequestLimit) -> Response:
    if limiter.limiter.hit(TOLD, limit.key):
        logins.limited(current_user.email)
    response = profile_page(_me(), [("", OWN_TOO_OFTEN)])
    response.status_code, response.headers["Retry-After"] = 429, str(15 * 60)
    return response


_limited = limiter.shared_limit(FAILURES, "own-password", key_func=_own)


def asks_password(view: Callable[P, Response]) -> Callable[P, Response]:
    """For what asks for the own password: wrong ones are limited, for all such views together."""
    return failing(_was_wrong, _wrong_too_often)(_limited(view))


def is_mine(password: str) -> bool:
    """Whether this is the password of who is logged in; a wrong one is counted."""
    is_right = accounts.verify(_me(), password)
    g.password_was_wrong = not is_right
    return is_right


# --- forgotten


@blueprint.get("/password/forgotten")
@action(PUBLIC)
def forgotten() -> Response:
    """The form of who forgot the password."""
    return _forgotten()


@blueprint.post("/password/forgotten")
@action(PUBLIC)
@limiter.limit(ASKED, key_func=_account, on_breach=_too_often)
@limiter.limit(ASKED, key_func=_address, on_breach=_too_often)
def ask() -> Response:
    """Have a link mailed; the answer tells nobody whether there is an account."""
    email = request.form.get("email", "")
    if not email.strip():
        return _forgotten([("email", "Enter your email address")], 422)
    logins.reset_asked(email)
    flash(SENT, "ok")
    return go(url_for("accounts.login"))


@blueprint.get("/password")
@action(PUBLIC)
def choose() -> Response:
    """The page that the link of a mail leads to."""
    return _choose(request.args.get("token", ""))


@blueprint.post("/password")
@action(PUBLIC)
def save() -> Response:
    """Save the chosen password, and let the person in as a login does: the link is used up."""
    token, password = request.form.get("token", ""), request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _choose(token, [("again", NOT_ALIKE)])
    try:
        user = logins.chosen(token, password)
    except AccountRefused as refused:
        return _choose(token, [("password", refused.message)])
    if user is None:
        return _choose("")
    return let_in(user)


@blueprint.post("/account/password")
@action("account.change")
@asks_password
def change() -> Response:
    """Change the own password: the other sessions of the person are over, this one goes on."""
    authorize(current_user, "account.change")
    me, password = _me(), request.form.get("password", "")
    if not is_mine(request.form.get("present", "")):
        return profile_page(me, [("present", "This is not your password")])
    if password != request.form.get("again", ""):
        return profile_page(me, [("again", NOT_ALIKE)])
    try:
        accounts.change_password(me, password)
    except AccountRefused as refused:
        return profile_page(me, [("password", refused.message)])
    begin_session()
    login_user(me)
    flash("Your password is changed. Everywhere else you are signed out.", "ok")
    return go(url_for("accounts.profile", id=me.id))


@blueprint.post("/account")
@action("account.change")
def change_profile() -> Response:
    """Change the own name, time zone and language."""
    authorize(current_user, "account.change")
    me, typed = _me(), request.form
    try:
        accounts.change_profile(me, typed.get("name", ""), typed.get("time_zone", ""), typed.get("language") or None)
    except AccountRefused as refused:
        inputs = {"time_zone": "time zone", "language": "language"}
        at = next((name for name, words in inputs.items() if f"there is no {words}" in refused.message), "name")
        return profile_page(me, [(at, refused.message)])
    words.ask_again()  # what follows is in the language just chosen
    flash("Your profile is saved.", "ok")
    return go(url_for("accounts.profile", id=me.id))


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _forgotten(problems: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    return page("accounts/forgotten.html", email=request.form.get("email", ""), problems=problems or [], status=status)


def _choose(token: str, problems: list[tuple[str, str]] | None = None) -> Response:
    person = links.user_of(token)
    if person is None:
        return page("accounts/link_over.html", status=410)
    return page("accounts/choose.html", token=token, email=person.email, problems=problems or [],
                status=422 if problems else 200)  # fmt: skip
