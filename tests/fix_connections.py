"""Connections for tests: to a server that nobody reaches, and to one on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from exports.addresses import read_networks

if TYPE_CHECKING:
    from flask import Flask

    from tests.delivery.servers import SftpServer
    from webapp.services.connections import Credential, Wanted


def partner(name: str = "Partner", *, shared: bool = False, **server: Any) -> tuple[Wanted, Credential]:
    """What `connections.create` takes: an SFTP server of a partner, with a password."""
    from webapp.services.connections import Credential, Server, Wanted

    where = {"type": "sftp", "host": "sftp.partner.example", "port": "22", "username": "maple_exports", **server}
    return Wanted(name, Server(**where), shared), Credential("password", "a password of the partner")


@pytest.fixture
def upload_here(app: Flask) -> Iterator[None]:
    """Uploads may go to this machine, as an operator can allow it."""
    settings = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(settings, allowed_networks=read_networks("127.0.0.0/8, ::1/128"))
    yield
    app.config["SETTINGS"] = settings


@pytest.fixture
def sftp_server(tmp_path: Path) -> Iterator[SftpServer]:
    """An SFTP server on this machine, whose files stand in a folder of the test."""
    from tests.delivery.servers import SftpServer

    folder = tmp_path / "there"
    folder.mkdir()
    server = SftpServer(folder)
    yield server
    server.stop()
