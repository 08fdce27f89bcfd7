"""Pages by key, so that the last is as quick as the first: opaque places in a list, and what leads on from a page."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Select, tuple_

Row = TypeVar("Row")


@dataclass(frozen=True)
class Place:
    """Behind this row, or, `backwards`, before it."""

    key: str | datetime
    id: uuid.UUID
    backwards: bool


def cursor(key: str | datetime, id: uuid.UUID, *, backwards: bool) -> str:
    """A place as a text for addresses."""
    told = key if isinstance(key, str) else key.isoformat()
    return base64.urlsafe_b64encode(json.dumps([told, str(id), backwards]).encode()).decode().rstrip("=")


def place(text: str, *, by_name: bool) -> Place | None:
    """Read a cursor; one that is not ours, or of another order, means the first page."""
    if not text:
        return None
    try:
        key, id_, backwards = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        if not isinstance(key, str) or "\x00" in key or not isinstance(backwards, bool):
            return None
        key.encode()
        at = key if by_name else datetime.fromisoformat(key)
        if isinstance(at, datetime) and at.utcoffset() is None:
            return None
        return Place(at, uuid.UUID(id_), backwards)
    except (ValueError, TypeError, AttributeError):
        return None


def ordered(wanted: Select[Any], key: Any, id: Any, at: Place | None, *, descending: bool) -> Select[Any]:
    """The rows of a page in the order of `key`, and what follows: one row more than it holds means another page."""
    descending = descending != (at is not None and at.backwards)
    if at is not None:
        here, there = tuple_(key, id), tuple_(at.key, at.id)
        wanted = wanted.where(here < there if descending else here > there)
    order = (key.desc(), id.desc()) if descending else (key, id)
    return wanted.order_by(*order)


def cut(found: Sequence[Row], at: Place | None, per_page: int) -> tuple[Sequence[Row], bool, bool]:
    """What was found as a page, and whether there are rows behind and before it."""
    backwards, is_cut = at is not None and at.backwards, len(found) > per_page
    shown = found[:per_page]
    if backwards:
        shown = shown[::-1]
    behind = bool(shown) and (backwards or is_cut)
    before = bool(shown) and (is_cut if backwards else at is not None)
    return shown, behind, before
