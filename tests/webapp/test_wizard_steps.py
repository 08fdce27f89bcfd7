"""The steps of the wizard: each stores what is typed, says what is wrong in two places, and leads on (SPEC 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.fix_pages import check

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_wizard import Wizard

Tab = Callable[["Person"], "Wizard"]

ORDER = ["localization", "filters", "fields", "file", "schedule", "target", "check"]


def filled(wizard: Wizard, model: str = "stores") -> None:
    """Go through all steps to Check and create, with the little that is mandatory."""
    wizard.begin(model)
    wizard.fill(name="All stores")
    wizard.press("next")
    key = "_id" if model in ("customers", "events") else "id"
    wizard.fill({"filters-A-1-attribute": key})
    wizard.press("crit:A1")
    wizard.fill({"filters-A-1-operator": "is_not_empty"})
    wizard.press("next")
    wizard.fill(pick=key)
    wizard.press("add")
    for _step in ("fields", "file", "schedule", "target"):
        wizard.press("next")


def test_what_is_skipped_is_told_as_it_is(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    filled(someone)
    someone.open("file")
    assert "What comes next can stay as it is: a file at once, to download." in someone.text
    someone.open("schedule")
    assert "What comes next can stay as it is: a file to download." in someone.text
    someone.fill(schedule="on_date", date="2030-01-01", time="08:00")
    someone.press("next")
    someone.open("file")
    assert "What comes next" not in someone.text, "it does not run at once"
    someone.open("target")
    someone.fill(target="sftp")
    someone.press("back")
    assert someone.step == "schedule"
    assert "What comes next" not in someone.text, "it is sent to a server"


def test_the_first_step_stores_nothing(client: Callable[[Person | None], FlaskClient], people: People) -> None:
    from webapp.services import drafts

    page = client(people.exporter).get("/exports/new")
    found = check(page.get_data(as_text=True))
    assert found.title == "Data model – Exports"
    with people.exporter.at_work() as user:
        assert list(drafts.waiting(user)) == []


def test_only_the_models_of_the_brands_modules_are_offered(
    client: Callable[[Person | None], FlaskClient], people: People
) -> None:
    ours = client(people.exporter).get("/exports/new").get_data(as_text=True)
    theirs = client(people.stranger).get("/exports/new").get_data(as_text=True)
    assert 'value="webhook_logs"' in ours
    assert 'value="webhook_logs"' not in theirs
    assert 'value="stores"' in theirs


def test_without_a_model_the_first_step_says_so(tab: Tab, people: People) -> None:
    wizard = tab(people.exporter)
    wizard._get("/exports/new")
    wizard._send(wizard.form.values, "/exports/new", False)
    assert wizard.status == 422
    assert wizard.problems == [("model", "Choose a data model from the list")]
    assert wizard.beside("model") == "Error: Choose a data model from the list"
    assert check(wizard.html).title.startswith("Error: ")


def test_a_model_of_a_module_that_is_off_is_no_choice(tab: Tab, people: People) -> None:
    wizard = tab(people.stranger)
    wizard._get("/exports/new")
    wizard.fill(model="webhook_logs")
    wizard._send(wizard.form.values, "/exports/new", False)
    assert wizard.status == 422


def test_each_step_leads_to_the_next_and_says_which(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    someone.begin()
    titles = []
    someone.fill(name="All stores")
    for step in ORDER[:-1]:
        assert someone.step == step
        titles.append(check(someone.html).title)
        if step == "filters":
            someone.fill({"filters-A-1-attribute": "id"})
            someone.press("crit:A1")
            someone.fill({"filters-A-1-operator": "is_not_empty"})
        if step == "fields":
            someone.fill(all_fields="1")
        someone.press("next")
    assert someone.step == "check"
    assert titles == [f"{name} – Exports" for name in (
        "Localization", "Filters", "Field settings", "File", "Scheduling", "Upload target",
    )]  # fmt: skip


def test_the_step_bar_tells_the_answers_and_links_what_is_done(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    filled(someone)
    for words in ("Stores", "All stores", "1 set, 1 criterion", "1 field", ".csv, comma, LF", "At once"):
        assert words in someone.text
    assert f"/drafts/{someone.draft_id}/filters" in check(someone.html).links
    assert someone.html.count('aria-current="step"') == 2  # wide and folded


def test_steps_to_come_are_plain_text(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    assert not [link for link in check(someone.html).links if link.endswith("/target")]


@pytest.mark.parametrize(
    ("step", "problems"),
    [
        ("localization", [("name", "Enter a name")]),
        ("filters", [("filters-A-1-attribute", "Add at least one criterion")]),
        ("fields", [("pick", "Choose at least one field, or All fields")]),
    ],
)
def test_an_empty_step_says_what_is_missing_at_the_top_and_beside_the_input(
    wizard: Tab, people: People, step: str, problems: list[tuple[str, str]]
) -> None:
    someone = wizard(people.exporter)
    someone.begin()
    someone.open(step)
    assert someone.problems == [], "nothing was asked for yet"
    someone.press("next")
    assert someone.step == step
    assert someone.problems == problems
    for input, sentence in problems:
        assert someone.beside(input) == f"Error: {sentence}"
        assert f'id="{input}"' in someone.html
    assert check(someone.html).title.startswith("Error: ")


def test_problems_are_still_there_after_a_reload_and_gone_when_corrected(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    someone.begin()
    someone.press("next")
    someone.reload()
    assert someone.problems == [("name", "Enter a name")]
    someone.fill(name="Stores")
    someone.press("next")
    someone.open("localization")
    assert someone.problems == []


def test_what_was_typed_survives_back_reload_and_another_step(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    someone.begin()
    someone.fill(name="Ősz – 日本 🙂", timezone="Europe/Budapest")
    someone.press("next")
    someone.fill({"filters-A-1-attribute": "name"})
    someone.press("crit:A1")
    someone.fill({"filters-A-1-value": "  Main <b>"})
    someone.press("back")
    assert someone.step == "localization"
    assert someone.value("name") == "Ősz – 日本 🙂"
    assert someone.value("timezone") == "Europe/Budapest"
    someone.open("filters")
    someone.reload()
    assert someone.value("filters-A-1-value") == "  Main <b>"


def test_a_value_that_makes_no_sense_is_kept_as_it_was_typed(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    someone.begin("events")
    someone.open("filters")
    someone.fill({"filters-A-1-attribute": "unix_timestamp"})
    someone.press("crit:A1")
    someone.fill({"filters-A-1-value": "ten"})
    someone.press("next")
    assert someone.problems == [("filters-A-1-value", "Enter a whole number for Unix timestamp")]
    assert someone.value("filters-A-1-value") == "ten"


def test_changing_the_model_asks_before_criteria_and_fields_go(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    filled(someone)
    someone.open("model")
    someone.fill(model="customers")
    someone.press("next")
    assert "Changing the model to Customers removes 1 criterion and 1 field." in someone.text
    assert someone.typed.model == "stores"
    someone.press("change")
    assert someone.typed.model == "customers"
    assert someone.typed.columns == ()
    assert someone.typed.criteria == 0
    assert someone.typed.name == "All stores"


def test_changing_the_model_of_an_empty_draft_asks_nothing(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    someone.begin("stores")
    someone.open("model")
    someone.fill(model="customers")
    someone.press("next")
    assert someone.step == "localization"
    assert someone.typed.model == "customers"


def test_the_zones_of_brand_and_user_come_first(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    assert someone.value("timezone") == "America/New_York"
    assert someone.form.choices["timezone"][0] == "America/New_York"
    assert someone.form.choices["timezone"].count("America/New_York") == 1
    assert "Asia/Tokyo" in someone.form.choices["timezone"]


def test_challenges_come_as_json_only_and_the_page_says_why(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin("challenges")
    someone.open("file")
    assert [value for name, value in someone.form.boxes if name == "extension"] == ["json"]
    assert "Challenges can only be exported as .json" in someone.text


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ({"extension": "csv", "delimiter": "tab", "enclosure": "single", "newline": "crlf"},
         {"delimiter": "\t", "enclosure": "'", "newline": "\r\n"}),
        ({"extension": "csv", "delimiter": "other", "delimiter_other": "^", "enclosure": "none"},
         {"delimiter": "^", "enclosure": None}),
        ({"extension": "csv", "delimiter": "semicolon", "no_header": "1", "bom": "1", "protect": ""},
         {"delimiter": ";", "header": False, "bom": True, "protect_spreadsheets": False}),
        ({"extension": "psv", "delimiter": "tab", "newline": "cr"}, {"delimiter": "|", "newline": "\n"}),
        ({"extension": "json", "bom": "1"}, {"bom": False, "header": True}),
        ({"extension": "jsonl"}, {"extension": "jsonl", "times": "local"}),
        ({"extension": "json", "times": "iso"}, {"times": "iso"}),
    ],
)  # fmt: skip
def test_the_file_is_as_it_was_chosen_and_what_it_has_not_is_ignored(
    wizard: Tab, people: People, typed: dict[str, str], stored: dict[str, object]
) -> None:
    from webapp.services import brands, drafts

    someone = wizard(people.exporter)
    filled(someone)
    someone.open("file")
    someone.fill({**typed})
    someone.press("next")
    assert someone.step == "schedule"
    with people.exporter.at_work() as user:
        definition = drafts.check(someone.typed, user, brands.catalogue_of(user.brand)).definition
        assert definition is not None
        assert stored.items() <= definition.file.model_dump().items()


def test_scheduling_and_target_show_what_there_is(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    someone.open("schedule")
    assert "At once" in someone.text
    assert [value for name, value in someone.form.boxes if name == "schedule"] == ["now", "on_date", "repeated"]
    someone.open("target")
    assert "Download here" in someone.text
    assert [value for name, value in someone.form.boxes if name == "target"] == ["none", "ftp", "ftps", "sftp"]


def test_saving_while_typing_tells_the_time_and_the_new_revision(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    someone.fill(name="Stores")
    answer = someone.save()
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert answer.headers["HX-Trigger"] == "draft-changed"
    assert "Draft saved" in page
    assert 'name="rev" value="2"' in page
    assert 'name="name"' not in page, "never the input that is being typed in"
    assert someone.typed.name == "Stores"


def test_saving_while_typing_corrects_the_messages_of_a_submitted_step(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    someone.press("next")
    someone.fill(name="Stores")
    page = someone.save().get_data(as_text=True)
    assert '<div id="e-name" hx-swap-oob="true"></div>' in page
    assert "Enter a name" not in page


def test_saving_what_is_saved_already_is_no_new_revision(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    someone.fill(name="Stores")
    for _ in range(2):
        page = someone.save().get_data(as_text=True)
    assert 'name="rev" value="2"' in page


def test_a_draft_can_be_gone_on_with_and_discarded(tab: Tab, people: People) -> None:
    from webapp.services import drafts

    someone = tab(people.exporter)
    someone.begin()
    someone.fill(name="Half a thought")
    someone.press("next")
    draft = someone.draft_id
    someone._get("/exports/new")
    assert "Half a thought" in someone.text
    token = dict(someone.form.values)["csrf_token"]
    asked = someone.client.post(f"/drafts/{draft}/discard", data={"csrf_token": token})
    assert "Discard this draft?" in asked.get_data(as_text=True)
    with people.exporter.at_work() as user:
        assert len(drafts.waiting(user)) == 1
    done = someone.client.post(f"/drafts/{draft}/discard", data={"csrf_token": token, "sure": "1"})
    assert done.headers["Location"] == "/exports"
    assert someone.client.get(f"/drafts/{draft}/filters").status_code == 404


def test_a_step_that_does_not_exist_is_not_there(tab: Tab, people: People) -> None:
    someone = tab(people.exporter)
    someone.begin()
    assert someone.client.get(f"/drafts/{someone.draft_id}/nonsense").status_code == 404
