"""Records that are searched while a value is typed: by name, of the own brand, personal ones only with the right."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import psycopg
import pytest
from flask import render_template

from exports.catalogue import builtin
from exports.choices import Choice, Found, find
from exports.source.postgresql import PostgresSource
from tests.fix_pages import check
from tests.webapp.test_wizard_filters import at_filters, choose, documented
from tests.webapp.test_wizard_previews import all_previews_busy
from webapp.services.choices import Offer

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]


def search(wizard: Wizard, attribute: str, text: str = "") -> tuple[list[tuple[str, str]], str]:
    """Ids and names that are found, and everything that can be read."""
    answer = wizard.client.get(
        f"/drafts/{wizard.draft_id}/choices/{attribute}", query_string={"q": text}, headers={"HX-Request": "true"}
    )
    assert answer.status_code == 200
    page = answer.get_data(as_text=True)
    found = re.findall(r'<li role="option"[^>]* data-id="([^"]*)" data-name="([^"]*)"', page)
    return found, check(page, whole=False).text


def test_products_are_found_by_a_part_of_their_name_and_the_others_are_counted(
    tab: Tab, people: People, source_dsn: str
) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    found, words = search(someone, "purchases", "MILK")
    assert len(found) == 20
    assert all("milk" in name.lower() for _id, name in found)
    with psycopg.connect(source_dsn) as source:
        wanted = (
            "select count(*) from loyalty.products where brand = 'maple' and (title ilike '%milk%' or id like '%milk%')"
        )
        [total] = source.execute(wanted).fetchone() or [0]
    assert f"Type more to narrow {total - 20:,} others" in words
    assert f"20 of {total:,} found" in words


def test_a_record_is_found_by_its_whole_id_before_all_others(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    with psycopg.connect(source_dsn) as source:
        wanted = "select id, title from loyalty.products where brand = 'maple' order by id desc limit 1"
        product = source.execute(wanted).fetchone()
    assert search(someone, "purchases", product[0] if product else "")[0][0] == product


def test_percent_signs_and_quotes_are_looked_for_as_they_are(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    for text in ("%", "_%_", "'; drop", "\\", "\x00 ", "🛒" * 300):
        found, words = search(someone, "rewards", text)
        if text.strip("\x00 "):
            assert found == []
            assert "No reward is called like" in words
        else:
            assert found


def test_groups_stand_behind_the_ones_they_are_part_of(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    found, _words = search(someone, "group_id", "campaign 13")
    assert [name for _id, name in found] == ["Campaigns of type a › Campaign 13 (Type A)"]


def test_archived_segments_are_not_found(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    with psycopg.connect(source_dsn) as source:
        wanted = "select name, status from loyalty.segments where brand = 'maple'"
        there = {name: status in ("active", "inactive") for name, status in source.execute(wanted)}
    found = {name for _id, name in search(someone, "segments")[0]}
    assert found == {name for name, usable in there.items() if usable}
    known = builtin()
    nobody = {**known.roles, "segments": {**known.roles["segments"], "status": "name"}}
    table, source_ = known.references["segments"], PostgresSource(source_dsn)
    strict = dataclasses.replace(known, roles=nobody)
    assert find("", table, strict, source_, "maple").choices == (), "no segment has a status of that name"
    [one, *_more] = find("", table, known, source_, "maple").choices
    assert find(one.id, table, strict, source_, "maple").choices == (), "nor by its id"


def test_a_search_while_all_connections_are_in_use_says_so(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    with all_previews_busy(people.exporter):
        found, words = search(someone, "rewards")
    assert found == []
    assert "Other previews use all connections that there are for them. Try again in a moment." in words
    assert search(someone, "rewards")[0]


def test_actions_are_found_by_their_labels(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "webhook_logs")
    found, words = search(someone, "customer.action_history", "checkout")
    assert ("checkout_item", "Checkout item") in found
    assert "others" not in words


def test_an_action_of_the_brands_own_is_chosen_as_it_is_typed(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    found, words = search(someone, "action_history", " Club_Visit% ")
    assert found == [("Club_Visit%", "Club_Visit%")]
    assert "of the list is called like this: choose it as it is typed" in words
    choose(someone, "action_history", "action_taken")
    someone.fill(filters__A__1__find="Club_Visit%")
    someone.press("find:A1")
    assert "Not in the list. Press it to take it as it is typed." in someone.text
    someone.press("take:A1:Club_Visit%")
    [[one]] = someone.typed.sets
    assert (one.values, one.find) == (("Club_Visit%",), "")


def test_only_the_own_brands_records_are_found(tab: Tab, people: People, source_dsn: str) -> None:
    from webapp.extensions import db

    for person in (people.exporter, people.stranger):
        with person.at_work() as user:
            user.brand.modules = sorted(builtin().modules)
            db.session.commit()
    ours, theirs = tab(people.exporter), tab(people.stranger)
    at_filters(ours, "customers")
    at_filters(theirs, "customers")
    for attribute in ("purchases", "group_id", "segments", "rewards", "activities"):
        mine, foreign = search(ours, attribute)[0], search(theirs, attribute)[0]
        assert mine
        assert foreign
        assert not set(mine) & set(foreign), attribute
    [(id, _name), *_rest] = search(ours, "rewards")[0]
    assert search(theirs, "rewards", id)[0] == []
    assert theirs.client.get(f"/drafts/{ours.draft_id}/choices/rewards").status_code == 404


def test_an_attribute_without_choices_has_none(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    for attribute in ("email", "nothing", "birth_date"):
        assert someone.client.get(f"/drafts/{someone.draft_id}/choices/{attribute}").status_code == 404


def test_personal_records_are_shown_to_those_who_may_export_them(people: People, source_dsn: str) -> None:
    from webapp.services import choices, drafts

    known = builtin()
    by_email = dataclasses.replace(known.references["customers"], name="email")
    catalogue = dataclasses.replace(known, references={**known.references, "customers": by_email})
    field = known.models["events"].fields["customer"]
    with people.exporter.at_work() as user:
        draft = drafts.start(user, known.models["events"])
        user.export_pii = False
        offer = choices.offered(user, draft, catalogue, field, "")
        assert offer is not None
        told = render_template("wizard/swaps/options.html", offer=offer, wanted="")
        assert told.count(offer.trouble) == 2, "it is read and said aloud"
        assert "Nothing found" not in told
        assert offer.found.choices == ()
        assert offer.trouble == "You need the right to export personal fields to see these. Type the ID."
        assert choices.named(user, catalogue, {field: ["1"]}) == {}
        user.export_pii = True
        offer = choices.offered(user, draft, catalogue, field, "")
        assert offer is not None
        assert len(offer.found.choices) == 20
        assert "@" in choices.named(user, catalogue, {field: ["1"]})["customers"]["1"].name


def test_one_other_is_one(app: Flask) -> None:
    offer = Offer("Store", Found((Choice("1", "Main"),), 1))
    with app.test_request_context():
        assert "Type more to see 1 other</p>" in render_template("wizard/swaps/options.html", offer=offer, wanted="m")


def test_a_table_without_end_is_looked_through_in_part_and_ids_are_still_found(source_dsn: str) -> None:
    known, source = builtin(), PostgresSource(source_dsn)
    table = known.references["products"]
    with psycopg.connect(source_dsn) as rows:
        wanted = "select id from loyalty.products where brand = 'maple' order by ctid desc limit 1"
        [last] = rows.execute(wanted).fetchone() or [""]
    found = find("", table, known, source, "maple", scanned=10)
    assert (len(found.choices), found.more) == (10, None), "how many others there are is not known"
    assert find("no such product", table, known, source, "maple", scanned=10) == Found((), None)
    with psycopg.connect(source_dsn) as rows:
        [total] = rows.execute("select count(*) from loyalty.stores where brand = 'maple'").fetchone() or [0]
    stores = known.references["stores"]
    assert find("", stores, known, source, "maple", scanned=total).more == total - 20
    assert find("", stores, known, source, "maple", scanned=total - 1).more is None
    assert find(last, table, known, source, "maple", scanned=10).choices[0].id == last


def test_what_was_chosen_is_shown_by_name_when_the_draft_is_opened_again(
    tab: Tab, people: People, source_dsn: str
) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "events")
    choose(someone, "customer.group_id", "in_group")
    someone.fill({"filters-A-1-values": ["213"]})
    someone.press("and:A")
    choose(someone, "properties.store", "equals", label="A-2")
    with psycopg.connect(source_dsn) as source:
        wanted = "select id, name from loyalty.stores where brand = 'maple' order by id limit 1"
        id, name = source.execute(wanted).fetchone() or ("", "")
    someone.fill({"filters-A-2-value": id})
    someone.press("and:A")
    someone.reload()
    assert "Campaigns of type a › Campaign 13 (Type A)" in someone.text
    assert f"This is {name}" in someone.text
    assert documented(someone)[0][1]["value"] == id
    someone.fill({"filters-A-2-value": "no such store"})
    someone.press("and:A")
    assert "No Store has the ID “no such store”: choose one from the list" in someone.text


def test_without_javascript_a_button_finds_and_buttons_choose(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "customers")
    choose(someone, "purchases", "item_purchased")
    someone.fill({"filters-A-1-find": "aseptic milk"})
    someone.press("next")
    assert someone.problems[0][1].startswith("“aseptic milk” is not chosen")
    assert not [op for op in someone.form.buttons if op.startswith("take:")], "nothing is searched unasked"
    someone.press("find:A1")
    takes = [op for op in someone.form.buttons if op.startswith("take:A1:")]
    assert 1 < len(takes) <= 20
    someone.press(takes[0])
    someone.fill({"filters-A-1-find": "aseptic milk"})
    someone.press("find:A1")
    someone.press(takes[1])
    someone.press("next")
    assert someone.step == "fields"
    assert documented(someone)[0][0]["value"]["ids"] == [one.removeprefix("take:A1:") for one in takes[:2]]


@pytest.mark.parametrize("op", ["find:B7", "find:", "find:A1\r\nX: y", "take:A1:", "take:Z9:1", "take:A1:1"])
def test_a_button_about_nothing_is_refused(tab: Tab, people: People, op: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "name", "equals")
    answer = someone.post([], op)
    assert answer.status_code == 422
    assert "X" not in answer.headers
