"""**Clone**: the wizard filled with the same definition, all of it editable; a new export (SPEC section 4)."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import pytest
from click.testing import Result
from sqlalchemy import select

from exports.definition import Definition, parse
from tests.fix_app import stores
from tests.fix_pages import check
from tests.fix_wizard import Wizard, form_of
from webapp.cli.export import export as command
from webapp.extensions import db
from webapp.models import AuditEntry, Draft, Export, ExportVersion
from webapp.services import exports

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Tab = Callable[["Person"], "Wizard"]
Open = Callable[["Person | None"], "FlaskClient"]
Ask = Callable[..., Result]

EVERYTHING: Final[dict[str, Any]] = {
    "model": "customers",
    "timezone": "Asia/Kathmandu",
    "filters": [
        [
            {"attribute": "_id", "operator": "in", "value": ["a", "b, c", 'd "e"']},
            {"attribute": "score", "operator": "between", "value": ["10", 20]},
            {"attribute": "birth_date", "operator": "anniversary", "value": ["date: today", "date: +6 days"]},
            {"attribute": "birth_date", "operator": "age_range", "value": [18, None]},
            {"attribute": "optin_at", "operator": "in_date", "value": ["2017-01-01", None]},
            {"attribute": "status", "operator": "is_not_empty"},
        ],
        [
            {
                "attribute": "action_history",
                "operator": "action_taken",
                "value": {"ids": ["checkout", "checkout_item"], "from": "date: -30 days", "to": None, "min": 2},
            },
        ],
    ],
    "aggregation": True,
    "fields": [
        {"from": "status", "to": "State", "replace": [{"value": "a", "new": "1"}], "aggregation": "group"},
        {"from": "_id", "default": "n/a", "aggregation": "count"},
    ],
    "file": {"extension": "csv", "delimiter": "#", "enclosure": "'", "newline": "\r\n", "header": False, "bom": True},
    "schedule": {"type": "repeated", "every": "month", "days": [1, "last"], "hours": "1,13", "minutes": "*"},
}  # fmt: skip
"""Something in every input."""


def made_by(person: Person, **definition: Any) -> uuid.UUID:
    """An export of the person."""
    with person.at_work() as user:
        return exports.create(user, stores(**definition), uuid.uuid4()).id


def definition_of(person: Person, id: uuid.UUID) -> Definition:
    """What is saved of an export."""
    with person.at_work():
        export = exports.find(id)
        assert export is not None
        return exports.definition_of(export)


def press_clone(tab: Wizard, id: uuid.UUID) -> None:
    """Press the button on the details page."""
    page = tab.client.get(f"/exports/{id}").get_data(as_text=True)
    form = re.search(rf'action="/exports/{id}/clone">(.*?)</form>', page, re.DOTALL)
    assert form, "there is no button"
    values = dict(re.findall(r'name="(\w+)" value="([^"]+)"', form[1]))
    answer = tab.client.post(f"/exports/{id}/clone", data=values)
    assert answer.status_code == 303
    tab._get(answer.headers["Location"])


def ids_in_list(person: Person) -> set[uuid.UUID]:
    """Every export of the person's brand."""
    with person.at_work():
        return set(db.session.scalars(select(Export.id)))


def test_27_clone_pre_fills_everything(wizard: Tab, people: People) -> None:
    """REFERENCE section 8, line 27; no password is anywhere, since there is nothing to upload to yet."""
    original = made_by(people.exporter, name="Everything", **EVERYTHING)
    someone = wizard(people.exporter)
    press_clone(someone, original)
    assert someone.step == "check"
    assert "A clone of Everything" in someone.text
    assert someone.problems == []
    someone.through("model", "localization", "filters", "fields", "file", "schedule", "target")
    assert someone.step == "check", "every page sends back what it was given"
    someone.press("create")
    (copy,) = ids_in_list(people.exporter) - {original}
    expected = definition_of(people.exporter, original).model_copy(update={"name": "Everything (copy)"})
    assert definition_of(people.exporter, copy) == expected
    assert json.dumps(definition_of(people.exporter, copy).as_json()) == json.dumps(expected.as_json())


def test_a_clone_can_be_changed_and_the_other_one_stays_as_it_is(tab: Tab, people: People) -> None:
    original = made_by(people.exporter, name="Ours")
    before = definition_of(people.exporter, original)
    someone = tab(people.exporter)
    press_clone(someone, original)
    someone.open("localization")
    someone.fill(name="Theirs")
    someone.press("next")
    someone.open("check")
    someone.press("create")
    (copy,) = ids_in_list(people.exporter) - {original}
    assert definition_of(people.exporter, copy) == before.model_copy(update={"name": "Theirs"})
    assert definition_of(people.exporter, original) == before
    with people.exporter.at_work():
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(copy))).one()
        assert (entry.action, entry.facts["cloned_from"]) == ("export.created", str(original))


def test_what_no_longer_exists_is_marked_beside_its_input_and_nothing_is_lost(wizard: Tab, people: People) -> None:
    original = made_by(people.exporter, name="Old")
    gone = parse(
        {
            **stores(name="Old").as_json(),
            "filters": [
                [
                    {"attribute": "floor_space", "operator": "between", "value": [10, 20]},
                    {"attribute": "id", "operator": "sounds_like", "value": "x"},
                ]
            ],
            "fields": [{"from": "id"}, {"from": "manager", "to": "Boss", "default": "nobody"}],
        }
    )
    with people.exporter.at_work() as user:
        export = db.session.get_one(Export, original)
        export.version = 2
        version = {"brand_id": user.brand_id, "export_id": original, "author_id": user.id}
        db.session.add(ExportVersion(**version, number=2, definition=gone.as_json()))
        db.session.commit()
    someone = wizard(people.exporter)
    press_clone(someone, original)
    told = [message for _at, message in someone.problems]
    assert told == [
        "Stores has no attribute floor_space",
        "Store identifier has no operator sounds_like",
        "Stores has no field manager",
    ]
    for step, input in [("filters", "filters-A-1-attribute"), ("fields", "fields-2-to")]:
        someone.open(step)
        assert someone.beside(input).removeprefix("Error: ") in told
        someone.press("next")
        assert someone.step == step
    with people.exporter.at_work() as user:
        from webapp.services import brands, drafts

        kept = parse(drafts.document(someone.typed, brands.catalogue_of(user.brand)))
    assert kept == gone.model_copy(update={"name": "Old (copy)"})


@pytest.mark.parametrize(
    ("name", "others", "copy"),
    [
        ("Stores", [], "Stores (copy)"),
        ("Stores", ["Stores (copy)"], "Stores (copy 2)"),
        ("Stores (copy)", [], "Stores (copy 2)"),
        ("Stores (copy 2)", ["Stores (copy)"], "Stores (copy 3)"),
        ("100% _ (copy x)", [], "100% _ (copy x) (copy)"),
        ("x" * 200, [], "x" * 193 + " (copy)"),
        ("x" * 200, ["x" * 193 + " (copy)"], "x" * 191 + " (copy 2)"),
    ],
)
def test_a_copy_has_a_name_of_its_own(tab: Tab, people: People, name: str, others: list[str], copy: str) -> None:
    for other in others:
        made_by(people.exporter, name=other)
    original = made_by(people.exporter, name=name)
    someone = tab(people.exporter)
    press_clone(someone, original)
    assert someone.typed.name == copy


def test_a_second_click_finds_the_draft_of_the_first(client: Open, people: People) -> None:
    browser, original = client(people.exporter), made_by(people.exporter)
    page = browser.get(f"/exports/{original}").get_data(as_text=True)
    data = {"csrf_token": check(page).inputs["csrf_token"], "token": str(uuid.uuid4())}
    answers = {browser.post(f"/exports/{original}/clone", data=data).headers["Location"] for _ in range(2)}
    assert len(answers) == 1
    with people.exporter.at_work():
        assert len(db.session.scalars(select(Draft)).all()) == 1
    assert browser.post(f"/exports/{original}/clone", data={**data, "token": "x"}).status_code == 400


@pytest.mark.parametrize(
    ("who", "there"), [("exporter", True), ("manager", True), ("colleague", False), ("viewer", False)]
)
def test_only_who_may_clone_sees_the_button(client: Open, people: People, who: str, there: bool) -> None:
    original = made_by(people.exporter)
    page = client(getattr(people, who)).get(f"/exports/{original}").get_data(as_text=True)
    assert (f'action="/exports/{original}/clone"' in page) is there


def test_a_clone_of_personal_fields_says_what_is_missing_to_who_may_not_export_them(tab: Tab, people: People) -> None:
    criterion = {"attribute": "_id", "operator": "is_not_empty"}
    members = {"model": "customers", "filters": [[criterion]], "fields": [{"from": "_id"}, {"from": "email"}]}
    original = made_by(people.exporter, **members)
    someone = tab(people.manager)
    press_clone(someone, original)
    assert any("you need the right to export personal fields" in message for _at, message in someone.problems)
    assert form_of(someone.html).buttons, "the page is there all the same"


# --- flask export clone


@pytest.fixture
def ask(people: People, source_dsn: str) -> Iterator[Ask]:
    """`ask("clone", …)`: the command, in an application with the cast."""
    with people.admin.app.app_context():
        runner = people.admin.app.test_cli_runner()
        yield lambda *arguments: runner.invoke(command, [str(one) for one in arguments])


@pytest.mark.parametrize("by", ["id", "name"])
def test_the_command_makes_the_same_clone_and_prints_its_id(ask: Ask, people: People, by: str) -> None:
    original = made_by(people.exporter, name="Ours", schedule={"type": "repeated", "every": "day"})
    result = ask("clone", original if by == "id" else "Ours")
    assert result.exit_code == 0, result.output
    copy = uuid.UUID(result.stdout.strip())
    before = definition_of(people.exporter, original)
    assert definition_of(people.exporter, copy) == before.model_copy(update={"name": "Ours (copy)"})
    with people.exporter.at_work() as user:
        made = db.session.get_one(Export, copy)
        assert (made.owner_id, made.status, made.next_run_at is not None) == (user.id, "Active", True)
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(copy))).one()
        assert (entry.actor, entry.actor_id) == ("operator (command line)", None)
        assert entry.facts["cloned_from"] == str(original)


def test_the_command_takes_another_name(ask: Ask, people: People) -> None:
    made_by(people.exporter, name="Ours")
    copy = uuid.UUID(ask("clone", "Ours", "--name", "For finance").stdout.strip())
    assert definition_of(people.exporter, copy).name == "For finance"


def test_the_command_refuses_what_cannot_be_saved_any_more(ask: Ask, people: People) -> None:
    made_by(people.exporter, name="Ours")
    result = ask("clone", "Ours", "--name", "x" * 201)
    assert (result.exit_code, result.stderr) == (2, "name: The name is longer than 200 characters\n")
    assert ask("clone", "Nobody's").exit_code == 1
    with people.exporter.at_work() as user:
        user.role = "viewer"
        db.session.commit()
    db.session.expire_all()  # a command of its own has read nothing before
    result = ask("clone", "Ours")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Exporter, who owns Ours, may not create exports." in result.stderr
