"""The words of `date:` expressions and what each stands for (REFERENCE section 3.2): all lower case, English only."""

from __future__ import annotations

from typing import Final, Literal

Amount = Literal["years", "months", "days", "weekdays", "hours", "minutes", "seconds"]
"""What can be counted; weeks and fortnights are days, weekdays are Monday to Friday."""

MONTH_NAMES: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAY_NAMES: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
"""In the order of the numbers that the algorithm counts with: Sunday is 0."""

MONTHS: Final[dict[str, int]] = {
    **{name.lower(): number for number, name in enumerate(MONTH_NAMES, 1)},
    **{name[:3].lower(): number for number, name in enumerate(MONTH_NAMES, 1)},
    "sept": 9,
}
DAYS: Final[dict[str, int]] = {
    **{name.lower(): number for number, name in enumerate(DAY_NAMES)},
    **{name[:3].lower(): number for number, name in enumerate(DAY_NAMES)},
}

RELATIVE: Final[dict[str, int]] = {"this": 0, "next": 1, "last": -1, "previous": -1}
"""`reltext` of the grammar."""
NUMBERED: Final[dict[str, int]] = {
    word: number
    for number, word in enumerate(
        ("first", "second", "third", "fourth", "fifth", "sixth",
         "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"), 1
    )
}  # fmt: skip
ORDINALS: Final[dict[str, int]] = {**RELATIVE, **NUMBERED}

_SINGULAR: Final[dict[str, tuple[Amount, int]]] = {
    "sec": ("seconds", 1),
    "second": ("seconds", 1),
    "min": ("minutes", 1),
    "minute": ("minutes", 1),
    "hour": ("hours", 1),
    "day": ("days", 1),
    "week": ("days", 7),
    "fortnight": ("days", 14),
    "forthnight": ("days", 14),
    "month": ("months", 1),
    "year": ("years", 1),
    "weekday": ("weekdays", 1),
}
UNITS: Final[dict[str, tuple[Amount, int]]] = {
    **_SINGULAR,
    **{f"{word}s": meaning for word, meaning in _SINGULAR.items()},
}
"""A unit's word, and how many of what it is. `forthnight` is a slip that the reference product takes as well."""

ALL: Final = frozenset({
    *MONTHS, *DAYS, *ORDINALS, *UNITS, "now", "today", "midnight", "noon", "tomorrow", "yesterday", "of", "ago", "back",
    "front", "am", "pm",
})  # fmt: skip
