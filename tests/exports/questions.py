"""Random criteria on any attribute of any model, with values near those that its records hold."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st

from exports.catalogue import DataField, DataModel, FieldType, Special
from exports.operators import Input, Operator, operators_for
from tests.exports.expressions import DAY_EXPRESSIONS, TIME_EXPRESSIONS

TEXTS: Final = [
    "", "a", "b", "A", "ab", "Straße", "STRASSE", "ß", "%", "_", "\\", "100%", "a_b", "a\\b", "'", '"', "É", "é",
    "e\u0301", "İstanbul", "Σας", "ΣΑΣ", "NULL", "-1", "=1+1", "a b", "日本", "\u2028", "' OR '1'='1", "x" * 50,
]  # fmt: skip
ZONES: Final = [
    "UTC", "Europe/Budapest", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo",
    "Africa/Cairo", "America/St_Johns", "Pacific/Kiritimati",
]  # fmt: skip
MOMENTS: Final = [
    datetime.fromisoformat(one)
    for one in ("2017-03-26T00:59:59.999999+00:00", "2017-03-26T01:00:00+00:00", "2017-10-29T00:30:00+00:00",
                "2017-10-29T01:30:00+00:00", "2011-12-30T09:59:59+00:00", "2011-12-30T10:00:00+00:00",
                "2018-11-04T02:59:59+00:00", "2018-11-04T03:00:00+00:00", "2024-04-25T22:00:00+00:00",
                "2009-11-01T02:30:30+00:00", "2009-11-01T02:31:00+00:00", "2009-11-01T03:20:00+00:00",
                "2009-11-01T03:30:30+00:00", "2017-10-29T01:15:00+00:00", "2017-01-01T00:00:00+00:00",
                "2016-12-31T23:59:59.5+00:00",
                "2026-11-21T22:00:00+00:00", "2026-11-22T10:00:00+00:00", "2026-11-23T09:59:59.999999+00:00",
                "2026-11-01T04:30:00+00:00", "2025-11-23T10:00:00+00:00")
]  # fmt: skip
"""Where clocks change, where days begin, and around the moment of the run."""
DAYS: Final = [
    "2017-03-26", "2017-10-29", "2011-12-30", "2011-12-31", "2018-11-04", "2024-04-26", "2009-11-01", "2017-01-01",
    "2016-12-31", "0001-01-01", "9999-12-30", "2016-02-29", "2012-02-28", "2008-02-29", "2026-11-23", "2026-11-22",
    "2026-11-01", "2025-11-23",
]  # fmt: skip
TIMES: Final = [
    "2017-03-26 02:30", "2017-10-29 02:30:00", "2009-11-01 00:00:30", "2017-01-01 00:00", "2011-12-30 12:00",
    "2026-11-23 09:59:59",
]  # fmt: skip
NUMBERS: Final = [
    Decimal(one) for one in ("0", "-1", "1", "1.5", "1.50", "-0.1", "10", "999999999999999999", "0.0000000001")
]
DECIMALS: Final = [format(number, "f") for number in NUMBERS]
WHOLE: Final = [0, 1, -1, 10, "3", 2**63 - 1]
ANNIVERSARIES: Final = [
    "2016-02-29", "2017-02-28", "2017-03-26", "2016-12-20", "2018-01-10", "2018-12-31", "2026-12-30", "2020-12-31",
    "9999-12-31", "2017-02-27", "2017-10-29", "2001-01-01",
]  # fmt: skip
YEARS: Final = [0, 1, 9, 17, 10, 999]

Chosen = dict[Special, list[str]]
"""Ids that can be chosen for the operators that ask for other records."""


def is_expression(value: Any) -> bool:
    """Whether it means another day in another run."""
    return isinstance(value, str) and value.lower().startswith(("date", "datetime"))


def ordered(pair: tuple[Any, Any]) -> list[Any]:
    """A range that is not refused: at least one end, the lower one first; which of expressions is lower is not told."""
    low, high = pair
    if low is None or high is None or is_expression(low) or is_expression(high):
        return [low, high]
    key = (lambda one: Decimal(str(one))) if not (isinstance(low, str) and "-" in low[1:]) else str
    return sorted(pair, key=key)


def pairs(one: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Ranges, one end of which may be open."""
    both = st.tuples(one | st.none(), one | st.none()).map(ordered)
    return both.filter(lambda pair: pair != [None, None])


def singles(field: DataField) -> st.SearchStrategy[Any]:
    """One value of the type of a field, or of its entries."""
    kind = field.items if field.type == FieldType.LIST else field.type
    choices = [value for value, _label in field.choices][:5]
    if kind == FieldType.ENUM or (choices and not field.open):
        return st.sampled_from(choices)
    texts = st.sampled_from([text for text in TEXTS if text]) | st.text(
        st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=3
    )
    return {
        FieldType.INTEGER: st.sampled_from(WHOLE),
        FieldType.FLOAT: st.sampled_from(DECIMALS) | st.sampled_from([1, 1.5, -1]),
        FieldType.BOOLEAN: st.booleans(),
        FieldType.DATE: st.sampled_from(DAYS) | st.sampled_from(DAY_EXPRESSIONS),
        FieldType.DATETIME: st.sampled_from(DAYS + TIMES) | st.sampled_from(DAY_EXPRESSIONS + TIME_EXPRESSIONS),
    }.get(kind, texts)


def values(field: DataField, operator: Operator, chosen: Chosen) -> st.SearchStrategy[Any]:
    """Values that an operator takes."""
    if operator.input.members and field.asks:
        return objects(operator.input, chosen[field.asks])
    if operator.input is Input.ANNIVERSARY:
        days = st.sampled_from(ANNIVERSARIES) | st.sampled_from(DAY_EXPRESSIONS)
        return st.none() | days | pairs(days)
    if operator.input is Input.AGES:
        return pairs(st.sampled_from(YEARS))
    one = singles(field)
    if operator.input.many:
        return st.lists(one, min_size=1, max_size=12)
    return pairs(one) if operator.input.pair else one


@st.composite
def objects(draw: st.DrawFn, input: Input, ids: list[str]) -> dict[str, Any]:
    """What the operators take that ask for other records: ids, in a range of time, so often."""
    value: dict[str, Any] = {"ids": draw(st.lists(st.sampled_from(ids), min_size=1, max_size=3, unique=True))}
    if "from" in input.members and draw(st.booleans()):
        times = st.sampled_from(["2017-03-01", "2017-03-12", "2017-03-26", "2017-03-27", "2017-04-10"])
        times |= st.sampled_from(TIMES) | st.sampled_from(DAY_EXPRESSIONS + TIME_EXPRESSIONS)
        low, high = draw(st.tuples(times | st.none(), times | st.none()).map(ordered))
        value |= {"from": low, "to": high}
    if "min" in input.members and draw(st.booleans()):
        value["min"] = draw(st.none() | st.integers(1, 4))
    return value


@st.composite
def criteria(draw: st.DrawFn, model: DataModel, chosen: Chosen | None = None) -> dict[str, Any]:
    """One criterion on any attribute that can be asked about, with any of its operators.

    Days and special operators each come as often as all attributes together: there is more to get wrong.
    """
    attributes = [*model.fields.values(), *model.attributes.values()]
    attributes = [one for one in attributes if chosen is not None or (one.asks is None and one.special is None)]
    days = [one for one in attributes if one.type in (FieldType.DATE, FieldType.DATETIME)]
    asking = [one for one in attributes if one.asks]
    field = draw(st.one_of(*(st.sampled_from(some) for some in (attributes, days, asking) if some)))
    operator = draw(st.sampled_from(operators_for(field)))
    criterion: dict[str, Any] = {"attribute": field.id, "operator": operator.id}
    if operator.input is Input.NONE:
        return criterion
    return {**criterion, "value": draw(values(field, operator, chosen or {}))}


def sets_of(one: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[list[dict[str, Any]]]]:
    """Filters: up to three sets of up to three criteria."""
    return st.lists(st.lists(one, min_size=1, max_size=3), min_size=1, max_size=3)


def kind_of(field: DataField, operator: str) -> str:
    """The type of an attribute, by which its operators differ, and the operator: "list of datetime contains"."""
    kind = f"list of {field.items}" if field.type == FieldType.LIST else str(field.type)
    return f"{'special' if field.filter_only or operator in SPECIAL else kind} {operator}"


SPECIAL: Final = frozenset({
    "in_group", "not_in_group", "in_segment", "not_in_segment", "reward_claimed", "reward_not_claimed",
    "activity_earned", "activity_not_earned", "action_taken", "action_not_taken", "item_purchased",
    "item_not_purchased",
})  # fmt: skip


def kinds_of(models: list[DataModel]) -> dict[str, tuple[str, str]]:
    """Every pair of type and operator of some models, each of which is to be met with both outcomes."""
    attributes = [one for model in models for one in (*model.fields.values(), *model.attributes.values())]
    return {
        kind_of(one, operator.id): ("true", "false")
        for one in attributes
        for operator in operators_for(one)
    }  # fmt: skip
