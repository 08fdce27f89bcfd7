"""Hostile hosts, ports, paths and credentials: one answer each, in the form as at the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.fix_app import stores
from tests.fix_hostile import Inputs, Ways, group, is_storable, shown

if TYPE_CHECKING:
    from flask import Flask

GOOD: Final[dict[str, Any]] = {"host": "sftp.partner.example", "port": "2222", "username": "maple", "password": "p",
                               "path": "/upload/stores.csv"}  # fmt: skip
NEEDS_A_RESOLVER: Final = "host with A=public and AAAA=::1"


def inputs_of(target: dict[str, Any]) -> Inputs:
    """The form of the step, as a browser sends it."""
    return {
        "target": "sftp",
        "connection": "",
        "auth": "password",
        "if_exists": "replace",
        "if_empty": "header",
        **target,
    }


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("target_host", ("host",)),
        ("target_port", ("port",)),
        ("target_path", ("path",)),
        ("target_credentials", ("username", "password")),
    ],
)
def test_a_hostile_target_has_one_answer(
    app: Flask, plain_ways: Ways, name: str, parts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = plain_ways
    asked: list[str] = []
    monkeypatch.setitem(app.config, "RESOLVER", lambda host, _port: asked.append(host))
    blocks = name in ("target_host", "target_port")
    seen = 0
    for value, is_refused in group(name):
        if value == NEEDS_A_RESOLVER:
            continue
        for part in parts:
            seen += 1
            target = {**GOOD, part: value}
            document = {**stores(fields=[{"from": "id"}]).as_json(), "target": {"type": "sftp", **target}}
            told = ways.by_command(document)
            if blocks:
                assert told or value in ("\u043f\u0440\u0438\u043c\u0435\u0440.\u0440\u0444",), shown(value)
            else:
                assert bool(told) == is_refused, (part, shown(value))
            ways.begin("stores")
            ways.by_form("target", {"target": "sftp", "if_empty": "header"})
            where, sentences = ways.by_form("target", inputs_of(target))
            assert sentences == sorted(sentence for _code, sentence in told), (part, shown(value))
            stays = is_storable(value) and not (part in ("username", "password") and is_refused and value)
            assert where == ("on" if not told else "here" if stays else "refused"), (part, shown(value), where)
    assert seen >= len(parts)
    assert asked == [], "no page and no command looks a name up"
