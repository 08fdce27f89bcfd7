"""What a definition says about its upload, and what is refused with which words (SPEC sections 3.7 and 11)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from exports import definition, rules, target
from exports.addresses import Guard
from exports.catalogue import builtin
from exports.errors import DefinitionRefused
from exports.target import NoTarget, Upload
from tests.fix_hostile import group, shown

BY_HAND = {"type": "sftp", "host": "files.example.com", "username": "u", "password": "canary-7", "path": "/in/x"}
SAVED = {"type": "ftps", "connection": "3b0a8c52-7f4e-4b8e-9f57-0a4f3c5f0d11", "path": "/in/x_%Y"}


def document(upload: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A definition with that target."""
    filters = [[{"attribute": "id", "operator": "is_not_empty"}]]
    whole = {"name": "Stores", "model": "stores", "timezone": "UTC", "filters": filters, "fields": [{"from": "id"}]}
    return {**whole, "target": upload, **more}


def told(upload: dict[str, Any], **more: Any) -> list[tuple[str, str, str]]:
    """Every problem: where, code, sentence."""
    try:
        found = rules.problems(definition.parse(document(upload, **more)), builtin(), guard=Guard())
    except DefinitionRefused as refused:
        found = refused.problems
    return [(one.at, one.code, one.message) for one in found]


def test_a_target_is_none_unless_something_else_is_said() -> None:
    for given in ({}, {"type": "none"}):
        assert definition.parse(document(given)).target == NoTarget()


def test_a_server_typed_by_hand_has_the_usual_port() -> None:
    read = definition.parse(document(BY_HAND)).target
    assert isinstance(read, Upload)
    assert (read.port_or_usual, read.archive, read.if_exists, read.by_hand) == (22, False, "replace", True)
    assert told(BY_HAND) == []


def test_what_is_stored_has_the_connection_and_no_password() -> None:
    read = definition.parse(document(BY_HAND))
    assert isinstance(read.target, Upload)
    saved = read.model_copy(update={"target": read.target.through(SAVED["connection"])})
    stored = json.dumps(saved.as_json())
    assert "canary-7" not in stored + json.dumps(read.as_json()) + repr(read)
    again = definition.parse(json.loads(stored))
    assert isinstance(again.target, Upload)
    assert (again.target.connection, again.target.host) == (SAVED["connection"], None)
    assert again.as_json() == saved.as_json()


def test_a_file_for_a_server_is_not_guarded_against_spreadsheets_unless_asked() -> None:
    assert not definition.parse(document(SAVED)).file.protect_spreadsheets
    assert definition.parse(document(SAVED, file={"protect_spreadsheets": True})).file.protect_spreadsheets
    assert definition.parse(document({})).file.protect_spreadsheets


@pytest.mark.parametrize(
    ("upload", "at", "message"),
    [
        ({"type": "scp"}, "target", "target must have the type none, ftp, ftps or sftp"),
        ({"type": "none", "path": "/x"}, "target.path", "The path is not known here: take it out"),
        ({**BY_HAND, "colour": 1}, "target.colour", "target.colour is not known here: take it out"),
        ({**BY_HAND, "if_exists": "ask"}, "target.if_exists", "If the file exists must be one of 'replace', 'number' or 'fail'"),  # noqa: E501
        ({**BY_HAND, "host": ""}, "target.host", "Enter the host"),
        ({**BY_HAND, "username": ""}, "target.username", "Enter the username"),
        ({**BY_HAND, "password": ""}, "target.password", "Enter the password"),
        ({"type": "ftp", "path": "/x"}, "target.host", "Enter the host"),
        ({**SAVED, "host": "a.example.com"}, "target.host", "The connection has its own host: leave it out"),
        ({**SAVED, "password": "x"}, "target.password", "The connection has its own password: leave it out"),
        ({**SAVED, "path": ""}, "target.path", "Enter a path with the name of the file"),
        ({**BY_HAND, "archive": "yes"}, "target.archive", "Create archive must be true or false"),
    ],
)  # fmt: skip
def test_each_problem_is_named_at_its_input(upload: dict[str, Any], at: str, message: str) -> None:
    assert (at, message) in [(where, sentence) for where, _code, sentence in told(upload)]


def test_hostile_credentials_have_their_outcome() -> None:
    for value, is_refused in group("target_credentials"):
        for member in ("username", "password"):
            found = told({**BY_HAND, member: value})
            assert [at for at, _code, _sentence in found] == ([f"target.{member}"] if is_refused else []), shown(value)
            assert not any(value in sentence for _at, _code, sentence in found if value), shown(value)


def test_hostile_hosts_and_ports_are_told_at_their_input() -> None:
    for member in ("host", "port"):
        for value, is_refused in group(f"target_{member}"):
            if value == "host with A=public and AAAA=::1":
                continue
            found = told({**BY_HAND, member: value})
            if value == "пример.рф":
                assert found == []
            elif is_refused:
                assert [at for at, _code, _sentence in found] == [f"target.{member}"], shown(value)
            else:
                assert [code for _at, code, _sentence in found] == ["target.blocked"], shown(value)


def test_a_repeated_export_that_replaces_its_file_is_warned_of() -> None:
    daily = {"type": "repeated", "every": "day", "hours": "6", "minutes": "0"}
    fixed = {**SAVED, "path": "/in/x"}
    assert [code for _at, code, _ in told(fixed, schedule=daily)] == ["target.replaces"]
    assert told(SAVED, schedule=daily) == told(fixed) == told({**fixed, "if_exists": "number"}, schedule=daily) == []
    warned = list(target.problems(definition.parse(document(fixed)).target, "csv", repeats=True))
    assert all(one.warning for one in warned)
