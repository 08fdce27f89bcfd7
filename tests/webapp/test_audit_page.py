"""**Audit log**: searched and exported by admins and whoever has the grant; looking at it is written down."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import AuditEntry
from webapp.services import audit, audit_log

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person

Open = Callable[["Person | None"], "FlaskClient"]


@pytest.fixture
def log(people: People, clock: Clock) -> People:
    """Refusals on three days, of two people; one of the stranger's."""
    for day, person, path in (
        ("2026-11-20T04:30Z", people.viewer, "/one"),  # still the 19th in New York
        ("2026-11-20T12:00Z", people.viewer, "=two"),
        ("2026-11-21T12:00Z", people.exporter, "/thr%ee"),
        ("2026-11-21T12:00Z", people.stranger, "/foreign"),
    ):
        clock.set(day)
        with person.at_work() as user:
            audit.record("access.denied", user, user, result="denied", path=path)
            db.session.commit()
    return people


def paths(html: str) -> list[str]:
    """Which of the entries are shown, newest first."""
    text = check(html).text
    found = {path: text.index(f"path: {path}") for path in ("/one", "=two", "/thr%ee") if f"path: {path}" in text}
    assert "/foreign" not in text
    return sorted(found, key=lambda path: found[path])


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("", ["/thr%ee", "=two", "/one"]),
        ("q=viewer@", ["=two", "/one"]),
        ("q=hr%25e", ["/thr%ee"]),
        ("q=%25", ["/thr%ee"]),
        ("kind=access.denied", ["/thr%ee", "=two", "/one"]),
        ("kind=login.ok", []),
        ("from=2026-11-20&to=2026-11-20", ["=two"]),
        ("to=2026-11-19", ["/one"]),
        ("q=nobody", []),
    ],
)
def test_it_is_searched_by_person_fact_kind_and_day(client: Open, log: People, asked: str, expected: list[str]) -> None:
    response = client(log.admin).get(f"/audit?{asked}")
    assert (response.status_code, paths(response.text)) == (200, expected)


def test_an_entry_is_told_in_words_with_its_kind_below(client: Open, log: People) -> None:
    found = check(client(log.admin).get("/audit?q=one").text)
    assert "Access denied access.denied" in found.text
    assert "Export created" in found.text, "a kind to look for"


def test_an_entry_of_a_newer_version_is_told_by_its_kind(client: Open, log: People) -> None:
    with log.admin.at_work() as user:
        db.session.add(AuditEntry(actor=user.email, action="export.frobnicated", result="ok", facts={}))
        db.session.commit()
    assert "export.frobnicated" in check(client(log.admin).get("/audit").text).text


def test_a_day_that_is_none_is_told_at_its_input(client: Open, log: People) -> None:
    response = client(log.admin).get("/audit?from=yesterday")
    found = check(response.text)
    assert response.status_code == 422
    assert found.text.count("This is not a day. Write it as 2026-11-23.") == 2
    assert "#from" in found.links


@pytest.mark.parametrize(
    "asked", ["q=%00", "q=%ff", f"q={'x' * 9000}", "before=x", "before=" + "9" * 40, "to=9999-12-31"]
)
def test_hostile_searches_find_nothing_bad(client: Open, log: People, asked: str) -> None:
    assert client(log.admin).get(f"/audit?{asked}").status_code == 200


def test_the_file_holds_every_row_and_no_formula(client: Open, log: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "AT_ONCE", 2)
    response = client(log.admin).get("/audit/export?kind=access.denied")
    assert response.headers["Content-Disposition"].startswith("attachment; filename=")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["who"], row["what"]) for row in rows] == [
        (person.email, "access.denied") for person in (log.exporter, log.viewer, log.viewer)
    ]
    assert not [cell for row in rows for cell in row.values() if cell.startswith(("=", "+", "-", "@"))]
    assert "foreign" not in response.text


def test_looking_and_exporting_are_written_down_once(client: Open, log: People) -> None:
    browser = client(log.admin)
    browser.get("/audit?q=one")
    seen = looks(log)[-1].number
    browser.get(f"/audit?q=one&before={seen}")
    browser.get("/audit?q=one&before=2")
    browser.get("/audit/export").get_data()
    assert [(one.action, one.facts) for one in looks(log)] == [
        ("audit.viewed", {"asked": {"search": "one"}}),
        ("audit.exported", {"asked": {}}),
    ]


def test_who_may_see_it_finds_it_in_the_bar_of_every_page(client: Open, log: People) -> None:
    found = {one.email: "/audit" in check(client(one).get("/exports").text).links for one in (log.admin, log.exporter)}
    assert found == {log.admin.email: True, log.exporter.email: False}


def looks(log: People) -> Sequence[AuditEntry]:
    """What is written down of having looked at the log, the first one first."""
    with log.admin.at_work():
        wanted = select(AuditEntry).where(AuditEntry.action.startswith("audit.")).order_by(AuditEntry.number)
        return db.session.scalars(wanted).all()


def test_a_further_page_of_what_nobody_wrote_down_is_written_down(client: Open, log: People, clock: Clock) -> None:
    browser = client(log.admin)

    def written(asked: str) -> int:
        before = len(looks(log))
        assert browser.get(f"/audit?{asked}").status_code == 200
        return len(looks(log)) - before

    assert written("before=999999999999") == 1
    first = looks(log)[-1].number
    assert written(f"before={first}") == 0, "all of it is older than the entry"
    assert written(f"before={first + 1}") == 1
    assert written("before=999999999999") == 1, "what came since is none of what was written down"
    assert written(f"q=two&before={first}") == 1, "another search"
    assert written(f"q=two&before={first - 1}") == 0
    clock.forward(timedelta(minutes=61))
    assert written(f"before={first}") == 1, "long ago"
    with log.viewer.at_work() as user:
        user.see_audit = True
        db.session.commit()
    browser = client(log.viewer)
    assert written(f"before={first}") == 1, "another person"


def test_the_grant_opens_it_too(client: Open, log: People) -> None:
    assert client(log.viewer).get("/audit").status_code == 403
    with log.viewer.at_work() as user:
        user.see_audit = True
        db.session.commit()
    response = client(log.viewer).get("/audit")
    assert response.status_code == 200
    assert "/audit" in check(response.text).links


def test_older_entries_are_a_link_away(client: Open, log: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "PER_PAGE", 2)
    browser = client(log.admin)
    first = browser.get("/audit?kind=access.denied")
    assert paths(first.text) == ["/thr%ee", "=two"]
    older = next(link for link in check(first.text).links if "before=" in link)
    assert paths(browser.get(older).text) == ["/one"]
