"""What was typed in the wizard when the session had ended: kept through the login, in the form of the login itself.

Nothing of somebody who is not logged in is stored at the server; a secret is not kept, it is typed again.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final
from urllib.parse import parse_qsl

from flask import Response, request, url_for
from werkzeug.exceptions import Unauthorized

from webapp import problems, way_back
from webapp.forms.accounts import LoginForm
from webapp.forms.uploading import SECRETS
from webapp.htmx import is_htmx, page, sign_in
from webapp.services.drafts import ASKING

STEP: Final = "wizard.submit"
"""The forms that are kept: what is typed there can be long. All others lead back to their page."""
NOT_KEPT: Final = frozenset({"csrf_token", *SECRETS})


@dataclass(frozen=True)
class Kept:
    """A form that could not be taken: where it goes, and its inputs."""

    to: str
    inputs: Sequence[tuple[str, str]]

    def as_text(self) -> str:
        """For a hidden input."""
        return json.dumps([self.to, *self.inputs])


def read(text: str | None) -> Kept | None:
    """From the hidden input of a login; None for nothing, and for what is not of our making."""
    try:
        to, *inputs = json.loads(text or "")
        kept = Kept(to, [(name, value) for name, value in inputs])
    except (ValueError, TypeError):
        return None
    if not all(isinstance(one, str) for one in (to, *chain(*kept.inputs))):
        return None
    path = to.partition("?")[0]
    is_ours = path.startswith("/drafts/") and path.rpartition("/")[2] in ASKING and way_back.own_path(to) == to
    return kept if is_ours and not NOT_KEPT & {name for name, _value in kept.inputs} else None


def signed_out(error: Unauthorized) -> Response:
    """In place of a 401: the login, with the way back; of a step of the wizard with what was typed in it."""
    if problems.is_api():
        return problems.of_http(error)
    url = url_for("accounts.login", next=way_back.here())
    if is_htmx() or request.method != "POST" or request.endpoint != STEP:
        return sign_in(url)
    typed = parse_qsl(request.get_data(as_text=True), keep_blank_values=True)
    to = request.full_path.rstrip("?")
    kept = Kept(to, [(name, value) for name, value in typed if name not in NOT_KEPT])
    form = LoginForm(formdata=None, next=way_back.here(), kept=kept.as_text())
    return page("accounts/login.html", form=form, problems=[], status=401)


def go_on(kept: Kept) -> Response:
    """After the login: the form once more, sent by a button, and by itself where there is JavaScript."""
    return page("accounts/go_on.html", kept=kept)
