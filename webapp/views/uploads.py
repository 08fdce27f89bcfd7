"""How the phases of a delivery are told, in "What happened, step by step"."""

from __future__ import annotations

from typing import Any, Final

from webapp.filters import size
from webapp.models import Delivery
from webapp.services.runs.events import FLAGS

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
CALLED: Final = {
    "address": "Looking up the address",
    "connect": "Connecting",
    "security": "Securing the connection",
    "login": "Logging in",
    "folder": "Entering the folder",
    "write": "Writing the file",
    "rename": "Renaming it",
}


def lines(delivery: Delivery) -> list[tuple[bool, str, str]]:
    """The phases of the newest attempt: whether each went well, its words, and how long it took."""
    return [told for one in delivery.steps for told in _line(one, delivery)]


def took_words(seconds: float) -> str:
    """84 ms, 1.4 s."""
    return f"{round(seconds * 1000)} ms" if seconds < 1 else f"{seconds:.1f} s"


def _line(step: dict[str, Any], delivery: Delivery) -> list[tuple[bool, str, str]]:
    phase, state, took = step["phase"], step["state"], took_words(step["seconds"])
    if state == "note":
        return [(True, FLAGS[flag], "") for flag in FLAGS if step.get("facts", {}).get(flag)]
    if state == "failed":
        return [(False, f"{CALLED[phase]} failed", took)]
    words = DONE[phase]
    if phase == "address" and delivery.address:
        words = f"{words}: {delivery.address}"
    if phase == "write" and delivery.size:
        words = f"{size(delivery.size)} written under a temporary name, and the size checked"
    return [(True, words, took)]
