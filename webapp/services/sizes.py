"""About how many records each data model has for a brand: the planner's word, kept for some minutes."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import Lock
from typing import Final

from exports import preview
from exports.catalogue import Catalogue, DataModel
from exports.definition import parse
from exports.errors import SourceError
from webapp.models import Brand
from webapp.services import brands

log = logging.getLogger(__name__)

KEPT_S: Final = 300
COUNT_WITHIN_S: Final = 1.0

_known: dict[str, tuple[float, Mapping[str, int]]] = {}
_lock = Lock()


def of_models(brand: Brand, catalogue: Catalogue) -> Mapping[str, int]:
    """About how many records by model id; none of them if the source cannot be read, since it is only a hint."""
    with _lock:
        at, sizes = _known.get(brand.source_key, (0.0, {}))
    if time.monotonic() - at < KEPT_S and sizes.keys() >= catalogue.models.keys():
        return sizes
    try:
        sizes = _ask(brand, catalogue)
    except SourceError as error:
        log.warning("the sizes of the data models are not known: %s", error)
        return {}
    with _lock:
        _known[brand.source_key] = (time.monotonic(), sizes)
    return sizes


def _ask(brand: Brand, catalogue: Catalogue) -> dict[str, int]:
    surroundings = brands.surroundings(brand, datetime.now(UTC))
    source = brands.source()
    sizes = {}
    for model in catalogue.models.values():
        definition = parse(_everything(model))
        if model.table is None:  # the rows are in the statement itself: the planner knows nothing of them
            found = preview.count(definition, catalogue, surroundings, source, seconds=COUNT_WITHIN_S)
            sizes[model.id] = found or 0
        else:
            sizes[model.id] = preview.estimate(definition, catalogue, surroundings, source)
    return sizes


def _everything(model: DataModel) -> dict[str, object]:
    return {
        "name": model.label,
        "model": model.id,
        "timezone": "UTC",
        "filters": [[{"attribute": model.key, "operator": "is_not_empty"}]],
        "fields": [{"from": model.key}],
    }
