"""**Archive**, **Restore** and **Delete** of an export (SPEC section 4)."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request, url_for
from flask_login import current_user

from webapp.htmx import go, page
from webapp.security import action
from webapp.services import exports
from webapp.views.details import card_of
from webapp.views.lookups import find_export_or_404

blueprint = Blueprint("removing", __name__)


@blueprint.post("/exports/<uuid:id>/archive")
@action("exports.archive")
def archive(id: uuid.UUID) -> Response:
    """**Archive**, at once: Restore brings it back."""
    export = find_export_or_404("exports.archive", id)
    if exports.archive(current_user._get_current_object(), export):
        flash("Archived: it does not run, and the list leaves it out. Restore brings it back.", "ok")
    return go(url_for("details.view", id=id))


@blueprint.post("/exports/<uuid:id>/restore")
@action("exports.restore")
def restore(id: uuid.UUID) -> Response:
    """**Restore**."""
    export = find_export_or_404("exports.restore", id)
    exports.restore(current_user._get_current_object(), export)
    rest = " It is inactive: Set active lets it run again." if export.active is False else ""
    flash(f"Restored.{rest}", "ok")
    return go(url_for("details.view", id=id))


@blueprint.post("/exports/<uuid:id>/delete")
@action("exports.delete")
def delete(id: uuid.UUID) -> Response:
    """**Delete**; asked first where no dialog has."""
    export = find_export_or_404("exports.delete", id)
    if request.form.get("sure") != "1":
        return page("details/delete.html", card=card_of(export))
    name = export.name
    exports.delete(current_user._get_current_object(), export)
    flash(f"“{name}” is deleted.", "ok")
    return go(url_for("exports.index"))
