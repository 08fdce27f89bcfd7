"""The system's Chromium, driven by Playwright; tests that need it are loudly left out where it is missing."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first one has no windows to draw, and computes a third less for the same page."""
MISSING = "Chromium is not installed"
PATIENCE_MS = 30_000
"""How long what is expected may take: nothing on a quiet machine, and a busy one is no fault of the page."""
ARGUMENTS = [
    "--no-sandbox",  # containers have no user namespaces to build it of; the pages are ours
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of script/screens."""
    parser.addoption("--screens", metavar="FOLDER", help="keep pictures of every screen there")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium per worker. Missing: the test is left out; with CI=true it fails."""
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{MISSING}, and CI does not leave browser tests out.")
        pytest.skip(MISSING)
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a visitor who was never here before; which waits patiently for what is expected."""
    context = browser.new_context(accept_downloads=True)
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly how many browser tests were left out."""
    left_out = [report for report in terminalreporter.stats.get("skipped", []) if MISSING in str(report.longrepr)]
    if left_out:
        terminalreporter.section("BROWSER TESTS LEFT OUT", sep="!", red=True, bold=True)
        terminalreporter.line(
            f"{len(left_out)} browser tests did not run: {MISSING}. Install it (Debian, Ubuntu: apt install chromium)."
        )
