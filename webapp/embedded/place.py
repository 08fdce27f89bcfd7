"""Where the embedded services live, and whether they may: the instance folder, the data it links to, the sockets."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import pwd
import re
import secrets
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from exports.errors import InstanceClosed, InstanceForeign, InstanceIncomplete, InstanceNewer, NoSpace, ProgramMissing

LAYOUT = 1
SYSTEM_USER = "pgserver"  # PostgreSQL refuses to run as root
SHELF = Path("/var/lib/exports-pgserver")
# An empty cluster has 53 MB, the demo data and the write-ahead log about 400 MB more.
FIRST_START_MB = 600
LATER_START_MB = 100
# macOS allows 103 bytes, Linux 107.
SOCKET_PATH_BYTES = 103
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Place:
    """Folders of one installation. `user` is the system user of the services, None for the one who started."""

    home: Path
    services: Path
    sockets: Path
    user: str | None


def prepare_home(home: Path) -> None:
    """Make the instance folder if it is missing and refuse one that this version or user must not touch.

    Raises InstanceNewer, InstanceForeign, InstanceClosed, NoSpace. Modes of folders that exist are left as they are.
    """
    with translated(home):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        marker = home / "version.json"
        if marker.exists():
            _refuse_foreign(home)
            _refuse_newer(home, marker)
        elif not os.access(home, os.W_OK | os.X_OK):
            raise InstanceClosed(folder=home, reason=os.strerror(errno.EACCES))
        else:
            require_space(home, FIRST_START_MB)
            marker.write_text(json.dumps({"layout": LAYOUT}) + "\n")


def settle(home: Path) -> Place:
    """Find or make the folders of the services; only the keeper calls this, under its lock.

    Raises InstanceIncomplete, InstanceForeign, InstanceClosed, NoSpace, ProgramMissing (no user to run as).
    """
    user = SYSTEM_USER if os.geteuid() == 0 else None
    link = home / "services"
    with translated(home):
        if link.is_symlink() and not link.exists():
            raise InstanceIncomplete(folder=home, target=os.readlink(link), link=link)
        if user:
            _ensure_user(user)
            if not link.exists():
                _make_on_shelf(home, link, user)
        else:
            link.mkdir(mode=0o700, exist_ok=True)
        services = link.resolve()
        require_space(services, LATER_START_MB)
        return Place(home, services, _sockets(services), user)


def discard(home: Path) -> None:
    """Delete the instance folder with all its data, wherever they lie. Nothing may run in it."""
    link = home / "services"
    note = link / "sockets"
    if note.exists():
        shutil.rmtree(note.read_text().strip(), ignore_errors=True)
    if link.is_symlink():
        shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)


def require_space(folder: Path, needed_mb: int) -> None:
    """Raise NoSpace if the disk of the folder has less than that many MB (10^6 bytes) free for us."""
    free_mb = shutil.disk_usage(folder).free // 10**6
    if free_mb < needed_mb:
        raise NoSpace(folder=folder, free=free_mb, needed=needed_mb)


@contextmanager
def translated(folder: Path) -> Iterator[None]:
    """Say what the file system's refusals mean for the instance folder."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            there = next(path for path in (folder, *folder.parents) if path.exists())
            free_mb = shutil.disk_usage(there).free // 10**6
            raise NoSpace(str(error), folder=folder, free=free_mb, needed=LATER_START_MB) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG):
            raise InstanceClosed(str(error), folder=folder, reason=error.strerror) from error
        raise


def _refuse_foreign(home: Path) -> None:
    owner = home.stat().st_uid
    if owner != os.geteuid():
        raise InstanceForeign(folder=home, owner=_name_of(owner))
    if not os.access(home, os.W_OK | os.X_OK):
        raise InstanceClosed(folder=home, reason=os.strerror(errno.EACCES))


def _refuse_newer(home: Path, marker: Path) -> None:
    text = marker.read_text()
    # A kill between making and filling the file leaves it empty: nothing newer wrote that.
    layout = json.loads(text)["layout"] if text.strip() else LAYOUT
    if layout > LAYOUT:
        raise InstanceNewer(folder=home)


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _ensure_user(user: str) -> None:
    try:
        pwd.getpwnam(user)
        return
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    try:
        subprocess.run([*command, user], check=True, capture_output=True, text=True)  # noqa: S603 - our own words
    except (OSError, subprocess.CalledProcessError) as error:
        reason = f"PostgreSQL does not run as root and the user {user} cannot be made, start as an ordinary user"
        raise ProgramMissing(str(error), service="PostgreSQL", reason=reason) from error


def _make_on_shelf(home: Path, link: Path, user: str) -> None:
    """A folder of the services' user under /var/lib, which that user can reach whatever the modes above `home` are."""
    open_shelf()
    _drop_forgotten(home)
    # The name is for people; it stays short, since sockets lie in the folder.
    name = re.sub(r"[^A-Za-z0-9]+", "-", home.parent.name)[:20] or "root"
    folder = SHELF / f"{name}-{secrets.token_hex(6)}"
    folder.mkdir(mode=0o700)
    (folder / "home").write_text(str(home))
    shutil.chown(folder, user, pwd.getpwnam(user).pw_gid)
    link.symlink_to(folder)


def open_shelf() -> Path:
    """The folder under /var/lib that is ours alone, and that everybody can look into whatever our umask is."""
    SHELF.mkdir(exist_ok=True)
    SHELF.chmod(0o755)
    return SHELF


def _drop_forgotten(home: Path) -> None:
    """Delete what an earlier instance folder at this very path left behind when it was deleted by hand."""
    for note in SHELF.glob("*/home"):
        if note.read_text() == str(home) and not (note.parent / "data" / "postmaster.pid").exists():
            shutil.rmtree(note.parent, ignore_errors=True)


def _sockets(services: Path) -> Path:
    """The folder of the sockets: the services' own, or a short one if the path would be too long for a socket.

    The choice is kept, so that a start with another temporary folder finds what still runs.
    """
    note = services / "sockets"
    if note.exists():
        folder = Path(note.read_text().strip())
    elif len(os.fsencode(services / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES:
        return services
    else:
        name = hashlib.sha256(os.fsencode(services)).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"exports-{os.geteuid()}-{name}"
        note.write_text(str(folder))
    folder.mkdir(mode=0o700, exist_ok=True)
    # Anybody may write to the temporary folder: one that somebody else laid there could read our traffic.
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
        raise InstanceForeign(folder=folder, owner=_name_of(found.st_uid))
    return folder
