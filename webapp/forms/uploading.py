"""The form of Upload target: type, connection, a server by hand, its credential, path; what was not sent stays."""

from __future__ import annotations

from typing import Final

from exports.ssh_keys import MAX_KEY
from exports.target import MAX_CREDENTIAL
from webapp.forms.wizard.posted import FormRefused, Posted
from webapp.services.connections import password_problem
from webapp.services.connections.typed import AUTHS, TypedUpload

TEXTS: Final = {
    "target": 20, "connection": 36, "host": 1_000, "port": 20, "username": MAX_CREDENTIAL, "auth": 20, "path": 4_096,
    "if_exists": 20,
}  # fmt: skip
"""Every text and how long it may be before its rules are asked."""
SECRETS: Final = {"password": MAX_CREDENTIAL, "key": MAX_KEY, "passphrase": MAX_CREDENTIAL}
"""Inputs that never hold anything when a page is shown: empty means that what is stored stays."""
INPUTS: Final = frozenset({*TEXTS, *SECRETS, "archive", "accept"})
CALLED: Final = {"target": "The type", "auth": "The way to log in", "key": "The private key",
                 "passphrase": "The passphrase", "if_exists": "If the file exists"}  # fmt: skip


def read_upload(posted: Posted, typed: TypedUpload) -> TypedUpload:
    """What is typed now, with a credential sealed as it comes.

    Raises:
        FormRefused: a text that is longer than any that makes sense, or a password that cannot be one.
    """
    _hold_lengths(posted)
    found = {name: posted.text(name, getattr(typed, "type" if name == "target" else name)) for name in TEXTS}
    if found["auth"] not in AUTHS:
        raise FormRefused("auth", "Choose how to log in")
    archive = posted.checked("archive") if posted.names("path") else typed.archive
    now = typed.with_(type=found.pop("target"), archive=archive, **found)
    if not now.by_hand:
        return now
    return _with_credential(posted, now)


def _with_credential(posted: Posted, typed: TypedUpload) -> TypedUpload:
    """Only what belongs to the chosen way to log in is looked at."""
    if typed.wants == "password":
        password = posted.text("password")
        if password and (problem := password_problem(password)):
            raise FormRefused("password", problem)
        return typed.with_password(password)
    if typed.auth == "made":
        return typed.with_made_key()
    return typed.with_key(posted.text("key"), posted.text("passphrase"))


def _hold_lengths(posted: Posted) -> None:
    for name, most in {**TEXTS, **SECRETS}.items():
        if len(posted.text(name)) > most:
            input = CALLED.get(name, f"The {name}")
            raise FormRefused(name, f"{input} is longer than {most:,} characters")
