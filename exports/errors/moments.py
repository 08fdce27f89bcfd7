"""Why nothing ran at a moment of a schedule: what its row in Logs says."""

from __future__ import annotations

from exports.errors.base import ExportsError


class MomentPassed(ExportsError):
    """A moment of a schedule at which nothing ran (SPEC section 7); its row in Logs says why."""


class Missed(MomentPassed):
    code = "moment.missed"
    sentence = "Missed: the service was not running. {instead} stands for it."
    advice = "Nothing is to be done."


class Overdue(MomentPassed):
    code = "moment.overdue"
    sentence = "Missed: the service was not running at this moment, nor in the 24 hours after it."
    advice = "Press Run now if you need the file."


class Skipped(MomentPassed):
    code = "moment.skipped"
    sentence = "The run before was still going."
    advice = "Choose times that lie further apart if this happens often."
