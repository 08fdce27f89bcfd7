"""The web process is killed in the middle of a download: the client goes on where it broke off (F34)."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
import uuid
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from tests.fix_app import stores
from tests.fix_workshop import ROOT, Workshop, end, until
from webapp.extensions import db
from webapp.models import Run
from webapp.services import artefacts

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE = int(os.environ.get("DOWNLOAD_BYTES", "60000000"))
"""500 MB were tried by hand; a tenth of them tells as much and is quick."""
CURL = shutil.which("curl")


@pytest.fixture
def web(workshop: Workshop) -> Iterator[str]:
    """The address of the web process, as the Procfile starts it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    line = next(one for one in (ROOT / "Procfile").read_text().splitlines() if one.startswith("web: "))
    command = [sys.executable, "-m", *line.removeprefix("web: ").split()]
    log = (workshop.services.folder / "web.log").open("wb")
    with log:
        told = {**workshop.services.environment, "PORT": str(port)}
        process = psutil.Popen(command, cwd=ROOT, env=told, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(address), "the web process answers")
        yield address
    finally:
        end(process)


def answers(address: str) -> bool:
    """Whether somebody is there."""
    try:
        with urllib.request.urlopen(f"{address}/healthz", timeout=2) as response:  # noqa: S310 - our own address
            return response.status == 200  # type: ignore[no-any-return]
    except OSError:
        return False


def download(web: str, cookie: str, run_id: uuid.UUID, to: Path, *more: str) -> subprocess.Popen[bytes]:
    """curl, going on where the file ends that is there."""
    assert CURL
    command = [CURL, "--silent", "--show-error", "--continue-at", "-", "--output", str(to), "--header", cookie, *more]
    return subprocess.Popen([*command, f"{web}/runs/{run_id}/download"])


@pytest.mark.slow
@pytest.mark.skipif(CURL is None, reason="there is no curl")
def test_a_download_goes_on_after_its_web_process_was_killed(workshop: Workshop, web: str, tmp_path: Path) -> None:
    workshop.worker()
    run_id = workshop.create(stores())
    workshop.ended(run_id)
    with big_file(workshop, run_id) as sha256:
        kill_and_go_on(workshop, web, run_id, tmp_path / "file.zip", sha256)


@contextmanager
def big_file(workshop: Workshop, run_id: uuid.UUID) -> Iterator[str]:
    """In place of a run's small file; its SHA-256."""
    digest, key = hashlib.sha256(), f"{run_id}.zip"
    with workshop.people.exporter.at_work():
        run = db.session.get_one(Run, run_id)
        small = run.artefact, run.archive_bytes
        sink = artefacts.store().open_writer(key)
        for _ in range(SIZE // 1_000_000):
            block = os.urandom(1_000_000)
            digest.update(block)
            sink.write(block)
        sink.close()
        run.artefact, run.archive_bytes = key, SIZE
        db.session.commit()
        yield digest.hexdigest()
        run.artefact, run.archive_bytes = small
        db.session.commit()
        artefacts.store().delete(key)


def kill_and_go_on(workshop: Workshop, web: str, run_id: uuid.UUID, file: Path, sha256: str) -> None:
    """Download, kill the process that serves it, download the rest."""
    client = workshop.app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = workshop.people.exporter.token
        session["_fresh"] = True
    name = workshop.app.config["SESSION_COOKIE_NAME"]
    cookie = client.get_cookie(name)
    assert cookie is not None
    told = f"Cookie: {name}={cookie.value}"
    broken = download(web, told, run_id, file, "--limit-rate", "40M")
    until(lambda: file.exists() and file.stat().st_size > SIZE // 3, "a third is there")
    port = int(web.rpartition(":")[2])
    talking = [one for one in psutil.net_connections("tcp") if one.raddr and one.laddr.port == port]
    (serving,) = {one.pid for one in talking if one.pid and one.status == psutil.CONN_ESTABLISHED}
    os.kill(serving, signal.SIGKILL)
    assert broken.wait(30) != 0
    there = file.stat().st_size
    assert SIZE // 3 < there < SIZE
    until(lambda: answers(web), "another web process answers")
    assert download(web, told, run_id, file).wait(60) == 0
    assert file.stat().st_size == SIZE
    with file.open("rb") as whole:
        assert hashlib.file_digest(whole, "sha256").hexdigest() == sha256
