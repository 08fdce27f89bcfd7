"""What a filter means, in plain Python over the same rows: REFERENCE 2.2 and 2.4 read once more, by other means."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from exports.catalogue import DataField, DataModel, FieldType
from tests.exports.expressions import meant
from tests.exports.zoo import MOMENT, THINGS

Row = dict[str, Any]
DENYING = {"not_equals": "equals", "not_contains": "contains", "not_in": "in", "not_has_key": "has_key"}
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


def matches(row: Row, filters: list[list[Row]], zone: ZoneInfo) -> bool:
    """Whether any set holds completely."""
    return any(all(holds(row, one, zone) for one in set_) for set_ in filters)


def holds(row: Row, criterion: Row, zone: ZoneInfo, model: DataModel = THINGS) -> bool:
    """Whether one criterion holds for a row."""
    field = model.fields[criterion["attribute"]]
    operator, given = criterion["operator"], resolved(criterion.get("value"), zone)
    value = value_of(row, field)
    if operator in ("is_empty", "is_not_empty"):
        return is_empty(raw_of(row, field), field) == (operator == "is_empty")
    if operator in DENYING:
        return not affirms(field, DENYING[operator], value, given, zone)
    return affirms(field, operator, value, given, zone)


def resolved(given: Any, zone: ZoneInfo) -> Any:
    """A value with the days and times that its expressions mean."""
    if isinstance(given, list):
        return [resolved(one, zone) for one in given]
    return meant(given, zone) if isinstance(given, str) else given


def raw_of(row: Row, field: DataField) -> Any:
    """What is stored; what is computed stands in the row under the id of its field."""
    if field.sql:
        return row[field.id]
    stored = row.get(field.column)
    for name in field.path:
        stored = stored.get(name) if isinstance(stored, dict) else None
    return translation(stored) if field.translated else stored


def translation(stored: Any) -> Any:
    """English, else the first language as jsonb orders them: shorter first. An empty translation is none."""
    if not isinstance(stored, dict):
        return stored
    others = [stored[key] for key in sorted(stored, key=lambda key: (len(key), key))]
    return next((one for one in [stored.get("en"), *others] if one), None)


def is_empty(value: Any, field: DataField) -> bool:
    """NULL, and the empty text, list and object; 0 and false are not empty.

    A member of JSON that should be a number and is a list stands in the file all the same, so it is not empty.
    """
    if field.path and field.type not in (FieldType.LIST, FieldType.JSON):
        return value is None or value == ""
    return value is None or value == "" or value == [] or value == {}


def value_of(row: Row, field: DataField) -> Any:
    """The value in the field's own type; a member of another type is as none."""
    value = raw_of(row, field)
    if not field.path or value is None:
        return value
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if field.type == FieldType.BOOLEAN:
        return {"true": True, "false": False}.get(text)
    if field.type in (FieldType.INTEGER, FieldType.FLOAT):
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return Decimal(repr(value)) if is_number else Decimal(text) if NUMBER.fullmatch(text) else None
    if field.type in (FieldType.DATE, FieldType.DATETIME):
        return parsed(text, field.type)
    if field.type == FieldType.LIST:
        return [None if one is None else scalar(one) for one in value] if isinstance(value, list) else None
    return value if field.type == FieldType.JSON else scalar(value)


def scalar(value: Any) -> str:
    """The text of a member that is a text, a number or a truth value."""
    return value if isinstance(value, str) else json.dumps(value)


def parsed(text: str, type: FieldType) -> Any:
    """A day or a moment; a moment without an offset is UTC."""
    try:
        if type == FieldType.DATE:
            return date.fromisoformat(text) if len(text) == 10 else None
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo("UTC"))


def affirms(field: DataField, operator: str, value: Any, given: Any, zone: ZoneInfo) -> bool:
    """The operators that affirm; nothing that is missing affirms anything."""
    if value is None:
        return False
    if field.type == FieldType.LIST:
        wanted = [given] if operator == "contains" else given
        if field.items == FieldType.DATETIME:
            return any(moment(one, "equals", given, zone) for one in value if one is not None)
        return (any if operator == "contains_any" else all)(one in value for one in wanted)
    if field.type == FieldType.JSON:
        return isinstance(value, dict) and given in value
    if operator in ("anniversary", "age_range"):
        day = value.astimezone(zone).date() if field.type == FieldType.DATETIME else value
        today = MOMENT.astimezone(zone).date()
        return (anniversary if operator == "anniversary" else aged)(day, given, today)
    if field.type == FieldType.DATETIME:
        return moment(value, operator, given, zone)
    if field.type == FieldType.DATE:
        return compare(operator, value, given, date.fromisoformat)
    if field.type == FieldType.BOOLEAN:
        return bool(value == given)
    if field.type in (FieldType.INTEGER, FieldType.FLOAT):
        return compare(
            operator, Decimal(repr(value)) if isinstance(value, float) else value, given, lambda one: Decimal(str(one))
        )
    return text(operator, value, given)


def text(operator: str, value: str, given: Any) -> bool:
    """Texts: capitals count, except in `contains`."""
    return {
        "equals": lambda: value == given,
        "contains": lambda: folded(given) in folded(value),
        "starts_with": lambda: value.startswith(given),
        "ends_with": lambda: value.endswith(given),
        "in": lambda: value in given,
    }[operator]()


def folded(text: str) -> str:
    """One character for one, as pg_c_utf8 does it: neither the final sigma nor the dotted I is special."""
    return "".join("i" if one == "İ" else one.lower() for one in text)


def compare(operator: str, value: Any, given: Any, read: Callable[[Any], Any]) -> bool:
    """Numbers and days."""
    if operator in ("between", "in_date"):
        low, high = (None if one is None else read(one) for one in given)
        return (low is None or low <= value) and (high is None or value <= high)
    if operator == "in":
        return value in [read(one) for one in given]
    other = read(given)
    return {
        "equals": value == other,
        "lt": value < other, "lte": value <= other, "gt": value > other, "gte": value >= other,
    }[operator]  # fmt: skip


def anniversary(value: date, given: Any, today: date) -> bool:
    """Whether a year of its own or a later one brings it to a day of the range; 29 February comes on the 28th, too."""
    first, last = given if isinstance(given, list) else [given, given]
    low = date.min if first is None else date.fromisoformat(first)
    high = date.max if last is None else date.fromisoformat(last)
    if given is None:
        low = high = today
    begins = max(value.year, low.year)  # whatever comes back every year comes within two
    return any(low <= recurring(value, year) <= high for year in (begins, begins + 1) if year <= date.max.year)


def recurring(value: date, year: int) -> date:
    """The same day of another year."""
    try:
        return value.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def aged(value: date, given: Any, today: date) -> bool:
    """Whether the completed years are in the range."""
    least, most = given
    years = today.year - value.year - ((today.month, today.day) < (value.month, value.day))
    return (least is None or least <= years) and (most is None or years <= most)


def moment(value: datetime, operator: str, given: Any, zone: ZoneInfo) -> bool:
    """Moments by what a clock in the zone reads: a day counts whole, a time counts for its second."""
    local = value.astimezone(zone).replace(tzinfo=None)
    if operator == "in_date":
        first, last = given
        return (first is None or local >= span(first)[0]) and (last is None or local < span(last)[1])
    first, after = span(given)
    return {
        "equals": first <= local < after, "lt": local < first, "lte": local < after,
        "gt": local >= after, "gte": local >= first,
    }[operator]  # fmt: skip


def span(given: str) -> tuple[datetime, datetime]:
    """The first moment of a day or second and the first behind it."""
    first = datetime.fromisoformat(given)
    return first, first + (timedelta(days=1) if len(given) == 10 else timedelta(seconds=1))
