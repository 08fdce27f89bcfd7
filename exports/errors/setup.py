"""What is in the way when this machine is to run the embedded services."""

from __future__ import annotations

from exports.errors.base import ExportsError


class SetUpError(ExportsError):
    """This machine cannot run the embedded services yet (SPEC section 13)."""


class InstanceNewer(SetUpError):
    code = "setup.newer"
    sentence = "The folder {folder} was made by a newer version of Exports."
    advice = "Start that version, or set EXPORTS_HOME to another folder."


class InstanceForeign(SetUpError):
    code = "setup.owner"
    sentence = "The folder {folder} belongs to the user {owner}."
    advice = "Start as {owner}, or set EXPORTS_HOME to a folder of your own."


class InstanceClosed(SetUpError):
    code = "setup.permission"
    sentence = "The folder {folder} cannot be written to: {reason}."
    advice = "Give yourself the right to write there, or set EXPORTS_HOME to a folder of your own."


class InstanceIncomplete(SetUpError):
    code = "setup.data_gone"
    sentence = "The data of {folder} are gone: {target} does not exist."
    advice = "Put them back, or delete {link} to start with an empty database."


class NoSpace(SetUpError):
    code = "setup.no_space"
    sentence = "The disk of {folder} has {free} MB free, and {needed} MB are needed."
    advice = "Make room, or set EXPORTS_HOME to a folder on another disk."


class ProgramMissing(SetUpError):
    code = "setup.program"
    sentence = "The embedded {service} cannot be used here: {reason}."
    advice = "Run script/bootstrap, or set DATABASE_URL, SOURCE_DATABASE_URL and REDIS_URL to servers of your own."


class ServiceFailed(SetUpError):
    code = "setup.service"
    sentence = "The embedded {service} did not start: {reason}"
    advice = "Its log is {log}."
