"""The form of Field settings: `fields-3-to`, `fields-3-replace-2-new` become columns, in the order of positions."""

from __future__ import annotations

import re
from typing import Any, Final

from exports.catalogue import DataModel
from exports.definition import MAX_ID
from webapp.forms.wizard.posted import FormRefused, Posted
from webapp.services.drafts import Typed, TypedColumn, TypedReplacement

MAX_WORD: Final = 20
"""No method of Aggregation is longer, and no mask."""
NAME: Final = re.compile(
    r"fields-(?P<place>[1-9][0-9]{0,3})-"
    r"(?:(?P<part>from|to|default|aggregation|mask|open)|replace-(?P<row>[1-9][0-9]{0,4})-(?P<end>value|new))",
    re.ASCII,
)


def read_fields(posted: Posted, typed: Typed, _model: DataModel | None) -> Typed:
    """The columns that were posted; those of the draft if none was.

    Raises:
        FormRefused: a name that is not an input of a field, or a field without its id.
    """
    posted.only({"all_fields", "pick"}, NAME)
    found: dict[int, dict[str, Any]] = {}
    for name in posted.names("fields-"):
        match = NAME.fullmatch(name)
        if match is None:
            continue
        column = found.setdefault(int(match["place"]), {"rows": {}})
        if match["part"]:
            column[match["part"]] = posted.text(name)
        else:
            column["rows"].setdefault(int(match["row"]), {})[match["end"]] = posted.text(name)
    columns = tuple(_column(place, found[place]) for place in sorted(found))
    return typed.with_(all_fields=posted.checked("all_fields"), columns=columns or typed.columns)


def _column(place: int, parts: dict[str, Any]) -> TypedColumn:
    id = parts.get("from", "")
    if not id or len(id) > MAX_ID:
        raise FormRefused(f"fields-{place}-from", f"fields-{place}-from is not the id of a field")
    for part in ("aggregation", "mask"):
        if len(parts.get(part, "")) > MAX_WORD:
            name = f"fields-{place}-{part}"
            raise FormRefused(name, f"{name} is longer than {MAX_WORD} characters")
    rows = tuple(TypedReplacement(**parts["rows"][row]) for row in sorted(parts["rows"]))
    return TypedColumn(
        from_=id,
        to=parts.get("to", ""),
        default=parts.get("default", ""),
        replace=rows,
        aggregation=parts.get("aggregation", ""),
        mask=parts.get("mask", ""),
        open=parts.get("open") == "1",
    )
