"""From what was typed to the definition's JSON document: a change of spelling, no rule (those are `exports.rules`)."""

from __future__ import annotations

import csv
import re
from typing import Any, Final

from exports.catalogue import Catalogue, DataField, DataModel
from exports.operators import Input, operator_of
from webapp.services.drafts.typed import Typed, TypedColumn, TypedCriterion, TypedFile

DELIMITERS: Final = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
ENCLOSURES: Final[dict[str, str | None]] = {"double": '"', "single": "'", "none": None}
NEWLINES: Final = {"lf": "\n", "crlf": "\r\n", "cr": "\r"}
"""A form's values cannot hold line ends unharmed, so the inputs hold words. A word that is not here goes on as it is:
the definition's own rules refuse it."""

TRUTHS: Final = {"true": True, "false": False}
WHOLE: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
"""What JSON's numbers carry through every reader; anything else stays the text that was typed."""


def entries(text: str) -> list[str]:
    """The values of a typed list: separated by commas or line ends; one in double quotes may hold commas."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found = [one.strip() for line in lines for one in _fields(line)]
    return [one for one in found if one]


def _fields(line: str) -> list[str]:
    # An unbalanced quote is a character like any other: only a line that is whole csv is read as csv.
    if '"' not in line:
        return line.split(",")
    try:
        return next(csv.reader([line], skipinitialspace=True, strict=True), [])
    except csv.Error:
        return line.split(",")


def document(typed: Typed, catalogue: Catalogue) -> dict[str, Any]:
    """The definition's document (SPEC section 11) of a draft, whatever state it is in."""
    model = catalogue.models.get(typed.model)
    return {
        "name": typed.name.strip(),
        "model": typed.model,
        "timezone": typed.timezone,
        "filters": _filters(typed, model),
        "all_fields": typed.all_fields,
        "fields": [] if typed.all_fields else [_column(one) for one in typed.columns],
        "file": file_document(typed.file),
        "schedule": {"type": typed.schedule},
        "target": {"type": typed.target},
    }


# --- Filters


def _filters(typed: Typed, model: DataModel | None) -> list[list[dict[str, Any]]]:
    if typed.criteria == 0:
        return []
    return [[_criterion(one, model) for one in set_] for set_ in typed.sets]


def _criterion(typed: TypedCriterion, model: DataModel | None) -> dict[str, Any]:
    field = model.fields.get(typed.attribute) if model else None
    made: dict[str, Any] = {"attribute": typed.attribute, "operator": typed.operator}
    kind = input_of(typed, model)
    if field is None or kind is None:
        return {**made, "value": typed.value}
    return made if kind is Input.NONE else {**made, "value": _value(typed, field, kind)}


def input_of(typed: TypedCriterion, model: DataModel | None) -> Input | None:
    """What kind of value a criterion takes; None if its attribute or operator is unknown."""
    field = model.fields.get(typed.attribute) if model else None
    operator = operator_of(field, typed.operator) if field else None
    return operator.input if operator else None


def _value(typed: TypedCriterion, field: DataField, kind: Input) -> Any:
    if kind is Input.NUMBER:
        return _number(typed.value)
    if kind is Input.TRUTH:
        return TRUTHS.get(typed.value, typed.value)
    if kind is Input.NUMBERS:
        return [_number(one) for one in entries(typed.value)]
    if kind is Input.SEGMENTS:
        return {"ids": [*typed.values]}
    if kind.many:
        return [*(typed.values if field.choices else ()), *(entries(typed.value) if takes_others(field) else ())]
    if kind.pair:
        ends = [_number(one) if kind is Input.RANGE else one.strip() for one in (typed.low, typed.high)]
        return [one if one != "" else None for one in ends]
    return typed.value.strip() if kind is Input.DATE else typed.value


def takes_others(field: DataField) -> bool:
    """Whether values can be typed: the attribute has no list of choices, or other values than those occur."""
    return not field.choices or field.open


def _number(text: str) -> int | str:
    return int(text) if WHOLE.fullmatch(text) else text


# --- Field settings, File


def _column(typed: TypedColumn) -> dict[str, Any]:
    pairs = [{"value": one.value, "new": one.new} for one in typed.replace if not one.is_blank]
    return {"from": typed.from_, "to": typed.to, "default": typed.default, "replace": pairs}


def file_document(typed: TypedFile) -> dict[str, Any]:
    """The member `file`: options that the extension does not have are left out."""
    made: dict[str, Any] = {"extension": typed.extension}
    if typed.extension in ("csv", "psv"):
        made |= {"header": not typed.no_header, "bom": typed.bom, "protect_spreadsheets": typed.protect}
    if typed.extension == "csv":
        other = typed.delimiter == "other"
        made["delimiter"] = typed.delimiter_other if other else DELIMITERS.get(typed.delimiter, typed.delimiter)
        made["enclosure"] = ENCLOSURES.get(typed.enclosure, typed.enclosure)
        made["newline"] = NEWLINES.get(typed.newline, typed.newline)
    return made
