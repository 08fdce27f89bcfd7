"""From what was typed to the definition's JSON document: a change of spelling, no rule (those are `exports.rules`)."""

from __future__ import annotations

import json
from typing import Any

from exports.catalogue import Catalogue, DataModel
from exports.operators import Input
from webapp.services.connections.typed import document as upload_document
from webapp.services.drafts.filling import filled_criterion
from webapp.services.drafts.spelling import DELIMITERS, ENCLOSURES, NEWLINES
from webapp.services.drafts.typed import Typed, TypedColumn, TypedCriterion, TypedFile, TypedNotify
from webapp.services.drafts.values import entries, input_of, value
from webapp.services.schedules.typed import document as schedule_document


def document(typed: Typed, catalogue: Catalogue) -> dict[str, Any]:
    """The definition's document (SPEC section 11) of a draft, whatever state it is in."""
    model = catalogue.models.get(typed.model)
    return {
        "name": typed.name.strip(),
        "model": typed.model,
        "timezone": typed.timezone,
        "filters": _filters(typed, model),
        "aggregation": typed.aggregation,
        "all_fields": typed.all_fields,
        "fields": [] if typed.all_fields else [_column(one, typed.aggregation) for one in typed.columns],
        "file": file_document(typed.file),
        "schedule": schedule_document(typed.scheduling),
        "target": upload_document(typed.upload),
        "if_empty": typed.if_empty,
        "notify": _notify(typed.notify),
    }


# --- Filters


def _filters(typed: Typed, model: DataModel | None) -> list[list[dict[str, Any]]]:
    if typed.criteria == 0:
        return []
    return [[_criterion(one, model) for one in set_] for set_ in typed.sets]


def _criterion(typed: TypedCriterion, model: DataModel | None) -> dict[str, Any]:
    if (untouched := _original(typed, model)) is not None:
        return untouched
    field = model.attribute(typed.attribute) if model else None
    made: dict[str, Any] = {"attribute": typed.attribute, "operator": typed.operator}
    kind = input_of(typed, model)
    if field is None or kind is None:
        return {**made, "value": typed.value}
    return made if kind is Input.NONE else {**made, "value": value(typed, field, kind)}


def _original(typed: TypedCriterion, model: DataModel | None) -> dict[str, Any] | None:
    """The criterion that the inputs were filled from, as long as they say what they said then."""
    if not typed.original:
        return None
    document: dict[str, Any] = json.loads(typed.original)
    return document if _said(typed) == _said(filled_criterion(document, model)) else None


def _said(typed: TypedCriterion) -> TypedCriterion:
    """The inputs whatever a browser makes of line ends and of the order of boxes."""
    text = typed.value.replace("\r\n", "\n").replace("\r", "\n")
    return typed.with_(value=text, values=tuple(sorted(typed.values)), fresh=False)


# --- Field settings, File


def _column(typed: TypedColumn, aggregated: bool) -> dict[str, Any]:
    """A column; the method that was chosen for it is kept in the draft, and left out while Aggregation is off."""
    pairs = [{"value": one.value, "new": one.new} for one in typed.replace if not one.is_blank]
    made = {"from": typed.from_, "to": typed.to, "default": typed.default, "replace": pairs}
    made |= {"mask": typed.mask} if typed.mask else {}
    return {**made, "aggregation": typed.aggregation or None} if aggregated else made


def file_document(typed: TypedFile) -> dict[str, Any]:
    """The member `file`: options that the extension does not have are left out."""
    made: dict[str, Any] = {"extension": typed.extension, "times": typed.times}
    if typed.extension in ("csv", "psv"):
        made |= {"header": not typed.no_header, "bom": typed.bom, "protect_spreadsheets": typed.protect}
    if typed.extension == "csv":
        other = typed.delimiter == "other"
        made["delimiter"] = typed.delimiter_other if other else DELIMITERS.get(typed.delimiter, typed.delimiter)
        made["enclosure"] = ENCLOSURES.get(typed.enclosure, typed.enclosure)
        made["newline"] = NEWLINES.get(typed.newline, typed.newline)
    return made


# --- Notify


def _notify(typed: TypedNotify) -> dict[str, Any]:
    return {
        "success": [*typed.success, *entries(typed.success_others)],
        "failure": [*typed.failure, *entries(typed.failure_others)],
    }
