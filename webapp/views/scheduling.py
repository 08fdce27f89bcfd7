"""What the inputs of a schedule and the panel beside them need, in the wizard and on Change schedule."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from exports import zones
from exports.definition import Definition
from exports.schedule.shape import LAST, WEEKDAYS
from webapp.models import User
from webapp.services import definitions
from webapp.services.progress import present
from webapp.services.schedules.outlook import outlook
from webapp.services.schedules.typed import TypedSchedule, chosen, mistakes, placed

TYPES: Final = (
    ("now", "At once", "One file, as soon as you create it"),
    ("on_date", "On-date", "One file, at a date and time"),
    ("repeated", "Repeated", "A new file each time"),
)
EVERY: Final = (("day", "Daily"), ("week", "Weekly"), ("month", "Monthly"))
MONTH_DAYS: Final = (*(str(day) for day in range(1, 32)), LAST)


def context(typed: TypedSchedule, user: User, saved: Definition | None = None) -> dict[str, Any]:
    """For the templates of schedule/: what is chosen, what can be, and what it will do. What is saved already may be
    over by now.
    """
    found = chosen(typed)
    kept = saved is not None and saved.schedule == found
    problems = definitions.schedule_problems(user, found) if found and not kept else []
    told = [placed(one, typed) for one in problems] if found else mistakes(typed)
    return {
        "scheduling": typed,
        "outlook": outlook(found, present(), user.time_zone) if found and not told else None,
        "outlook_problem": told[0].message if told else "",
        "types": TYPES,
        "everies": EVERY,
        "weekdays": WEEKDAYS,
        "monthdays": MONTH_DAYS,
        "zone_groups": _zone_groups(user.time_zone, user.brand.time_zone),
        "own_zone": user.time_zone,
    }


@lru_cache(maxsize=16)
def _zone_groups(own: str, of_brand: str) -> dict[str, list[tuple[str, str]]]:
    """Every time zone, the brand's and the user's own first."""
    near = list(dict.fromkeys([own, of_brand]))
    groups = {"You and the brand": [(name, name) for name in near]}
    for region, names in zones.by_region(zones.names()).items():
        groups[region] = [(name, name) for name in names if name not in near]
    return groups
