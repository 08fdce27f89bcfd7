"""**Why?** on the View tab: one record against the saved definition, by the rights of whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]


@pytest.fixture
def some_id(source_dsn: str) -> str:
    """A store of maple."""
    import psycopg

    with psycopg.connect(source_dsn) as connection:
        wanted = "SELECT id FROM loyalty.stores WHERE brand = 'maple' ORDER BY id COLLATE \"C\" LIMIT 1"
        return str(connection.execute(wanted).fetchone()[0])  # type: ignore[index]


def test_a_record_is_told_to_be_in_the_file_or_not_and_why(
    client: Open, people: People, made: Exports, some_id: str, htmx: dict[str, str]
) -> None:
    filters: Any = [[{"attribute": "id", "operator": "equals", "value": some_id}]]
    inside = made.create(people.exporter, filters=filters)
    outside = made.create(people.exporter, filters=[[{**filters[0][0], "operator": "not_equals"}]])
    browser = client(people.colleague)
    answer = browser.get(f"/exports/{inside.id}?why={some_id}", headers={**htmx, "HX-Target": "why-out"}).text
    found = check(answer, whole=False)
    assert "In the file: set A holds completely. holds: A1 Store identifier" in found.text
    assert '<div hx-swap-oob="innerHTML:#say">In the file: set A holds completely.</div>' in answer
    assert "<html" not in answer
    page = check(browser.get(f"/exports/{outside.id}?why={some_id}").text)
    assert "Not in the file: no set holds completely. does not hold: A1" in page.text, "without JavaScript"
    assert page.inputs["why"] == some_id
    for id, words in (("nobody", "No store has this ID in Maple Grocers."), ("", "Enter the ID of a record")):
        assert words in check(browser.get(f"/exports/{inside.id}?why={id}").text).text
    with people.colleague.at_work():
        told = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "preview.shown")).all()
    assert {one.facts["rows"] for one in told} == {1}
    assert [(one.object_id, one.facts["model"], one.facts["fields"], one.facts["personal"]) for one in told] == [
        (str(export.id), "stores", ["id"], False) for export in (inside, outside)
    ]


def test_personal_fields_are_not_asked_by_those_who_may_not(client: Open, people: People, made: Exports) -> None:
    filters = [[{"attribute": "email", "operator": "contains", "value": "a"}]]
    export = made.create(people.exporter, model="customers", filters=filters, fields=[{"from": "_id"}])
    text = check(client(people.colleague).get(f"/exports/{export.id}?why=1").text).text
    assert "is personal: without the right to export personal fields" in text


def test_a_viewer_has_no_why(client: Open, people: People, made: Exports, some_id: str) -> None:
    export = made.create(people.exporter)
    page = client(people.viewer).get(f"/exports/{export.id}?why={some_id}").text
    assert ("why-out" in page, "In the file" in page) == (False, False)


def test_the_definition_can_be_copied_and_downloaded(client: Open, people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    browser = client(people.exporter)
    page = browser.get(f"/exports/{export.id}").text
    document = browser.get(f"/exports/{export.id}/definition.json").text
    import html

    assert f'data-copy="{document.rstrip()}"' in html.unescape(page)
