"""`python -m webapp.words`: bring the catalogues up to date with the texts, and say what is left to translate."""

from __future__ import annotations

import sys
from io import BytesIO

from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import write_po

from webapp.models.accounts import LANGUAGES
from webapp.words import catalogues, extracting

HEADER = r"""msgid ""
msgstr ""
"Language: {}\n"
"Plural-Forms: {}\n"
"Content-Type: text/plain; charset=utf-8\n"

"""


def updated(language: str) -> Catalog:
    """The catalogue with every text that there is, and none that is gone."""
    before, after = catalogues.read(language), Catalog(locale=language, header_comment="", fuzzy=False)
    for text in extracting.texts():
        known = before.get(text if isinstance(text, str) else text[0])
        after.add(text, known.string if known else None)
    for kind, part in extracting.parts():
        known = before.get(part, kind)
        after.add(part, known.string if known else None, context=kind)
    return after


def written(catalogue: Catalog) -> bytes:
    """The file: in the order of its texts, without dates or lines, so that it changes with the words alone."""
    out = BytesIO()
    write_po(out, catalogue, width=0, omit_header=True, sort_output=True)
    return HEADER.format(catalogue.locale, catalogue.plural_forms).encode() + out.getvalue()


def _forms(message: Message) -> list[str]:
    return [str(one) for one in ([message.string] if isinstance(message.string, str) else message.string or [""])]


def main() -> int:
    """Exit status 1 while something is not translated."""
    left = 0
    for language in LANGUAGES[1:]:
        catalogue = updated(language)
        catalogues.path_of(language).write_bytes(written(catalogue))
        missing = [one.id for one in catalogue if one.id and not all(_forms(one))]
        for text in missing:
            print(f"{language}: {text}")  # noqa: T201
        left += len(missing)
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
