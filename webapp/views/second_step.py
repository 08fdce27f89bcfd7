"""The second step at login, and setting it up on the own profile (RFC 6238)."""

from __future__ import annotations

import json
import time
from typing import Final

import segno
from flask import Blueprint, Response, flash, request, session, url_for
from flask_limiter import RequestLimit
from flask_login import current_user
from limits import parse

from exports import totp
from exports.errors import SecondStepUnreadable
from webapp.errors import told
from webapp.htmx import go, page
from webapp.models import User
from webapp.permissions import PUBLIC, authorize
from webapp.security import action
from webapp.services import logins, second_step
from webapp.tries import FAILURES, failing
from webapp.views.accounts import HALF_IN, TOO_OFTEN, arrive, begin_session, failed, of_address
from webapp.views.accounts import profile_page as profile
from webapp.views.lookups import find_user_or_404
from webapp.views.passwords import asks_password, is_mine
from webapp.web_extensions import hashed, limiter

blueprint = Blueprint("second_step", __name__)

WAITS_S: Final = 5 * 60
"""How long a right password waits for its code."""
TOLD: Final = parse("1 per 15 minutes")
WRONG: Final = "This is not the code of this moment. Wait for the next one, and type that"
SETTING_UP: Final = "second_step_secret"
CODES: Final = "second_step_codes"


# --- at login


def _half_in() -> User | None:
    """Who has given the right password to this session."""
    token, since = session.get(HALF_IN, ("", 0))
    return logins.waiting(token) if time.time() - since < WAITS_S else None


def _account() -> str:
    return hashed("code", session.get(HALF_IN, ("", 0))[0])


def _too_often(limit: RequestLimit) -> Response:
    user = _half_in()
    if user is not None and limiter.limiter.hit(TOLD, limit.key):
        logins.limited(user.email)
    response = _asking([("code", TOO_OFTEN)], 429)
    response.headers["Retry-After"] = str(15 * 60)
    return response


@blueprint.get("/login/code")
@action(PUBLIC)
def ask() -> Response:
    """The page that asks for the code."""
    return _asking() if _half_in() else go(url_for("accounts.login"))


@blueprint.post("/login/code")
@action(PUBLIC)
@failing(failed, _too_often)
@limiter.limit(FAILURES, key_func=_account)
@limiter.limit(FAILURES, key_func=of_address)
def enter() -> Response:
    """Look at the code, and let the person in: once more a session of its own begins."""
    user = _half_in()
    if user is None:
        return go(url_for("accounts.login"))
    try:
        if not logins.second(user, request.form.get("code", "")):
            return _asking([("code", WRONG)], 422)
    except SecondStepUnreadable as error:
        return told(error, 503, url_for("accounts.login"), "Sign in")
    wanted, kept = session.get("next", ""), session.get("kept", "")
    begin_session()
    return arrive(user, wanted, kept)


def _asking(problems: list[tuple[str, str]] | None = None, status: int = 200) -> Response:
    return page("accounts/code.html", problems=problems or [], status=status)


# --- on the profile


@blueprint.get("/account/second-step")
@action("account.change")
def new() -> Response:
    """A secret for an authenticator app, as a QR code and in letters, until a code of it is typed."""
    authorize(current_user, "account.change")
    if second_step.is_on(current_user):
        return go(_own_profile())
    return _setting_up(_secret())


@blueprint.post("/account/second-step")
@action("account.change")
def turn_on() -> Response:
    """Confirm with a code; the recovery codes are shown once."""
    authorize(current_user, "account.change")
    me = _me()
    if second_step.is_on(me):
        return go(_own_profile())
    secret = _secret()
    codes = second_step.turn_on(me, secret, request.form.get("code", ""))
    if codes is None:
        return _setting_up(secret, [("code", WRONG)])
    session.pop(SETTING_UP, None)
    session[CODES] = second_step.sealed(me, json.dumps(codes))
    return go(url_for("second_step.codes"))


@blueprint.get("/account/second-step/codes")
@action("account.change")
def codes() -> Response:
    """The recovery codes, once."""
    authorize(current_user, "account.change")
    kept = second_step.opened(_me(), session.pop(CODES, ""))
    if not kept:
        return go(_own_profile())
    return page("accounts/recovery.html", codes=json.loads(kept), back=_own_profile())


@blueprint.post("/account/second-step/off")
@action("account.change")
@asks_password
def turn_off() -> Response:
    """The password is enough again; it is asked for."""
    authorize(current_user, "account.change")
    me = _me()
    if not is_mine(request.form.get("step_password", "")):
        return profile(me, [("step_password", "This is not your password")])
    second_step.turn_off(me)
    flash("The second step is off: your password is enough to sign in.", "ok")
    return go(_own_profile())


@blueprint.post("/users/<uuid:id>/second-step/reset")
@action("users.change")
def reset(id: object) -> Response:
    """An admin takes it off for somebody who has lost phone and recovery codes."""
    person = find_user_or_404("users.change", id)  # type: ignore[arg-type]
    second_step.reset(_me(), person)
    flash(f"{person.name} signs in with the password alone, and can set the second step up again.", "ok")
    return go(url_for("people.edit", id=person.id))


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _own_profile() -> str:
    return url_for("accounts.profile", id=current_user.id)


def _secret() -> bytes:
    """That of this session: a page that is loaded again shows the same."""
    me = _me()
    kept = second_step.opened(me, session.get(SETTING_UP, ""))
    if not kept:
        kept = totp.new_secret().hex()
        session[SETTING_UP] = second_step.sealed(me, kept)
    return bytes.fromhex(kept)


def _setting_up(secret: bytes, problems: list[tuple[str, str]] | None = None) -> Response:
    picture = segno.make(second_step.address(_me(), secret), error="m", micro=False)
    return page(
        "accounts/second_step.html",
        picture=picture.svg_data_uri(scale=5, border=4, light="#fff"),
        spelled=totp.spelled(secret),
        back=_own_profile(),
        problems=problems or [],
        status=422 if problems else 200,
    )
