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

from demo import prepared
from exports.errors import SetUpError
from webapp import ROOT, config, embedded
from webapp.config import Settings
from webapp.embedded import locks, place

HOST = "127.0.0.1"
READY_S = 60
# honcho kills 5 s after it asked; script/keep is done after 4.
STOP_S = 8.0
STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Refused(Exception):
    """A sentence that says what is in the way and what to do."""


class Stopped(Exception):
    """What is in the way has been said already."""


def main() -> int:
    """Run until Ctrl-C, SIGTERM or SIGHUP: exit status 0; 1 with a sentence if something is in the way."""
    for sign in STOPS:
        if sign != signal.SIGHUP or signal.getsignal(sign) != signal.SIG_IGN:  # nohup means to outlive the terminal
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
    except Refused as error:
        return _refuse(str(error))
    except Stopped:
        return 1
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
    settings = config.read(os.environ)
    before = prepared.login(home).get("password")
    if not prepared.is_prepared(settings, url):
        _prepare(settings, url)
    # In a session of its own: Ctrl-C reaches us alone, and we decide in which order things stop.
    honcho = subprocess.Popen(_honcho(home, port), cwd=ROOT, env=_environment(home, port), start_new_session=True)  # noqa: S603
    try:
        _wait_until_it_answers(honcho, port)
        _say(f"Exports runs at {url}  (Ctrl-C stops it)")
        login = prepared.login(home)
        told = f"in {home / prepared.LOGIN}" if login["password"] == before else login["password"]
        _say(f"Log in as {login['email']} with the password {told}")
        honcho.wait()
        raise Refused("Exports has stopped, since one of its processes could not go on. The lines above say why.")
    finally:
        _deaf()
        _stop(honcho)


def _prepare(settings: Settings, url: str) -> None:
    """Tables, data and users, by a process of its own: what it needs in memory is not needed while the server runs."""
    process = subprocess.Popen([sys.executable, "-m", "demo.prepare", url], cwd=ROOT)  # noqa: S603
    try:
        status = process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if status:
        raise Stopped  # it has said why
    prepared.remember(settings)


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
