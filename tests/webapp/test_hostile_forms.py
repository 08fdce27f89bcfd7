"""What only a form can be given: invented inputs, names that stand twice, buttons that are not there."""

from __future__ import annotations

import tracemalloc

import psycopg
import pytest

from tests.fix_hostile import Inputs, Pairs, Ways
from tests.fix_pages import check

INVENTED = {
    "filters": [
        "filters[99999999][value]", "filters[-1][value]", "filters[__proto__][x]", "filters-A-0-value",
        "filters-A--1-value", "filters-A-99999999-value", "filters-ZZZZ-1-value", "filters-a-1-value",
        "filters-A-1-__class__", "filters-A-1", "filters", "rev[]", "model", "name", "filters-Ａ-1-value",
        "filters-A-１-value",
    ],
    "fields": ["fields-0-to", "fields-99999-to", "fields-1-__class__", "fields-1-replace-0-value", "fields-1"],
    "file": ["file-delimiter", "format", "path"],
}  # fmt: skip
BUTTONS = {
    "filters": [
        "rm:A9", "rm:ZZZ999", "and:é", "add:__class__", "rm-set:", "nonsense", "__init__", "rm:\ud800", "\x00",
        "x" * 5_000,
    ],
    "fields": ["up:0", "up:99999999999999999999", "rm:-1", "rep-rm:1", "open:x"],
    "schedule": ["and:A"],
}  # fmt: skip


@pytest.fixture
def events(ways: Ways) -> Ways:
    """Somebody who has begun an export of events."""
    ways.begin("events")
    return ways


def refused(ways: Ways, pairs: Pairs) -> str:
    """Post these on the step that is open: the form is refused and the draft as it was; what the page says."""
    former = ways.tab.typed
    answer = ways.send_pairs(pairs)
    assert answer.status_code == 422, pairs
    assert ways.tab.typed == former
    return check(answer.get_data(as_text=True), whole=not ways.tab.by_htmx).text


def test_an_input_that_the_step_has_not_is_refused_by_name(events: Ways) -> None:
    for step, names in INVENTED.items():
        events.tab.open(step)
        for name in names:
            assert f"{name} is no input of this step" in refused(events, [(name, "x"), ("op", "next")])


def test_nothing_is_allocated_for_a_position_that_somebody_invents(events: Ways) -> None:
    events.tab.open("filters")
    tracemalloc.start()
    refused(events, [("filters-A-1-attribute", "action"), ("filters-A-99999999-value", "x")])
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_an_input_that_is_given_twice_is_refused(events: Ways) -> None:
    events.tab.open("filters")
    for name in ("filters-A-1-value", "filters-A-1-attribute", "rev", "tab", "op"):
        pairs = [("op", "next"), ("filters-A-1-attribute", "action"), ("filters-A-1-value", "a"), (name, "b")]
        assert f"{name} is given more than once" in refused(events, pairs)


def test_a_button_that_is_not_there_does_nothing(events: Ways) -> None:
    for step, ops in BUTTONS.items():
        events.tab.open(step)
        for op in ops:
            refused(events, [("op", op)])


def test_a_revision_that_makes_no_sense_is_a_conflict_and_no_loss(events: Ways) -> None:
    tab = events.tab
    tab.open("localization")
    for rev in ("", "0", "-1", "99999999999", "x", "1.0"):
        inputs = {"csrf_token": tab.value("csrf_token"), "rev": rev, "tab": "x", "name": "Mine", "op": "next"}
        answer = tab.client.post(tab.form.action, data=inputs)
        assert answer.status_code == 409, rev
        assert tab.typed.name == ""
        assert 'value="Mine"' in answer.get_data(as_text=True)


def criterion(attribute: str, operator: str, **values: str) -> Inputs:
    """The inputs of one criterion."""
    parts = {"attribute": attribute, "operator": operator, **values}
    return {f"filters-A-1-{part}": text for part, text in parts.items()}


def test_an_attribute_that_is_not_there_makes_no_criterion(events: Ways) -> None:
    for attribute in ("id) OR (1=1", "__class__"):
        told = events.by_form("filters", criterion(attribute, "equals", value="x"))
        assert told == ("here", [f"Events has no attribute {attribute}"])


def test_an_operator_that_the_attribute_has_not_is_none_that_was_chosen(events: Ways) -> None:
    for operator in ("; DROP TABLE x", "in_segment", "__class__"):
        events.by_form("filters", criterion("source", operator, value="x"))
        assert events.tab.typed.sets[0][0].operator == "equals"


def test_a_segment_of_another_brand_is_as_unknown_as_any(ways: Ways, source_dsn: str) -> None:
    theirs = "SELECT id FROM loyalty.segments WHERE brand = 'alpine' ORDER BY id LIMIT 1"
    with psycopg.connect(source_dsn) as connection:
        [alpine] = connection.execute(theirs).fetchone()  # type: ignore[misc]
    ways.begin("customers")
    for segment in (alpine, "nobody-has-this-one"):
        told = ways.by_form("filters", criterion("segments", "in_segment", values=segment))
        assert told == ("here", [f"There is no segment {segment}"])


@pytest.mark.parametrize("field", ["customers.password_hash", "__class__", "x" * 100, "'; --"])
def test_a_field_that_is_not_in_the_catalogue_is_told(events: Ways, field: str) -> None:
    assert events.by_form("fields", {"fields-1-from": field}) == ("here", [f"Events has no field {field}"])


MUCH = b"x" * 1_100_000
TOO_LARGE = {
    "application/x-www-form-urlencoded": b"name=" + MUCH,
    "multipart/form-data; boundary=B": b'--B\r\nContent-Disposition: form-data; name="name"\r\n\r\n'
    + MUCH
    + b"\r\n--B--",
}


def test_a_request_that_is_too_large_is_answered_by_a_page_that_says_so(events: Ways) -> None:
    tab = events.tab
    tab.open("localization")
    headers = tab._headers("step") if tab.by_htmx else {}
    for content_type, body in TOO_LARGE.items():
        answer = tab.client.post(tab.form.action, headers=headers, data=body, content_type=content_type)
        assert answer.status_code == 413
        text = answer.get_data(as_text=True)
        said = text if tab.by_htmx else check(text).text
        assert "That is too much at once" in said
        assert "Send less than 1 MB at a time." in said
    assert tab.typed.name == ""


def test_a_large_request_that_is_legal_is_read(events: Ways) -> None:
    """500 headers of 180 letters that are not ASCII: over the half megabyte that Flask takes for itself."""
    inputs = {}
    for place in range(1, 501):
        inputs |= {f"fields-{place}-from": "points", f"fields-{place}-to": f"{place}" + "é" * 180}
    assert events.by_form("fields", inputs) == ("on", [])
