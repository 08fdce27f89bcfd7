"""Somebody who reads German, and what a page or a mail has left in English."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from exports import catalogue
from tests.fix_pages import VOID
from webapp.extensions import db
from webapp.words import catalogues

if TYPE_CHECKING:
    from tests.fix_app import Person

NAMES: Final = frozenset({"Viewer", "Exporter", "Exports", "Admin", "Manager", "Stores", "Store", "change"})
"""Words of the product that are also names: of the cast, the product, exports and columns here."""
SPOKEN: Final = ("aria-label", "placeholder", "title", "alt", "label", "data-l", "data-b")
"""Attributes that are read or heard."""


def in_german(person: Person) -> None:
    """Somebody who has chosen German."""
    with person.at_work() as user:
        user.language = "de"
        db.session.commit()


class _Texts(HTMLParser):
    """The texts of a page, without those that are names of things, or no language."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.silent: list[bool] = [False]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        named = {"mono", "c0", "json", "nm"} & set(given.get("class", "").split())
        silent = self.silent[-1] or bool(named) or tag in ("code", "pre", "script", "style")
        self.found += [] if silent else [given[one] for one in SPOKEN if one in given]
        if tag not in VOID:
            self.silent.append(silent)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not self.silent[-1]:
            self.found.append(data)


def left_in_english(page: str, names: Collection[str] = ()) -> list[str]:
    """Texts of a page that the catalogue has, with or without facts in them, though they have a German word; but for
    those that are names there.
    """
    reader = _Texts()
    reader.feed(page)
    said = {text.strip() for text in reader.found if len(text.strip()) > 1}
    german = _german()
    return sorted(one for one in said - NAMES - set(names) if catalogues.whole(one, "de") != one and one not in german)


@cache
def of_fields() -> frozenset[str]:
    """Ids, labels and choices of fields: data of the catalogue, which stay as they are (docs/words.md)."""
    models = catalogue.builtin().models.values()
    fields = [one for model in models for one in (*model.fields.values(), *model.attributes.values())]
    said = {text for one in fields for text in (one.id, one.label)}
    return frozenset(said | {text for one in fields for choice in one.choices for text in choice})


@cache
def _german() -> frozenset[str]:
    """What the catalogue has as German: the same letters can be a word of both languages."""
    said = (one.string for one in catalogues.read("de"))
    return frozenset(text for one in said for text in ([one] if isinstance(one, str) else one))
