"""Data models by the API: what a definition may name (docs/api.md)."""

from __future__ import annotations

from flask_login import current_user

from exports.described import described, summary
from webapp.bearer import scope
from webapp.permissions import Refused, authorize
from webapp.security import action
from webapp.services import brands
from webapp.views.api.operations import answers, operation
from webapp.views.api.shapes import ModelAnswer, ModelsAnswer, ModelSummary


@operation("GET", "/models", "Data models")
@action("models.see")
@scope("exports:read")
@answers(200, ModelsAnswer, "The models.")
def list_models() -> ModelsAnswer:
    """List the data models of the brand."""
    authorize(current_user, "models.see")
    found = brands.catalogue_of(current_user.brand).models.values()
    return ModelsAnswer(models=[ModelSummary.model_validate(summary(one)) for one in found])


@operation("GET", "/models/<id>", "Data models")
@action("models.see")
@scope("exports:read")
@answers(200, ModelAnswer, "The model.", is_found=True)
def get_model(id: str) -> ModelAnswer:
    """Show a data model with its fields and their operators."""
    authorize(current_user, "models.see")
    found = brands.catalogue_of(current_user.brand).models.get(id)
    if found is None:
        raise Refused("models.see", hidden=True)
    return ModelAnswer.of(described(found))
