"""Actions on several chosen exports of the list (SPEC section 2): each is done by itself, those left out are named."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from webapp.models import Export, User
from webapp.permissions import may
from webapp.services.exports.listing import of_ids
from webapp.services.exports.removing import archive
from webapp.services.schedules import set_inactive

Deed = Literal["set_inactive", "archive"]
DEEDS: Final[dict[Deed, Callable[[User, Export], object]]] = {"set_inactive": set_inactive, "archive": archive}


@dataclass(frozen=True)
class Outcome:
    """How many were changed, the names of those left out by reason ("not repeated"), and how many were not found."""

    deed: Deed
    done: int
    left_out: dict[str, list[str]]
    gone: int


def act_on_several(user: User, ids: Iterable[uuid.UUID], deed: Deed) -> Outcome:
    """Do the same to each of the brand's exports with these ids, in the order of the ids; each is a commit of its own.

    Those of other brands are not there, and those that the user may not change are left out.
    """
    wanted = list(dict.fromkeys(ids))
    found = {export.id: export for export in of_ids(wanted)}
    left_out: dict[str, list[str]] = {}
    done = 0
    for export in (found[one] for one in wanted if one in found):
        name, reason = export.name, _why_not(user, export, deed)
        if reason:
            left_out.setdefault(reason, []).append(name)
        else:
            DEEDS[deed](user, export)
            done += 1
    return Outcome(deed, done, left_out, len(wanted) - len(found))


def _why_not(user: User, export: Export, deed: Deed) -> str:
    if not may(user, f"exports.{deed}", export):
        return "not yours"
    if export.archived_at is not None:
        return "archived already"
    if deed == "archive":
        return ""
    if export.schedule != "repeated":
        return "not repeated"
    return "" if export.active else "inactive already"
