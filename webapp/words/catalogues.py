"""The catalogues of translations, read when somebody first needs one (30 ms), and whole sentences found in them."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from itertools import islice
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

from webapp.models.accounts import LANGUAGES
from webapp.words import kinds

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

FOLDER: Final = Path(__file__).resolve().parent.parent / "translations"
TELLING: Final = 8
"""Letters that a sentence must have beside its facts: with fewer, any text could be one of it."""
WHOLE: Final = frozenset({"message", "reason", "instead", "said", "model_label", "rule"})
"""Facts that are sentences of the product themselves."""
ENDS: Final = 6
"""So many ends of sentences are looked at in a text: each try costs a search among all templates."""
KEPT: Final = 1_024
"""Sentences whose translation is remembered: a page says the same ones over and over."""
ALONE: Final = "schedule"
"""The kind of part that also stands alone, as a whole sentence."""


def path_of(language: str) -> Path:
    """The catalogue's file."""
    return FOLDER / f"{language}.po"


def read(language: str) -> Catalog:
    """The catalogue as it is committed; an empty one for a language that is new."""
    from babel.messages.pofile import read_po

    text = path_of(language).read_bytes() if path_of(language).exists() else b""
    return read_po(BytesIO(text), locale=language, charset="utf-8")


@cache
def of(language: str) -> NullTranslations:
    """What gettext asks; English has nothing to look up."""
    if language == LANGUAGES[0]:
        return NullTranslations()
    from babel.messages.mofile import write_mo

    compiled = BytesIO()
    write_mo(compiled, read(language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def whole(sentence: str, language: str) -> str:
    """The sentence in the language, found by its English template if it has facts in it; else as it is.

    What happened and what to do, each of which the catalogue has, may stand in one text.
    """
    if language == LANGUAGES[0]:
        return sentence
    found = _one(sentence, language)
    return _several(sentence, language) if found is None else found


@lru_cache(KEPT)
def _one(sentence: str, language: str) -> str | None:
    """A text that is one sentence; a problem of a form, which has no full stop, may have got one."""
    for text, end in ((sentence, ""), (sentence[:-1], "."))[: 1 + sentence.endswith(".")]:
        found = of(language).gettext(text)
        if found == text:
            found = of_kind(text, ALONE, language)
        if found == text:
            found = _by_template(text, language)
        if found != text:
            return f"{found}{end}"
    return None


def _several(text: str, language: str) -> str:
    """Sentences one behind the other; as they are if one of them is not found."""
    said: list[str] = []
    start = 0
    for end in islice(re.finditer(r"(?<=[.?!:]) ", text), ENDS):
        if (found := _one(text[start : end.start()], language)) is not None:
            said.append(found)
            start = end.end()
            if (last := _one(text[start:], language)) is not None:
                return " ".join([*said, last])
    return text


def part(text: str, kind: str, language: str) -> str:
    """A part of a sentence in the language, as the kind that it is; else as a whole sentence."""
    if language == LANGUAGES[0]:
        return text
    found = of_kind(text, kind, language)
    return found if found != text else whole(text, language)


def of_kind(text: str, kind: str, language: str) -> str:
    """A part as the kind that it is and as nothing else: what people typed may read like a sentence of the product."""
    if language == LANGUAGES[0]:
        return text
    catalogue = of(language)
    return kinds.said(text, kind, language, lambda template, context: catalogue.pgettext(context, template))


def _by_template(sentence: str, language: str) -> str:
    for pattern, into in _patterns(language):
        if match := pattern.fullmatch(sentence):
            return into.format(**{name: _fact(name, fact, language) for name, fact in match.groupdict().items()})
    return sentence


def _fact(name: str, fact: str, language: str) -> str:
    """What a sentence of the product or a part of one is in the language; everything else stays as it is."""
    found = whole(fact, language) if name in WHOLE else fact
    kind = kinds.kind_of(name)
    return of_kind(fact, kind, language) if kind and found == fact else found


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Every template with facts, those that say most first, so that none is taken for one that says less; behind them
    those once more whose facts are named for a kind, as they may be something else.
    """
    plain = [one for one in read(language) if isinstance(one.id, str) and one.string and not one.context]
    pairs = [(str(one.id), str(one.string)) for one in plain]
    with_facts = sorted((pair for pair in pairs if "{" in pair[0]), key=lambda pair: -len(letters(pair[0])))
    exact = [(kinds.compiled(spoken), into) for spoken, into in with_facts if _tells(spoken) or _is_of_kinds(spoken)]
    loose = [(kinds.compiled(spoken, loose=True), into) for spoken, into in with_facts if _tells(spoken)]
    return [*exact, *(one for one in loose if one not in exact)]


def _tells(template: str) -> bool:
    return len(letters(template)) >= TELLING


def _is_of_kinds(template: str) -> bool:
    """Whether all its facts are of a kind, so that few letters beside them tell enough: Write {instead}."""
    facts = [name for _, name, _, _ in Formatter().parse(template) if name]
    return len(letters(template)) >= TELLING // 2 and all(kinds.kind_of(name) for name in facts)


def letters(template: str) -> str:
    """What a template says beside its facts."""
    return "".join(literal for literal, *_ in Formatter().parse(template))
