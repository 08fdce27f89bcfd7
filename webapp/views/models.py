"""**Data models**: what can be exported, and every field of it."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask_login import current_user

from webapp.htmx import page
from webapp.security import action
from webapp.services import brands
from webapp.views.wizard.contexts import TYPE_WORDS

blueprint = Blueprint("models", __name__)


@blueprint.get("/models")
@action("models.see")
def index() -> Response:
    """The data models of the brand's modules."""
    models = brands.catalogue_of(current_user.brand).models.values()
    return page("models/list.html", models=list(models))


@blueprint.get("/models/<id>")
@action("models.see")
def view(id: str) -> Response:
    """One data model with its fields; 404 for what the brand's modules do not bring."""
    catalogue = brands.catalogue_of(current_user.brand)
    model = catalogue.models.get(id)
    if model is None:
        abort(404)
    return page("models/view.html", model=model, references=catalogue.references, type_words=TYPE_WORDS)
