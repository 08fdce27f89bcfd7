"""Hostile choices of the file's format: one answer each, wherever they are given."""

from __future__ import annotations

from typing import Any

from tests.fix_app import stores
from tests.fix_hostile import Inputs, Ways, group, is_storable, shown


def case(value: str) -> tuple[str, dict[str, Any], Inputs]:
    """Model, member `file` and inputs of an entry, which without a name speaks of the delimiter."""
    if value == "format=json for a model without JSON":
        # Every model has json (SPEC section 3.5); what there is, is a model that has nothing else.
        return "challenges", {"extension": "csv"}, {"extension": "csv"}
    part, is_named, text = value.partition("=")
    if not is_named:
        return "stores", {"delimiter": value}, {"delimiter": "other", "delimiter_other": value}
    if part == "enclosure":
        return "stores", {"enclosure": text}, {"enclosure": text}
    return "stores", {"extension": text}, {"extension": text}


def test_a_hostile_format_has_one_answer(ways: Ways) -> None:
    for value, is_refused in group("format"):
        model, file, inputs = case(value)
        filters = [[{"attribute": "id", "operator": "is_not_empty"}]]
        made = {**stores(filters=filters, fields=[{"from": "id"}]).as_json(), "model": model, "file": file}
        told = ways.told_alike(made)
        assert bool(told) == is_refused, shown(value)
        ways.begin(model)
        where, sentences = ways.by_form("file", inputs)
        assert sentences == [sentence for _code, sentence in told], shown(value)
        assert where == ("on" if not told else "here" if is_storable(value) else "refused"), shown(value)


def test_every_accepted_delimiter_parts_the_cells_of_a_run(ways: Ways) -> None:
    for value, is_refused in group("format"):
        if not is_refused:
            head = ways.run({**stores().as_json(), "file": {"delimiter": value}}).split(b"\n")[0]
            assert head == f"Store{value}name".encode()
