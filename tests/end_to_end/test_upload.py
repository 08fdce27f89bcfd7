"""From a server that is typed in to a file that stands there, in a real browser with real workers."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from exports.addresses import read_networks
from tests.delivery.servers import PASSWORD, USER, SftpServer

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_app import People
    from tests.fix_site import Visitor

Visit = Callable[..., AbstractContextManager["Visitor"]]
Processes = Callable[..., AbstractContextManager[None]]
PATIENCE_MS = 60_000


def go_on(page: Page, to: str) -> None:
    """Next."""
    page.locator(".foot .btn-primary").click()
    page.wait_for_url(re.compile(rf"/{to}"))


def test_a_server_is_tested_its_key_accepted_and_the_file_delivered(
    visit: Visit,
    people: People,
    processes: Processes,
    app: Flask,
    app_settings: dict[str, str],
    sftp_server: SftpServer,
) -> None:
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, allowed_networks=read_networks("127.0.0.0/8"))
    app_settings["EXPORTS_ALLOWED_NETWORKS"] = "127.0.0.0/8"
    try:
        with processes("jobs.worker exports", "jobs.worker fast"), visit(people.exporter) as visitor:
            _journey(visitor, sftp_server)
    finally:
        del app_settings["EXPORTS_ALLOWED_NETWORKS"]
        app.config["SETTINGS"] = settings
    sent = list((sftp_server.folder / "in" / "loyalty").iterdir())
    assert [one.name for one in sent] == ["stores_100%.csv"]
    assert sent[0].read_bytes().startswith(b"id,")
    assert set(sftp_server.passwords) == {PASSWORD}


def _journey(visitor: Visitor, server: SftpServer) -> None:
    page = visitor.open("/exports/new")
    page.locator("[name=model][value=stores]").check()
    page.get_by_role("button", name="Next").last.click()
    page.wait_for_url(re.compile("/localization"))
    page.locator("#name").fill("Stores for the partner")
    go_on(page, "filters")
    page.locator("#filters-A-1-attribute").select_option("id")
    expect(page.locator("#filters-A-1-operator")).to_be_visible()
    page.locator("#filters-A-1-operator").select_option("is_not_empty")
    expect(page.locator("#filters-A-1-value")).to_have_count(0)
    go_on(page, "fields")
    page.locator("#all_fields").check()
    go_on(page, "file")
    go_on(page, "schedule")
    go_on(page, "target")
    page.locator("[name=target][value=sftp]").check()
    page.locator("#host").fill("127.0.0.1")
    page.locator("#port").fill(str(server.port))
    page.locator("#username").fill(USER)
    page.locator("#password").fill(PASSWORD)
    page.locator("#path").fill("/in/loyalty/stores_100%%")
    expect(page.locator("#pathx")).to_contain_text("/in/loyalty/stores_100%.csv")

    page.locator("#test-button").click()
    expect(page.locator("#test")).to_contain_text("Server key, seen for the first time", timeout=PATIENCE_MS)
    expect(page.locator("#test")).to_contain_text(server.trust)
    assert server.passwords == [], "no password before the key is accepted"
    page.get_by_role("button", name="Accept this key").click()
    expect(page.locator("#test")).to_contain_text("Can be used", timeout=PATIENCE_MS)
    page.locator("#username").fill("somebody else")
    expect(page.locator("#test")).to_contain_text("Changed since the test")
    page.locator("#username").fill(USER)
    expect(page.locator("#test")).to_contain_text("Can be used")
    assert visitor.fits()

    go_on(page, "check")
    expect(page.locator("#row-target")).to_contain_text("can be used")
    page.get_by_role("button", name="Create").click()
    page.wait_for_url(re.compile(r"/exports/[0-9a-f-]{36}$"))
    expect(page.locator("#run-card")).to_contain_text("Delivered to 127.0.0.1", timeout=PATIENCE_MS)
    assert PASSWORD not in page.content()
    page.get_by_role("button", name="Upload again").click()
    expect(page.locator("#run-card")).to_contain_text("Uploaded again", timeout=PATIENCE_MS)
