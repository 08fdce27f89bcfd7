"""Who a definition wants to be told of its runs: **Notify** (SPEC section 9). Whose an address is, a brand knows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from exports.definition import MAX_ADDRESS, OWNER, Definition
from exports.errors import Problem

_LOCAL: Final = r"[^\s@\"<>(),;:\\\[\]]{1,64}"
_LABEL: Final = r"[^\s@.\"<>(),;:\\\[\]]{1,63}"
_ADDRESS: Final = re.compile(rf"{_LOCAL}@{_LABEL}(\.{_LABEL})*")
_DOMAIN: Final = re.compile(rf"{_LABEL}(\.{_LABEL})+")

MEMBERS: Final = ("success", "failure")


def is_address(text: str) -> bool:
    """Whether this can be an email address; nothing of it can end a header line or begin another recipient."""
    return len(text) <= MAX_ADDRESS and text.isprintable() and _ADDRESS.fullmatch(text) is not None


def is_domain(text: str) -> bool:
    """Whether this can be the domain of addresses of several people: company.example."""
    return len(text) <= MAX_ADDRESS and text.isprintable() and _DOMAIN.fullmatch(text) is not None


def domain_of(address: str) -> str:
    """What stands behind the @, as domains are compared."""
    return address.rpartition("@")[2].lower()


def problems(definition: Definition) -> Iterator[Problem]:
    """Each recipient is the owner or an email address, and stands once."""
    for member in MEMBERS:
        yield from _of_list(getattr(definition.notify, member), f"notify.{member}")


def _of_list(recipients: Sequence[str], at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, one in enumerate(recipients):
        if one != OWNER and not is_address(one):
            yield Problem(f"{at}.{place}", "notify.address", f"“{one}” is no email address")
        elif one.lower() in seen:
            yield Problem(f"{at}.{place}", "notify.twice", f"{one} stands twice: keep one of them")
        seen.add(one.lower())
