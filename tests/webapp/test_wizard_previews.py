"""Beside the filters: what can be counted in spite of mistakes, which criterion keeps everything out, and **Why?**"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.fix_pages import check
from tests.webapp.test_wizard_filters import at_filters, choose

if TYPE_CHECKING:
    from tests.fix_app import People, Person
    from tests.fix_services import Cluster
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]


def part(wizard: Wizard, what: str) -> str:
    """What a part of the page says."""
    return check(html_of(wizard, what), whole=False).text


def html_of(wizard: Wizard, what: str) -> str:
    """A part of the page."""
    address = f"/drafts/{wizard.draft_id}/{wizard.step}/{what}"
    return wizard.client.get(address, query_string={"rev": wizard.value("rev")}).get_data(as_text=True)


def counts(wizard: Wizard, what: str) -> dict[str, str]:
    """The counts that go to the heads of the sets."""
    found = re.findall(r'id="(count-[A-Z]+)"[^>]*>(.*?)</span>', html_of(wizard, what), re.DOTALL)
    return {id: text.strip() for id, text in found}


@contextmanager
def all_previews_busy(person: Person) -> Iterator[None]:
    """Other drafts use every connection for previews."""
    from webapp.services import brands

    with person.at_work(), ExitStack() as leases:
        for other in range(person.app.config["SETTINGS"].source_pool):
            leases.enter_context(brands.previews().lease(f"other-{other}", 1))
        yield


def test_with_all_connections_in_use_a_source_that_hangs_is_told_in_a_sentence(
    tab: Tab, people: People, source_dsn: str, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "content_approval")
    choose(someone, "_id", "is_not_empty")
    with all_previews_busy(people.exporter):
        assert "Busy" in part(someone, "preview")
        monkeypatch.setattr("exports.source.postgresql._QUICK", 0.3)
        with psycopg.connect(postgres.addresses.source_admin_url) as source:
            source.execute("LOCK TABLE loyalty.content_approval IN ACCESS EXCLUSIVE MODE")
            assert "The query took longer than 0.3 s" in part(someone, "preview")


@pytest.mark.parametrize("step", ["filters", "fields", "file"])
def test_a_page_without_javascript_promises_nothing_that_only_a_script_would_bring(
    tab: Tab, people: People, source_dsn: str, step: str
) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    someone.save()
    someone.open(step)
    assert "Count again" not in someone.html
    with all_previews_busy(people.exporter):
        someone.press("preview")
    for promise in ("Counting …", "counting …", "Looking for", "come soon", "counting soon"):
        assert promise not in someone.text
    assert "Not looked for: other previews use the database just now." in someone.text
    assert "Count again" in someone.html
    someone.press("preview")
    assert re.search(r'class="big">[0-9,]+<|<b>[0-9,]+</b> rows', someone.html)
    assert "first-rows" in someone.html


def test_a_source_that_is_away_promises_no_other_try_to_who_waits(
    tab: Tab, people: People, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    choose(someone, "id", "equals")
    with people.exporter.at_work():
        from webapp.services import brands

        brands.previews().close()
        monkeypatch.setattr(brands.source(), "url", "postgresql://nobody@/nothing?host=/dev/null")
    someone.save()
    said = part(someone, "preview")
    assert "The database did not answer or broke the connection. Try again in a moment." in said
    assert "tried again by itself" not in said


def running(source_dsn: str, wizard: Wizard) -> set[int]:
    """The processes that answer questions about a draft."""
    wanted = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE %s AND wait_event_type = 'Lock'"
    with psycopg.connect(source_dsn) as source:
        return {pid for (pid,) in source.execute(wanted, [f"preview:{wizard.draft_id}:%"])}


def wait_until_asked(source_dsn: str, wizard: Wizard, before: set[int]) -> set[int]:
    """Wait until another process than before answers."""
    deadline = time.monotonic() + 4
    while not (now := running(source_dsn, wizard) - before):
        assert time.monotonic() < deadline
        threading.Event().wait(0.01)
    return now


def test_two_pages_of_one_draft_both_end_with_an_answer(
    tab: Tab, people: People, source_dsn: str, postgres: Cluster
) -> None:
    one, other = tab(people.exporter), tab(people.exporter)
    at_filters(one, "content_approval")
    choose(one, "_id", "is_not_empty")
    address = f"/drafts/{one.draft_id}/filters"
    wanted = {"rev": one.value("rev"), "rows": "1"}
    with ThreadPoolExecutor(2) as pages, psycopg.connect(postgres.addresses.source_admin_url) as source:
        source.execute("LOCK TABLE loyalty.content_approval IN ACCESS EXCLUSIVE MODE")
        counting = pages.submit(one.client.get, f"{address}/count", query_string=wanted)
        first = wait_until_asked(source_dsn, one, set())
        looking = pages.submit(other.client.get, f"{address}/preview")
        wait_until_asked(source_dsn, one, first)
        source.rollback()
        assert (counting.result().status_code, looking.result().status_code) == (200, 200)


def test_a_mistake_in_one_set_leaves_the_others_counted(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    someone.press("preview")
    exact = re.search(r'class="big">([0-9,]+)<', someone.html)
    assert exact
    someone.press("or")
    choose(someone, "purchases", "gte", label="B-1")
    someone.fill({"filters-B-1-value": "ten"})
    someone.press("preview")
    words = part(someone, "preview")
    assert f"Before your last change: {exact[1]}." in words
    assert "The first rows appear here when every criterion can be read." in words
    assert counts(someone, "count") == {"count-A": f"{exact[1]} rows", "count-B": "not counted"}


def test_a_mistake_in_scheduling_or_upload_target_keeps_nobody_from_counting(
    tab: Tab, people: People, source_dsn: str
) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    someone.open("schedule")
    someone.fill(schedule="repeated")
    someone.press("form")
    someone.fill(hours="24")
    someone.press("next")
    assert someone.problems
    for step in ("filters", "check"):
        someone.open(step)
        assert re.search(r"[0-9] rows", part(someone, "count"))
        assert "corrected" not in part(someone, "preview")


def test_sets_are_counted_and_what_matches_both_is_told(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    someone.press("or")
    choose(someone, "id", "starts_with", label="B-1")
    with psycopg.connect(source_dsn) as source:
        wanted = (
            "SELECT left(id, 1), count(*) FROM loyalty.stores WHERE brand = 'maple' GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
        )
        beginning, both = source.execute(wanted).fetchone() or ("", 0)
    assert both > 1
    someone.fill({"filters-B-1-value": beginning})
    someone.press("preview")
    words = part(someone, "preview") + part(someone, "count")
    assert "Exact, counted" in words
    assert counts(someone, "preview")["count-B"] == f"{both:,} rows"
    assert f"{both:,} rows match both sets: they are in the file once." in words


def test_nothing_matches_and_it_is_told_which_criterion_keeps_everything_out(
    tab: Tab, people: People, source_dsn: str
) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    someone.press("and:A")
    choose(someone, "name", "equals", label="A-2")
    someone.fill({"filters-A-2-value": "no such store"})
    someone.press("preview")
    assert "0 rows match." in someone.text
    someone.press("without")
    told = re.sub(r"\s+", " ", someone.text)
    assert "Without A1 (Store identifier is not empty) set A matches 0 as well." in told, told
    assert re.search(r"Without A2 \(Name equals no such store\) set A matches [1-9][0-9,]* ?\.", told), told


def test_why_says_of_each_criterion_whether_it_holds_for_a_record(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    with psycopg.connect(source_dsn) as source:
        row = source.execute("SELECT id, name FROM loyalty.stores WHERE brand = 'maple' ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    at_filters(someone, "stores")
    choose(someone, "id", "equals")
    someone.fill({"filters-A-1-value": "another"})
    someone.press("or")
    choose(someone, "name", "equals", label="B-1")
    someone.fill({"filters-B-1-value": row[1], "why": f" {row[0]} "})
    someone.press("why")
    told = re.sub(r"\s+", " ", someone.text)
    assert "In the file: set B holds completely." in told
    assert f"does not hold: A1 Store identifier equals another – is {row[0]}" in told
    assert f"holds: B1 Name equals {row[1]} – is {row[1]}" in told
    someone.fill({"filters-B-1-value": "nobody"})
    answer = someone.swap([*someone.form.values, ("op", "why")], "why-out", f"/drafts/{someone.draft_id}/filters/why")
    html = answer.get_data(as_text=True)
    check(html, whole=False)
    assert "Not in the file:</b> no set holds completely." in html, "what is typed counts, stored or not"
    assert someone.typed.sets[1][0].value == row[1]


def test_why_asked_again_and_again_is_one_entry_of_the_audit_log(tab: Tab, people: People, source_dsn: str) -> None:
    from sqlalchemy import select

    from webapp.extensions import db
    from webapp.models import AuditEntry

    with psycopg.connect(source_dsn) as source:
        row = source.execute("SELECT id FROM loyalty.stores WHERE brand = 'maple' ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    values = [one for one in someone.form.values if one[0] != "why"]
    address = f"/drafts/{someone.draft_id}/filters/why"
    for _ in range(3):
        answer = someone.swap([*values, ("why", row[0]), ("op", "why")], "why-out", address)
        assert "In the file" in answer.get_data(as_text=True)
    with people.exporter.at_work():
        entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "preview.shown")).all()
        assert [one.facts["rows"] for one in entries if one.facts["fields"] == ["id"]] == [1]


@pytest.mark.parametrize(
    ("id", "said"),
    [("", "Enter the ID of a record"), ("x", "No store has this ID in Maple Grocers."), ("a'\"<b>", "No store has")],
)
def test_why_of_what_is_no_record_says_so(tab: Tab, people: People, source_dsn: str, id: str, said: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    values = [one for one in someone.form.values if one[0] != "why"]
    answer = someone.swap([*values, ("why", id), ("op", "why")], "why-out", f"/drafts/{someone.draft_id}/filters/why")
    assert said in check(answer.get_data(as_text=True), whole=False).text


def test_why_hides_personal_values_from_those_without_the_right(tab: Tab, people: People, source_dsn: str) -> None:
    with psycopg.connect(source_dsn) as source:
        wanted = "SELECT _id, email FROM loyalty.customers WHERE brand = 'maple' AND email <> '' ORDER BY _id LIMIT 1"
        row = source.execute(wanted).fetchone()
    assert row is not None
    for person, shown in ((people.exporter, True), (people.colleague, False)):
        someone = tab(person)
        at_filters(someone, "customers")
        choose(someone, "email", "is_not_empty")
        someone.fill(why=row[0])
        someone.press("why")
        assert (row[1] in someone.html) == shown
        assert ("is hidden: you need the right" in someone.text) != shown


def test_a_value_of_very_many_lines_does_not_fill_the_page() -> None:
    from webapp.views.wizard.raw import visible

    lines = visible(b"1\n" * 1_000_000)
    assert lines[0] == [("1", False), ("LF", True)]
    assert len(lines) == 51
    assert lines[-1] == [("…", False)]
    assert len(visible(b"1\n" * 50)) == 50


def test_an_unchanged_draft_is_not_looked_at_again(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    someone.fill({"filters-A-1-operator": "equals", "filters-A-1-value": "7"})
    assert someone.save().headers["HX-Trigger"] == "draft-changed"
    someone.reload()
    someone.fill(why="typed beside it")
    assert "HX-Trigger" not in someone.save().headers


def test_a_count_of_a_draft_that_changed_meanwhile_is_not_shown(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "stores")
    choose(someone, "id", "is_not_empty")
    rev = int(someone.value("rev"))
    for asked, status in ((rev - 1, 204), (rev, 200)):
        answer = someone.client.get(f"/drafts/{someone.draft_id}/filters/count?rev={asked}")
        assert answer.status_code == status


def test_a_count_stands_again_for_the_same_question_alone(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    at_filters(someone, "events")
    choose(someone, "timestamp", "gte")
    someone.fill({"filters-A-1-value": "2017-01-07 03:04:05"})
    someone.press("preview")
    assert "Exact, counted" in part(someone, "preview"), "of a moment ago"
    someone.fill({"filters-A-1-value": "2017-01-07 03:04:06"})
    someone.save()
    someone.open("filters")
    assert "Estimate. Counting" in part(someone, "preview"), "another second is another question"
    someone.fill({"filters-A-1-value": "2017-01-07 03:04:05"})
    someone.save()
    someone.open("localization")
    someone.fill(timezone="Asia/Tokyo")
    someone.press("next")
    assert "Estimate. Counting" in part(someone, "preview"), "the same words mean another moment in another zone"
    someone.open("localization")
    someone.fill(timezone="America/New_York")
    someone.press("next")
    assert "Exact, counted" in part(someone, "preview")
    theirs = tab(people.stranger)
    at_filters(theirs, "events")
    theirs.open("localization")
    theirs.fill(timezone="America/New_York")
    theirs.press("next")
    choose(theirs, "timestamp", "gte")
    theirs.fill({"filters-A-1-value": "2017-01-07 03:04:05"})
    theirs.save()
    theirs.open("filters")
    assert "Estimate. Counting" in part(theirs, "preview"), "another brand's numbers are its own"
