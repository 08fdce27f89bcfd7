"""`python -m demo.server`, started by script/server: makes what is missing, runs the Procfile, stops it all again."""

from __future__ import annotations

import errno
import http.client
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from demo import load, setup
from exports.errors import InstanceNewer, SetUpError
from webapp import ROOT, config, create_app, embedded
from webapp.config import Settings
from webapp.embedded import locks, place

HOST = "127.0.0.1"
READY_S = 60
# honcho kills 5 s after it asked; script/keep is done after 4.
STOP_S = 8.0
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Refused(Exception):
    """A sentence that says what is in the way and what to do."""


def main() -> int:
    """Run until Ctrl-C, SIGTERM or SIGHUP: exit status 0; 1 with a sentence if something is in the way."""
    for sign in STOPS:
        signal.signal(sign, _interrupt)
    home = config.home(os.environ)
    try:
        port = free_port(os.environ)
        place.prepare_home(home)
        with _only_server(home):
            return _serve(home, port)
    except KeyboardInterrupt:
        return 0
    except SetUpError as error:
        return _refuse(f"{error.message} {error.advised}")
    except (Refused, load.SchemaTaken) as error:
        return _refuse(str(error))
    finally:
        _deaf()
        embedded.leave(home, at_once=True)


def free_port(environ: Mapping[str, str]) -> int:
    """The port of the address, PORT or 5000. Raises Refused if it is no port, or cannot be had."""
    text = environ.get("PORT") or "5000"
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Refused(f'PORT must be a number from 1 to 65535, not "{text}".')
    port = int(text)
    with socket.socket() as probe:
        # Something that listens on every address leaves this one free on macOS: so ask there first.
        taken = probe.connect_ex((HOST, port)) == 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                advice = "Choose another: PORT=5000 script/server"
                raise Refused(f"Port {port} cannot be used: {error.strerror}. {advice}") from error
            taken = True
    if taken:
        other = port + 1 if port < 65535 else 5000
        raise Refused(
            f"Port {port} is in use by another program. Stop that, or choose another: PORT={other} script/server"
        )
    return port


@contextmanager
def _only_server(home: Path) -> Iterator[None]:
    """Hold server.lock, by which script/keep knows that we live; afterwards wait until everything kept has ended."""
    lock = locks.open_lock(home / "server.lock")
    # What an earlier server left behind by kill -9 ends by itself within seconds.
    if not locks.own_within(lock, 1.0) or not _nothing_kept(home):
        os.close(lock)
        raise Refused(f"Exports runs already in {home}. Stop that first, or set EXPORTS_HOME to another folder.")
    try:
        yield
    finally:
        os.close(lock)
        _nothing_kept(home)


def _nothing_kept(home: Path) -> bool:
    kept = locks.open_lock(home / "kept.lock")
    try:
        return locks.own_within(kept, STOP_S)
    finally:
        os.close(kept)


def _serve(home: Path, port: int) -> int:
    url = f"http://{HOST}:{port}"
    is_new, login = _prepare(url)
    # In a session of its own: Ctrl-C reaches us alone, and we decide in which order things stop.
    honcho = subprocess.Popen(_honcho(home, port), cwd=ROOT, env=_environment(home, port), start_new_session=True)  # noqa: S603
    try:
        _wait_until_it_answers(honcho, port)
        _say(f"Exports runs at {url}  (Ctrl-C stops it)")
        told = f"the password {login.password}" if is_new else f"the password in {home / 'demo-login.json'}"
        _say(f"Log in as {login.email} with {told}")
        honcho.wait()
        raise Refused("Exports has stopped, since one of its processes could not go on. The lines above say why.")
    finally:
        _deaf()
        _stop(honcho)


def _prepare(url: str) -> tuple[bool, setup.Login]:
    """Services, tables, data, users; whether the login is new, and the login of the first brand."""
    app = create_app()
    settings: Settings = app.config["SETTINGS"]
    with app.app_context():
        _migrate(settings)
        _load(settings)
        known = setup.known_logins(settings.home)
        login = next(iter(setup.set_up(settings.home, url).values()))
        app.extensions["sqlalchemy"].engine.dispose()
    return login.password not in [old.password for old in known.values()], login


def _migrate(settings: Settings) -> None:
    """Bring the tables up to date. Raises InstanceNewer if they are ahead of this version."""
    import flask_migrate
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory
    from flask import current_app

    from webapp.extensions import db

    script = ScriptDirectory.from_config(current_app.extensions["migrate"].migrate.get_config())
    known = {revision.revision for revision in script.walk_revisions()}
    with db.engine.connect() as connection:
        there = set(MigrationContext.configure(connection).get_current_heads())
    if there - known:
        raise InstanceNewer(folder=settings.home)
    if there != set(script.get_heads()):
        flask_migrate.upgrade()


def _load(settings: Settings) -> None:
    from demo.cli import source_of

    told: list[str] = []

    def report(line: str) -> None:
        # The loader tells each table and index; a newcomer wants to know what takes so long, and that it ended.
        if not told:
            _say("Loading the demo data: the first quarter of 2017 (the first time only, about 20 s)")
        told.append(line)

    if load.ensure_loaded(source_of(settings), report=report):
        _say(f"Loaded {told[-1]}")


def _honcho(home: Path, port: int) -> list[str]:
    """The command that runs the Procfile, each of its lines kept alive by script/keep."""
    keep = shlex.quote(str(ROOT / "script" / "keep"))
    lines = (ROOT / "Procfile").read_text().splitlines()
    split = [line.split(": ", 1) for line in lines if line and not line.startswith("release:")]
    procfile = home / "Procfile"
    procfile.write_text("".join(f"{name}: exec {keep} {name} {command}\n" for name, command in split))
    arguments = ["--procfile", str(procfile), "--app-root", str(ROOT), "--env", os.devnull, "--port", str(port)]
    return [sys.executable, "-m", "honcho", "start", *arguments]


def _environment(home: Path, port: int) -> dict[str, str]:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    ours = {"PATH": programs, "EXPORTS_HOME": str(home), "KEEP_HOME": str(home), "BIND": HOST, "PORT": str(port)}
    return {**os.environ, **ours, "PYTHONUNBUFFERED": "1"}


def _wait_until_it_answers(honcho: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and honcho.poll() is None:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status < 500:
                return
        connection.close()
        time.sleep(0.05)
    raise Refused(f"The web process did not answer within {READY_S} s. The lines above say why.")


def _stop(honcho: subprocess.Popen[bytes]) -> None:
    """End honcho and with it all that it runs; what outlives it ends with our lock (script/keep)."""
    with suppress(ProcessLookupError):
        honcho.terminate()
    try:
        honcho.wait(STOP_S)
    except subprocess.TimeoutExpired:
        os.killpg(honcho.pid, signal.SIGKILL)
        honcho.wait()


def _interrupt(sign: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _deaf() -> None:
    """From here on we are stopping: a second Ctrl-C must not leave half of it behind."""
    for sign in STOPS:
        signal.signal(sign, signal.SIG_IGN)


def _say(line: str) -> None:
    with suppress(OSError):  # a terminal that was closed
        print(line, flush=True)  # noqa: T201 - this is what script/server is for


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)  # noqa: T201 - see above
    return 1


if __name__ == "__main__":
    sys.exit(main())
