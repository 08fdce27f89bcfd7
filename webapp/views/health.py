"""How the installation is, for machines that watch it: /healthz, /readyz and /metrics (docs/deploy.md)."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, Response, abort, current_app, jsonify, request
from sqlalchemy.exc import SQLAlchemyError

from webapp.permissions import PUBLIC
from webapp.security import action
from webapp.services import health
from webapp.services.health.numbers import Number

if TYPE_CHECKING:
    from prometheus_client.core import GaugeMetricFamily

blueprint = Blueprint("health", __name__)

PREFIX: Final = "Bearer "


@blueprint.get("/healthz")
@action(PUBLIC)
def healthz() -> Response:
    """200 as long as this process can answer at all; it asks nobody else."""
    return Response("ok\n", content_type="text/plain; charset=utf-8")


@blueprint.get("/readyz")
@action(PUBLIC)
def readyz() -> Response:
    """200 if all is there that the application needs, else 503; which part is not, and nothing more, stands in it.

    `?exclude=scheduler` leaves a part out: a router that takes machines out of service asks about what they need.
    """
    left_out = request.args.getlist("exclude")
    asked = [check for check in health.parts() if check.name not in left_out]
    found = health.states(asked) if asked else {}
    is_ready = all(part.is_good for part in found.values())
    response: Response = jsonify(
        ready=is_ready, parts={name: {"state": part.state, "ms": part.ms} for name, part in found.items()}
    )
    response.status_code = 200 if is_ready else 503
    return response


@blueprint.get("/metrics")
@action(PUBLIC)
def metrics() -> Response:
    """For Prometheus; to whom does not show METRICS_TOKEN, and where none is set, there is no such page."""
    from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

    if not _is_known():
        abort(404)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _is_known() -> bool:
    token = current_app.config["SETTINGS"].metrics_token
    given = request.headers.get("Authorization", "")
    shown = given.removeprefix(PREFIX) if given.startswith(PREFIX) else ""
    return bool(token) and hmac.compare_digest(shown.encode(), token.encode())


class _Collector:
    """What is asked for each time: nothing is kept between two scrapes."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All numbers, by metric."""
        found = [
            Number("exports_ready", "Whether a part answers as it should", float(part.is_good), (("part", name),))
            for name, part in health.states().items()
        ]
        try:
            found += health.numbers()
        except SQLAlchemyError:  # exports_ready says so
            current_app.logger.warning("no numbers: the database did not answer")
        families: dict[str, Any] = {}
        for one in found:
            families.setdefault(one.name, _family(one)).add_metric([value for _, value in one.labels], one.value)
        yield from families.values()


def _family(first: Number) -> GaugeMetricFamily:
    from prometheus_client.core import GaugeMetricFamily

    return GaugeMetricFamily(first.name, first.help, labels=[name for name, _ in first.labels])
