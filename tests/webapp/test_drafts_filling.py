"""From a definition back to what is typed: Clone and Edit lose nothing, whatever the definition says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exports.criteria import read
from exports.definition import Criterion, Definition, parse
from tests.definitions import MODELS, definitions
from tests.exports.questions import criteria
from tests.exports.twelve import CATALOGUE, CHOSEN
from webapp.services.drafts import Typed, TypedCriterion, document, filled


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
