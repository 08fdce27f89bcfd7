"""Check and create: everything once more, and one export however often Create is pressed (UX section 3.8)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from tests.fix_pages import check

if TYPE_CHECKING:
    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]


def ready(wizard: Wizard, name: str = "All stores") -> None:
    """Somebody on Check and create with nothing wrong."""
    wizard.begin("stores")
    wizard.fill(name=name)
    wizard.press("next")
    wizard.fill({"filters-A-1-attribute": "id"})
    wizard.press("crit:A1")
    wizard.fill({"filters-A-1-operator": "is_not_empty"})
    wizard.press("next")
    for field in ("id", "city"):
        wizard.fill(pick=field)
        wizard.press("add")
    wizard.fill({"fields-1-to": "Store", "fields-2-default": "nowhere"})
    for _step in ("fields", "file", "schedule", "target"):
        wizard.press("next")
    assert wizard.step == "check"


def exports_of(person: Person) -> int:
    """How many exports the person's brand has."""
    from webapp.extensions import db
    from webapp.models import Export

    with person.at_work():
        return db.session.scalar(select(func.count(Export.id))) or 0


def test_create_makes_the_export_that_was_checked_and_opens_its_page(wizard: Tab, people: People) -> None:
    from webapp.extensions import db
    from webapp.models import Export, Run
    from webapp.services import exports

    someone = wizard(people.exporter)
    ready(someone)
    someone.press("create")
    assert re.fullmatch(r"/exports/[0-9a-f-]{36}", someone.path)
    assert "All stores" in someone.text
    with people.exporter.at_work():
        export = db.session.scalars(select(Export)).one()
        made = exports.definition_of(export).as_json()
        assert made["filters"] == [[{"attribute": "id", "operator": "is_not_empty"}]]
        assert [(one["from"], one["to"], one["default"]) for one in made["fields"]] == [
            ("id", "Store", ""),
            ("city", "", "nowhere"),
        ]
        assert export.owner_id == people.exporter.id
        assert db.session.scalars(select(Run)).one().state == "queued"


def test_everything_is_told_once_more_with_a_way_to_change_it(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    ready(someone)
    for words in ("Set A:", "is not empty", "city", "empty → nowhere", ".csv", "comma", "At once",
                  "None: download here", "It starts at once", "Definition as JSON"):  # fmt: skip
        assert words in someone.text, words
    links = check(someone.html).links
    for step in ("model", "localization", "filters", "fields", "file", "schedule", "target"):
        assert f"/drafts/{someone.draft_id}/{step}?then=check" in links
    for hidden in ("Change Filters", "Aggregation Off Change Aggregation", "Change Fields", "Change Time zone"):
        assert hidden in someone.text


@pytest.mark.parametrize(
    ("choice", "told", "warned"),
    [
        ("header", "if there are no rows: deliver the header", "The file will hold the header alone."),
        ("nothing", "if there are no rows: deliver nothing", "Nothing will be delivered, as you chose."),
        ("fail", "if there are no rows: fail", "The run will fail, as you chose."),
    ],
)
def test_what_is_to_be_done_without_rows_is_chosen_told_and_kept(
    wizard: Tab, people: People, source_dsn: str, choice: str, told: str, warned: str
) -> None:
    from webapp.services import exports

    someone = wizard(people.exporter)
    ready(someone)
    someone.open("filters")
    someone.fill({"filters-A-1-operator": "is_empty"})
    someone.press("crit:A1")
    someone.open("target")
    assert someone.value("if_empty") == "header"
    someone.fill(if_empty=choice)
    someone.press("next")
    assert told in someone.text
    someone.open("check", preview="1")
    assert f"No record matches today. {warned}" in someone.text
    someone.press("create")
    assert f"If there are no rows {told.rpartition(': ')[2].capitalize()}" in someone.text
    with people.exporter.at_work():
        export = exports.find(uuid.UUID(someone.path.rpartition("/")[2]))
        assert export is not None
        assert exports.definition_of(export).if_empty == choice


def test_a_choice_that_there_is_not_is_refused_beside_its_inputs(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    ready(someone)
    someone.open("target")
    someone.fill(if_empty="explode")
    someone.press("next")
    said = "If there are no rows must be one of 'header', 'nothing' or 'fail'"
    assert [(input, unescape(told)) for input, told in someone.problems] == [("if_empty", said)]
    assert unescape(someone.beside("if_empty")).endswith(said)


def test_change_returns_to_check(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    ready(someone)
    someone.open("localization", then="check")
    assert "Next: Check" in someone.text
    someone.fill(name="Renamed")
    someone.press("next")
    assert someone.step == "check"
    assert "Renamed" in someone.text


def test_a_second_click_and_a_reload_answer_the_same_export(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    ready(someone)
    data = dict(someone.form.values)
    address = someone.form.buttons["create"]
    first = someone.client.post(address, data=data)
    second = someone.client.post(address, data=data)
    assert first.status_code == second.status_code == 303
    assert first.headers["Location"] == second.headers["Location"]
    assert exports_of(people.exporter) == 1


def test_two_clicks_at_once_make_one_export(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    ready(someone)
    data, address = dict(someone.form.values), someone.form.buttons["create"]
    clients = [tab(people.exporter).client for _ in range(2)]
    cookie = someone.client.get_cookie(someone.client.application.config["SESSION_COOKIE_NAME"])
    assert cookie is not None
    for one in clients:
        one.set_cookie(cookie.key, cookie.value)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda one: one.post(address, data=data), clients))
    assert {one.status_code for one in answers} == {303}
    assert len({one.headers["Location"] for one in answers}) == 1
    assert exports_of(people.exporter) == 1


def test_the_draft_of_an_export_leads_to_it(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    ready(someone)
    draft = someone.draft_id
    someone.press("create")
    export = someone.path
    for step in ("filters", "check"):
        assert someone.client.get(f"/drafts/{draft}/{step}").headers["Location"] == export
    someone._get("/exports/new")
    assert "Or go on with a draft" not in someone.text


def test_create_with_mistakes_names_them_and_makes_nothing(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin("stores")
    someone.open("check")
    assert someone.text.count("Needs correction") == 3
    assert someone.problems == []
    someone.press("create")
    assert someone.step == "check"
    assert someone.problems == [
        ("row-localization", "Enter a name"),
        ("row-filters", "Add at least one criterion"),
        ("row-fields", "Choose at least one field, or All fields"),
    ]
    assert check(someone.html).title.startswith("Error: ")
    assert exports_of(people.exporter) == 0
    someone.open("filters")
    assert someone.problems == [("filters-A-1-attribute", "Add at least one criterion")]


def test_check_has_no_tick_while_another_step_needs_correction(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    someone.open("check")
    someone.press("create")
    assert someone.problems
    someone.open("localization")
    bar = check(someone.html)
    assert f"/drafts/{someone.draft_id}/check" in bar.links
    assert "Needs correction" in bar.text
    assert "Done: Check" not in bar.text


def test_create_makes_what_the_page_showed_or_says_that_it_changed(tab: Tab, people: People) -> None:
    someone, other = tab(people.exporter), tab(people.exporter)
    ready(someone)
    other._get(f"/drafts/{someone.draft_id}/localization")
    other.fill(name="Changed meanwhile")
    other.press("next")
    someone.press("create")
    assert someone.status == 409
    assert "changed in another tab" in someone.text
    assert exports_of(people.exporter) == 0


def test_personal_fields_are_warned_of_first(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    ready(someone)
    assert "personal" not in someone.text
    someone._get("/exports/new")
    someone.begin("customers")
    someone.open("fields")
    someone.fill(pick="email")
    someone.press("add")
    someone.open("check")
    assert "The file holds a personal field (email)" in someone.text
    assert someone.text.index("personal field") < someone.text.index("What Data model")


def test_no_row_today_is_a_warning(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    ready(someone)
    someone.open("filters")
    someone.fill({"filters-A-1-operator": "equals", "filters-A-1-value": "no such store"})
    someone.press("next")
    someone.open("check", preview="1")
    assert "No record matches today." in someone.text
    someone.open("check")
    counted = someone.client.get(f"/drafts/{someone.draft_id}/check/preview").get_data(as_text=True)
    assert "No record matches today." in counted


def test_the_file_today_is_shown(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    ready(someone)
    someone.open("check", preview="1")
    assert "The file today" in someone.text
    assert re.search(r"<thead><tr><th scope=\"col\">Store</th><th scope=\"col\">city</th>", someone.html)


def test_the_first_lines_are_shown_as_the_file_will_hold_them(tab: Tab, people: People, source_dsn: str) -> None:
    someone = tab(people.exporter)
    ready(someone)
    someone.open("file")
    someone.fill(delimiter="tab", newline="crlf", bom="1")
    someone.press("next")
    someone.open("file", preview="1")
    raw = re.search(r'<pre class="raw".*?</pre>', someone.html, re.DOTALL)
    assert raw
    first = re.sub(r"<[^>]+>", "", raw[0]).splitlines()[0]
    assert first == "BOMStore→cityCRLF"


def test_a_preview_is_written_down_once_for_its_model_and_fields(tab: Tab, people: People, source_dsn: str) -> None:
    from exports.preview import FIRST_ROWS
    from webapp.extensions import db
    from webapp.models import AuditEntry

    someone = tab(people.exporter)
    ready(someone)
    for _ in range(2):
        someone.open("check", preview="1")
        someone.open("fields", preview="1")
    with people.exporter.at_work():
        kept = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "preview.shown")).all()
        assert [(one.facts["model"], one.facts["fields"]) for one in kept] == [("stores", ["id", "city"])]
        assert 0 < kept[0].facts["rows"] <= FIRST_ROWS
