"""What the template of each step is given beside what they all are."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from flask import request, url_for

from exports import aggregation, masks, schedule, words, zones
from exports.archive import file_name
from exports.catalogue import Catalogue, DataField, FieldType
from exports.definition import JSON_ONLY_MODELS, MAX_COLUMNS, Definition
from webapp.models import User
from webapp.services import brands, exports, sizes
from webapp.services.drafts import inputs
from webapp.services.progress import present
from webapp.views import scheduling
from webapp.views.wizard import criteria, notifying, uploading, wording
from webapp.views.wizard.place import Place
from webapp.words import _

TYPE_WORDS: Final = {
    FieldType.STRING: "text",
    FieldType.TEXT: "text",
    FieldType.INTEGER: "whole number",
    FieldType.FLOAT: "number",
    FieldType.BOOLEAN: "yes or no",
    FieldType.DATE: "date",
    FieldType.DATETIME: "datetime",
    FieldType.ENUM: "dropdown",
    FieldType.LIST: "list",
    FieldType.REFERENCE: "reference",
    FieldType.JSON: "json",
}
"""The types as the screen calls them."""
EXTENSIONS: Final[tuple[tuple[str, str, str], ...]] = (
    ("csv", ".csv", "Columns with a delimiter: for spreadsheets and most programs"),
    ("psv", ".psv", "Columns with | between"),
    ("json", ".json", "One list of objects, with native types and nesting"),
    ("jsonl", ".jsonl", "One object a line"),
)

DELIMITER_WORDS: Final = (
    ("comma", "Comma ,"),
    ("semicolon", "Semicolon ;"),
    ("tab", "Tab"),
    ("pipe", "Pipe |"),
    ("space", "Space"),
    ("other", "Another character"),
)
EXAMPLE: Final = "Coupon use 2017"
"""A name to show before one is typed."""


def of(place: Place) -> dict[str, Any]:
    """The context of a step."""
    context = CONTEXTS.get(place.step.id)
    return context(place) if context else {}


def models(user: User, catalogue: Catalogue) -> dict[str, Any]:
    """The choice of a data model."""
    return {"models": list(catalogue.models.values()), "sizes": sizes.of_models(user.brand, catalogue)}


def _model(place: Place) -> dict[str, Any]:
    wanted = place.catalogue.models.get(request.args.get("change", ""))
    return {**models(place.user, place.catalogue), "wanted": wanted if wanted != place.model else None}


def _localization(place: Place) -> dict[str, Any]:
    known, typed, near = brands.zones(), place.typed.timezone, _near(place)
    own = dict(near)
    return {
        "near_zones": near,
        "regions": {
            region: [(name, name) for name in names if name not in own]
            for region, names in zones.by_region(known).items()
        },
        "there": datetime.now(UTC).astimezone(brands.clock(typed)).strftime("%H:%M") if typed in known else "",
        "file_name": file_name(place.typed.name.strip() or _(EXAMPLE), place.typed.file.extension),
    }


def _near(place: Place) -> list[tuple[str, str]]:
    """The brand's zone and the user's own."""
    brand, own = place.user.brand.time_zone, place.user.time_zone
    if brand == own:
        return [(brand, "brand and you")]
    return [(brand, "brand"), (own, "you")]


def _filters(place: Place) -> dict[str, Any]:
    return {"sets": criteria.sets(place), "attributes": attributes(place), "blanks_only": place.typed.criteria == 0}


def _fields(place: Place) -> dict[str, Any]:
    fields = place.model.fields if place.model else {}
    return {
        "known": fields,
        "attributes": described(place),
        "all_count": len(place.model.all_fields) if place.model else 0,
        "max_columns": MAX_COLUMNS,
        "type_words": TYPE_WORDS,
        "zone_place": _zone_place(place),
        "methods": cache(lambda id: aggregation.choices(fields[id]) if id in fields else ()),
        "method_labels": aggregation.LABELS,
        "masks": lambda id, chosen: masks.choices(fields.get(id), chosen),
    }


def _zone_place(place: Place) -> str:
    """America/New_York as people say it, also of a zone that is none."""
    return place.typed.timezone.rpartition("/")[2].replace("_", " ")


def described(place: Place) -> list[tuple[DataField, str]]:
    """Every field with the word for its type, for the table at the foot of a step."""
    fields = place.model.fields.values() if place.model else ()
    return [(one, TYPE_WORDS[one.type]) for one in fields]


def attributes(place: Place) -> list[tuple[DataField, str]]:
    """Everything that can be filtered by: the fields, and what only filters know."""
    found = criteria.attributes(place.model)
    return [(one, "for filters only" if one.filter_only else TYPE_WORDS[one.type]) for one in found]


def _file(place: Place) -> dict[str, Any]:
    only_json = place.typed.model in JSON_ONLY_MODELS
    typed = place.typed.file.delimiter
    unknown = [] if typed in dict(DELIMITER_WORDS) else [(typed, typed)]
    return {
        "extensions": [one for one in EXTENSIONS if not only_json or one[0] == "json"],
        "only_json": only_json,
        "extension": place.typed.file.extension,
        "delimiters": [*DELIMITER_WORDS, *unknown],
        "zone_place": _zone_place(place),
    }


def _schedule(place: Place) -> dict[str, Any]:
    return {
        **scheduling.context(place.typed.scheduling, place.user, place.saved),
        "other_type": schedule.OTHER_TYPE[place.saved.schedule.type] if place.saved else "",
        "form_url": url_for("wizard.scheduling_form", draft_id=place.draft.id),
        "next_url": url_for("wizard.scheduling_next", draft_id=place.draft.id),
    }


def _target(place: Place) -> dict[str, Any]:
    return {**uploading.context(place), **notifying.context(place)}


def _check(place: Place) -> dict[str, Any]:
    return {
        "phrases": wording.phrases(place),
        "file_words": wording.file(place.typed.file),
        "if_empty": words.IF_EMPTY.get(place.typed.if_empty, ""),
        "now": present(),
        "destination": uploading.destination(place),
        "notify": wording.notify(place),
        "personal": personal(place),
        "near_zones": dict(_near(place)),
        **scheduling.context(place.typed.scheduling, place.user, place.saved),
        **_of_edit(place),
        "known": place.model.fields if place.model else {},
        "all_count": len(place.model.all_fields) if place.model else 0,
        "method_labels": aggregation.LABELS,
        "mask_labels": masks.LABELS,
        "grouped_by": [one.to or one.from_ for one in place.typed.columns if one.aggregation == "group"],
        "definition": _pretty(place.checked.definition),
        "letters": inputs.letters,
        "bad_steps": {one.step for one in place.checked.errors()},
        "bad_inputs": {one.input for one in place.checked.errors()},
        "warnings": [one.message for one in place.checked.warnings()],
        "cloned": exports.find(place.typed.cloned_from) if place.typed.cloned_from else None,
    }


def _of_edit(place: Place) -> dict[str, Any]:
    """What Save will change, and what somebody else changed since Edit began."""
    if place.export is None or place.saved is None:
        return {}
    now, began = place.checked.definition, place.typed.version
    meanwhile = None
    if began is not None and began < place.export.version:
        meanwhile = exports.changes(place.user, exports.definition_of(place.export, began), place.saved)
    return {
        "changes": exports.changes(place.user, place.saved, now) if now else None,
        "meanwhile": meanwhile,
    }


def _pretty(definition: Definition | None) -> str:
    return json.dumps(definition.as_json(), indent=2, ensure_ascii=False) if definition else ""


def personal(place: Place) -> list[str]:
    """The personal fields that the file will hold as they are, by id."""
    if place.model is None:
        return []
    if place.typed.all_fields:
        return [one.id for one in place.model.all_fields if one.personal]
    chosen = dict.fromkeys(one.from_ for one in place.typed.columns if not one.mask)
    return [id for id in chosen if id in place.model.fields and place.model.fields[id].personal]


CONTEXTS: Final[dict[str, Callable[[Place], dict[str, Any]]]] = {
    "model": _model,
    "localization": _localization,
    "filters": _filters,
    "fields": _fields,
    "file": _file,
    "schedule": _schedule,
    "target": _target,
    "check": _check,
}
