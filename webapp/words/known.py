"""Single words that pages get from Python: states, roles, units, pages of the menu, tabs, choices."""

from __future__ import annotations

from typing import Final

from exports.addresses import HOST_RULE, PORT_RULE
from exports.schedule.notes import SKIPPED

WORDS: Final = (
    "Finished", "Success", "Active", "Failed", "Processing", "Missed", "Skipped", "Pending", "Queued", "Inactive",
    "Cancelled",
    "bytes", "under {share}", "after {seconds}", "{count} rows", "{from} to {to}",
    "today", "yesterday", "Today", "Yesterday", "FTP over SSL",
    "People", "Settings", "Custom fields", "API tokens", "Personal data", "Audit log",
    "Any status", "Any model", "Anybody", "Mine", "Queued.", "Cancelled.", "Archived", "All",
    "brand", "you", "brand and you",
    "Data model", "Localization", "Filters", "Field settings", "File", "Scheduling", "Upload target",
    "Check and create", "Check",
    "View", "Logs", "Change schedule", "Versions",
    "deliver the header", "deliver nothing", "replace it", "add a number", "fail",
    "Viewer", "Exporter", "Manager", "Admin", "viewer", "exporter", "manager", "admin",
    "Added", "Removed", "Changed",
    "Subject", "Hosts", "Signed by", "Valid", "itself", "none named", "from {begins} to {ends}", "denied", "failed",
    "30 days", "90 days", "180 days", "1 year", "and", "{count} more",
    "on", "off", "none", "nobody", "the owner", "comma", "semicolon", "tab", "pipe", "space",
    "header", "no header", "no enclosure", "spreadsheets protected", "spreadsheets not protected", "times as ISO 8601",
    "delimiter {sign}", "enclosure {sign}", "on the clock of the time zone",
    "Group", "Count", "Sum", "Average", "Min", "Max", "Keep", "Hash", "Last 4", "UTF-8 with BOM", "without criteria",
    "Name", "Fields", "Scheduling", "Notify", "Extension", "Delimiter", "Enclosure", "Newline", "Header", "Times",
    HOST_RULE, PORT_RULE,
    "None", "Fail", "Repeated", "On-date", "Daily", "Weekly", "Monthly", "Tab", "Space", "Chosen", "Owner",
    *SKIPPED.values(),
    "whoever owns the export then, now {name}",
    "{input} must not hold the character NUL", "{input} holds a half of a character (a lone surrogate)",
    "{input} must not hold line breaks or other control characters",
    "{which_sets} holds completely.", "{which_sets} hold completely.", "no set holds completely.",
    "no other set holds completely, and {which_sets} cannot be read.",
)  # fmt: skip
