"""The catalogues of translations, read when somebody first needs one (30 ms), and whole sentences found in them."""

from __future__ import annotations

import re
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Final

from webapp.models.accounts import LANGUAGES

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

FOLDER: Final = Path(__file__).resolve().parent.parent / "translations"
TELLING: Final = 8
"""Letters that a sentence must have beside its facts: with fewer, any text could be one of it."""
WHOLE: Final = frozenset({"message", "reason", "instead", "rule"})
"""Facts that are sentences of the product themselves."""


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
    """The sentence in the language, found by its English template if it has facts in it; else as it is."""
    if language == LANGUAGES[0]:
        return sentence
    found = of(language).gettext(sentence)
    return found if found != sentence else _by_template(sentence, language)


def _by_template(sentence: str, language: str) -> str:
    for pattern, into in _patterns(language):
        if match := pattern.fullmatch(sentence):
            facts = match.groupdict()
            return into.format(**facts | {name: whole(facts[name], language) for name in WHOLE & facts.keys()})
    return sentence


@cache
def _patterns(language: str) -> list[tuple[re.Pattern[str], str]]:
    """Every template with facts, those that say most first, so that none is taken for one that says less."""
    pairs = [(str(one.id), str(one.string)) for one in read(language) if isinstance(one.id, str) and one.string]
    telling = [(spoken, into) for spoken, into in pairs if len(letters(spoken)) >= TELLING and "{" in spoken]
    ordered = sorted(telling, key=lambda pair: -len(letters(pair[0])))
    return [(pattern_of(spoken), into) for spoken, into in ordered]


def letters(template: str) -> str:
    """What a template says beside its facts."""
    return "".join(literal for literal, *_ in Formatter().parse(template))


def pattern_of(template: str) -> re.Pattern[str]:
    """What a sentence made of the template looks like; the same fact twice must be the same."""
    parts, seen = [], set()
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(re.escape(literal))
        if name:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>.+?)")
            seen.add(name)
    return re.compile("".join(parts), re.DOTALL)
