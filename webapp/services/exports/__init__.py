"""Exports: saved definitions with their versions (`saving`), how they are found (`listing`), their runs (`history`).

`cloning` makes another export of one, `editing` another version.
"""

from webapp.services.exports.cloning import clone, clone_as_draft
from webapp.services.exports.editing import Version, changes, edit, history_of_versions, save
from webapp.services.exports.history import History, history_of
from webapp.services.exports.listing import ListQuery, Page, of_ids, page
from webapp.services.exports.saving import create, definition_of, find, runs_of, versions

__all__ = [
    "History",
    "ListQuery",
    "Page",
    "Version",
    "changes",
    "clone",
    "clone_as_draft",
    "create",
    "definition_of",
    "edit",
    "find",
    "history_of",
    "history_of_versions",
    "of_ids",
    "page",
    "runs_of",
    "save",
    "versions",
]
