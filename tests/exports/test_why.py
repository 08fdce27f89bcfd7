"""**Why?** says of a record what the file says of it, and what the record has where it is asked."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings

from exports.errors import SourceTimeout
from exports.why import HIDDEN, Verdict, why
from tests.exports import oracle
from tests.exports.test_conditions_oracle import filters_of, things
from tests.exports.zoo import CATALOGUE, Zoo, around, definition


def ask(zoo: Zoo, id: str, *sets: list[dict[str, Any]], personal: bool = True, **members: Any) -> Verdict | None:
    """Ask about a thing."""
    wanted = definition(filters=list(sets), **members)
    return why(wanted, CATALOGUE, around(), zoo.source, id, personal=personal)
