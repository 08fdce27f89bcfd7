"""The card of the newest run while somebody looks at it: asked every second, ended with the run (UX section 3.9)."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.fix_pages import check

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports

Open = Callable[["Person | None"], "FlaskClient"]


def poll_of(part: str) -> str:
    """The address that is asked again."""
    found = re.search(r'hx-get="(/exports/[^"]+/status[^"]*)" hx-trigger="every 1s" hx-target="#progress"', part)
    assert found is not None
    return html.unescape(found[1])


def test_from_waiting_to_finished(
    client: Open, people: People, made: Exports, htmx: dict[str, str], clock: Clock
) -> None:
    clock.set("2026-11-23T10:00:00Z")
    export = made.create(people.exporter, "Our stores")
    browser = client(people.exporter)
    address = poll_of(browser.get(f"/exports/{export.id}").get_data(as_text=True))
    assert browser.get(address, headers=htmx).status_code == 204

    mine = made.claim()
    made.beat(mine, rows=250, size=100_000, expected=1000)
    response = browser.get(address, headers=htmx)
    part = response.get_data(as_text=True)
    assert response.status_code == 200
    found = check(part, whole=False)
    assert "25 %" in found.text
    assert "#say" not in part, "ticks are not read out"
    assert '<span class="status" id="export-status" hx-swap-oob="true">' in part
    assert found.title == "Our stores: Processing – Exports"

    assert browser.get(poll_of(part), headers=htmx).status_code == 204
    clock.set("2026-11-23T10:00:03Z")
    assert browser.get(poll_of(part), headers=htmx).status_code == 200, "seconds go on also while no row comes"

    made.publish(mine)
    response = browser.get(poll_of(part), headers=htmx)
    part = response.get_data(as_text=True)
    assert response.status_code == 286
    assert response.headers["HX-Retarget"] == "#run-card"
    assert response.headers["HX-Reswap"] == "outerHTML"
    found = check(part, whole=False)
    assert f"/runs/{export.run_id}/download" in found.links
    assert '<div hx-swap-oob="innerHTML:#say">Finished: 2 rows</div>' in part
    assert 'id="export-actions" hx-swap-oob="true"' in part
    assert "Run now" in found.text
    assert found.title == "Our stores: Finished – Exports"


def test_a_failure_is_read_out_with_its_reason(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    export = made.create(people.exporter)
    made.fail(made.claim())
    response = client(people.viewer).get(f"/exports/{export.id}/status?v=x", headers=htmx)
    part = response.get_data(as_text=True)
    assert response.status_code == 286
    check(part, whole=False)
    assert 'innerHTML:#say">Failed: A field of this export no longer exists in the database: name.</div>' in part
    assert 'id="run-now"' not in part


def test_a_new_run_of_somebody_else_is_followed(
    client: Open, people: People, made: Exports, htmx: dict[str, str]
) -> None:
    export = made.finished(people.exporter)
    response = client(people.viewer).get(f"/exports/{export.id}/status?v=x", headers=htmx)
    assert response.status_code == 286
    assert "You can see this export but not its data." in response.get_data(as_text=True)
