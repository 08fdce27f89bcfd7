"""The embedded PostgreSQL: made, started or adopted, prepared, stopped."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from exports.errors import InstanceNewer, NoSpace, ServiceFailed
from webapp.embedded.place import LATER_START_MB, Place, require_space
from webapp.embedded.processes import alive, works_in
from webapp.embedded.programs import ENVIRONMENT, as_user, postgres_programs

MAJOR = 18
START_S = 120  # recovery after a crash replays up to max_wal_size
STOP_S = 60  # the last checkpoint writes at most shared_buffers
LOG_BYTES = 10_000_000

_MEMORY_MB = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20

# Tuned for one person's machine: 256 MB hold the demo's tables, 2 GB of write-ahead log let it load without a forced
# checkpoint. Half of the memory is taken for the system's cache of files: told 1 GB, the planner sorted 14.7 million
# events that lie in the order of their key (36 s) in place of walking them (14 s). wal_level=minimal lets COPY into a
# table made in the same transaction skip the log.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": f"{_MEMORY_MB // 2}MB",
    "maintenance_work_mem": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] %q%a ",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

# `exports` owns both databases, `exports_reader` reads what `exports` puts into the source, now and later.
_PREPARE = r"""
SELECT format('CREATE ROLE %I LOGIN', name) FROM unnest(ARRAY['exports', 'exports_reader']) name
 WHERE name NOT IN (SELECT rolname FROM pg_roles) \gexec
SELECT format('CREATE DATABASE %I OWNER exports', name) FROM unnest(ARRAY['exports', 'loyalty']) name
 WHERE name NOT IN (SELECT datname FROM pg_database) \gexec
ALTER ROLE exports_reader SET default_transaction_read_only = on;
REVOKE ALL ON DATABASE exports, loyalty FROM PUBLIC;
GRANT CONNECT ON DATABASE loyalty TO exports_reader;
\connect loyalty
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE exports GRANT USAGE ON SCHEMAS TO exports_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE exports GRANT SELECT ON TABLES TO exports_reader;
"""


class Postgres:
    """One cluster in `place.services`/data, listening on a socket in `place.sockets` alone."""

    name = "PostgreSQL"

    def __init__(self, place: Place, *, durable: bool = True) -> None:
        self.place = place
        self.data = place.services / "data"
        self.log = place.services / "postgres.log"
        self.settings = SETTINGS if durable else {**SETTINGS, **NOT_DURABLE}
        self.durable = durable
        self.programs = postgres_programs(place.user)
        self._child: subprocess.Popen[bytes] | None = None
        self._pid = 0

    def url(self, user: str, database: str) -> str:
        """The address of a database for that role, as libpq and SQLAlchemy understand it."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.place.sockets), safe='/')}"

    def start(self) -> None:
        """Make the cluster if it is missing, adopt a running one or start it; return once it takes queries.

        Raises InstanceNewer, NoSpace, ServiceFailed.
        """
        self._make()
        deadline = time.monotonic() + START_S
        while not self._adopt():
            self._launch()
            if self._ready(deadline):
                break
        self._prepare()

    def alive(self) -> bool:
        """Whether the postmaster runs."""
        if self._child is not None:
            return self._child.poll() is None
        return alive(self._pid)

    def stop(self) -> None:
        """Stop as fast as nothing is lost: sessions are ended, a checkpoint is written."""
        for sign, seconds in ((signal.SIGINT, STOP_S), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
            if not self.alive():
                return
            os.kill(self._pid, sign)
            _wait_until(lambda: not self.alive(), seconds)

    def _make(self) -> None:
        version = self.data / "PG_VERSION"
        if version.exists():
            if int(version.read_text()) > MAJOR:
                raise InstanceNewer(folder=self.place.home)
            return
        # A kill leaves a half-made cluster: only one that is complete gets the name `data`.
        making = self.place.services / "data.new"
        shutil.rmtree(making, ignore_errors=True)
        arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        # C sorts by bytes as the exports promise; the builtin C.UTF-8 gives lower() all of Unicode.
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        arguments += [] if self.durable else ["--no-sync"]
        run = self._run("initdb", *arguments, f"--pgdata={making}")
        if run.returncode:
            self._fail(run.stderr)
        making.rename(self.data)

    def _adopt(self) -> bool:
        """Whether a postmaster of this cluster runs already; waits for one that is starting or stopping."""
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            lines = self._pid_file()
            if not lines:
                return False
            pid = int(lines[0])
            if not works_in(pid, self.data, "postgres"):
                (self.data / "postmaster.pid").unlink(missing_ok=True)
                return False
            if lines[-1].strip() == "ready":
                self._child, self._pid = None, pid
                return True
            time.sleep(0.02)
        raise ServiceFailed(service=self.name, reason="one that runs already does not become ready.", log=self.log)

    def _launch(self) -> None:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        # No postmaster runs here any more, whoever has its number now: PostgreSQL would not ask who that is.
        for left in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):
            (self.place.sockets / left).unlink(missing_ok=True)
        sockets = str(self.place.sockets).replace('"', '""')
        settings = {**self.settings, **_shared_memory(), "unix_socket_directories": f'"{sockets}"'}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(self.programs / "postgres"), "-D", str(self.data), *options]
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own words
                command,
                cwd=self.place.services,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_user(self.place.user),
            )
        self._pid = self._child.pid

    def _ready(self, deadline: float) -> bool:
        """Wait for the started postmaster; False if it gave way to the remains of an earlier one and may try again."""
        while self.alive():
            if time.monotonic() > deadline:
                self.stop()
                raise ServiceFailed(service=self.name, reason=f"not ready after {START_S} s.", log=self.log)
            lines = self._pid_file()
            if lines and int(lines[0]) == self._pid and lines[-1].strip() == "ready":
                return True
            time.sleep(0.01)
        tail = _tail(self.log)
        # Killed with -9 it leaves children behind for a moment; they hold the shared memory until they notice.
        remains = "shared memory block" in tail
        if not remains or time.monotonic() > deadline:
            self._fail(tail)
        time.sleep(0.2)
        return False

    def _pid_file(self) -> list[str]:
        """Lines of postmaster.pid, the last one being the state; none while it is missing or being written."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []
        return lines if len(lines) == 8 else [*lines, "starting"] if lines and lines[0].strip() else []

    def _prepare(self) -> None:
        """Make roles and databases, once."""
        marker = self.place.services / "prepared"
        wanted = hashlib.sha256(_PREPARE.encode()).hexdigest()
        if marker.exists() and marker.read_text() == wanted:
            return
        arguments = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", str(self.place.sockets), "-U", "postgres"]
        run = self._run("psql", *arguments, "-d", "postgres", text=_PREPARE)
        if run.returncode:
            self._fail(run.stderr)
        marker.write_text(wanted)

    def _run(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        command = [str(self.programs / program), *arguments]
        user, where = as_user(self.place.user), self.place.services
        done: subprocess.CompletedProcess[str] = subprocess.run(  # noqa: S603 - our own words
            command, input=text, capture_output=True, text=True, cwd=where, env=ENVIRONMENT, **user
        )
        return done

    def _fail(self, said: str) -> None:
        if "No space left on device" in said:
            require_space(self.place.services, LATER_START_MB)
            raise NoSpace(said, folder=self.place.services, free=0, needed=LATER_START_MB)
        lines = [line for line in said.splitlines() if line.strip()]
        telling = [line for line in lines if "FATAL" in line or "PANIC" in line or "rror" in line] or lines
        reason = telling[-1] if telling else "it said nothing."
        raise ServiceFailed(said, service=self.name, reason=reason, log=self.log)


def _shared_memory() -> dict[str, str]:
    """Containers often have 64 MB of /dev/shm, too little for parallel queries: then files in the data folder."""
    found = Path("/dev/shm")  # noqa: S108 - asked for its size only
    if found.exists() and shutil.disk_usage(found).total < 256 * 2**20:
        return {"dynamic_shared_memory_type": "mmap"}
    return {}


def _tail(log: Path) -> str:
    return log.read_bytes()[-4000:].decode(errors="replace")


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
