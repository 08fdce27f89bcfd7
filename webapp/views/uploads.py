"""How the phases of a delivery are told, in "What happened, step by step"."""

from __future__ import annotations

from typing import Any, Final

from webapp.filters import size
from webapp.models import Delivery
from webapp.services.runs.events import FLAGS
from webapp.words import formats, language

DONE: Final = {
    "address": "Address found",
    "connect": "Connected",
    "security": "Secured, by the accepted key or certificate",
    "login": "Logged in",
    "folder": "Folder entered",
    "write": "Written under a temporary name, and its size checked",
    "rename": "Renamed to its final name",
}
"""The phases in the order in which they come, as they are told when they went well."""
FAILED: Final = {
    "address": "Looking up the address failed",
    "connect": "Connecting failed",
    "security": "Securing the connection failed",
    "login": "Logging in failed",
    "folder": "Entering the folder failed",
    "write": "Writing the file failed",
    "rename": "Renaming it failed",
}


def lines(delivery: Delivery) -> list[tuple[bool, str, str]]:
    """The phases of the newest attempt: whether each went well, its words, and how long it took."""
    return [told for one in delivery.steps for told in _line(one, delivery)]


def took_words(seconds: float) -> str:
    """84 ms, 1.4 s."""
    return f"{round(seconds * 1000)} ms" if seconds < 1 else f"{formats.decimal(seconds, 1, language())} s"


def _line(step: dict[str, Any], delivery: Delivery) -> list[tuple[bool, str, str]]:
    phase, state, took = step["phase"], step["state"], took_words(step["seconds"])
    if state == "note":
        return [(True, FLAGS[flag], "") for flag in FLAGS if step.get("facts", {}).get(flag)]
    if state == "failed":
        return [(False, FAILED[phase], took)]
    words = DONE[phase]
    if phase == "address" and delivery.address:
        words = f"{words}: {delivery.address}"
    if phase == "write" and delivery.size:
        written = size(delivery.size)
        words = f"{written} written under a temporary name, and the size checked"
    return [(True, words, took)]
