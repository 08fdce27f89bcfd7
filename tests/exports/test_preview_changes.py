"""What stood in a cell that Replace values or Default changed, read in the preview's own statement (UX section 3.4)."""

from __future__ import annotations

from typing import Any

import pytest

from exports import preview
from exports.definition import Definition
from exports.preview import Preview
from tests.exports.zoo import FIELDS, Zoo, definition

ROWS: list[dict[str, Any]] = [
    {"id": "1", "name": "plain", "kind": "a", "count": 5, "amount": "1.50", "ratio": 0.1, "flag": True,
     "day": "2017-01-01", "at": "2017-01-01 12:00:00.9+00", "tags": ["x", "y"], "title": {"en": "One"},
     "data": {"a": None}, "properties": {"text": "=1", "whole": "a word", "number": 2.50, "flag": False}},
    {"id": "2", "name": "", "properties": {"text": ""}},
    {"id": "3", "name": 'a "quoted",\n|line\x01', "count": 7, "flag": False, "properties": {"day": "2017-01-01"}},
]  # fmt: skip


def shown(zoo: Zoo, wanted: Definition) -> Preview:
    """The first rows with what was changed in them."""
    found = preview.first_rows(zoo.query(wanted).with_raws, zoo.source, expected=1)
    assert found is not None
    return found


def plain(zoo: Zoo, wanted: Definition) -> tuple[tuple[str, ...], ...]:
    """The same rows of a file in which nothing is changed."""
    fields = tuple(one.model_copy(update={"default": "", "replace": ()}) for one in wanted.fields)
    found = preview.first_rows(zoo.query(wanted.model_copy(update={"fields": fields})), zoo.source, expected=1)
    assert found is not None
    return found.rows


@pytest.mark.parametrize("extension", ["csv", "psv", "json", "jsonl"])
@pytest.mark.parametrize("field", [one.id for one in FIELDS if one.special is None])
def test_a_cell_is_marked_if_and_only_if_the_file_without_changes_has_another_text(
    zoo: Zoo, field: str, extension: str
) -> None:
    zoo.fill(ROWS)
    first = plain(zoo, definition(fields=["id", field]))[0][1]
    replace = [{"value": first or "nothing", "new": "changed"}, {"value": "7", "new": "7"}]
    wanted = definition(
        fields=["id", {"from": field, "default": "empty", "replace": replace}], file={"extension": extension}
    )
    before, now = plain(zoo, wanted), shown(zoo, wanted)
    expected = [{1: old} if old != new else {} for (_, old), (_, new) in zip(before, now.rows, strict=True)]
    assert list(now.was) == expected
    assert any(expected)


def test_what_is_replaced_by_nothing_is_changed_and_what_is_replaced_by_itself_is_not(zoo: Zoo) -> None:
    zoo.fill(ROWS)
    replace = [{"value": "plain", "new": ""}, {"value": 'a "quoted",\n|line\x01', "new": 'a "quoted",\n|line\x01'}]
    assert shown(zoo, definition(fields=[{"from": "name", "replace": replace}])).was == ({0: "plain"}, {}, {})


@pytest.mark.parametrize("enclosure", ['"', "'", None])
def test_what_was_stored_is_told_whatever_characters_it_holds(zoo: Zoo, enclosure: str | None) -> None:
    text = "a, \"b\"\t'c'\r\nd \\. é"
    zoo.fill([{"id": "1", "name": text}])
    wanted = definition(
        fields=["id", {"from": "name", "to": "N", "replace": [{"value": text, "new": "short"}]}],
        file={"enclosure": enclosure},
    )
    found = shown(zoo, wanted)
    assert found.rows == (("1", "short"),)
    assert found.was == ({1: text},)


def test_only_columns_that_can_change_are_read_twice(zoo: Zoo) -> None:
    query = zoo.query(definition(fields=["id", "name", {"from": "count", "default": "0"}]))
    assert len(query.with_raws.rows.selected_columns) == 4
    unchanged = zoo.query(definition(fields=["id", "name"]))
    assert unchanged.with_raws is unchanged


def test_the_spreadsheet_guard_is_no_change_of_a_persons(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "name": "=1+1"}])
    wanted = definition(fields=["id", {"from": "name", "default": "none"}], file={"protect_spreadsheets": True})
    found = shown(zoo, wanted)
    assert found.rows == (("1", "'=1+1"),)
    assert found.was == ({},)


def test_of_groups_the_results_that_were_empty_are_marked(zoo: Zoo) -> None:
    zoo.fill([{"id": "1", "kind": "a", "count": 5}, {"id": "2", "kind": "b"}, {"id": "3", "kind": "b"}])
    wanted = definition(
        aggregation=True,
        fields=[
            {"from": "kind", "aggregation": "group", "replace": [{"value": "a", "new": "first"}]},
            {"from": "count", "aggregation": "sum", "default": "0"},
            {"from": "id", "aggregation": "count", "default": "0"},
        ],
    )
    found = shown(zoo, wanted)
    assert found.rows == (("b", "0", "2"), ("first", "5", "1"))
    assert found.was == ({1: ""}, {})
