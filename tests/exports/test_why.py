"""**Why?** says of a record what the file says of it, and what the record has where it is asked."""

from __future__ import annotations

from typing import Any

from exports.why import Verdict, why
from tests.exports.zoo import CATALOGUE, Zoo, around, definition


def ask(zoo: Zoo, id: str, *sets: list[dict[str, Any]], personal: bool = True, **members: Any) -> Verdict | None:
    """Ask about a thing."""
    wanted = definition(filters=list(sets), **members)
    return why(wanted, CATALOGUE, around(), zoo.source, id, personal=personal)
