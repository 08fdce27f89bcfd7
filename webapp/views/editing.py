"""**Edit** of an export, and the history of its versions (SPEC section 4)."""

from __future__ import annotations

import uuid
from typing import Final

from flask import Blueprint, Response, request, url_for
from flask_login import current_user

from webapp.htmx import go, page
from webapp.security import action
from webapp.services import exports
from webapp.views.details import card_of
from webapp.views.lookups import find_export_or_404, name_of

blueprint = Blueprint("editing", __name__)

GO_ON: Final = "go-on"
ANEW: Final = "anew"


@blueprint.post("/exports/<uuid:id>/edit")
@action("exports.edit")
def edit(id: uuid.UUID) -> Response:
    """The wizard on what is saved, the last step first: from there each answer has its Change.

    Who has changes there that are not saved is asked whether to go on with them.
    """
    export = find_export_or_404("exports.edit", id)
    user = current_user._get_current_object()
    chosen = request.form.get("draft")
    unsaved = exports.unsaved(user, export)
    if unsaved is not None and chosen not in (GO_ON, ANEW):
        return page("details/unsaved.html", export=export, draft=unsaved)
    draft = exports.begin_anew(user, export) if chosen == ANEW else exports.edit(user, export)
    return go(url_for("wizard.step", draft_id=draft.id, step="check"))


@blueprint.get("/exports/<uuid:id>/versions")
@action("exports.see")
def versions(id: uuid.UUID) -> Response:
    """Every version, newest first, with what is different from the one before."""
    export = find_export_or_404("exports.see", id)
    text = request.args.get("before", "")
    below = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None
    found, older = exports.history_of_versions(current_user._get_current_object(), export, below)
    return page(
        "details/versions.html",
        card=card_of(export),
        tab="editing.versions",
        found=[(one, name_of(one.author_id)) for one in found],
        older=older,
    )
