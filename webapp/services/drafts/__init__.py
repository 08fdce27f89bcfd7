"""Drafts of the wizard: what somebody is typing, stored as it is typed; its problems are computed, never kept."""

from webapp.services.drafts.columns import named_like
from webapp.services.drafts.definition import document, file_document
from webapp.services.drafts.faults import NOT_CHOSEN, Checked, Fault, check, placed
from webapp.services.drafts.filling import filled
from webapp.services.drafts.operations import apply, fitting
from webapp.services.drafts.outcome import Outcome, UnknownOperation
from webapp.services.drafts.steps import ASKING, BY_ID, STEPS, Step, after, before, number_of
from webapp.services.drafts.store import (
    DraftChanged,
    add,
    close,
    discard,
    made_of,
    note,
    own,
    rev_of,
    save,
    start,
    typed_of,
    waiting,
)
from webapp.services.drafts.typed import Typed, TypedColumn, TypedCriterion, TypedFile, TypedNotify, TypedReplacement
from webapp.services.drafts.values import ANNIVERSARY, input_of, picks, searches, takes_others

__all__ = [
    "ANNIVERSARY",
    "ASKING",
    "BY_ID",
    "NOT_CHOSEN",
    "STEPS",
    "Checked",
    "DraftChanged",
    "Fault",
    "Outcome",
    "Step",
    "Typed",
    "TypedColumn",
    "TypedCriterion",
    "TypedFile",
    "TypedNotify",
    "TypedReplacement",
    "UnknownOperation",
    "add",
    "after",
    "apply",
    "before",
    "check",
    "close",
    "discard",
    "document",
    "file_document",
    "filled",
    "fitting",
    "input_of",
    "made_of",
    "named_like",
    "note",
    "number_of",
    "own",
    "picks",
    "placed",
    "rev_of",
    "save",
    "searches",
    "start",
    "takes_others",
    "typed_of",
    "waiting",
]
