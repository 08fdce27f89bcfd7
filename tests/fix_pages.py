"""What every page and fragment must be like: parsed by the standard library, not by our own words."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
        "path",
        "rect",
    ]
)

NAME = re.compile(r"[a-z][a-z0-9:-]*")
"""A name with a quote or an ampersand in it is a value that was escaped once too often."""


@dataclass
class Parsed:
    """A page taken apart."""

    ids: list[str] = field(default_factory=list)
    title: str = ""
    text: str = ""
    forbidden: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    unclosed: list[str] = field(default_factory=list)
    references: list[str] = field(default_factory=list)

    @property
    def twice(self) -> list[str]:
        """Ids that stand more than once."""
        return sorted({one for one in self.ids if self.ids.count(one) > 1})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found = Parsed()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        found = self.found
        found.text += " "
        if "id" in given:
            found.ids.append(given["id"])
        if len(given) != len(attrs):
            found.forbidden.append(f"<{tag}> has an attribute twice")
        found.forbidden += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith(("on", "hx-on"))]
        found.forbidden += [f"<{tag} {name}>" for name in given if not NAME.fullmatch(name)]
        found.forbidden += [f"<{tag} {name}={value}>" for name, value in given.items() if value.startswith("js:")]
        if tag == "style" or (tag == "script" and not given.get("src", "").startswith("/static/")):
            found.forbidden.append(f"<{tag}>")
        if tag == "a":
            found.links.append(given.get("href", ""))
        if tag == "form":
            found.forms.append(given)
        if tag == "input":
            found.inputs[given.get("name", "")] = given.get("value", "")
        for name in ("aria-describedby", "aria-labelledby", "for"):
            found.references += given.get(name, "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.found.text += " "
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.found.unclosed.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title":
            self.found.title += data
        elif not self.open or self.open[-1] not in ("script", "style"):
            self.found.text += data


def parse(html: str) -> Parsed:
    """Take a page or a fragment apart."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.found.unclosed += reader.open
    reader.found.text = " ".join(reader.found.text.split())
    return reader.found


def check(html: str, *, whole: bool = True) -> Parsed:
    """Take it apart and hold it against the rules: unique ids, well formed, nothing that the CSP would block."""
    found = parse(html)
    assert found.twice == []
    assert found.forbidden == []
    assert found.unclosed == []
    if whole:
        assert html.startswith("<!doctype html>")
        assert found.title.strip().removesuffix("– Exports").strip(), "the page has no title"
        assert sorted(set(found.references) - set(found.ids)) == [], "labels or descriptions that point nowhere"
    return found


@pytest.fixture
def htmx() -> dict[str, str]:
    """Headers of a request by htmx."""
    return {"HX-Request": "true"}
