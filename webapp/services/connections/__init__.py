"""Connections: saved upload servers, their credentials, trusted keys and tests (docs/connections.md)."""

from webapp.services.connections import plain
from webapp.services.connections.credentials import Credential, replace, rotate, seal, sealed_of
from webapp.services.connections.keeping import (
    InUse,
    NotKept,
    Wanted,
    change,
    create,
    delete,
    facts,
    made_by_hand,
)
from webapp.services.connections.listing import Listed, exports_of, find, last_test, listed, usable, uses_of
from webapp.services.connections.making import Making, making_of, of_typed
from webapp.services.connections.reaching import server_of
from webapp.services.connections.refusals import keep as keep_refused
from webapp.services.connections.rules import id_of, named
from webapp.services.connections.rules import problems as problems_of_target
from webapp.services.connections.server import LABELS, Server, kinds, password_problem, problems
from webapp.services.connections.testing import is_outdated, is_stale
from webapp.services.connections.trust import KeyChanged, accept, may_lead, offered, revoke, verified, waiting
from webapp.services.connections.typed import TypedUpload, again, problems_of_typed, tested

__all__ = [
    "LABELS",
    "Credential",
    "InUse",
    "KeyChanged",
    "Listed",
    "Making",
    "NotKept",
    "Server",
    "TypedUpload",
    "Wanted",
    "accept",
    "again",
    "change",
    "create",
    "delete",
    "exports_of",
    "facts",
    "find",
    "id_of",
    "is_outdated",
    "is_stale",
    "keep_refused",
    "kinds",
    "last_test",
    "listed",
    "made_by_hand",
    "making_of",
    "may_lead",
    "named",
    "of_typed",
    "offered",
    "password_problem",
    "plain",
    "problems",
    "problems_of_target",
    "problems_of_typed",
    "replace",
    "revoke",
    "rotate",
    "seal",
    "sealed_of",
    "server_of",
    "tested",
    "usable",
    "uses_of",
    "verified",
    "waiting",
]
