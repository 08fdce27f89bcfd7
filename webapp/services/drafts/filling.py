"""Back from a definition to what somebody types who wants it: for **Clone** and **Edit**, where nothing may be lost.

What the inputs cannot say exactly (a number that was written as a text, a time with seconds) is kept beside them as it
was, and counts as long as nobody touches the inputs; see `definition.document`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from exports.catalogue import DataModel
from exports.definition import Column, Criterion, Definition, File
from exports.operators import Input
from webapp.services.connections.typed import as_typed as upload_as_typed
from webapp.services.drafts.spelling import DELIMITERS, ENCLOSURES, NEWLINES
from webapp.services.drafts.steps import ASKING
from webapp.services.drafts.typed import Typed, TypedColumn, TypedCriterion, TypedFile, TypedNotify, TypedReplacement
from webapp.services.drafts.values import input_of
from webapp.services.schedules.typed import as_typed


def filled(definition: Definition, model: DataModel | None) -> Typed:
    """The draft of a definition; `drafts.document` of it gives the definition back. `model` is None if it is gone.

    All of its steps count as left by Next: what is wrong with it by now is shown at once.
    """
    return Typed(
        model=definition.model,
        name=definition.name,
        timezone=definition.timezone,
        sets=tuple(tuple(_criterion(one, model) for one in set_) for set_ in definition.filters)
        or Typed.model_fields["sets"].default,
        aggregation=definition.aggregation,
        all_fields=definition.all_fields,
        columns=tuple(map(_column, definition.fields)),
        file=_file(definition.file),
        scheduling=as_typed(definition.schedule),
        upload=upload_as_typed(definition.target),
        if_empty=definition.if_empty,
        notify=TypedNotify(success=definition.notify.success, failure=definition.notify.failure),
        submitted=(*ASKING, "check"),
    )


# --- Filters


def _criterion(criterion: Criterion, model: DataModel | None) -> TypedCriterion:
    return filled_criterion(criterion.model_dump(mode="json", exclude_unset=True), model)


def filled_criterion(document: dict[str, Any], model: DataModel | None) -> TypedCriterion:
    """The inputs of a criterion, with the criterion itself kept beside them."""
    named = TypedCriterion(attribute=document["attribute"], operator=document["operator"])
    made = named.with_(**_inputs(document.get("value"), input_of(named, model)))
    return made.with_(original=json.dumps(document))


def _inputs(value: Any, kind: Input | None) -> dict[str, Any]:
    """What stands in the inputs that an operator shows for a value."""
    if value is None:
        return {"when": "run"} if kind is Input.ANNIVERSARY else {}
    if isinstance(value, dict) and kind is not None and kind.members:
        return {
            "values": _texts(value.get("ids")),
            "low": _line(value.get("from")),
            "high": _line(value.get("to")),
            "least": _line(value.get("min")),
        }
    if kind is Input.ANNIVERSARY:
        return {"when": "range", **_pair(value)} if isinstance(value, list) else {"when": "day", "value": _line(value)}
    if kind in (Input.RANGE, Input.DATES, Input.AGES) and isinstance(value, list):
        return _pair(value)
    if kind is Input.CHOICES and isinstance(value, list):
        return {"values": _texts(value)}
    if kind in (Input.LIST, Input.NUMBERS) and isinstance(value, list):
        return {"value": "\n".join(map(_entry, _texts(value)))}
    return {"value": _line(value)}


def _pair(value: list[Any]) -> dict[str, str]:
    low, high = [*value, None, None][:2]
    return {"low": _line(low), "high": _line(high)}


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(map(_text, value)) if isinstance(value, list) else ()


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return format(Decimal(repr(value)), "f")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _line(value: Any) -> str:
    """As an input of one line holds it: a browser takes line ends out."""
    return _text(value).replace("\r", "").replace("\n", "")


def _entry(text: str) -> str:
    """One value of a typed list (`values.entries`)."""
    quoted = text.replace('"', '""')
    return f'"{quoted}"' if "," in text or '"' in text else text


# --- Field settings, File


def _column(column: Column) -> TypedColumn:
    pairs = tuple(TypedReplacement(value=one.value, new=one.new) for one in column.replace)
    return TypedColumn(
        from_=column.from_, to=column.to, default=column.default, replace=pairs, aggregation=column.aggregation or "",
        mask=column.mask or "",
    )  # fmt: skip


def _file(file: File) -> TypedFile:
    common = {"extension": file.extension, "times": file.times}
    if file.extension not in ("csv", "psv"):
        return TypedFile(**common)
    made = TypedFile(
        **common, no_header=not file.header, bom=file.bom, protect=file.protect_spreadsheets
    )  # fmt: skip
    if file.extension == "psv":
        return made
    delimiter = _word(DELIMITERS, file.delimiter)
    return made.with_(
        delimiter=delimiter or "other",
        delimiter_other="" if delimiter else file.delimiter or "",
        enclosure=_word(ENCLOSURES, file.enclosure),
        newline=_word(NEWLINES, file.newline),
    )


def _word(words: dict[str, Any], value: str | None) -> str:
    return next((word for word, meant in words.items() if meant == value), "")
