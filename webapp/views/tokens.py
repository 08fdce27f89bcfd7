"""**API tokens**: the own ones on the profile page, all of the brand for its admins (docs/api.md)."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, Response, flash, request, url_for
from flask_login import current_user

from exports.errors.request import TokenRefused
from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import go, page
from webapp.models import User
from webapp.models.tokens import SCOPES
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import tokens
from webapp.services.progress import present
from webapp.services.tokens import Wanted
from webapp.views.lookups import find_token_or_404, token_of_form

blueprint = Blueprint("tokens", __name__)

DAYS: Final = ((30, "30 days"), (90, "90 days"), (180, "180 days"), (365, "1 year"))


@blueprint.get("/tokens")
@action("tokens.list")
def index() -> Response:
    """Everybody's tokens, for admins."""
    authorize(current_user, "tokens.list")
    return page("tokens/list.html", found=tokens.listed(), now=present())


@blueprint.get("/account/tokens/new")
@action("tokens.create")
def new() -> Response:
    """The form of a new one."""
    authorize(current_user, "tokens.create")
    return _form(Wanted(), uuid.uuid4())


@blueprint.post("/account/tokens")
@action("tokens.create")
def create() -> Response:
    """Make it and show its secret, in this answer alone: a page to go to would have to keep it."""
    authorize(current_user, "tokens.create")
    asked = token_of_form()
    wanted = Wanted()
    try:
        posted = Posted(request)
        posted.only({"name", "days", "scopes", "token"}, many="scopes")
        wanted = _read(posted)
        made, secret = tokens.create(_me(), wanted, id=uuid.uuid5(_me().id, str(asked)))
    except FormRefused as refused:
        return _form(wanted, asked, [(refused.input, refused.message)])
    except TokenRefused as refused:
        return _form(wanted, asked, [(one.at, one.message) for one in refused.problems])
    return page("tokens/made.html", made=made, secret=secret, base=request.host_url.rstrip("/"))


@blueprint.post("/tokens/<uuid:id>/revoke")
@action("tokens.revoke")
def revoke(id: uuid.UUID) -> Response:
    """**Revoke**, at once."""
    token = find_token_or_404("tokens.revoke", id)
    tokens.revoke(_me(), token)
    flash(f"The token “{token.name}” is revoked. What uses it is refused from now on.", "ok")
    is_own = token.owner_id == current_user.id
    return go(url_for("accounts.profile", id=current_user.id) if is_own else url_for("tokens.index"))


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _read(posted: Posted) -> Wanted:
    days = posted.text("days")
    known = dict(DAYS)
    return Wanted(
        name=posted.text("name"),
        scopes=posted.many("scopes"),
        days=int(days) if days.isascii() and days.isdigit() and int(days[:4]) in known else 0,
    )


def _form(wanted: Wanted, token: uuid.UUID, problems: list[tuple[str, str]] | None = None) -> Response:
    return page(
        "tokens/new.html",
        status=422 if problems else 200,
        wanted=wanted,
        token=token,
        scopes=SCOPES,
        days=DAYS,
        problems=problems or [],
    )
