"""The application served to a real browser, and visitors who notice what the browser complains about."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_browser import PATIENCE_MS

if TYPE_CHECKING:
    from flask import Flask
    from playwright.sync_api import Browser, Page, Request, Response

    from tests.fix_app import Person


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of the application, served by threads of this process."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        def log(self, *_: Any) -> None:
            """Say nothing."""

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


OVERTAKEN = ("htmx:sendAbort", "htmx:afterRequest")
"""How htmx tells of a request that a newer one was sent in place of."""


@dataclass
class Visitor:
    """A person at a browser. `complaints`: what the browser said of the pages; a test that expects some empties it."""

    page: Page
    site: str
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Listen to the browser."""
        for event, heard in self._ears().items():
            self.page.on(event, heard)  # type: ignore[call-overload]

    def look_away(self) -> None:
        """Listen no more."""
        for event, heard in self._ears().items():
            self.page.remove_listener(event, heard)

    def _ears(self) -> dict[str, Callable[[Any], None]]:
        return {"console": self._said, "pageerror": self._failed, "request": self._asked, "response": self._answered}

    def _failed(self, error: Any) -> None:
        self.complaints.append(f"script: {error}")

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and message.text not in OVERTAKEN:
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url.removeprefix(self.site))

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status} {response.url}")

    def open(self, address: str) -> Page:
        """Go to an address of the site."""
        self.page.goto(self.site + address)
        return self.page

    def listen(self) -> None:
        """Write down from now on, on this page, what the live region reads out: the next thing follows soon."""
        self.page.evaluate("""() => {
            const region = document.querySelector("#say");
            window.heard = [];
            new MutationObserver(() => window.heard.push(region.textContent.trim()))
                .observe(region, { childList: true, characterData: true, subtree: true });
        }""")

    def until_heard(self, words: str) -> None:
        """Wait until this was read out since `listen`, whatever was after it."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while words not in (heard := self.page.evaluate("window.heard")):
            assert time.monotonic() < deadline, heard
            self.page.wait_for_timeout(20)

    def says(self) -> str:
        """What the live region reads out."""
        return self.page.locator("#say").text_content() or ""

    def fits(self) -> bool:
        """Whether nothing has to be scrolled sideways."""
        return self.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")  # type: ignore[no-any-return]

    def focused(self) -> str:
        """What has the focus: its id, or its text."""
        script = "(e => e.id || e.textContent.trim().replace(/\\s+/g, ' '))(document.activeElement)"
        return self.page.evaluate(script)  # type: ignore[no-any-return]


class Windows:
    """Windows of the browser, used again and again: to open one computes for half a second, which is most of a test."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[bool, list[Page]] = {True: [], False: []}

    @contextmanager
    def open(self, script: bool, own: bool) -> Iterator[Page]:
        """A window that nothing is left in of whoever had it before; that of a test that fails is not used again."""
        free = [] if own else self._free[script]
        page = free.pop() if free else self._new(script)
        try:
            yield page
        except BaseException:
            page.context.close()
            raise
        if own:
            page.context.close()
        else:
            self._empty(page)
            free.append(page)

    def _new(self, script: bool) -> Page:
        context = self._browser.new_context(java_script_enabled=script, accept_downloads=True)
        context.set_default_timeout(PATIENCE_MS)
        return context.new_page()

    def _empty(self, page: Page) -> None:
        context = page.context
        for other in context.pages:
            if other is not page:
                other.close()
        page.unroute_all(behavior="ignoreErrors")
        context.set_offline(False)
        context.clear_permissions()
        context.clear_cookies()
        devtools = context.new_cdp_session(page)
        origin = page.evaluate("location.origin")
        page.goto("about:blank")
        if origin.startswith("http"):
            devtools.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        devtools.detach()


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Windows:
    """The windows of this worker's browser."""
    return Windows(browser)


@pytest.fixture
def visit(app: Flask, site: str, windows: Windows) -> Callable[..., Any]:
    """`with visit(people.viewer, width=390, theme="dark") as visitor`: a person at a browser, logged in.

    At the end the browser must have had nothing to complain about: no violation of the CSP, no error of a script.
    `own`: in a window that nobody has afterwards, for who sets what is not set back.
    """

    @contextmanager
    def at_browser(
        person: Person | None, *, width: int = 1280, theme: str = "light", script: bool = True, own: bool = False
    ) -> Iterator[Visitor]:
        with windows.open(script, own) as page:
            page.set_viewport_size({"width": width, "height": 860})
            page.emulate_media(color_scheme=theme, reduced_motion="reduce", forced_colors="none")  # type: ignore[arg-type]
            if person is not None:
                page.context.add_cookies([_session_of(app, person, site)])  # type: ignore[list-item]
            visitor = Visitor(page, site)
            visitor.watch()
            yield visitor
            visitor.look_away()
        assert visitor.complaints == []

    return at_browser


def _session_of(app: Flask, person: Person, site: str) -> dict[str, Any]:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = person.token
        session["_fresh"] = True
    name = app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    # Chromium takes a secure cookie only from a secure address, and sends it to 127.0.0.1 all the same.
    url = site.replace("http:", "https:", 1)
    return {"name": name, "value": cookie.value, "url": url, "secure": True, "httpOnly": True}
