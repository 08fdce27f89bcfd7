"""vsftpd, where it is installed: a server of other people that demands the session of the control connection again."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exports.delivery import Server
from tests.delivery.certificates import Authority
from tests.delivery.conftest import bytes_of, parcel, send
from tests.fix_workshop import until

PROGRAM = shutil.which("vsftpd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
SETTINGS = """
    listen=YES
    background=NO
    run_as_launching_user=YES
    seccomp_sandbox=NO
    listen_address=127.0.0.1
    pasv_address=127.0.0.1
    xferlog_enable=NO
    local_enable=NO
    anonymous_enable=YES
    anon_world_readable_only=NO
    anon_umask=022
    write_enable=YES
    anon_upload_enable=YES
    anon_mkdir_write_enable=YES
    anon_other_write_enable=YES
    ssl_enable=YES
    allow_anon_ssl=YES
    force_anon_logins_ssl=YES
    force_anon_data_ssl=YES
    require_ssl_reuse=YES
    ssl_ciphers=HIGH
"""
"""It serves anonymous users by whoever runs the tests: everything else needs root."""


class Vsftpd:
    """A running vsftpd."""

    def __init__(self, folder: Path, certificate: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        own = f"listen_port={self.port}\nrsa_cert_file={certificate}\nrsa_private_key_file={certificate}\n"
        settings = folder / "vsftpd.conf"
        settings.write_text("\n".join(line.strip() for line in SETTINGS.splitlines()) + "\n" + own)
        self._process = subprocess.Popen([str(PROGRAM), str(settings)])
        until(self._answers, "vsftpd answers")

    def _answers(self) -> bool:
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)


@pytest.mark.skipif(PROGRAM is None, reason="vsftpd is not installed")
def test_vsftpd_that_demands_its_session_again_gets_the_file_and_replaces_it(
    running: Callable[[Any], Any], trusted: Authority, folder: Path, tmp_path: Path
) -> None:
    server = running(Vsftpd(tmp_path, trusted.signed("localhost")))
    at = Server("ftps", "localhost", server.port, "anonymous", password="ann@maple.example")
    for size in (300_000, 120_000):
        sent = parcel(size, f"{folder}/in/daily/x.csv")
        send(sent, at)
        assert [(one.name, one.read_bytes()) for one in (folder / "in" / "daily").iterdir()] == [
            ("x.csv", bytes_of(sent))
        ]
