"""Drafts: whose they are, two tabs on one, and how what was typed becomes a definition (UX section 2)."""

from __future__ import annotations

import csv
import io
import re
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fix_pages import check
from tests.fix_wizard import Wizard
from webapp.services.drafts import inputs
from webapp.services.drafts.values import entries

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Tab = Callable[["Person"], "Wizard"]
Open = Callable[["Person | None"], "FlaskClient"]


# --- whose they are


@pytest.mark.parametrize("who", ["colleague", "admin", "manager", "stranger"])
def test_a_draft_is_there_for_its_owner_alone(tab: Tab, client: Open, people: People, who: str) -> None:
    someone = tab(people.exporter)
    someone.begin()
    other = client(getattr(people, who))
    address = f"/drafts/{someone.draft_id}"
    unknown = f"/drafts/{uuid.uuid4()}"
    for path in ("filters", "check", "filters/preview", "filters/count"):
        assert other.get(f"{address}/{path}").status_code == 404
        assert other.get(f"{unknown}/{path}").status_code == 404
    with_token = {"csrf_token": _token(other), "name": "mine now", "rev": "1"}
    for path in ("localization", "localization/save", "filters/crit/A1", "create", "discard"):
        assert other.post(f"{address}/{path}", data=with_token).status_code == 404
    assert someone.typed.name == ""


def _token(client: FlaskClient) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/models").get_data(as_text=True))
    assert found
    return found[1]


def test_a_viewer_may_make_no_export(client: Open, people: People) -> None:
    viewer = client(people.viewer)
    assert viewer.get("/exports/new").status_code == 403
    assert viewer.post("/exports/new", data={"csrf_token": _token(viewer), "model": "stores"}).status_code == 403


def test_who_may_no_longer_make_exports_cannot_go_on_with_a_draft(tab: Tab, people: People) -> None:
    from webapp.extensions import db

    someone = tab(people.exporter)
    someone.begin()
    draft = someone.draft_id
    with people.exporter.at_work() as user:
        user.role = "viewer"
        db.session.commit()
    assert someone.client.get(f"/drafts/{draft}/filters").status_code == 403
    assert someone.client.get(f"/drafts/{draft}/filters/preview").status_code == 403


def test_nobody_who_is_not_logged_in_gets_a_draft(tab: Tab, client: Open, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    answer = client(None).get(f"/drafts/{someone.draft_id}/filters")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login")


def test_a_form_without_its_token_is_refused(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    answer = someone.client.post(f"/drafts/{someone.draft_id}/localization", data={"name": "x", "op": "next"})
    assert answer.status_code == 400
    assert someone.typed.name == ""


# --- two tabs


def two_tabs(someone: Wizard) -> Wizard:
    """A second tab on the same page."""
    other = Wizard(someone.client, someone.person, someone.by_htmx)
    other._get(someone.path)
    return other


def test_the_second_of_two_tabs_is_told_that_the_draft_was_changed(tab: Tab, people: People) -> None:
    first = tab(people.exporter)
    first.begin()
    second = two_tabs(first)
    first.fill(name="From the first tab")
    first.press("next")
    second.fill(name="From the second tab")
    second.press("next")
    assert second.status == 409
    assert re.search(r"This draft was changed in another tab at \d\d:\d\d\.", second.text)
    assert "Load that version" in second.text
    assert second.value("name") == "From the second tab", "what was typed is still on the page"
    assert first.typed.name == "From the first tab"


def test_keep_mine_wins_over_the_other_tab(tab: Tab, people: People) -> None:
    first = tab(people.exporter)
    first.begin()
    second = two_tabs(first)
    first.fill(name="From the first tab")
    first.press("next")
    second.fill(name="From the second tab")
    second.press("next")
    second.press("keep")
    assert second.status in (200, 303)
    assert second.typed.name == "From the second tab"


def test_typing_in_the_second_tab_says_so_and_leaves_the_input_alone(tab: Tab, people: People) -> None:
    first = tab(people.exporter)
    first.begin()
    second = two_tabs(first)
    first.fill(name="From the first tab")
    first.save()
    second.fill(name="From the second tab")
    answer = second.save()
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == "#conflict"
    page = check(answer.get_data(as_text=True), whole=False)
    assert "changed in another tab" in page.text
    assert "Keep mine" in page.text
    assert first.typed.name == "From the first tab"


def test_a_tab_is_not_in_conflict_with_itself_when_an_answer_was_lost(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    someone.fill(name="Sto")
    someone.save()  # whose answer, with the new revision, never arrives
    someone.fill(name="Stores")
    assert someone.save().status_code == 200
    assert someone.typed.name == "Stores"


def test_the_page_after_load_that_version_can_be_saved(tab: Tab, people: People) -> None:
    first = tab(people.exporter)
    first.begin()
    second = two_tabs(first)
    first.fill(name="From the first tab")
    first.press("next")
    second.reload()
    second.fill(name="Seen and changed")
    second.press("next")
    assert second.step == "filters"
    assert second.typed.name == "Seen and changed"


# --- from typed texts to a definition


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("a, b,c", ["a", "b", "c"]),
        ("a\r\nb\nc\rd", ["a", "b", "c", "d"]),
        (" , ,\n\n", []),
        ('"Smith, John", "O""Neil"', ["Smith, John", 'O"Neil']),
        ('5" pipe, 6" pipe', ['5" pipe', '6" pipe']),
        ("x" * 3, ["xxx"]),
    ],
)
def test_a_list_is_typed_with_commas_or_one_a_line(typed: str, values: list[str]) -> None:
    assert entries(typed) == values


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), min_size=1, max_size=12)))
def test_what_is_written_for_a_list_reads_back_to_its_values(values: list[str]) -> None:
    kept = [one.strip() for one in values if one.strip()]
    lines = io.StringIO()
    csv.writer(lines, quoting=csv.QUOTE_ALL).writerows([one] for one in kept)
    assert entries(lines.getvalue()) == kept


@given(st.integers(0, 18_277))
def test_sets_are_named_by_letters_both_ways(place: int) -> None:
    name = inputs.letters(place)
    assert inputs.place_of(name) == place
    assert inputs.place_of_label(f"{name}7") == (place, 6)


@pytest.mark.parametrize("label", ["", "A", "1", "A0", "a1", "A-1", "A1.5", "AAAA1", "A1000", "A１", "_proto_1"])
def test_what_is_no_label_names_no_criterion(label: str) -> None:
    assert inputs.place_of_label(label) is None


def test_a_preview_that_ends_late_takes_nothing_back_that_was_typed_meanwhile(tab: Tab, people: People) -> None:
    from sqlalchemy import text

    from webapp.extensions import db
    from webapp.services import drafts

    someone = tab(people.exporter)
    someone.begin("stores")
    with people.exporter.at_work() as user:
        draft = drafts.own(user, someone.draft_id)
        assert draft is not None
        assert drafts.typed_of(draft).name == ""
        with db.engine.begin() as elsewhere:
            newer = text("""UPDATE drafts SET document = jsonb_set(document, '{name}', '"Newer"') WHERE id = :id""")
            elsewhere.execute(newer, {"id": draft.id})
        drafts.note(draft, previewed="model and fields")
    assert someone.typed.name == "Newer"
    assert someone.typed.previewed == "model and fields"
