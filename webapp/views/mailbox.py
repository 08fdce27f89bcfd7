"""**Mailbox**: mails that were caught, as the people they are for would read them; only on the embedded default."""

from __future__ import annotations

import base64
import hashlib
import re
import uuid
from typing import Final

from flask import Blueprint, Flask, Response, abort, make_response
from flask_login import current_user

from webapp.htmx import page
from webapp.models import Mail
from webapp.permissions import authorize
from webapp.security import NOTHING, PAGE_POLICY, action, answer_with_policy
from webapp.services.mail import mailbox
from webapp.services.progress import present

blueprint = Blueprint("mailbox", __name__)

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


@blueprint.get("/mailbox")
@action("mailbox.see")
def index() -> Response:
    """The newest mails."""
    _open()
    return page("mailbox/list.html", mails=mailbox.caught(current_user), now=present(), shown=mailbox.SHOWN)


@blueprint.get("/mailbox/<uuid:id>")
@action("mailbox.see")
def view(id: uuid.UUID) -> Response:
    """One mail: as HTML in a frame that may do nothing but follow its link, and as text."""
    mail = _find(id)
    answer_with_policy(f"{PAGE_POLICY}; frame-src 'self'")
    return page("mailbox/view.html", mail=mail, now=present())


@blueprint.get("/mailbox/<uuid:id>/html")
@action("mailbox.see")
def html(id: uuid.UUID) -> Response:
    """The HTML of a mail, in its frame: nothing runs, nothing is fetched, and its one style is allowed by its hash."""
    text = _find(id).html or ""
    styles = " ".join(f"'sha256-{_hash(style)}'" for style in _STYLE.findall(text)) or "'none'"
    sandbox = "sandbox allow-top-navigation-by-user-activation"
    answer_with_policy(f"{NOTHING}; style-src {styles}; frame-ancestors 'self'; {sandbox}", frame="SAMEORIGIN")
    response = make_response(text)
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response


def _open() -> None:
    """Nothing is here while a mail server sends the mails."""
    authorize(current_user, "mailbox.see")
    if not mailbox.is_open():
        abort(404)


def _find(id: uuid.UUID) -> Mail:
    _open()
    mail = mailbox.find(current_user, id)
    if mail is None:
        abort(404)
    return mail


def _hash(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


@blueprint.record_once
def _register(state: object) -> None:
    app: Flask = state.app  # type: ignore[attr-defined]
    app.add_template_global(mailbox.is_open, "mailbox_is_open")
