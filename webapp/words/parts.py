"""Parts of sentences by their kind: what a fact that is named for a kind may say, in the templates of English."""

from __future__ import annotations

from typing import Final

from exports import aggregation, catalogue, masks, operators
from exports.definition import CALLED

PARTS: Final[dict[str, tuple[str, ...]]] = {
    # Schedules (exports/schedule/words.py)
    "schedule": (
        "At once, one time", "At once", "Daily",
        "Every day{times}{zone}", "Every {weekdays}{times}{zone}", "On the {monthdays} of every month{times}{zone}",
        "On {moment}{zone}",
        "Daily {clocks}{zone}", "Daily{times}{zone}",
        "Weekly, {weekdays} {clocks}{zone}", "Weekly, {weekdays}{times}{zone}", "Weekly, {weekdays}",
        "Monthly, {monthdays} {clocks}{zone}", "Monthly, {monthdays}{times}{zone}", "Monthly, {monthdays}",
        "On-date, {day}",
    ),
    "times": (
        " at {clocks}", ", every minute,", ", every minute of {athours},", ", every hour at {atminutes},",
        ", at {atminutes} of {athours},",
    ),
    "athours": ("the hour {numbers}", "the hours {numbers}"),
    "atminutes": ("minute {numbers}", "minutes {numbers}"),
    "zone": (" UTC", " in {place}"),
    "monthday": ("last day", "Last day", "Last", "{ordinal}"),
    "weekday": (
        "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday",
        "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun",
    ),
    "clock": ("{time} the day before", "{time} the next day", "{time}"),
    "moment": ("{day} at {clock}", "{day}, {clock}", "{day} {clock}"),
    "elsewhere": ("{moment}", "{clocks}"),
    "season": ("changes its clocks", "changes to summer time", "changes back to winter time"),
    "wait": (
        "in less than a minute", "in {count} day", "in {count} days", "in {count} hour", "in {count} hours",
        "in {count} minute", "in {count} minutes",
    ),
    "unit": ("Hour", "Minute"),
    "wrong": (
        "enter an hour", "enter a minute", "there is a comma without a number", "{typed} is not an hour",
        "{typed} is not a minute",
    ),
    # Criteria (exports/words.py, exports/why.py, exports/special/told.py)
    "operator": tuple(dict.fromkeys(one.label for one in operators.ALL)),
    "truth": ("Yes", "No"),
    "range": ("anything and {high}", "{low} and anything above", "{low} and {high}"),
    "ages": ("at most {high}", "at least {low}", "between {low} and {high}"),
    "anniversary": ("on the day of the run", "between {range}", "on {low}"),
    "list": ("{many} and {count} more", "{first}"),
    "chosen": (
        "{list}, at least {least} times, {span}", "{list}, at least {least} times", "{list}, {span}", "{list}",
    ),
    "span": ("from {low} to {high}", "from {low}", "until {high}"),
    "own": (
        "is empty", "is hidden: you need the right to export personal fields", "names no customer", "has nothing",
        "names one customer", "names {count} customers", "is in no group", "is in no segment", "is in {names}",
        "{verb} none of these in that time", "{verb} none of these", "{verb} {tally}",
        "is {found}: {years}", "is {found}",
    ),
    "verb": ("claimed", "completed", "did", "bought"),
    "often": ("{named} once", "{named} {count} times", "{named} on {date} at {time}",
              "{named} at a time that cannot be read"),
    "years": ("{count} year", "{count} years"),
    # The answers under the step bar (webapp/views/wizard/wording.py)
    "stop": (
        "You are here", "Needs correction", "{sets}, {criteria}", "{fields}, aggregated", "{fields}", "None",
        "{extension}, {delimiter}, {newline}",
    ),
    "sets": ("{count} set", "{count} sets"),
    "criteria": ("{count} criterion", "{count} criteria"),
    "fields": ("All fields", "{count} field", "{count} fields"),
    # The delimiter of the short answer (exports/words.py)
    "delimiter": ("comma", "semicolon", "tab", "pipe", "space", "delimiter {sign}"),
    # Field settings (exports/aggregation.py, exports/masks.py, webapp/views/wizard/contexts.py)
    "aggregate": tuple(aggregation.LABELS.values()),
    "mask": (masks.KEEP, *masks.LABELS.values()),
    "refused": (
        "not for computed fields", "identifies one record", "needs a number", "not for {sort}",
        "needs a text or whole number",
    ),
    "sort": tuple(dict.fromkeys(aggregation.KINDS.values())),
    "type": (
        "text", "whole number", "number", "yes or no", "date", "datetime", "dropdown", "list", "reference", "json",
        "for filters only",
    ),
    "placeholder": (
        "the year, 2026", "the year, 26", "the month, 01 to 12", "the day of the month, 01 to 31",
        "the hour, 00 to 23", "the minute, 00 to 59", "the second, 00 to 59", "the day of the year, 001 to 366",
        "the year that the week belongs to (ISO 8601)", "the week, 01 to 53 (ISO 8601)",
        "the day of the week, 1 (Monday) to 7", "the day of the week, Mon to Sun", "the month, Jan to Dec",
        "the character %",
    ),
    # Dates in words (webapp/views/wizard/beside.py, exports/dates)
    "meaning": ("{day}, the whole day ({place})", "{day}, {time} ({place})", "{day}"),
    "month": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ),
    "which": ("first", "second"),
    "instead": (
        "at most {count} characters", "an expression such as “-3 months” or “first day of last month”",
        "one prefix only", "date: before it: “{text}”", "datetime: before it: “{text}”", "“{text}” for 1 January",
        "“{text}” for 31 December", "months: a quarter is “3 months”",
        "the day itself, such as “2017-01-31”", "year, month and day: “2017-01-31”",
        "the day as “2017-01-31”", "what is counted as well: “{text}”", "“tomorrow” for the end of today",
        "the expression without a time zone: it is always that of the export",
        "“{text}” without a time zone: it is always that of the export", "a number of at most six digits",
        "numbers of at most six digits", "whole numbers: “-36 hours” for a day and a half",
        "one sign only: “-1 day” or “+1 day”", "it like “-3 months”, “first day of last month” or “2017-01-31”",
        "a later year", "“{text}” for its last day", "one of the two", "one number of weekdays",
        "days, such as “+7 days”", "“{text} …” without days", "hours: “{text}”", "“{text}” or “{other}”", "“{text}”",
    ),
    "reason": (
        "years begin with 0001", "months are 01 to 12", "{month} {text} has {count} days", "{month} has {count} days",
        "only one time of day can count", "only one number of weekdays can count",
        "the weekday is looked for from another day then",
        "“{text}” is applied last, so the days would be lost",
    ),
    "input": (
        *CALLED.values(), "The value to replace", "The address in Notify", "The definition", "The type",
        "The way to log in", "The private key", "The passphrase",
    ),
    "subject": ("{month}", "{day} {amounts}"),
    "amounts": ("{amount} {amount2}", "{amount}"),
    "amount": (
        "− {count} year", "− {count} years", "+ {count} year", "+ {count} years",
        "− {count} month", "− {count} months", "+ {count} month", "+ {count} months",
    ),
    "noun": ("segment", "group", "reward", "challenge", "action", "product"),
    "of_segment": ("The segment {id}, which the segment {other} asks for,", "The segment {id}"),
    "way_out": ("choose fields in place of All fields", "leave {label} out"),
    "record": tuple(sorted({one.record for one in catalogue.builtin().models.values()})),
    "step": (
        "Data model", "Localization", "Filters", "Field settings", "File", "Scheduling", "Upload target", "Check",
    ),
    # One word in English, two in other languages
    "bound": ("from", "to", "between", "and"),
    "press": ("Change",),
    "which_sets": ("set {letters}", "sets {letters}"),
    "joint": (" and ", " & ", ", "),
}  # fmt: skip
"""By kind, those that are more certain before the more general."""
LISTS: Final = {
    "weekdays": "weekday",
    "monthdays": "monthday",
    "clocks": "clock",
    "numbers": "number",
    "tally": "often",
}
"""Kinds that are lists of others: Monday, Tuesday and Friday."""
