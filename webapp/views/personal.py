"""**Personal data**: the report of files about customers, for admins; a file is removed from here before its time."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request, url_for
from flask_login import current_user

from webapp.htmx import go, page
from webapp.models import User
from webapp.security import action
from webapp.services import personal_report
from webapp.views.lookups import find_run_or_404

blueprint = Blueprint("personal", __name__)


@blueprint.get("/personal-data")
@action("personal.report")
def index() -> Response:
    """The files that are kept, or all that were made, of one data model or of all that are about customers."""
    me: User = current_user._get_current_object()
    asked, shown = request.args, request.args.get("show", "")
    found = personal_report.report(me, asked.get("model", ""), asked.get("before", ""), alive=shown != "all")
    return page("personal/list.html", found=found, models=found.models, model=found.model, shown=shown, now=found.at)


@blueprint.post("/runs/<uuid:id>/remove-file")
@action("personal.remove")
def remove(id: uuid.UUID) -> Response:
    """**Remove file**, for instance since a customer asked for it."""
    _export, run = find_run_or_404("personal.remove", id)
    personal_report.remove_file(current_user._get_current_object(), run)
    flash("The file cannot be downloaded any more, and is removed within a minute.", "ok")
    return go(url_for("personal.index"))
