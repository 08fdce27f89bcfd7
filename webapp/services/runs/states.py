"""The life of a run as one table: which event moves it from which state to which.

Every change of a run's state goes through `moved`, so that what is not in the table cannot happen (docs/runs.md).
"""

from __future__ import annotations

from typing import Any, Final, Literal

from sqlalchemy import Update, update

from webapp.models import Run

Event = Literal["claimed", "published", "failed", "retried", "given_back", "lost", "died", "stopped", "cancelled"]

TABLE: Final[dict[tuple[str, Event], str]] = {
    ("queued", "claimed"): "processing",
    ("queued", "cancelled"): "cancelled",
    ("processing", "published"): "success",
    ("processing", "failed"): "failed",
    ("processing", "retried"): "queued",
    ("processing", "given_back"): "queued",
    ("processing", "lost"): "queued",
    ("processing", "died"): "failed",
    ("processing", "stopped"): "cancelled",
}
"""(state, event) -> state. The end of a run is final: **Run again** makes a run of its own (SPEC section 4)."""

SOURCE: Final[dict[Event, str]] = {event: state for state, event in TABLE}
"""Each event is allowed in exactly one state."""

LIVE: Final = frozenset({"queued", "processing"})
ENDED: Final = frozenset({"success", "failed", "cancelled", "missed", "skipped"})


def moved(event: Event, *, by: Any, **values: Any) -> Update:
    """The compare-and-set of an event: changes the rows that satisfy `by` and are in the state the table wants."""
    source = SOURCE[event]
    target = TABLE[source, event]
    released = {} if target == "processing" else {"lease_until": None, "worker": None, "phase": None}
    return update(Run).where(by, Run.state == source).values(state=target, **{**released, **values})
