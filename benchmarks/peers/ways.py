"""The peers, each driven as its own documentation says for a large export, and we ourselves."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.environment import NEWEST, SUPERSET, Environment
from benchmarks.peers.programs import asked

PROGRAMS = Path(__file__).with_name("programs")
SLING = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
LIBRARY, COMMAND = "library", "command"
Environments = Mapping[str, Environment]
"""By the file of their pins."""


@dataclass(frozen=True)
class Peer:
    """One of the others. `kind`: a library's time is from first statement to closed file, a command's that of all."""

    name: str
    kind: str
    needs: tuple[str, ...]
    program: str
    raw: tuple[str, ...] = (asked.WHOLE,)
    mapped: tuple[str, ...] = (asked.IN_PYTHON,)
    pins: str = NEWEST

    def variants(self, case: str) -> tuple[str, ...]:
        """In how many ways it is tried; the quickest counts."""
        return self.raw if case == "raw" else self.mapped

    def left_out(self, environments: Environments) -> str:
        """Why it cannot be measured here; empty if it can."""
        environment = environments[self.pins]
        return "; ".join(f"{name}: {environment.missing[name]}" for name in self.needs if name in environment.missing)


PANDAS = Peer(
    "pandas", LIBRARY, ("pandas", "SQLAlchemy", "psycopg2-binary"), "with_pandas.py",
    (asked.WHOLE, asked.CHUNKED),
    (f"{asked.WHOLE}, {asked.IN_PYTHON}", f"{asked.CHUNKED}, {asked.IN_PYTHON}", asked.IN_SQL),
)  # fmt: skip
SUPERSETS = Peer(
    "pandas as in Superset", LIBRARY, PANDAS.needs, PANDAS.program,
    mapped=(f"{asked.WHOLE}, {asked.IN_PYTHON}", asked.IN_SQL), pins=SUPERSET,
)  # fmt: skip
PEERS = (
    PANDAS,
    SUPERSETS,
    Peer("SQLAlchemy + csv", LIBRARY, ("SQLAlchemy", "psycopg2-binary"), "with_sqlalchemy.py",
         mapped=(asked.IN_PYTHON, asked.IN_SQL)),
    Peer("django-import-export", LIBRARY, ("django-import-export", "Django", "psycopg", "tablib"), "with_django.py"),
    Peer("Flask-Admin", LIBRARY, ("Flask-Admin", "Flask-SQLAlchemy", "SQLAlchemy", "psycopg2-binary"),
         "with_flask_admin.py"),
    Peer("csvkit sql2csv", COMMAND, ("csvkit", "SQLAlchemy", "psycopg2-binary"), "sql2csv", mapped=(asked.IN_SQL,)),
    Peer("Sling", COMMAND, (f"sling-linux-{SLING}",), "sling", mapped=(asked.IN_SQL,)),
)  # fmt: skip


@dataclass(frozen=True)
class Task:
    """What is to be made: a case of `asked`, from the source at `url`, into `folder`."""

    case: str
    url: str
    until: str | None
    folder: Path

    def out(self, name: str) -> Path:
        """Where a peer writes."""
        return self.folder / f"{name.replace(' ', '-')}.csv"


def run(peer: Peer, variant: str, task: Task, environments: Environments) -> float:
    """Let a peer make its file once; how many seconds it took.

    Raises:
        RuntimeError: it failed, with the end of what it said.
    """
    environment = environments[peer.pins]
    out = task.out(peer.name)
    out.unlink(missing_ok=True)
    if peer.program == "sql2csv":
        return _timed(_sql2csv(task, variant, environment), out=out)
    if peer.program == "sling":
        return _timed(_sling(task, variant, environment, out), more=_sling_settings(task))
    told = {"url": task.url, "case": task.case, "variant": variant, "until": task.until, "out": str(out)}
    return _timed([str(environment.python), str(PROGRAMS / peer.program), json.dumps(told)])


def _sql2csv(task: Task, variant: str, environment: Environment) -> list[str]:
    url = task.url.replace("postgresql:", "postgresql+psycopg2:", 1)
    select = asked.query(task.case, variant, task.until)
    return [str(environment.python.with_name("sql2csv")), "--db", url, "--query", select]


def _sling(task: Task, variant: str, environment: Environment, out: Path) -> list[str]:
    program = environment.file(f"sling_linux_{SLING}/bin/sling-linux-{SLING}")
    program.chmod(0o755)
    select = asked.query(task.case, variant, task.until)
    return [str(program), "run", "--src-conn", "SOURCE", "--src-stream", select, "--tgt-object", f"file://{out}"]


def _sling_settings(task: Task) -> dict[str, str]:
    """Its connection; the user stands behind, as before an empty host Sling would take it for one without a socket."""
    user, _, rest = task.url.removeprefix("postgresql://").partition("@")
    home = str(task.folder / "sling")
    return {
        "SOURCE": f"postgresql://{rest}&user={user}&sslmode=disable",
        "SLING_HOME_DIR": home,
        "HOME": home,
        "SLING_DISABLE_TELEMETRY": "true",
    }


def _timed(command: Sequence[str], *, out: Path | None = None, more: dict[str, str] | None = None) -> float:
    """Run a command, into `out` if it writes to standard output; its own word on the seconds counts, if it has one."""
    began = time.perf_counter()
    with open(out or os.devnull, "wb") as file:
        env = {**os.environ, **(more or {})}
        child = subprocess.Popen(command, stdout=file if out else subprocess.PIPE, stderr=subprocess.PIPE, env=env)
        said, errors = child.communicate()
    seconds = time.perf_counter() - began
    if child.returncode != 0:
        raise RuntimeError((errors or said or b"").decode()[-800:])
    return float(json.loads(said)["seconds"]) if said and said.startswith(b"{") else seconds
