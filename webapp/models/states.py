"""The states of runs and of exports, what moves them from one to another, and their words: one table (SPEC section 2).

Only data: webapp/services/moves.py carries out what stands here, and nobody else changes a state (docs/runs.md).
"""

from __future__ import annotations

from typing import Final, Literal

# --- runs

STATES: Final = ("queued", "processing", "success", "failed", "cancelled", "missed", "skipped")
LIVE: Final = frozenset({"queued", "processing"})
ENDED: Final = frozenset({"success", "failed", "cancelled", "missed", "skipped"})

RunEvent = Literal["claimed", "published", "failed", "retried", "given_back", "lost", "died", "stopped", "cancelled"]

RUNS: Final[dict[tuple[str, RunEvent], str]] = {
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

SOURCE: Final[dict[RunEvent, str]] = {event: state for state, event in RUNS}
"""Each event is allowed in exactly one state."""

# --- exports

EXPORT_STATES: Final = ("idle", "waiting", "active", "inactive", "deleted")
"""A one-off waits for its On-date or is idle, whatever its runs do; a repeated one is active or inactive.

Archived stands beside them: the lists leave the export out, and nothing happens to it but EVEN_ARCHIVED.
"""

ExportEvent = Literal[
    "fired", "run_asked", "schedule_changed", "edited", "set_inactive", "set_active", "rights_lost", "date_cancelled",
    "archived", "restored", "deleted",
]  # fmt: skip

EXPORTS: Final[dict[tuple[str, ExportEvent], str]] = {
    ("waiting", "fired"): "idle",
    ("active", "fired"): "active",
    ("idle", "run_asked"): "idle",
    ("waiting", "run_asked"): "waiting",
    ("active", "run_asked"): "active",
    ("inactive", "run_asked"): "inactive",
    ("idle", "schedule_changed"): "waiting",
    ("waiting", "schedule_changed"): "waiting",
    ("active", "schedule_changed"): "active",
    ("inactive", "schedule_changed"): "inactive",
    ("idle", "edited"): "idle",
    ("waiting", "edited"): "waiting",
    ("active", "edited"): "active",
    ("inactive", "edited"): "inactive",
    ("active", "set_inactive"): "inactive",
    ("inactive", "set_active"): "active",
    ("active", "rights_lost"): "inactive",
    ("waiting", "date_cancelled"): "idle",
    ("idle", "archived"): "idle",
    ("waiting", "archived"): "idle",
    ("active", "archived"): "inactive",
    ("inactive", "archived"): "inactive",
    ("idle", "restored"): "idle",
    ("inactive", "restored"): "inactive",
    ("idle", "deleted"): "deleted",
    ("waiting", "deleted"): "deleted",
    ("active", "deleted"): "deleted",
    ("inactive", "deleted"): "deleted",
}
"""(state, event) -> state; what is not here does not happen."""

EVEN_ARCHIVED: Final[frozenset[ExportEvent]] = frozenset({"restored", "deleted"})
"""What may happen to an archived export; `restored` to no other."""

# --- words on screen

SHOWN_ON_EXPORT: Final = {
    "queued": "Pending",
    "processing": "Processing",
    "success": "Finished",
    "failed": "Failed",
    "cancelled": "Cancelled",
    "missed": "Failed",
    "skipped": "Failed",
}
"""Status of an idle one-off, by the state of its newest run."""
