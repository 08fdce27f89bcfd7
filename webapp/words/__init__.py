"""Texts in the viewer's language: English sentences are the keys of the catalogues in webapp/translations.

Only what answers a person translates: services, jobs and files speak English, whoever asks (docs/words.md).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from flask import Flask, appcontext_popped, appcontext_pushed, has_request_context, request
from flask_login import current_user
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import escape

from exports.said import Said
from webapp.models.accounts import LANGUAGES
from webapp.words import catalogues, formats, kinds

ENGLISH: Final = LANGUAGES[0]
_spoken: Final[ContextVar[str | None]] = ContextVar("spoken", default=None)
"""What `language` has found out: it is asked hundreds of times a page."""


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """What is said meanwhile is said in this language: mails go to others than those who look."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


def language() -> str:
    """Of whoever looks: as the person chose, else English; a visitor's as the browser says. Programs get English."""
    chosen = _spoken.get()
    if chosen is None:
        if not has_request_context():
            return ENGLISH
        chosen = _asked_for()
        _spoken.set(chosen)
    return chosen


def ask_again(*_of_what: Any) -> None:
    """Who looks, or what they chose, may be different from here on."""
    _spoken.set(None)


def _asked_for() -> str:
    if request.path.startswith("/api/"):
        return ENGLISH
    if current_user.is_authenticated:
        # A browser may be borrowed: what a person reads changes by their own choice alone.
        chosen: str = current_user.language or ENGLISH
        return chosen
    return request.accept_languages.best_match(LANGUAGES, ENGLISH) or ENGLISH


def _(sentence: str, **facts: Any) -> str:
    """The sentence in the viewer's language with its facts put in; Markup only where a fact is Markup."""
    spoken = language()
    if spoken != ENGLISH and sentence:
        sentence = catalogues.of(spoken).gettext(sentence)
    return _filled(sentence, facts) if facts else sentence


def ngettext(one: str, many: str, count: int, **facts: Any) -> str:
    """The same for a sentence that depends on a number; `{count}` is the number as the viewer reads it."""
    facts = {"count": formats.number(count, language())} | facts
    return _filled(catalogues.of(language()).ngettext(one, many, count), facts)


def _filled(sentence: str, facts: dict[str, Any]) -> str:
    if any(hasattr(fact, "__html__") for fact in facts.values()):
        return escape(sentence).format(**facts)
    return sentence.format(**facts)


def translated(sentence: str | None, kind: str = "", *, alone: bool = False) -> str:
    """A whole sentence of the product, made in English with its facts, in the viewer's language; or a part of one, of a
    kind that webapp/words/parts.py has. `alone`: a part that is not of the kind is what somebody typed.
    """
    if isinstance(sentence, Said) and sentence.facts:
        return _(sentence.template, **{name: _of_said(name, one) for name, one in sentence.facts.items()})
    if not sentence:
        return ""
    if alone:
        return catalogues.of_kind(sentence, kind, language()) if kind else sentence
    return catalogues.part(sentence, kind, language()) if kind else catalogues.whole(sentence, language())


def _of_said(name: str, fact: str) -> str:
    if isinstance(fact, Said):
        return translated(fact)
    return translated(fact, kinds.kind_of(name), alone=True)


@pass_context
def _translated(_context: Context, sentence: str | None, kind: str = "", *, alone: bool = False) -> str:
    """With the context, or Jinja would work a constant out when it reads the template, in the language of the first."""
    return translated(sentence, kind, alone=alone)


def register(app: Flask) -> None:
    """Give templates `_`, `ngettext`, `language()` and the filter `translated`."""
    appcontext_pushed.connect(ask_again, app)
    appcontext_popped.connect(ask_again, app)
    for given in (_, ngettext, language):
        app.add_template_global(given)
    app.add_template_filter(_translated, "translated")
