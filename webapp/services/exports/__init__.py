"""Exports: saved definitions with their versions (`saving`), how they are found (`listing`), their runs (`history`).

`cloning` makes another export of one.
"""

from webapp.services.exports.cloning import clone, clone_as_draft
from webapp.services.exports.history import History, history_of
from webapp.services.exports.listing import ListQuery, Page, of_ids, page
from webapp.services.exports.saving import create, definition_of, find, runs_of, versions

__all__ = [
    "History",
    "ListQuery",
    "Page",
    "clone",
    "clone_as_draft",
    "create",
    "definition_of",
    "find",
    "history_of",
    "of_ids",
    "page",
    "runs_of",
    "versions",
]
