"""A definition said in words: what stands in the summary of an export (SPEC section 4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from exports import aggregation, masks
from exports.catalogue import DataField, DataModel, FieldType
from exports.definition import OWNER, Column, Criterion, Definition, File
from exports.operators import Input, operator_of
from exports.said import Said, joined

DELIMITERS: Final = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", " ": "space"}
NEWLINES: Final = {"\n": "LF", "\r\n": "CRLF", "\r": "CR"}
IF_EMPTY: Final = {"header": "deliver the header", "nothing": "deliver nothing", "fail": "fail"}
"""**If there are no rows** (SPEC section 3.7)."""
IF_EXISTS: Final = {"replace": "replace it", "number": "add a number", "fail": "fail"}
"""**If the file exists** (SPEC section 3.7)."""
SHOWN: Final = 20
"""Values of a list that are named; the others are counted."""


Called = Callable[[DataField, str], str]
"""What a record is called that an attribute names by its id; the id itself where that is not known."""


def by_id(_field: DataField, id: str) -> str:
    """Records by their ids."""
    return id


@dataclass(frozen=True)
class Phrase:
    """A criterion as a part of a sentence: "Action", "equals" and "checkout_item".

    `kind`: what sort of words the value is, "range" or "ages"; empty if it is what somebody typed or chose.
    """

    attribute: str
    operator: str
    value: str = ""
    kind: str = ""

    @property
    def between(self) -> str:
        """What stands behind the operator: is so many years ago: at least 18."""
        return ":" if self.kind == "ages" else ""

    @property
    def test(self) -> str:
        """Operator and value: equals checkout_item."""
        return f"{self.operator}{self.between} {self.value}".strip()


@dataclass(frozen=True)
class ColumnWords:
    """A column as the table of fields shows it; `field` is None for one that no longer exists."""

    from_: str
    to: str
    default: str
    replaced: int
    field: DataField | None
    method: str = ""
    mask: str = ""


def recipients(of: Iterable[str]) -> Said:
    """Who gets a mail: the owner, ann@company.example; nobody if the list is empty."""
    return joined(Said("the owner") if one == OWNER else one for one in of) or Said("nobody")


def letters(place: int) -> str:
    """The name of a set by its place: A, B, … Z, AA, AB, …"""
    text = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(ord("A") + rest) + text
    return text


def filters(definition: Definition, model: DataModel | None, called: Called = by_id) -> list[list[Phrase]]:
    """The sets of criteria."""
    return [[phrase(one, model, called) for one in set_] for set_ in definition.filters]


def columns(definition: Definition, model: DataModel | None) -> list[ColumnWords]:
    """The columns of the file, in their order."""
    if definition.all_fields:
        fields = model.all_fields if model else ()
        return [ColumnWords(field.id, field.id, "", 0, field) for field in fields]
    return [_column(one, model) for one in definition.fields]


def file(given: File) -> list[str]:
    """.csv, comma, enclosure ", LF, header, UTF-8."""
    said: list[str] = [Said(f".{given.extension}")]
    if given.extension == "csv":
        delimiter, enclosure = given.delimiter or "", given.enclosure
        said += [
            Said(DELIMITERS[delimiter]) if delimiter in DELIMITERS else Said("delimiter {sign}", sign=delimiter),
            Said("enclosure {sign}", sign=enclosure) if enclosure else Said("no enclosure"),
            Said(NEWLINES[given.newline]),
        ]
    if given.extension in ("csv", "psv"):
        said.append(Said("header" if given.header else "no header"))
    said.append(Said("UTF-8 with BOM" if given.bom else "UTF-8"))
    if given.extension in ("csv", "psv"):
        protected = given.protect_spreadsheets
        said.append(Said("spreadsheets protected" if protected else "spreadsheets not protected"))
    if given.times == "iso":
        said.append(Said("times as ISO 8601"))
    return said


def _column(column: Column, model: DataModel | None) -> ColumnWords:
    field = model.fields.get(column.from_) if model else None
    method = aggregation.LABELS[column.aggregation] if column.aggregation else ""
    mask = masks.LABELS[column.mask] if column.mask else ""
    return ColumnWords(column.from_, column.header, column.default, len(column.replace), field, method, mask)


def phrase(criterion: Criterion, model: DataModel | None, called: Called = by_id) -> Phrase:
    """One criterion."""
    field = model.attribute(criterion.attribute) if model else None
    operator = operator_of(field, criterion.operator) if field else None
    value: Any = criterion.value
    if field is None or operator is None:
        return Phrase(criterion.attribute, criterion.operator, _plain(value))
    return Phrase(field.label, operator.label, *_said(value, operator.input, field, called))


def _said(value: Any, input: Input, field: DataField, called: Called) -> tuple[str, str]:
    """A value in words, and what sort of words they are."""
    if input is Input.ANNIVERSARY:
        return _anniversary(value), "anniversary"
    if input is Input.AGES and isinstance(value, list):
        return _ages([*value, None, None][:2]), "ages"
    if input.pair and isinstance(value, list):
        return _range([*value, None, None][:2]), "range"
    if isinstance(value, list):
        return _list([_one(each, field, called) for each in value]), "list" if len(value) > SHOWN else ""
    if isinstance(value, dict):
        return _chosen(value, field, called), "chosen"
    return _one(value, field, called), "truth" if field.type == FieldType.BOOLEAN else ""


def _anniversary(value: Any) -> str:
    if value is None:
        return "on the day of the run"
    return f"between {_range([*value, None, None][:2])}" if isinstance(value, list) else f"on {_plain(value)}"


def _ages(value: list[Any]) -> str:
    least, most = value
    if least is None or most is None:
        return f"at most {_plain(most)}" if least is None else f"at least {_plain(least)}"
    return f"between {_plain(least)} and {_plain(most)}"


def _chosen(value: dict[str, Any], field: DataField, called: Called) -> str:
    """Visit, at least 2 times, from 2017-01-01 to 2017-02-01."""
    said = [_list([_one(each, field, called) for each in value.get("ids") or []])]
    if value.get("min") is not None:
        said.append(f"at least {_plain(value['min'])} times")
    first, last = value.get("from"), value.get("to")
    if first is not None:
        said.append(f"from {_plain(first)}" + (f" to {_plain(last)}" if last is not None else ""))
    elif last is not None:
        said.append(f"until {_plain(last)}")
    return ", ".join(said)


def _one(value: Any, field: DataField, called: Called) -> str:
    if field.type == FieldType.BOOLEAN and isinstance(value, bool):
        return "Yes" if value else "No"
    said = _plain(value)
    return dict(field.choices).get(said) or called(field, said)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _list([_plain(one) for one in value])
    return str(value)


def _range(value: list[Any]) -> str:
    low, high = value
    if low is None:
        return f"anything and {_plain(high)}"
    return f"{_plain(low)} and {_plain(high)}" if high is not None else f"{_plain(low)} and anything above"


def _list(values: list[str]) -> str:
    more = f" and {len(values) - SHOWN:,} more" if len(values) > SHOWN else ""
    return ", ".join(values[:SHOWN]) + more
