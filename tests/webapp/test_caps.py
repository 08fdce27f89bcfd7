"""The caps of SPEC section 5 at their edge: as much works from the wizard to the file, one more has its own message."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.fix_app import stores
from tests.fix_hostile import Inputs, Ways
from webapp.services.drafts.inputs import column, criterion, replacement

ALL = [[{"attribute": "id", "operator": "is_not_empty"}]]
SOME: dict[str, Any] = {"fields": [{"from": "id"}], "filters": ALL}


@dataclass(frozen=True)
class Cap:
    """`made(n)`: members of a definition with n of what is counted. At most `most`; one more says `sentence`."""

    most: int
    made: Callable[[int], dict[str, Any]]
    code: str
    sentence: str


def criteria(number: int) -> dict[str, Any]:
    """So many criteria, half of them in the first set."""
    rows = [{"attribute": "name", "operator": "not_equals", "value": f"n{n}"} for n in range(number)]
    return {"filters": [rows[: number // 2], rows[number // 2 :]]}


def columns(number: int) -> dict[str, Any]:
    """So many fields, the same again and again."""
    return {"fields": [{"from": "id", "to": f"c{n}"} for n in range(number)]}


def replaced(*numbers: int) -> dict[str, Any]:
    """Fields with so many replacements each."""
    pairs = [[{"value": str(n), "new": "x"} for n in range(number)] for number in numbers]
    return {"fields": [{"from": "id", "to": f"c{place}", "replace": one} for place, one in enumerate(pairs)]}


def listed(number: int) -> dict[str, Any]:
    """A list of so many values."""
    return {"filters": [[{"attribute": "id", "operator": "not_in", "value": [f"v{n}" for n in range(number)]}]]}


def long(number: int) -> dict[str, Any]:
    """A value of so many characters."""
    return {"filters": [[{"attribute": "name", "operator": "not_equals", "value": "é" * number}]]}


def defaults(number: int) -> dict[str, Any]:
    """Defaults of so many bytes in all; the one criterion has no value."""
    whole, rest = divmod(number, 1_000)
    return {
        "fields": [{"from": "name", "to": f"c{n}", "default": "x" * (1_000 if n < whole else rest)} for n in range(65)]
    }


CAPS = {
    "criteria": Cap(100, criteria, "filters.too_many", "At most 100 criteria"),
    "fields": Cap(500, columns, "shape.too_long", "At most 500 fields"),
    "replacements in a field": Cap(500, replaced, "shape.too_long", "At most 500 values to replace in one field"),
    "replacements in all": Cap(
        2_000, lambda n: replaced(500, 500, 500, n - 1_500 - n % 500 or 1, n % 500), "replace.too_many",
        "At most 2,000 values to replace in all fields",
    ),
    "values in a list": Cap(1_000, listed, "value.list_too_long", "A list has at most 1,000 values"),
    "characters in a value": Cap(1_000, long, "value.too_long", "A value has at most 1,000 characters"),
    "bytes of values": Cap(64_000, defaults, "values.too_large", "All values together have at most 64,000 bytes"),
}  # fmt: skip


def document(cap: Cap, number: int) -> dict[str, Any]:
    """A definition with so many."""
    return {**stores().as_json(), **SOME, **cap.made(number)}


def inputs_of(made: dict[str, Any]) -> Iterator[tuple[str, Inputs]]:
    """The steps that make a definition in the wizard, and what is typed in each."""
    yield "localization", {"name": made["name"]}
    typed = {}
    for place, set_ in enumerate(made["filters"]):
        for position, one in enumerate(set_):
            value = one.get("value", "")
            typed[criterion(place, position, "attribute")] = one["attribute"]
            typed[criterion(place, position, "operator")] = one["operator"]
            if "value" in one:
                typed[criterion(place, position, "value")] = ", ".join(value) if isinstance(value, list) else value
    yield "filters", typed
    chosen = {}
    for place, one in enumerate(made["fields"]):
        chosen |= {column(place, part): one[part] for part in ("from", "to", "default") if part in one}
        for row, pair in enumerate(one.get("replace", [])):
            chosen |= {replacement(place, row, end): pair[end] for end in ("value", "new")}
    yield "fields", chosen


@pytest.mark.parametrize("name", CAPS)
def test_as_much_as_is_allowed_works_from_the_wizard_to_the_file(plain_ways: Ways, name: str) -> None:
    ways, cap = plain_ways, CAPS[name]
    made = document(cap, cap.most)
    assert ways.told_alike(made) == []
    ways.begin("stores")
    for step, inputs in inputs_of(made):
        assert ways.by_form(step, inputs) == ("on", []), step
    for step in ("file", "schedule", "target"):
        assert ways.by_form(step, {})[0] == "on"
    typed = ways.definition_shown()
    assert [len(set_) for set_ in typed["filters"]] == [len(set_) for set_ in made["filters"]]
    assert len(typed["fields"]) == len(made["fields"])
    assert ways.run({**typed, "file": made["file"]}) == ways.run(made)
    preview = ways.tab.client.get(f"/drafts/{ways.tab.draft_id}/fields/preview")
    assert preview.status_code == 200
    assert made["fields"][-1].get("to", "id") in preview.get_data(as_text=True)


@pytest.mark.parametrize("name", CAPS)
def test_one_more_has_its_own_message_everywhere_and_is_not_stored(ways: Ways, name: str) -> None:
    cap = CAPS[name]
    made = document(cap, cap.most + 1)
    assert ways.told_alike(made) == [(cap.code, cap.sentence)]
    ways.begin("stores")
    answers = [ways.by_form(step, inputs) for step, inputs in inputs_of(made)]
    assert ("refused", [cap.sentence]) in answers
