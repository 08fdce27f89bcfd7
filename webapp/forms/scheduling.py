"""The form of a schedule, in the wizard and on Change schedule: the inputs of the chosen type; the others stay."""

from __future__ import annotations

from typing import Final

from webapp.forms.wizard.posted import FormRefused, Posted
from webapp.services.schedules.typed import TypedSchedule

TEXTS: Final = {"schedule": 20, "date": 20, "time": 20, "every": 20, "hours": 300, "minutes": 300, "zone": 60}
"""Every text and how long it may be (exports/schedule/shape.py)."""
DAYS: Final = ("weekdays", "monthdays")
INPUTS: Final = frozenset({*TEXTS, *DAYS, "keep_local"})
MAX_DAY: Final = 20


def read_scheduling(posted: Posted, typed: TypedSchedule) -> TypedSchedule:
    """What is typed now. Groups of checkboxes come with an empty value, so that one without a check is there too.

    Raises:
        FormRefused: a text that is longer than any that makes sense.
    """
    found = {name: posted.text(name, getattr(typed, "type" if name == "schedule" else name)) for name in TEXTS}
    for name, most in TEXTS.items():
        if len(found[name]) > most:
            raise FormRefused(name, f"{name} is longer than {most} characters")
    chosen = {name: tuple(filter(None, posted.many(name))) for name in DAYS if posted.many(name)}
    for name, days in chosen.items():
        if len(days) > 40 or any(len(day) > MAX_DAY for day in days):
            raise FormRefused(name, f"{name} are more than there are")
    # Beside the checkbox always stands the zone: without it the form has another type's inputs.
    is_kept = posted.checked("keep_local") if posted.names("zone") else typed.keep_local
    type_ = found.pop("schedule")
    return typed.with_(type=type_, keep_local=is_kept, **found, **chosen)
