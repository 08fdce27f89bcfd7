"""Schedules of exports: when they run next (`planning`), that they do (`firing`), or not (`cancelling`).

docs/schedules.md
"""

from webapp.services.schedules.cancelling import cancel_date
from webapp.services.schedules.firing import Fired, coming, fire_due
from webapp.services.schedules.planning import (
    OTHER_TYPE,
    ExportChanged,
    change_schedule,
    plan,
    set_active,
    set_inactive,
)

__all__ = [
    "OTHER_TYPE",
    "ExportChanged",
    "Fired",
    "cancel_date",
    "change_schedule",
    "coming",
    "fire_due",
    "plan",
    "set_active",
    "set_inactive",
]
