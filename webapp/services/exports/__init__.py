"""Exports: saved definitions with their versions (`saving`), how they are found (`listing`), their runs (`history`).

`cloning` makes another export of one, `editing` another version;
`removing` puts one aside or deletes it.
"""

from webapp.services.exports.cloning import clone, clone_as_draft
from webapp.services.exports.editing import Version, changes, edit, history_of_versions, save
from webapp.services.exports.history import History, history_of, last_file_of, people_of
from webapp.services.exports.listing import ListQuery, Page, of_ids, page
from webapp.services.exports.removing import archive, delete, loss, remove, restore
from webapp.services.exports.saving import create, definition_of, find, versions

__all__ = [
    "History",
    "ListQuery",
    "Page",
    "Version",
    "archive",
    "changes",
    "clone",
    "clone_as_draft",
    "create",
    "definition_of",
    "delete",
    "edit",
    "find",
    "history_of",
    "history_of_versions",
    "last_file_of",
    "loss",
    "of_ids",
    "page",
    "people_of",
    "remove",
    "restore",
    "save",
    "versions",
]
