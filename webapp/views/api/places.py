"""Where a page of a list begins: texts that clients hand back as they got them, and nothing else."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from exports.errors import Problem
from exports.errors.request import ParametersRefused

MAX_LIMIT: Final = 200
NOT_OURS: Final = "This is no `next` of a page that was asked for in this order"


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise ValueError(f"must be a whole number from 1 to {MAX_LIMIT}")
    return int(text)


Limit = Annotated[
    int, BeforeValidator(_whole), Field(ge=1, le=MAX_LIMIT, description="How many at most are in the answer.")
]


def opaque(kind: str, at: str) -> str | None:
    """A place of a service as it is handed out, with the list that it is of."""
    return base64.urlsafe_b64encode(f"{kind}:{at}".encode()).decode().rstrip("=") if at else None


def place(kind: str, text: str) -> str:
    """The place that was handed out; empty: the beginning.

    Raises:
        ParametersRefused: it is none, or one of another list.
    """
    if not text:
        return ""
    try:
        read = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        read = ""
    found, _, at = read.partition(":")
    if found != kind or not at:
        raise ParametersRefused([Problem("after", "shape.place", NOT_OURS)])
    return at
