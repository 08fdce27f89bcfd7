"""Why two runs cannot be compared."""

from __future__ import annotations

from exports.errors.base import ExportsError


class CompareError(ExportsError):
    """Two runs cannot be compared, or not any more."""


class ModelsDiffer(CompareError):
    code = "compare.models"
    sentence = "These runs are of different data models: choose runs of the same definition."
    advice = "Choose another run."


class ColumnsDiffer(CompareError):
    code = "compare.columns"
    sentence = "These runs have different columns ({what}): choose runs of the same definition."
    advice = "Choose another run."


class FileNotKept(CompareError):
    code = "compare.file_not_kept"
    sentence = "The file of {day} is no longer kept."
    advice = "Choose another run, or run the export again."


class PersonalColumns(CompareError):
    code = "compare.personal"
    sentence = "These files are not for you: {reason}."
    advice = "Ask an admin for the right."


class TooManyWait(CompareError):
    code = "compare.too_many"
    sentence = "Your brand has {count} comparisons waiting already."
    advice = "Wait until they are done, then try again."


class FileMisread(CompareError):
    code = "compare.misread"
    sentence = "A file is not as its definition says, at row {row}."
    advice = "Run the export again, then compare its new file. If it happens again, tell your operator."


class ComparisonBroken(CompareError):
    code = "compare.broken"
    sentence = "The comparison was broken off {deaths} times."
    advice = "Press Compare again. If it happens again, ask your operator to look at the worker's log."


class ComparisonTooLong(CompareError):
    code = "compare.too_long"
    sentence = "The comparison took longer than {minutes} minutes."
    advice = "Download both files and compare them on your own machine, or choose smaller ones."
