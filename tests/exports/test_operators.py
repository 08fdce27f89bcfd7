"""Every attribute has the operators of its type, and the manual names them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from exports.catalogue import FieldType, builtin, fields_of
from exports.operators import BY_SPECIAL, BY_TYPE, Input, operator_of, operators_for
from tests.exports.zoo import THINGS

DOCS = Path(__file__).parents[2] / "docs" / "filters.md"
EMPTY = ["is_empty", "is_not_empty"]
TEXT = ["equals", "not_equals", "contains", "not_contains", "starts_with", "ends_with", "in", "not_in", *EMPTY]
DATE = ["equals", "not_equals", "lt", "lte", "gt", "gte", "in_date", "anniversary", "age_range", *EMPTY]
EXPECTED = {
    FieldType.STRING: TEXT,
    FieldType.TEXT: TEXT,
    FieldType.ENUM: ["equals", "not_equals", "in", "not_in", *EMPTY],
    FieldType.REFERENCE: ["equals", "not_equals", "in", "not_in", *EMPTY],
    FieldType.INTEGER: ["equals", "not_equals", "lt", "lte", "gt", "gte", "between", "in", *EMPTY],
    FieldType.FLOAT: ["equals", "not_equals", "lt", "lte", "gt", "gte", "between", "in", *EMPTY],
    FieldType.BOOLEAN: ["equals", *EMPTY],
    FieldType.DATE: DATE,
    FieldType.DATETIME: DATE,
    FieldType.LIST: ["contains", "not_contains", "contains_any", "contains_all", *EMPTY],
    FieldType.JSON: ["has_key", "not_has_key", *EMPTY],
}
"""REFERENCE 2.2."""


@pytest.mark.parametrize("type", FieldType)
def test_a_type_has_the_operators_of_the_reference(type: FieldType) -> None:
    assert [one.id for one in BY_TYPE[type]] == EXPECTED[type]


def test_every_attribute_of_the_catalogue_has_operators() -> None:
    for model, field in fields_of(builtin()):
        assert operators_for(field), (model.id, field.id)


def test_every_operator_stands_in_the_manual() -> None:
    text = DOCS.read_text(encoding="utf-8")
    for operators in (*BY_TYPE.values(), *BY_SPECIAL.values()):
        for one in operators:
            assert f"`{one.id}`" in text
            assert one.label in text


def test_the_sentence_of_a_criterion_reads_as_one() -> None:
    for operators in BY_TYPE.values():
        assert len({one.label for one in operators}) == len(operators)
        assert all(one.label == one.label.strip().lower() for one in operators)


def test_an_operator_is_found_only_on_an_attribute_that_has_it() -> None:
    found = operator_of(THINGS.fields["count"], "between")
    assert found is not None
    assert found.input is Input.RANGE
    assert operator_of(THINGS.fields["name"], "between") is None
    assert operator_of(THINGS.fields["segments"], "in_segment") is not None
