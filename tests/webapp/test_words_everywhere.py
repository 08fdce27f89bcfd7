"""No page mixes languages: every text of a template is marked, and every page in German says what has a German word."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, nodes

from tests.fix_things import Things, address, changes, rules
from tests.fix_words import SPOKEN, in_german, left_in_english, of_fields
from webapp.words import extracting

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient

    from tests.fix_app import People, Person

Open = Callable[["Person | None"], "FlaskClient"]

TEMPLATES: Final = Path(__file__).resolve().parents[2] / "templates"
OF_FIELDS: Final = ("wizard.",)
"""Pages that name fields anywhere, which are called as in the catalogue."""
NOT_OURS: Final = ("api.", "api_document.", "mailbox.html", "mailbox.view")
"""What is for programs, and mails: they are in their recipient's language."""
SAME: Final = frozenset({
    "Exports", "– Exports", "zip,", "· SHA-256", "msg_", "/api/openapi.json", "-----BEGIN OPENSSH PRIVATE KEY-----",
    "API", "UTC", "&nbsp;", "/in/loyalty/coupon_use_%Y%m%d",
})  # fmt: skip
"""Texts of templates that are the same in every language: names, and what is no language."""
NO_TEXT: Final = re.compile(r"\"?(?:\s*(?:[\w-]+=\"[^\"]*\"?|data-\w+))+")
"""A part of a tag that a macro makes."""
MARKS: Final = ("_", "ngettext", "url_for", "icon", "icon_of", "static_url")
"""Calls whose texts are marked, or no texts."""

ENVIRONMENT: Final = Environment(autoescape=True)


def texts_between_tags(source: str) -> Iterator[str]:
    """What stands in a template as it is: between tags, and in attributes that are read."""
    marks = {"data": None, "variable_begin": "\x00", "block_begin": "\x00"}
    page = "".join(marks[kind] or text for _, kind, text in ENVIRONMENT.lex(source) if kind in marks)
    page = re.sub(r"<(code|pre|script|style)\b.*?</\1>", "\x00", page, flags=re.DOTALL)
    page = re.sub(r"<!--.*?-->|<!doctype[^>]*>", "\x00", page, flags=re.DOTALL)
    for found in re.finditer(rf'\s(?:{"|".join(SPOKEN)})="([^"]*)"', page):
        yield from found[1].split("\x00")
    yield from re.split("[\x00\x01]", re.sub(r"<[^<>]*>", "\x01", page))


def texts_in_expressions(node: nodes.Node) -> Iterator[str]:
    """Texts that an expression of a template may show without asking for a translation."""
    if isinstance(node, nodes.Call) and getattr(node.node, "name", "") in MARKS:
        return
    if isinstance(node, nodes.Compare | nodes.FromImport | nodes.Extends | nodes.Include):
        return
    if isinstance(node, nodes.Keyword) and node.key in ("classes", "attrs", "type", "id"):
        return
    if isinstance(node, nodes.Filter | nodes.Getitem):
        yield from texts_in_expressions(node.node) if node.node is not None else ()
        return
    if isinstance(node, nodes.Pair):
        if isinstance(node.key, nodes.Const) and str(node.key.value).startswith("hx-"):
            return
        yield from texts_in_expressions(node.value)
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes():
        yield from texts_in_expressions(child)


def unmarked(source: str, known: set[str]) -> list[str]:
    """Texts of a template that nobody can translate. Those in the catalogue are translated where they are shown."""
    between = [one.strip() for one in texts_between_tags(source)]
    shown = [one for one in between if re.search("[A-Za-z]{2}", one) and not NO_TEXT.fullmatch(one)]
    inside = texts_in_expressions(ENVIRONMENT.parse(source))
    said = [one for one in inside if re.search(r"[A-Za-z]{2,} [A-Za-z]|^[A-Z][a-z]", one)]
    return [one for one in (*shown, *said) if one not in SAME and one not in known]


def test_every_text_of_a_template_is_marked() -> None:
    known = {one for text in extracting.texts() for one in ([text] if isinstance(text, str) else text)}
    left = {}
    for path in sorted(TEMPLATES.rglob("*.*")):
        name = path.relative_to(TEMPLATES.parent).as_posix()
        if found := unmarked(path.read_text(), known):
            left[name] = found
    assert left == {}


def test_what_is_not_marked_is_found() -> None:
    page = (
        '<p title="Seen">{{ _("Marked") }} and {{ x }} more</p>{{ note("Not marked.") }}<code>curl x</code>'
        '{{ "Two words" if x == "A b" else _("c") }}{% set y = [("a", "Label")] %}<a href="Home">{{ "known text" }}</a>'
    )
    assert unmarked(page, {"known text"}) == ["Seen", "and", "more", "Not marked.", "Two words", "Label"]


def test_every_page_is_in_german(app: Flask, client: Open, people: People, things: Things) -> None:
    browser = client(people.admin)
    assert "Also may" in left_in_english(browser.get("/users").text), "the English page has them"
    in_german(people.admin)
    left = {}
    for rule in rules(app):
        if changes(rule) or rule.endpoint.startswith(NOT_OURS):
            continue
        names = of_fields() if rule.endpoint.startswith(OF_FIELDS) else ()
        with browser.get(address(rule, things)) as answer:
            if answer.mimetype == "text/html" and (found := left_in_english(answer.get_data(as_text=True), names)):
                left[rule.endpoint] = found
    assert left == {}
