"""Schedules of exports: when they run next (`planning`), that they do (`firing`), or not (`cancelling`).

docs/schedules.md
"""

from webapp.services.schedules.cancelling import cancel_date, drop_date
from webapp.services.schedules.firing import Fired, coming, fire_due
from webapp.services.schedules.planning import (
    ExportChanged,
    change_schedule,
    hold,
    plan,
    save_version,
    set_active,
    set_inactive,
    settle,
)

__all__ = [
    "ExportChanged",
    "Fired",
    "cancel_date",
    "change_schedule",
    "coming",
    "drop_date",
    "fire_due",
    "hold",
    "plan",
    "save_version",
    "set_active",
    "set_inactive",
    "settle",
]
