"""Actions on several chosen exports of the list (SPEC section 2)."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, Response, abort, flash, request, url_for
from flask_login import current_user

from webapp.htmx import go, page
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import exports
from webapp.services.exports.listing import PER_PAGE

blueprint = Blueprint("several", __name__)

BUTTONS: Final[dict[str, exports.Deed]] = {"set-inactive-now": "set_inactive", "archive": "archive"}
ASKS_FIRST: Final = "set-inactive"
"""Confirmed in a dialog of the list, or, without JavaScript, on a page of its own (SPEC section 4)."""


@blueprint.post("/exports/several")
@action("exports.act_on_several")
def act() -> Response:
    """**Set inactive**, once confirmed, or **Archive** of what is chosen; the list then says what was done."""
    authorize(current_user, "exports.act_on_several")
    button, ids = request.form.get("do", ""), _chosen()
    if button == "hand-over" and ids:
        return go(url_for("handing_over.form", export=[str(one) for one in ids]))
    if button and button not in (*BUTTONS, "hand-over", ASKS_FIRST):
        abort(400)
    if button == ASKS_FIRST and ids:
        return page("exports/set_inactive.html", chosen=exports.of_ids(ids), back=_back())
    if not button:
        flash("Nothing was changed. Press Set inactive or Archive.", "warn")
    elif ids:
        outcome = exports.act_on_several(current_user._get_current_object(), ids, BUTTONS[button])
        flash(outcome.sentence, "ok" if outcome.done else "warn")
    else:
        flash("Choose at least one export.", "warn")
    return go(_back())


def _back() -> str:
    """The same page of the list."""
    asked = request.query_string.decode("ascii", "ignore")
    return url_for("exports.index") + (f"?{asked}" if asked else "")


def _chosen() -> list[uuid.UUID]:
    chosen = request.form.getlist("export")
    if len(chosen) > PER_PAGE:
        abort(400)
    try:
        return [uuid.UUID(one) for one in chosen]
    except ValueError:
        abort(400)
