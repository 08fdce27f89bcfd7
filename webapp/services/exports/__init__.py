"""Exports: saved definitions with their versions (`saving`), how they are found (`listing`), their runs (`history`).

`charting` draws the newest of them; `cloning` makes another export of one, `editing` another version;
`handing_over` gives one to somebody else, `removing` puts one aside or deletes it;
`several` acts on those chosen in the list.
"""

from webapp.services.exports.charting import Chart, chart_of, charts_of
from webapp.services.exports.cloning import clone, clone_as_draft
from webapp.services.exports.editing import Version, begin_anew, changes, edit, history_of_versions, save, unsaved
from webapp.services.exports.handing_over import hand_over, taker, takers
from webapp.services.exports.history import History, history_of, in_progress_of, last_file_of, people_of
from webapp.services.exports.listing import ListQuery, Page, of_ids, page, shown_of_ids, shown_runs_of_ids, whole_page
from webapp.services.exports.removing import archive, delete, remove, restore, runs_and_files
from webapp.services.exports.saving import create, definition_of, find, versions
from webapp.services.exports.several import Deed, Outcome, act_on_several

__all__ = [
    "Chart",
    "Deed",
    "History",
    "ListQuery",
    "Outcome",
    "Page",
    "Version",
    "act_on_several",
    "archive",
    "begin_anew",
    "changes",
    "chart_of",
    "charts_of",
    "clone",
    "clone_as_draft",
    "create",
    "definition_of",
    "delete",
    "edit",
    "find",
    "hand_over",
    "history_of",
    "history_of_versions",
    "in_progress_of",
    "last_file_of",
    "of_ids",
    "page",
    "people_of",
    "remove",
    "restore",
    "runs_and_files",
    "save",
    "shown_of_ids",
    "shown_runs_of_ids",
    "taker",
    "takers",
    "unsaved",
    "versions",
    "whole_page",
]
