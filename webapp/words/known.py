"""Single words that pages get from Python: states, roles, units, pages of the menu, tabs, choices."""

from __future__ import annotations

from typing import Final

WORDS: Final = (
    "Finished", "Success", "Active", "Failed", "Processing", "Missed", "Skipped", "Pending", "Queued", "Inactive",
    "Cancelled",
    "bytes", "under {share}", "after {seconds}", "{count} rows",
    "today", "yesterday", "Today", "Yesterday", "FTP over SSL",
    "People", "Settings", "Custom fields", "API tokens", "Personal data", "Audit log",
    "Any status", "Any model", "Anybody", "Mine", "Queued.", "Cancelled.", "Archived", "All",
    "brand", "you", "brand and you",
    "Data model", "Localization", "Filters", "Field settings", "File", "Scheduling", "Upload target",
    "Check and create", "Check",
    "View", "Logs", "Change schedule", "Versions",
    "deliver the header", "deliver nothing", "replace it", "add a number", "fail",
    "Viewer", "Exporter", "Manager", "Admin",
)  # fmt: skip
