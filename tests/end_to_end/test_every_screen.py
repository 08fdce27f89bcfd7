"""Every screen in every state, at two widths and in both themes: axe, the CSP, nothing sideways; and its pictures."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import expect

from tests.end_to_end.screens import GROUPS, NO_PAGE, SCREENS, Screen
from tests.end_to_end.stage import Stage
from tests.fix_mail import mailing_by
from tests.fix_pages import check

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Response

    from tests.delivery.servers import SftpServer
    from tests.fix_app import Clock, People
    from tests.fix_exports import Exports
    from tests.fix_site import Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("upload_here", "source_dsn")]
Visit = Callable[..., Any]

VIEWS: Final = ((1280, 860, "light"), (390, 844, "dark"), (1280, 860, "dark"), (390, 844, "light"))
"""Widths, heights and themes. The first two meet each width and each theme, in half the time that all four take."""
NARROWEST: Final = 320
ROOT: Final = Path(__file__).parents[2]
LARGEST: Final = 150_000
TAGS: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SETTLED: Final = ".htmx-request, .htmx-swapping, .htmx-settling, [aria-busy=true]"


@pytest.fixture
def stage(
    app: Flask, people: People, made: Exports, clock: Clock, sftp_server: SftpServer, client: Any
) -> Iterator[Stage]:
    """A brand at work, whose mails are caught."""
    with mailing_by(app, None):
        stage = Stage(people, made, clock, sftp_server).set()
        stage.test_connection(client(people.admin), "connection")
        yield stage


class Eyes:
    """Looks at screens through one browser, and tells what is wrong with each."""

    def __init__(self, visitor: Visitor, ids: dict[str, Any], folder: str | None) -> None:
        self.visitor, self.page, self.ids, self.folder = visitor, visitor.page, ids, folder
        self.answered: list[Response] = []
        self.axe = Axe().axe_script
        self.devtools = self.page.context.new_cdp_session(self.page)
        self.page.on("response", self._answered)

    def _answered(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == self.page.main_frame:
            self.answered.append(response)

    def look(self, screen: Screen) -> list[str]:
        """Open a screen and look at it from all sides."""
        self.visitor.complaints.clear()
        self._size(*VIEWS[0][:2])
        try:
            self._go(screen)
        except (AssertionError, PlaywrightError) as missing:
            self._keep(f"{screen.name}-missing")
            return [str(missing).partition("\n")[0]]
        found = [f"status {self.answered[-1].status}"] if self.answered[-1].status != screen.status else []
        return found + self.see(screen.name) + self._complaints(screen)

    def see(self, name: str) -> list[str]:
        """Look at the page as it is now, from all sides."""
        self.page.evaluate(self.axe)
        found = []
        for width, height, theme in VIEWS if self.folder else VIEWS[:2]:
            self._size(width, height)
            self.page.emulate_media(color_scheme=theme, reduced_motion="reduce")
            found += [f"{width} {theme}: {one}" for one in [*self._sideways(), *self._axe()]]
            self._keep(f"{name}-{width}{'-dark' if theme == 'dark' else ''}")
        self._size(NARROWEST, 844)
        return found + self._sideways()

    def _size(self, width: int, height: int) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def _go(self, screen: Screen) -> None:
        self.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        response = self.page.goto(self.visitor.site + screen.address.format(**self.ids))
        assert response is not None
        check(response.text())
        if screen.first is not None:
            screen.first(self.page)
        expect(self.page.get_by_text(screen.says).filter(visible=True).first).to_be_visible()
        expect(self.page.locator(SETTLED)).to_have_count(0)

    def _sideways(self) -> list[str]:
        width = self.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        return [f"{width} px beyond the screen"] if width > 0 else []

    def _axe(self) -> list[str]:
        """From the end of the page: there a bar that sticks to the lower edge hides nothing of it."""
        self.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        # A mail is in a frame in which no script runs, that of axe neither; it is a screen of its own.
        options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"], "iframes": False}
        # All that axe tells is half a megabyte, which takes as long to send as to find out.
        # A row that the edge of an open menu crosses is too small to press while it is open: by chance, not by design.
        where = {"exclude": ["main"]} if self.page.locator(".top .menu[open]").count() else {"include": ["html"]}
        run = "([where, options]) => axe.run(where, options).then(told => told.violations)"
        found = self.page.evaluate(run, [where, options])
        self.page.evaluate("scrollTo(0, 0)")
        return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]

    def _complaints(self, screen: Screen) -> list[str]:
        expected = f"the server responded with a status of {screen.status} "
        found = [one for one in self.visitor.complaints if expected not in one]
        self.visitor.complaints.clear()
        return found

    def _keep(self, name: str) -> None:
        """A picture of what is on the screen, if pictures are wanted: WebP is a third of the same as PNG."""
        if self.folder is not None:
            taken = self.devtools.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
            (Path(self.folder) / f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


@pytest.mark.parametrize("group", GROUPS)
def test_every_screen_is_whole_in_all_its_states(
    visit: Visit, stage: Stage, request: pytest.FixtureRequest, group: str
) -> None:
    found = {}
    for who in ("admin", "viewer", "stranger", "nobody"):
        screens = [screen for screen in GROUPS[group] if screen.who == who]
        if not screens:
            continue
        with visit(None if who == "nobody" else getattr(stage.people, who), own=True) as visitor:
            eyes = Eyes(visitor, stage.ids, request.config.getoption("screens"))
            for screen in screens:
                if faults := eyes.look(screen):
                    found[screen.name] = faults
    assert found == {}


def test_no_page_is_forgotten(app: Flask, stage: Stage) -> None:
    known = app.url_map.bind("127.0.0.1")
    shown = set()
    for screen in SCREENS:
        path = urlsplit(screen.address.format(**stage.ids)).path
        if screen.status != 404:
            shown.add(known.match(path)[0])
    all_ = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    api = {one for one in all_ if one.startswith("api.")}
    assert all_ - api == shown | (NO_PAGE.keys() - {"api"})


def test_names_of_screens_differ() -> None:
    assert len({screen.name for screen in SCREENS}) == len(SCREENS)


def test_the_pictures_of_the_docs_are_listed_small_and_of_screens() -> None:
    folder = ROOT / "docs/screens"
    pictures = {path.name for path in folder.iterdir()} - {"README.md"}
    assert pictures == set(re.findall(r"\(([a-z0-9-]+\.webp)\)", (folder / "README.md").read_text()))
    assert {re.sub(r"-\d+(-dark)?\.webp$", "", name) for name in pictures} <= {screen.name for screen in SCREENS}
    assert [name for name in sorted(pictures) if (folder / name).stat().st_size >= LARGEST] == []


def test_each_check_that_the_docs_name_is_made() -> None:
    named = re.findall(r"`(\w+\.py)::(\w+)`", (ROOT / "docs/browser.md").read_text())
    assert len(named) > 20
    for file, name in named:
        assert any(f"def {name}(" in found.read_text() for found in (ROOT / "tests").rglob(file)), name
