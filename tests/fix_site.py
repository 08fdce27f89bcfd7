"""The application served to a real browser, and visitors who notice what the browser complains about."""

from __future__ import annotations

import threading
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
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)

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


@pytest.fixture
def visit(app: Flask, site: str, browser: Browser) -> Callable[..., Any]:
    """`with visit(people.viewer, width=390, theme="dark") as visitor`: a person at a browser, logged in.

    At the end the browser must have had nothing to complain about: no violation of the CSP, no error of a script.
    """

    @contextmanager
    def at_browser(
        person: Person | None, *, width: int = 1280, theme: str = "light", script: bool = True
    ) -> Iterator[Visitor]:
        context = browser.new_context(
            viewport={"width": width, "height": 860},
            color_scheme=theme,  # type: ignore[arg-type]
            java_script_enabled=script,
            accept_downloads=True,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        if person is not None:
            context.add_cookies([_session_of(app, person, site)])  # type: ignore[list-item]
        visitor = Visitor(context.new_page(), site)
        visitor.watch()
        try:
            yield visitor
        finally:
            context.close()
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
