"""The OpenAPI document of the API, and the page on which people read it (docs/api.md)."""

from __future__ import annotations

import json
from typing import Any, Final

from flask import Blueprint, Flask, Response, current_app, request
from flask_smorest import Api
from pydantic.json_schema import models_json_schema

from exports.definition import Definition
from webapp.htmx import page
from webapp.models.tokens import SCOPES
from webapp.permissions import PUBLIC
from webapp.security import action
from webapp.views.api import reading, shapes
from webapp.views.api.operations import blueprint as operations

blueprint = Blueprint("api_document", __name__)

ABOUT: Final = """Create, run, follow and download exports from a program.

Send an API token of your profile page in the header `Authorization: Bearer`. It acts as you, with the rights that you
have at that moment. Errors are `application/problem+json`; their `code` says which, `detail` what happened and what to
do. Every answer says in `RateLimit-Remaining` how many requests are left in this minute."""
TAGS: Final = {
    "Exports": "Saved definitions",
    "Schedules": "When an export runs by itself",
    "Runs": "Executions of exports, and their files",
    "Data models": "What a definition may name",
}
SHAPES: Final = (
    Definition, shapes.ExportAnswer, shapes.ExportsPage, shapes.RunAnswer, shapes.RunsPage, shapes.CloneBody,
    shapes.ScheduleBody, shapes.ModelAnswer, shapes.ModelsAnswer, shapes.ProblemDetails,
)  # fmt: skip


class Document(Api):  # type: ignore[misc]  # flask-smorest ships no types
    """flask-smorest's, without its own errors."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def _register_error_handlers(self) -> None:
        """Leave errors to webapp/errors.py: flask-smorest's handler would answer those of pages too."""


def register(app: Flask) -> None:
    """Bind the operations to the application, and what is read about them."""
    api = Document(
        app,
        spec_kwargs={
            "title": "Exports",
            "version": "1",
            "openapi_version": "3.1.0",
            "info": {"description": ABOUT},
            "servers": [{"url": "/"}],
            "security": [{"token": []}],
        },
    )
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "description": "An API token."})
    for name, schema in _schemas().items():
        api.spec.components.schema(name, schema)
    api.register_blueprint(operations)
    app.register_blueprint(blueprint)
    app.extensions["api_document"] = _document(api, app)


def _schemas() -> dict[str, Any]:
    template = "#/components/schemas/{model}"
    asked = [(one, "validation") for one in SHAPES]
    _, found = models_json_schema(asked, by_alias=True, ref_template=template)  # type: ignore[arg-type]
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _document(api: Document, app: Flask) -> dict[str, Any]:
    """The document, with the scope of each operation, and without what flask-smorest brings that nothing refers to."""
    document: dict[str, Any] = api.spec.to_dict()
    document["tags"] = [{"name": name, "description": about} for name, about in TAGS.items()]
    document["components"].pop("responses", None)
    document["components"].pop("headers", None)
    for name in ("Error", "PaginationMetadata"):
        document["components"]["schemas"].pop(name, None)
    for path in document["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation["responses"] = dict(sorted(operation["responses"].items()))
                view = app.view_functions[f"api.{operation['operationId']}"]
                operation["security"] = [{"token": [getattr(view, "scope", "")]}]
    return document


@blueprint.get("/api")
@action(PUBLIC)
def read() -> Response:
    """The document, for people."""
    document = current_app.extensions["api_document"]
    return page(
        "api/read.html",
        about=document["info"]["description"].split("\n\n"),
        groups=reading.groups(document),
        schemas=reading.schemas(document),
        errors=reading.errors(),
        scopes=SCOPES,
        base=request.host_url.rstrip("/"),
    )


@blueprint.get("/api/openapi.json")
@action(PUBLIC)
def openapi() -> Response:
    """The document, for programs: it tells nothing of any brand."""
    text = json.dumps(current_app.extensions["api_document"], ensure_ascii=False)
    return Response(text + "\n", content_type="application/json")
