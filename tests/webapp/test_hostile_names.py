"""Hostile names and time zones: one answer each as a definition, at the command line and in the wizard."""

from __future__ import annotations

import unicodedata

from tests.fix_app import stores
from tests.fix_hostile import Ways, group, is_storable, shown
from tests.fix_pages import check

STORES = stores().as_json()


def test_a_hostile_name_has_one_answer(ways: Ways) -> None:
    ways.begin("stores")
    for value, is_refused in group("export_name"):
        told = ways.told_alike({**STORES, "name": value})
        assert bool(told) == is_refused, shown(value)
        where, sentences = ways.by_form("localization", {"name": value})
        assert sentences == [sentence for _code, sentence in told], shown(value)
        assert where == ("on" if not told else "here" if is_storable(value) else "refused"), shown(value)
        if where != "refused":
            assert ways.tab.typed.name == value, "kept as it was typed"


def test_a_hostile_name_is_shown_as_it_is_and_does_nothing(ways: Ways) -> None:
    ways.begin("stores")
    for value, is_refused in group("export_name"):
        if not is_refused:
            ways.by_form("localization", {"name": value})
            ways.tab.open("localization")
            assert ways.tab.value("name") == value
            for step in ("localization", "check"):
                ways.tab.open(step)
                page = check(ways.tab.html)  # no tag, no handler of the name's own
                assert " ".join(value.split()) in page.text or value in page.inputs.values(), shown(value)


def test_a_name_over_its_cap_is_refused_everywhere_and_the_former_one_stays(ways: Ways) -> None:
    ways.begin("stores")
    ways.by_form("localization", {"name": "é" * 200})
    told = ways.told_alike({**STORES, "name": "é" * 201})
    assert told == [("shape.string_too_long", "The name is longer than 200 characters")]
    assert ways.by_form("localization", {"name": "é" * 201}) == ("refused", [told[0][1]])
    assert ways.tab.typed.name == "é" * 200


def test_a_name_is_kept_without_silent_normalisation() -> None:
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "árvíztűrő")
        assert stores(name=name).name == name


def test_a_hostile_time_zone_has_one_answer(ways: Ways) -> None:
    ways.begin("stores")
    for value, is_refused in group("time_zone"):
        assert is_refused
        told = ways.told_alike({**STORES, "timezone": value})
        assert len(told) == 1, shown(value)
        where, sentences = ways.by_form("localization", {"name": "Stores", "timezone": value})
        assert sentences == [told[0][1]], shown(value)
        assert where == ("here" if is_storable(value) else "refused"), shown(value)


def test_with_a_zone_that_is_none_the_other_steps_go_on_working(ways: Ways) -> None:
    ways.begin("stores")
    ways.by_form("localization", {"name": "Stores", "timezone": "FOO5BAR"})
    for step in ("filters", "fields", "check"):
        ways.tab.open(step)
        assert ways.tab.status == 200
    ways.tab.open("check")
    ways.tab.press("create")
    assert "Choose a time zone from the list" in ways.tab.text
