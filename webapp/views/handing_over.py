"""**Hand over**: one or several exports get another owner, chosen by a manager or an admin."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from flask import Blueprint, Response, abort, flash, request, url_for
from flask_login import current_user

from exports.errors import HandOverRefused
from webapp.htmx import go, page
from webapp.models import Export
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import exports
from webapp.services.exports.listing import PER_PAGE

blueprint = Blueprint("handing_over", __name__)


@blueprint.get("/exports/hand-over")
@action("exports.hand_over")
def form() -> Response:
    """Who takes over the exports that the address names."""
    authorize(current_user, "exports.hand_over")
    return _form(_chosen(request.values.getlist("export")))


@blueprint.post("/exports/hand-over")
@action("exports.hand_over")
def hand_over() -> Response:
    """Hand them over, each by itself; those that the other one may not run are named and stay."""
    authorize(current_user, "exports.hand_over")
    chosen = _chosen(request.values.getlist("export"))
    done, refused = 0, []
    try:
        to = exports.taker(request.form.get("to", ""))
        name = to.name
    except HandOverRefused as none:
        return _form(chosen, none.message)
    for export in chosen:
        try:
            exports.hand_over(current_user._get_current_object(), export, to)
            done += 1
        except HandOverRefused as one:
            refused.append(one.message)
    if refused and not done:
        return _form(chosen, refused[0])
    what = "it" if len(chosen) == 1 else f"{done:,} of them"
    told = f"{name} owns {what} now: runs have that one's rights."
    flash(" ".join([told, *refused[:3]]), "warn" if refused else "ok")
    return go(url_for("details.view", id=chosen[0].id) if len(chosen) == 1 else url_for("exports.index"))


def _chosen(ids: list[str]) -> Sequence[Export]:
    """The exports of the brand with these ids; 404 if there is none of them."""
    if len(ids) > PER_PAGE:
        abort(400)
    try:
        found = exports.of_ids([uuid.UUID(one) for one in ids])
    except ValueError:
        abort(404)
    if not found:
        abort(404)
    return found


def _form(chosen: Sequence[Export], problem: str = "") -> Response:
    return page(
        "exports/hand_over.html",
        status=422 if problem else 200,
        chosen=chosen,
        takers=exports.takers(),
        to=request.form.get("to", ""),
        problems=[("to", problem)] if problem else [],
    )
