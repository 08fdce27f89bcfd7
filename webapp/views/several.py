"""Actions on several chosen exports of the list (SPEC section 2)."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, Response, abort, flash, request, url_for
from flask_login import current_user

from webapp.htmx import go
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import exports
from webapp.services.exports.listing import PER_PAGE

blueprint = Blueprint("several", __name__)

BUTTONS: Final[dict[str, exports.Deed]] = {"set-inactive": "set_inactive", "archive": "archive"}


@blueprint.post("/exports/several")
@action("exports.act_on_several")
def act() -> Response:
    """**Set inactive** or **Archive** of what is chosen, at once; the same page of the list then says what was done."""
    authorize(current_user, "exports.act_on_several")
    button, ids = request.form.get("do", ""), _chosen()
    if button == "hand-over" and ids:
        return go(url_for("handing_over.form", export=[str(one) for one in ids]))
    if button and button not in (*BUTTONS, "hand-over"):
        abort(400)
    if not button:
        flash("Nothing was changed. Press Set inactive or Archive.", "warn")
    elif ids:
        outcome = exports.act_on_several(current_user._get_current_object(), ids, BUTTONS[button])
        flash(outcome.sentence, "ok" if outcome.done else "warn")
    else:
        flash("Choose at least one export.", "warn")
    asked = request.query_string.decode("ascii", "ignore")
    return go(url_for("exports.index") + (f"?{asked}" if asked else ""))


def _chosen() -> list[uuid.UUID]:
    chosen = request.form.getlist("export")
    if len(chosen) > PER_PAGE:
        abort(400)
    try:
        return [uuid.UUID(one) for one in chosen]
    except ValueError:
        abort(400)
