"""Sentences made of parts, which can be told in another language later: they know their template and their facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class Said(str):
    """A text in English. Facts that are Said themselves are words of the product, others are what people typed."""

    __slots__ = ("facts", "template")
    template: str
    facts: Mapping[str, str]

    def __new__(cls, template: str, **facts: str) -> Said:
        """Facts are put into the template; a text without facts may hold braces."""
        made = super().__new__(cls, template.format(**facts) if facts else template)
        made.template, made.facts = template, facts
        return made


def joined(parts: Iterable[str], between: str = ", ") -> Said:
    """A list: each of its parts can be told by itself."""
    named = {f"part{place}": part for place, part in enumerate(parts)}
    return Said(between.join(f"{{{name}}}" for name in named), **named)
