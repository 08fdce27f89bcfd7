"""The embedded Redis: started or adopted, asked, stopped. It keeps nothing on disk: it carries tickets only."""

from __future__ import annotations

import socket
import subprocess
import time
from urllib.parse import quote

from exports.errors import ServiceFailed
from webapp.embedded.place import Place
from webapp.embedded.processes import alive
from webapp.embedded.programs import ENVIRONMENT, as_user, redis_program

SOCKET = "redis.sock"
START_S = 20
STOP_S = 10


class Redis:
    """One server without a port, on a socket in `place.sockets`."""

    name = "Redis"

    def __init__(self, place: Place) -> None:
        self.socket = place.sockets / SOCKET
        self.log = place.services / "redis.log"
        self.place = place
        self.program = redis_program(place.user)
        self._child: subprocess.Popen[bytes] | None = None
        self._pid = 0

    @property
    def url(self) -> str:
        """The address as redis-py understands it, database 0."""
        return f"unix://{quote(str(self.socket), safe='/')}?db=0"

    def start(self) -> None:
        """Adopt a running server or start one; return once it answers. Raises ServiceFailed."""
        self.launch()
        self.wait()

    def launch(self) -> None:
        """Begin to start, or adopt what answers on the socket."""
        self._child, self._pid = None, self._running()
        if self._pid:
            return
        self.socket.unlink(missing_ok=True)
        # Redis 6 cuts its arguments at spaces: names are relative to the folder it starts in.
        options = ["--port", "0", "--unixsocket", SOCKET, "--unixsocketperm", "700", "--dir", "."]
        options += ["--save", "", "--appendonly", "no", "--daemonize", "no", "--databases", "64"]
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own words
                [str(self.program), *options],
                cwd=self.place.sockets,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_user(self.place.user),
            )
        self._pid = self._child.pid

    def wait(self) -> None:
        """Return once the server answers. Raises ServiceFailed."""
        deadline = time.monotonic() + START_S
        while not self._running():
            if not self.alive() or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace").strip().splitlines()
                raise ServiceFailed(service=self.name, reason=said[-1] if said else "it said nothing.", log=self.log)
            time.sleep(0.01)

    def alive(self) -> bool:
        """Whether the server runs."""
        if self._child is not None:
            return self._child.poll() is None
        return alive(self._pid)

    def stop(self) -> None:
        """Stop the server; nothing is written."""
        if not self.alive():
            return
        self._ask("SHUTDOWN NOSAVE")
        deadline = time.monotonic() + STOP_S
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        if self.alive() and self._child is not None:
            self._child.kill()
            self._child.wait()

    def _running(self) -> int:
        """The process number of the server that answers on our socket, 0 if none does."""
        for line in self._ask("INFO server").splitlines():
            name, _, value = line.partition(":")
            if name == "process_id":
                return int(value)
        return 0

    def _ask(self, command: str) -> str:
        """One command in Redis' inline form; an empty answer if there is no server."""
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(2)
                line.connect(str(self.socket))
                line.sendall(f"{command}\r\nQUIT\r\n".encode())
                answer = b""
                while piece := line.recv(65536):
                    answer += piece
        except OSError:
            return ""
        return answer.decode(errors="replace")
