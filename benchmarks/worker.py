"""`script/bench worker`: the memory of a real worker that makes 300 MB and delivers them to all three kinds of server.

Beside an idle `script/server`, whose worker must be allowed to reach this machine:

    EXPORTS_ALLOWED_NETWORKS=127.0.0.0/8,::1/128 EXPORTS_ALLOWED_PORTS=1024-65535 script/server

The bars (SPEC section 14): at most 160 MB for each process and at most 40 MB above what it had before; the bytes that
arrive are those of the run.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

from benchmarks.delivery import HERE, PASSWORD, USER, serving
from benchmarks.running import create, demo_user, wait
from exports.definition import Definition, parse
from exports.delivery import Server, probe
from webapp import config
from webapp.extensions import db
from webapp.models import Connection, Run, User
from webapp.services import connections
from webapp.services.connections import Credential, Wanted, trust

LEAST_BYTES: Final = 300_000_000
COLUMNS: Final = 30
MOST_MB, MOST_MORE_MB = 160, 40


def main() -> int:
    """Print the peaks of worker and work horse for each kind; exit status 1 over a bar."""
    good = True
    with demo_user() as user, tempfile.TemporaryDirectory() as name:
        for kind in ("sftp", "ftp", "ftps"):
            there = Path(name) / kind
            there.mkdir()
            with serving(kind, there) as (port, key):
                good &= measure(user, kind, port, key, there)
    return int(not good)


def measure(user: User, kind: Any, port: int, key: str | None, there: Path) -> bool:
    """One export to one server, whose worker is watched; whether the bars are kept."""
    watched = Watched()
    run_id = create(user, definition(_connection(user, kind, port, key)))

    def over(run: Run) -> bool:
        watched.look()
        return run.finished_at is not None

    run = wait(run_id, over, 600)
    before, horse, worker = watched.stop()
    [file] = there.iterdir()
    digest = hashlib.file_digest(file.open("rb"), "sha256").hexdigest()
    equal = digest == run.sha256 and file.stat().st_size == run.bytes >= LEAST_BYTES
    print(
        f"{kind}: {run.status}, {run.bytes / 1e6:.0f} MB, sha256 {'equal' if equal else 'DIFFERS'}; "
        f"work horse {before:.0f} MB at its begin, at most {horse:.0f} MB; worker at most {worker:.0f} MB",
        flush=True,
    )
    return equal and max(horse, worker) <= MOST_MB and horse - before <= MOST_MORE_MB


def definition(connection: Connection) -> Definition:
    """Every event of the brand with a few columns many times, which is over 300 MB."""
    fields = [{"from": "_id", "to": f"{number}"} for number in range(COLUMNS)]
    target = {"type": connection.type, "connection": str(connection.id), "path": "/worker.csv"}
    every = [{"attribute": "action", "operator": "is_not_empty"}]
    about = {"name": f"Worker, {connection.type}", "model": "events", "timezone": "UTC", "filters": [every]}
    return parse({**about, "fields": fields, "target": target})


def _connection(user: User, kind: Any, port: int, key: str | None) -> Connection:
    host = "localhost" if kind == "ftps" else "127.0.0.1"
    wanted = Wanted(
        f"Benchmark {uuid.uuid4()}", connections.Server(type=kind, host=host, port=str(port), username=USER)
    )
    made = connections.create(user, wanted, Credential("password", PASSWORD))
    offered = key or probe(Server(kind, host, port, USER, PASSWORD), HERE, "/probe.bin", tag="bench").offered
    if offered:
        trust.offered(made, offered)
        trust.accept(user, made, offered)
    db.session.commit()
    return made


class Watched:
    """The workers of this installation and their horses: what each had at first, and at most."""

    def __init__(self) -> None:
        home = str(config.home(os.environ))
        self._workers = [one for one in psutil.process_iter() if _is_worker(one, home)]
        self._horses: dict[int, list[float]] = {}
        self._most = 0.0

    def look(self) -> None:
        """Take the present figures."""
        for worker in self._workers:
            with suppress(psutil.Error):
                self._most = max(self._most, _megabytes(worker))
                for horse in worker.children():
                    self._horses.setdefault(horse.pid, []).append(_megabytes(horse))

    def stop(self) -> tuple[float, float, float]:
        """Of the horse that worked longest: MB at its begin and at most; and the most of any worker."""
        longest = max(self._horses.values(), key=len)
        return longest[0], max(longest), self._most


def _is_worker(process: psutil.Process, home: str) -> bool:
    """Whether it serves the queue of runs in this installation; a horse, its fork, looks like it."""
    try:
        is_home = os.path.abspath(process.environ().get("EXPORTS_HOME", "instance")) == home
        parent = process.parent()
        return is_home and _serves(process) and not (parent is not None and _serves(parent))
    except psutil.Error:
        return False


def _serves(process: psutil.Process) -> bool:
    return process.cmdline()[1:] == ["-m", "jobs.worker", "exports"]


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


if __name__ == "__main__":
    sys.exit(main())
