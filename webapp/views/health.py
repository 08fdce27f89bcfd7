"""Whether the process answers."""

from flask import Blueprint, Response

from webapp.permissions import PUBLIC
from webapp.security import action

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@action(PUBLIC)
def healthz() -> Response:
    """200 as long as this process can answer at all; it asks nobody else."""
    return Response("ok\n", content_type="text/plain")
