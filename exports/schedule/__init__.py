"""When an export runs: at once, on a date, or again and again (SPEC sections 3.6 and 7).

`shape` is what a definition holds, `rules` what it may not say, `clock` its moments, `words` how it is said, `notes`
what is worth knowing before it is saved. Functions of a schedule and a moment: nothing here knows what time it is.
"""

from exports.schedule.clock import moments, next_moment
from exports.schedule.notes import notes
from exports.schedule.rules import OTHER_TYPE, problems, problems_when_saved, type_kept
from exports.schedule.shape import Daily, Monthly, Now, OnDate, Repeated, Schedule, Weekly, read
from exports.schedule.words import brief, elsewhere, sentence, shortest

__all__ = [
    "OTHER_TYPE",
    "Daily",
    "Monthly",
    "Now",
    "OnDate",
    "Repeated",
    "Schedule",
    "Weekly",
    "brief",
    "elsewhere",
    "moments",
    "next_moment",
    "notes",
    "problems",
    "problems_when_saved",
    "read",
    "sentence",
    "shortest",
    "type_kept",
]
