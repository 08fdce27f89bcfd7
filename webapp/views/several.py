"""Actions on several chosen exports of the list (SPEC section 2)."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, Response, abort, flash, request, url_for
from flask_login import current_user

from webapp.filters import number
from webapp.htmx import go, page
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import exports
from webapp.services.exports.listing import PER_PAGE
from webapp.words import _

blueprint = Blueprint("several", __name__)

BUTTONS: Final[dict[str, exports.Deed]] = {"set-inactive-now": "set_inactive", "archive": "archive"}
DONE: Final[dict[exports.Deed, tuple[str, str]]] = {
    "set_inactive": ("None set inactive.", "{done} set inactive."),
    "archive": ("None archived.", "{done} archived."),
}
"""By what was asked for: how it is told that none, and that some, were changed."""
LEFT_OUT: Final = {
    "not yours": ("{names} is not yours.", "{names} are not yours."),
    "archived already": ("{names} is archived already.", "{names} are archived already."),
    "not repeated": ("{names} is not repeated.", "{names} are not repeated."),
    "inactive already": ("{names} is inactive already.", "{names} are inactive already."),
}
"""By the reason: how it is told of one, and of several."""
GONE: Final = ("One is not there any more.", "{gone} are not there any more.")
NAMED: Final = 3
"""So many of those left out are named; the others are counted."""
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
        flash(_told(outcome), "ok" if outcome.done else "warn")
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


def _told(outcome: exports.Outcome) -> str:
    """What was done and what was not: "2 set inactive. “Coupon use” is not repeated."."""
    told = [_(DONE[outcome.deed][outcome.done > 0], done=number(outcome.done))]
    for reason, names in outcome.left_out.items():
        told.append(_(LEFT_OUT[reason][len(names) > 1], names=_named(names)))
    if outcome.gone:
        told.append(_(GONE[outcome.gone > 1], gone=number(outcome.gone)))
    return " ".join(told)


def _named(names: list[str]) -> str:
    shown = [_("“{name}”", name=name) for name in names[:NAMED]]
    if len(names) > NAMED:
        shown.append(_("{count} more", count=number(len(names) - NAMED)))
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {_('and')} {shown[-1]}"
