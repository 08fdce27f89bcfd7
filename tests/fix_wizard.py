"""Somebody who goes through the wizard: reads each page's form as a browser does, types, presses its buttons."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from tests.fix_pages import check

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.fix_app import Person
    from webapp.services.drafts import Typed

FORM = "step-form"


@dataclass
class Form:
    """What a browser would send, and the buttons that can send it."""

    action: str = ""
    values: list[tuple[str, str]] = field(default_factory=list)
    choices: dict[str, list[str]] = field(default_factory=dict)
    boxes: dict[tuple[str, str], str] = field(default_factory=dict)
    buttons: dict[str, str] = field(default_factory=dict)


TAG = re.compile(r"<(/?)(form|input|button|select|textarea|option)\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>")
ATTRIBUTE = re.compile(r"""([^\s"'=/]+)(?:="([^"]*)"|='([^']*)')?""")
"""A third of what the wizard's tests took went into a whole parser: a page has 800 tags, most of them options."""


class _FormReader:
    """Reads the inputs of one form, those that name it from elsewhere included."""

    def __init__(self) -> None:
        self.form = Form()
        self.inside = False
        self.select: str | None = None

    def read(self, page: str) -> Form:
        """The form of a page."""
        for tag in TAG.finditer(page):
            closes, name, attributes = tag.groups()
            if closes:
                self._end(name)
            elif self.inside or name == "form" or "form=" in attributes:
                text = page[tag.end() : page.index("</textarea", tag.end())] if name == "textarea" else ""
                found = {key: unescape(double or single) for key, double, single in ATTRIBUTE.findall(attributes)}
                self._start(name, found, unescape(text))
        return self.form

    def _start(self, tag: str, given: dict[str, str], text: str) -> None:
        if tag == "form":
            self.inside = given.get("id") == FORM
            if self.inside:
                self.form.action = given["action"]
        if not self.inside and given.get("form") != FORM:
            return
        name, value = given.get("name", ""), given.get("value", "")
        if tag == "input" and name:
            self._input(given, name, value)
        elif tag == "button" and given.get("type") == "submit":
            self.form.buttons[value] = given.get("formaction", "")
        elif tag == "select":
            self.select = name
            self.form.choices[name] = []
        elif tag == "textarea":
            # A line end right behind <textarea> is not a part of its text.
            self.form.values.append((name, text.removeprefix("\n")))
        elif tag == "option" and self.select:
            self._option(self.select, value, "selected" in given)

    def _input(self, given: dict[str, str], name: str, value: str) -> None:
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio"):
            self.form.boxes[name, value] = kind
            if "checked" not in given:
                return
        self.form.values.append((name, value))

    def _option(self, name: str, value: str, selected: bool) -> None:
        is_first = not self.form.choices[name]
        self.form.choices[name].append(value)
        if selected and not is_first:
            self.form.values = [one for one in self.form.values if one[0] != name]
        if selected or is_first:
            self.form.values.append((name, value))

    def _end(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"
        self.select = None if tag == "select" else self.select


def form_of(html: str) -> Form:
    """The wizard's form of a page."""
    return _FormReader().read(html)


class Wizard:
    """One tab of a browser in which somebody is making an export.

    `by_htmx`: buttons are pressed as htmx presses them; what it would swap is held against the rules, and the page read
    anew. Else as a browser without JavaScript does.
    """

    def __init__(self, client: FlaskClient, person: Person, by_htmx: bool = False) -> None:
        self.client = client
        self.person = person
        self.by_htmx = by_htmx
        self.response: TestResponse | None = None
        self.path = ""
        self.html = ""
        self.form = Form()

    # --- looking

    @property
    def step(self) -> str:
        """The last part of the address."""
        return self.path.partition("?")[0].rpartition("/")[2]

    @property
    def draft_id(self) -> uuid.UUID:
        """The draft's id, from the address."""
        found = re.search(r"/drafts/([0-9a-f-]{36})/", self.path)
        assert found, self.path
        return uuid.UUID(found[1])

    @property
    def status(self) -> int:
        """Of the last answer."""
        assert self.response is not None
        return self.response.status_code

    @property
    def text(self) -> str:
        """What can be read on the page."""
        return check(self.html).text

    @property
    def typed(self) -> Typed:
        """What the server has of the draft."""
        from webapp.services import drafts

        with self.person.at_work() as user:
            draft = drafts.own(user, self.draft_id)
            assert draft is not None
            return drafts.typed_of(draft)

    @property
    def problems(self) -> list[tuple[str, str]]:
        """The summary: (input, sentence), in its order. Each stands beside its input too."""
        summary = re.search(r'id="errors".*?</div>', self.html, re.DOTALL)
        if summary is None:
            return []
        return re.findall(r'<li><a href="#([^"]+)">(.*?)</a></li>', summary[0], re.DOTALL)

    def beside(self, input: str) -> str:
        """The message beside an input."""
        found = re.search(rf'id="e-{re.escape(input)}"[^>]*>(.*?)</div>', self.html, re.DOTALL)
        return re.sub(r"<svg.*?</svg>|<[^>]+>", "", found[1], flags=re.DOTALL).strip() if found else ""

    def value(self, name: str) -> str:
        """What stands in an input."""
        return dict(self.form.values)[name]

    # --- going

    def open(self, step: str, **query: str) -> None:
        """Go to a step by its address."""
        self._get(f"/drafts/{self.draft_id}/{step}", **query)

    def reload(self) -> None:
        """Press F5."""
        self._get(self.path)

    def begin(self, model: str = "stores") -> None:
        """Choose a data model: makes the draft and leads to Localization."""
        self._get("/exports/new")
        self.fill(model=model)
        self._send([*self.form.values], "/exports/new", False)

    def through(self, *steps: str) -> None:
        """Press Next on each of these steps, as they are."""
        for step in steps:
            self.open(step)
            self.press("next")

    def fill(self, values: dict[str, str | list[str]] | None = None, **more: str | list[str]) -> None:
        """Type, choose, tick: a list ticks exactly these boxes, an empty text unticks a single one."""
        for name, value in {**(values or {}), **more}.items():
            name = name.replace("__", "-")
            kept = [one for one in self.form.values if one[0] != name]
            if isinstance(value, list):
                made = [(name, ""), *((name, one) for one in value)]
            else:
                is_box = self.form.boxes.get((name, "1")) == "checkbox"
                made = [] if is_box and not value else [(name, value)]
            self.form.values = kept + made

    def press(self, op: str) -> None:
        """Press a button of the page; afterwards the page that it leads to is open."""
        assert op in self.form.buttons, f"no button {op} among {sorted(self.form.buttons)}"
        address = self.form.buttons[op] or self.form.action
        self._send([*self.form.values, ("op", op)], address, self.by_htmx and op != "create")

    def save(self) -> TestResponse:
        """What htmx does while somebody types."""
        return self.swap(self.form.values, "step-form", f"/drafts/{self.draft_id}/{self.step}/save")

    def swap(self, values: list[tuple[str, str]], target: str, address: str = "") -> TestResponse:
        """A request by htmx for one part of the page."""
        return self.client.post(address or self.form.action, data=_multi(values), headers=self._headers(target))

    def post(self, values: list[tuple[str, str]], op: str = "next") -> TestResponse:
        """A hand-made form with the tokens of the page."""
        kept = [one for one in self.form.values if one[0] in ("csrf_token", "rev", "tab")]
        headers = self._headers("step") if self.by_htmx else {}
        return self.client.post(self.form.action, data=_multi([*kept, *values, ("op", op)]), headers=headers)

    def _headers(self, target: str) -> dict[str, str]:
        return {"HX-Request": "true", "HX-Target": target, "HX-Current-URL": f"http://localhost{self.path}"}

    def _get(self, path: str, **query: str) -> None:
        self.response = self.client.get(path, query_string=query or None, follow_redirects=True)
        self._arrived()

    def _arrived(self) -> None:
        assert self.response is not None
        self.path = self.response.request.full_path.rstrip("?")
        self.html = self.response.get_data(as_text=True)
        self.form = form_of(self.html)

    def _send(self, values: list[tuple[str, str]], address: str, by_htmx: bool) -> None:
        if not by_htmx:
            answer = self.client.post(address, data=_multi(values))
            assert answer.status_code in (303, 409, 422), answer.status_code
            self.response = answer
            if answer.status_code == 303:
                self._get(answer.headers["Location"])
            else:
                self._arrived()
            return
        answer = self.client.post(address, data=_multi(values), headers=self._headers("step"))
        check(answer.get_data(as_text=True), whole=False)
        self._get(answer.headers.get("HX-Redirect", self.path))
        self.response = answer


def _multi(values: list[tuple[str, str]]) -> Any:
    from werkzeug.datastructures import MultiDict

    return MultiDict(values)


@pytest.fixture
def tab(client: Callable[[Person | None], FlaskClient]) -> Callable[[Person], Wizard]:
    """`tab(people.exporter)`: a tab without JavaScript in which that person is logged in."""
    return lambda person: Wizard(client(person), person)


@pytest.fixture(params=[False, True], ids=["plain", "htmx"])
def wizard(
    request: pytest.FixtureRequest, client: Callable[[Person | None], FlaskClient]
) -> Callable[[Person], Wizard]:
    """The same, once without and once with htmx."""
    return lambda person: Wizard(client(person), person, by_htmx=request.param)
