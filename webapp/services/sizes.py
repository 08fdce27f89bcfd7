"""About how many records each data model has for a brand: the planner's word, kept for some minutes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from exports import checking, preview
from exports.catalogue import Catalogue, DataModel
from exports.definition import parse
from exports.errors import SourceError
from webapp.models import Brand
from webapp.services import brands
from webapp.services.kept import Kept

log = logging.getLogger(__name__)

KEPT_S: Final = 300
COUNT_WITHIN_S: Final = 1.0

_known: Kept[str, Mapping[str, int]] = Kept(KEPT_S)


def of_models(brand: Brand, catalogue: Catalogue) -> Mapping[str, int]:
    """About how many records by model id; none of them if the source cannot be read, since it is only a hint."""
    kept = _known.get(brand.source_key)
    if kept and kept[0].keys() >= catalogue.models.keys():
        return kept[0]
    try:
        sizes = _ask(brand, catalogue)
    except SourceError as error:
        log.warning("the sizes of the data models are not known: %s", error)
        return {}
    _known.put(brand.source_key, sizes)
    return sizes


def _ask(brand: Brand, catalogue: Catalogue) -> dict[str, int]:
    surroundings = brands.surroundings(brand, datetime.now(UTC))
    source = brands.source()
    sizes = {}
    for model in catalogue.models.values():
        definition = parse(_everything(model))
        query = checking.query_of(definition, catalogue, surroundings, source)
        if model.table is None:  # the rows are in the statement itself: the planner knows nothing of them
            found = preview.count(query, source, seconds=COUNT_WITHIN_S)
            sizes[model.id] = found.rows if found else 0
        else:
            sizes[model.id] = source.estimate(query)
    return sizes


def _everything(model: DataModel) -> dict[str, object]:
    return {
        "name": model.label,
        "model": model.id,
        "timezone": "UTC",
        "filters": [[{"attribute": model.key, "operator": "is_not_empty"}]],
        "fields": [{"from": model.key}],
    }
