"""**Clone** of an export (SPEC section 4): the wizard, filled with the same definition."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, url_for
from flask_login import current_user

from webapp.htmx import go
from webapp.security import action
from webapp.services import exports
from webapp.views.lookups import find_export_or_404, token_of_form

blueprint = Blueprint("cloning", __name__)


@blueprint.post("/exports/<uuid:id>/clone")
@action("exports.clone")
def clone(id: uuid.UUID) -> Response:
    """Everything is there to be read and changed before **Create**: so the last step comes first."""
    export = find_export_or_404("exports.clone", id)
    draft = exports.clone_as_draft(current_user._get_current_object(), export, token_of_form())
    return go(url_for("wizard.step", draft_id=draft.id, step="check"))
