"""From a definition back to what is typed: Clone and Edit lose nothing, whatever the definition says."""

from __future__ import annotations

import json
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports import aggregation, schedule
from exports.catalogue import DataModel
from exports.criteria import read
from exports.definition import Criterion, Definition, parse
from tests.exports.questions import ZONES, criteria, sets_of
from tests.exports.twelve import CATALOGUE, CHOSEN
from webapp.services.drafts import Typed, TypedCriterion, document, filled

MODELS: Final = sorted(CATALOGUE.models)
TEXTS: Final = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)
ODD_VALUES: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(-1e9, 1e9) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ids", "from", "x"]), inner),
    max_leaves=5,
)
"""What no wizard makes; whatever was stored comes back as it was."""


def odd_criteria(model: DataModel) -> st.SearchStrategy[dict[str, Any]]:
    """Attributes and operators that may be gone, with values of any shape."""
    ids = st.sampled_from([*model.fields, "gone", "group_id"])
    operators = st.sampled_from(["equals", "in", "between", "anniversary", "in_group", "age_range", "is_empty", "gone"])
    return st.fixed_dictionaries({"attribute": ids, "operator": operators}, optional={"value": ODD_VALUES})


def columns(model: DataModel, aggregated: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Columns of a model, one that is gone among them."""
    pairs = st.fixed_dictionaries({"value": TEXTS.filter(bool), "new": TEXTS})
    shape: dict[str, Any] = {
        "from": st.sampled_from([*model.fields, "gone"]),
        "to": TEXTS,
        "default": TEXTS,
        "replace": st.lists(pairs, max_size=3),
    }
    if aggregated:
        shape["aggregation"] = st.sampled_from([*aggregation.LABELS])
    return st.fixed_dictionaries(shape)


FILES: Final = st.one_of(
    st.fixed_dictionaries(
        {
            "extension": st.just("csv"),
            "delimiter": st.sampled_from([",", ";", "\t", "|", " ", "#", "~"]),
            "enclosure": st.sampled_from(['"', "'", None]),
            "newline": st.sampled_from(["\n", "\r\n", "\r"]),
            "header": st.booleans(),
            "bom": st.booleans(),
            "protect_spreadsheets": st.booleans(),
            "times": st.sampled_from(["local", "iso"]),
        }
    ),
    st.fixed_dictionaries(
        {"extension": st.just("psv"), "header": st.booleans(), "protect_spreadsheets": st.booleans()}
    ),
    st.fixed_dictionaries(
        {"extension": st.sampled_from(["json", "jsonl"]), "times": st.sampled_from(["local", "iso"])}
    ),
)
OF_A_DAY: Final = {"hours": st.sampled_from(["*", "1,13", "6", "0, 5"]), "minutes": st.sampled_from(["*", "0", "7,8"])}
LOCAL: Final = {"timezone": st.sampled_from([None, "Europe/Budapest", "Pacific/Apia"])}
SCHEDULES: Final = st.one_of(
    st.just({"type": "now"}),
    st.fixed_dictionaries(
        {
            "type": st.just("on_date"),
            "at": st.sampled_from(["2030-12-01T08:00:00Z", "2030-12-01T08:00:30Z", "2031-03-30T02:30:00+05:45"]),
            **LOCAL,
        }
    ),
    st.fixed_dictionaries({"type": st.just("repeated"), "every": st.just("day"), **OF_A_DAY, **LOCAL}),
    st.fixed_dictionaries(
        {
            "type": st.just("repeated"),
            "every": st.just("week"),
            "days": st.lists(st.sampled_from(schedule.shape.WEEKDAYS), min_size=1, max_size=7),
            **OF_A_DAY,
            **LOCAL,
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("repeated"),
            "every": st.just("month"),
            "days": st.lists(st.integers(1, 31) | st.just("last"), min_size=1, max_size=5),
            **OF_A_DAY,
            **LOCAL,
        }
    ),
)


@st.composite
def definitions(draw: st.DrawFn) -> Definition:
    """Anything that can be saved, and some that could once: of every model, with every operator, file and schedule."""
    model = CATALOGUE.models[draw(st.sampled_from(MODELS))]
    aggregated = draw(st.booleans())
    all_fields = not aggregated and draw(st.booleans())
    return parse(
        {
            "name": draw(TEXTS).strip(),
            "model": draw(st.sampled_from([model.id, model.id, model.id, "gone"])),
            "timezone": draw(st.sampled_from(ZONES)),
            "filters": draw(sets_of(criteria(model, CHOSEN) | odd_criteria(model))),
            "aggregation": aggregated,
            "all_fields": all_fields,
            "fields": [] if all_fields else draw(st.lists(columns(model, aggregated), max_size=4)),
            "file": draw(FILES),
            "schedule": draw(SCHEDULES),
        }
    )


def again(typed: Typed) -> Definition:
    """The definition of a draft that was stored and read in between."""
    return parse(document(Typed.model_validate_json(typed.model_dump_json()), CATALOGUE))


@settings(max_examples=150)
@given(definitions())
def test_a_definition_comes_back_from_its_draft_as_it_was(definition: Definition) -> None:
    back = again(filled(definition, CATALOGUE.models.get(definition.model)))
    assert back == definition
    assert json.dumps(back.as_json()) == json.dumps(definition.as_json())


@settings(max_examples=150)
@given(st.data())
def test_the_inputs_say_what_the_criterion_means(data: st.DataObject) -> None:
    """Also without what is kept beside them: what is read on the page is what is filtered by."""
    model = CATALOGUE.models[data.draw(st.sampled_from(MODELS))]
    criterion = data.draw(criteria(model, CHOSEN))
    base = {"name": "x", "model": model.id, "timezone": "UTC", "filters": [[criterion]], "fields": []}
    typed = filled(parse(base), model)
    shown = typed.with_(sets=((typed.sets[0][0].with_(original=""),),))
    texts = json.dumps(criterion.get("value"))
    if "\\n" in texts or "\\r" in texts or _has_outer_spaces(criterion.get("value")):
        return  # an input of one line holds no line ends, and a list no spaces around its values
    assert read(again(shown).filters[0][0], model) == read(Criterion(**criterion), model)


def _has_outer_spaces(value: Any) -> bool:
    entries = value if isinstance(value, list) else [value]
    return any(isinstance(one, str) and one != one.strip() for one in entries)


def customers(attribute: str, operator: str, value: Any) -> Typed:
    """The draft of a definition with one criterion about customers."""
    criterion = {"attribute": attribute, "operator": operator, "value": value}
    return filled(
        parse({"name": "x", "model": "customers", "timezone": "UTC", "filters": [[criterion]]}),
        CATALOGUE.models["customers"],
    )


def with_inputs(typed: Typed, **inputs: Any) -> TypedCriterion:
    """The criterion after somebody typed into it."""
    return typed.sets[0][0].with_(**inputs)


@pytest.mark.parametrize(
    ("before", "inputs", "after"),
    [
        (("_id", "in", ["a", "b, c"]), {"value": 'a\r\n"b, c"'}, ["a", "b, c"]),
        (("_id", "in", ["a", "b, c"]), {"value": 'a\r\n"b, c"\r\nd'}, ["a", "b, c", "d"]),
        (("_id", "in", [" a "]), {"value": "a"}, ["a"]),
        (("_id", "equals", "a\nb"), {"value": "ab"}, "a\nb"),
        (("_id", "equals", "a\nb"), {"value": "abc"}, "abc"),
        (("score", "between", ["1", 2.5]), {}, ["1", 2.5]),
        (("score", "between", ["1", 2.5]), {"high": "3"}, [1, 3]),
        (("segments", "in_segment", {"ids": ["x", "y"]}), {"values": ("y", "x")}, {"ids": ["x", "y"]}),
        (("segments", "in_segment", {"ids": ["x", "y"]}), {"values": ("y",)}, {"ids": ["y"]}),
    ],
    ids=lambda one: str(one),
)
def test_what_the_inputs_cannot_say_holds_until_somebody_types(
    before: tuple[str, str, Any], inputs: dict[str, Any], after: Any
) -> None:
    typed = customers(*before)
    changed = again(typed.with_(sets=((with_inputs(typed, **inputs),),)))
    assert changed.filters[0][0].value == after


def test_a_criterion_with_another_operator_forgets_what_it_was() -> None:
    typed = customers("score", "between", ["1", 2.5])
    changed = again(typed.with_(sets=((with_inputs(typed, operator="gt", value="7"),),)))
    assert changed.filters[0][0] == Criterion(attribute="score", operator="gt", value=7)
