"""Exports: saved definitions with their versions (`saving`), how they are found (`listing`), their runs (`history`).

`cloning` makes another export of one, `editing` another version.
"""

from webapp.services.exports.cloning import clone, clone_as_draft
from webapp.services.exports.editing import Version, changes, edit, history_of_versions, save
from webapp.services.exports.history import History, history_of, last_file_of, people_of
from webapp.services.exports.listing import ListQuery, Page, of_ids, page
from webapp.services.exports.saving import create, definition_of, find, versions

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
    "last_file_of",
    "of_ids",
    "page",
    "people_of",
    "save",
    "versions",
]
