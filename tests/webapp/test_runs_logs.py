"""**Logs** and the page of one run: what a row says of each state, pages, what is live, and the steps (UX 3.10)."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, update

from tests.fix_pages import check
from webapp.extensions import db
from webapp.models import Export, Run

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]

HOURLY = {"type": "repeated", "every": "day", "hours": "*", "minutes": "0"}
STATEMENTS = 12
"""What a page of Logs may ask of the database, whatever it shows."""


@pytest.fixture(autouse=True)
def _now(clock: Clock) -> None:
    clock.set("2026-11-23 09:42+00")


@pytest.fixture
def hourly(people: People) -> uuid.UUID:
    """An export of the exporter that runs every hour and has not run yet."""
    from tests.fix_app import stores
    from webapp.services import exports

    with people.exporter.at_work() as user:
        return exports.create(user, stores(schedule=HOURLY), uuid.uuid4()).id


def fire(app: Flask, clock: Clock, at: str) -> None:
    """A moment comes."""
    from jobs import scheduler

    clock.set(at)
    with app.app_context():
        scheduler.fire_all_due()


def rows(text: str) -> list[str]:
    """The words of each row of a table, in order; hidden words too."""
    return [
        check(f"<table>{row}</table>", whole=False).text
        for row in re.findall(r"<tr role=\"row\">\n.*?</tr>", text, re.S)
    ]


def polled(text: str) -> str:
    """The address that the page asks again."""
    found = re.search(r'data-poll hx-get="([^"]+)"', text)
    assert found
    return html.unescape(found[1])


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL that is sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def test_a_row_says_when_how_much_how_long_and_until_when_the_file_is_kept(
    app: Flask, client: Open, people: People, made: Exports, clock: Clock, hourly: uuid.UUID
) -> None:
    fire(app, clock, "2026-11-23 10:00+00")
    page = f"/exports/{hourly}/logs"
    waiting = client(people.exporter).get(page).text
    assert rows(waiting) == ["Mon 23 Nov 2026 05:00:00 Queued"]
    assert re.search(r'<a class="nowrap muted"[^>]*>Mon 23 Nov 2026 05:00:00</a>', waiting), "its moment, in grey"
    clock.set("2026-11-23 10:00:01+00")
    mine = made.claim()
    made.beat(mine, rows=912, size=40_000)
    clock.set("2026-11-23 10:00:03.9+00")
    [row] = rows(client(people.exporter).get(page).text)
    assert row == "Mon 23 Nov 2026 05:00:01 Processing 912"
    made.publish(mine)
    shown = client(people.exporter).get(page).text
    [row] = rows(shown)
    assert row == (
        "Compare the run of Mon 23 Nov 2026 05:00:01 Mon 23 Nov 2026 05:00:01 Success 2 43 bytes 2.9 s "
        "Download the file of Mon 23 Nov 2026 05:00:01 "
        "kept until 23 Dec 2026"
    )
    assert '<span title="43 bytes">' in shown
    assert "muted" not in re.findall(r'id="at-[^>]*', shown)[0]
    assert f"/runs/{mine.run_id}/download" in check(shown).links
    theirs = client(people.viewer).get(page).text
    assert f"/runs/{mine.run_id}/download" not in check(theirs).links
    clock.set("2026-12-24 10:00+00")
    assert "removed, was kept until 23 Dec 2026" in rows(client(people.exporter).get(page).text)[-1]


def test_what_failed_says_what_to_do_and_its_steps_are_fetched_when_they_are_asked_for(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    from exports.errors import SourceUnreachable
    from webapp.services import runs

    export = made.create(people.exporter)
    with made.app.app_context():
        runs.fail(made.claim(), SourceUnreachable("connection refused"))
    page = f"/exports/{export.id}/logs"
    [waiting] = rows(client(people.exporter).get(page).text)
    assert "Queued The database did not answer or broke the connection. Tried again today 04:42:" in waiting
    with people.exporter.at_work():
        db.session.execute(update(Run).values(not_before=Run.created_at))
        db.session.commit()
    made.fail(made.claim())
    shown = client(people.viewer).get(page).text
    [row] = rows(shown)
    assert (
        "A field of this export no longer exists in the database: name. Edit the export and take the field out" in row
    )
    assert "Tried 2 times." in row
    assert "column stores.name does not exist" not in shown, "details are folded"
    fold = re.search(r'<details[^>]*hx-get="([^"]+)" hx-trigger="toggle once"', shown)
    assert fold
    steps = check(client(people.viewer).get(fold[1], headers=htmx).text, whole=False).text
    for words in ("Today 04:42:00 Queued.", "Attempt 1 started.", "Attempt 2 started.", "column stores.name does not"):
        assert words in steps


def test_missed_skipped_and_cancelled_each_say_their_sentence(
    app: Flask, client: Open, people: People, clock: Clock, hourly: uuid.UUID
) -> None:
    fire(app, clock, "2026-11-23 12:10+00")
    fire(app, clock, "2026-11-23 13:00+00")
    page = f"/exports/{hourly}/logs"
    shown = rows(client(people.exporter).get(page).text)
    assert [row.split(" ", 5)[5] for row in shown] == [
        "Skipped The run before was still going.",
        "Queued",
        "Missed Missed: the service was not running. The run of 23 Nov 12:00 UTC stands for it.",
        "Missed Missed: the service was not running. The run of 23 Nov 12:00 UTC stands for it.",
    ]
    browser = client(people.manager)
    token = check(browser.get(page).text).inputs["csrf_token"]
    with people.exporter.at_work():
        queued = db.session.query(Run).filter(Run.state == "queued").one().id
    browser.post(f"/runs/{queued}/cancel", data={"csrf_token": token})
    assert rows(client(people.exporter).get(page).text)[1].endswith("Cancelled Cancelled by Manager")


def test_a_row_names_who_ran_it_what_it_repeats_and_another_version(
    app: Flask, client: Open, people: People, made: Exports, clock: Clock, hourly: uuid.UUID
) -> None:
    page = f"/exports/{hourly}/logs"
    fire(app, clock, "2026-11-23 10:00+00")
    clock.set("2026-11-23 10:30+00")
    made.publish(made.claim())
    browser = client(people.manager)
    inputs = check(browser.get(page).text).inputs
    browser.post(f"/exports/{hourly}/run", data={"csrf_token": inputs["csrf_token"], "token": str(uuid.uuid4())})
    [by_hand, late] = rows(browser.get(page).text)
    assert by_hand == "Mon 23 Nov 2026 05:30:00 Run now, Manager Queued"
    assert " Mon 23 Nov 2026 05:30:00 for Mon 23 Nov 05:00 Success" in late
    with people.exporter.at_work():
        db.session.execute(update(Run).where(Run.state == "queued").values(kind="again"))
        db.session.execute(update(Export).values(version=2))
        db.session.commit()
    [again, _] = rows(browser.get(page).text)
    assert again == "Mon 23 Nov 2026 05:30:00 again, for Mon 23 Nov 05:30 · version 1 Queued"


def test_pages_lead_back_and_forth_and_say_where_they_are(
    app: Flask, client: Open, people: People, clock: Clock, hourly: uuid.UUID
) -> None:
    fire(app, clock, "2026-11-27 18:00+00")
    browser = client(people.exporter)
    page = f"/exports/{hourly}/logs"
    seen, places, address = [], [], page
    while address:
        text = browser.get(address).text
        seen += rows(text)
        places += re.findall(r"(\d+–\d+) of 105", text)
        older = re.search(r'id="older" href="([^"]+)"', text)
        address = html.unescape(older[1]) if older else ""
    assert (len(seen), len(set(seen))) == (105, 105)
    assert places == ["1–25", "26–50", "51–75", "76–100", "101–105"]
    for end in (100, 75, 50, 25):
        newer = re.search(r'id="newer" href="([^"]+)"', text)
        assert newer
        text = browser.get(html.unescape(newer[1])).text
        assert rows(text) == seen[end - 25 : end]
        assert ("data-poll" in text) == (end == 25), "only the newest page follows what goes on"
    assert "1–25 of 105" in text
    assert 'id="newer"' not in text


@pytest.mark.parametrize("place", ["x", "2026-11-23T10:00:00_2026-11-23T10:00:00_1", "%00", "_" * 3])
def test_a_place_that_is_none_is_the_newest_page(client: Open, people: People, hourly: uuid.UUID, place: str) -> None:
    for name in ("before", "after"):
        answer = client(people.exporter).get(f"/exports/{hourly}/logs?{name}={place}")
        assert answer.status_code == 200
        assert "No run yet. The first is on Mon 23 Nov 05:00." in check(answer.text).text


def test_a_one_off_has_its_logs_too_and_the_file_before_stays_at_hand(
    client: Open, people: People, made: Exports, clock: Clock
) -> None:
    export = made.finished(people.exporter)
    browser = client(people.exporter)
    view = f"/exports/{export.id}"
    inputs = check(browser.get(view).text).inputs
    clock.set("2026-11-23 10:42+00")
    browser.post(f"{view}/run", data={"csrf_token": inputs["csrf_token"], "token": inputs["token"]})
    made.fail(made.claim())
    found = check(browser.get(view).text)
    assert "Download the file of today 04:42" in found.text
    assert f"/runs/{export.run_id}/download" in found.links
    assert f"{view}/logs" in found.links
    assert len(rows(browser.get(f"{view}/logs").text)) == 2
    assert f"/runs/{export.run_id}/download" not in check(client(people.viewer).get(view).text).links


def test_the_page_of_a_run_stays_at_its_address_whatever_runs_later(
    client: Open, people: People, made: Exports, clock: Clock
) -> None:
    export = made.finished(people.exporter, "Our stores")
    at = f"/runs/{export.run_id}"
    found = check(client(people.exporter).get(at).text)
    assert found.title == "Our stores: run of Mon 23 Nov 2026 04:42:00 – Exports"
    for words in ("Kept until 23 Dec 2026", "Rows 2", "Attempt 1 started.", "Finished: 2 rows, 43 bytes."):
        assert words in found.text
    assert f"{at}/download" in found.links
    with people.exporter.at_work() as user:
        from webapp.services import exports, runs

        one = exports.find(export.id)
        assert one is not None
        runs.request_run(user, one, uuid.uuid4())
    assert "Finished: 2 rows, 43 bytes." in check(client(people.exporter).get(at).text).text
    clock.set("2026-12-24 09:42+00")
    text = check(client(people.exporter).get(at).text).text
    assert "The file was kept until 23 Dec 2026 and has been removed." in text
    assert client(people.stranger).get(at).status_code == 404


def test_the_page_of_a_run_follows_it_to_its_end(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    export = made.create(people.exporter)
    browser = client(people.exporter)
    shown = browser.get(f"/runs/{export.run_id}").text
    card, steps = (html.unescape(one) for one in re.findall(r'data-poll hx-get="([^"]+)"', shown))
    assert browser.get(card, headers=htmx).status_code == 204
    assert browser.get(steps, headers=htmx).status_code == 200
    mine = made.claim()
    made.beat(mine, rows=1, size=20)
    part = browser.get(card, headers=htmx)
    assert (part.status_code, "Attempt 1 started." in browser.get(steps, headers=htmx).text) == (200, True)
    assert "<title>" not in part.text, "the page keeps its own title"
    made.publish(mine)
    ended = [browser.get(one, headers=htmx) for one in (card, steps)]
    assert [one.status_code for one in ended] == [286, 286]
    assert f"/runs/{export.run_id}/download" in check(ended[0].text, whole=False).links


def test_logs_ask_little_of_the_database_however_many_rows_there_are(
    app: Flask, client: Open, people: People, clock: Clock, htmx: dict[str, str], hourly: uuid.UUID
) -> None:
    fire(app, clock, "2026-11-27 18:00+00")
    browser = client(people.exporter)
    text = browser.get(f"/exports/{hourly}/logs").text
    older = re.search(r'id="older" href="([^"]+)"', text)
    with people.exporter.at_work():
        run = db.session.query(Run).first()
    assert older
    assert run
    pages = (f"/exports/{hourly}/logs", html.unescape(older[1]), f"/exports/{hourly}/logs/live?v=x", f"/runs/{run.id}")
    for address in pages:
        with statements(app) as sent:
            assert browser.get(address, headers=htmx if "live" in address else {}).status_code == 200
        assert len(sent) <= STATEMENTS, (address, sent)
    with statements(app) as sent:
        assert browser.get(polled(text), headers=htmx).status_code == 204
    assert len(sent) <= STATEMENTS // 2, sent


def test_logs_follow_an_on_date_that_has_not_come_yet(
    app: Flask, client: Open, people: People, made: Exports, clock: Clock, htmx: dict[str, str]
) -> None:
    from tests.fix_app import stores
    from webapp.services import exports

    with people.exporter.at_work() as user:
        once = stores(schedule={"type": "on_date", "at": "2026-11-23T10:00:00Z"})
        export_id = exports.create(user, once, uuid.uuid4()).id
    browser = client(people.exporter)
    live = polled(browser.get(f"/exports/{export_id}/logs").text)
    fire(app, clock, "2026-11-23 10:00+00")
    answer = browser.get(live, headers=htmx)
    assert rows(answer.text) == ["Mon 23 Nov 2026 05:00:00 Queued"]
    made.publish(made.claim())
    assert "data-poll" not in browser.get(live, headers=htmx).text, "nothing more can come by itself"


def test_a_long_time_ago_is_told_with_its_year(client: Open, people: People, made: Exports, clock: Clock) -> None:
    export = made.finished(people.exporter)
    with people.exporter.at_work():
        db.session.execute(update(Run).values(started_at=Run.started_at - timedelta(days=700)))
        db.session.commit()
    [row] = rows(client(people.exporter).get(f"/exports/{export.id}/logs").text)
    assert row.startswith("Compare the run of Mon 23 Dec 2024 0")
