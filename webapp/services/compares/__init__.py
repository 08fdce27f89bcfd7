"""**Compare**: the differences between the files of two runs (SPEC section 4, docs/compare.md).

`asking` is what people ask for, `choosing` which runs they can choose, `attempts` the life of a comparison under its
workers, `keeping` its files in the store and when they go.
"""

from webapp.services.compares.asking import TWO, ask, cancel, check, find, in_time, of_pair, progress
from webapp.services.compares.attempts import (
    EXECUTE,
    Comparing,
    beat,
    claim,
    fail,
    give_back,
    holds,
    publish,
    release,
    stop,
    sweep,
)
from webapp.services.compares.choosing import Choices, Kept, choices
from webapp.services.compares.keeping import differences, end_with, first_rows, write_first
from webapp.services.compares.runs import Compared, check_rights, compared

__all__ = [
    "EXECUTE",
    "TWO",
    "Choices",
    "Compared",
    "Comparing",
    "Kept",
    "ask",
    "beat",
    "cancel",
    "check",
    "check_rights",
    "choices",
    "claim",
    "compared",
    "differences",
    "end_with",
    "fail",
    "find",
    "first_rows",
    "give_back",
    "holds",
    "in_time",
    "of_pair",
    "progress",
    "publish",
    "release",
    "stop",
    "sweep",
    "write_first",
]
