"""What is in the way of personal data, and of a person who signs in."""

from __future__ import annotations

from exports.errors.base import ExportsError, RunError


class MaskKeyUnreadable(RunError):
    """No other key is made in its place: the same value would be another hash from then on."""

    code = "mask.key_unreadable"
    sentence = "The brand's key for hashes can't be read."
    advice = "Ask your operator to check CREDENTIAL_KEYS, then run the export again."


class FileRemoved(RunError):
    """What is to be uploaded is kept no longer: somebody had it removed, or its day has come."""

    code = "file.removed"
    sentence = "The file has been removed and is not uploaded."
    advice = "Run the export again if you need a new one."


class PersonalFile(ExportsError):
    """A file with data that this person may not export."""

    code = "rights.personal_file"
    sentence = "This file is not for you: {reason}."
    advice = "Ask an admin for the right to export personal fields, or the export's owner to mask them."


class SecondStepUnreadable(ExportsError):
    """What was sealed for a person's second step cannot be opened."""

    code = "account.second_step_unreadable"
    sentence = "Your code can't be checked."
    advice = "Ask your operator to check CREDENTIAL_KEYS, or an admin to take the second step off."
