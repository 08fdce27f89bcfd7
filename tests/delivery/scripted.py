"""An FTP server that says what a test wants it to say, and one that demands that TLS sessions are used again."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from exports.delivery import Server
from tests.delivery.servers import FTP_PASSWORD, USER

HANG, CLOSE, RESET = "hang", "close", "reset"
"""In place of an answer: none ever comes, or the connection ends, in order or not."""
USUAL = {
    "welcome": "220 ready", "USER": "331 password", "PASS": "230 in", "OPTS": "200 ok", "TYPE": "200 ok",
    "CWD": "250 ok", "MKD": "257 made", "SIZE": "550 no such file", "EPSV": "", "PASV": "", "STOR": "150 send",
    "done": "226 thanks", "RNFR": "350 to what", "RNTO": "250 renamed", "DELE": "250 gone", "QUIT": "221 bye",
    "AUTH": "234 go on",
    "PBSZ": "200 ok", "PROT": "200 ok", "NLST": "550 empty", "handshake": "", "data handshake": "", "data": "",
}  # fmt: skip
"""`handshake`, `data handshake` and `data` are no commands: what happens to TLS, and to files after DATA bytes."""
DATA = 100_000


class ScriptedFtp:
    """Answers by its script; keeps in memory what arrives, less the last `loses` bytes.

    With a certificate's file it speaks TLS, and refuses data connections whose session is not that of the control
    connection. `logged` is all that clients asked for, `clear` what they asked for before TLS.
    """

    def __init__(
        self,
        script: Mapping[str, str] | None = None,
        *,
        loses: int = 0,
        certificate: Path | None = None,
        version: ssl.TLSVersion | None = None,
    ) -> None:
        self.script = {**USUAL, **(script or {})}
        self.loses = loses
        self.logged: list[str] = []
        self.files: dict[str, bytes] = {}
        self.reused: list[bool] = []
        self._context: ssl.SSLContext | None = None
        if certificate is not None:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(certificate)
            if version is not None:
                self._context.minimum_version = self._context.maximum_version = version
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._stopped = threading.Event()
        self._open: list[socket.socket] = [self._listening]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def at(self, **other: Any) -> Server:
        """How to log in there."""
        kind: Any = "ftps" if self._context else "ftp"
        known: dict[str, Any] = {"password": FTP_PASSWORD, **other}
        return Server(kind, "localhost" if self._context else "127.0.0.1", self.port, USER, **known)

    def takes(self, name: str) -> bool:
        """Whether a file may get that name."""
        return True

    def stop(self) -> None:
        """End it with all its connections."""
        self._stopped.set()
        for one in self._open:
            with suppress(OSError):
                socket.socket.shutdown(one, socket.SHUT_RDWR)
        for one in self._open:
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _start(self, do: Any, *arguments: Any) -> None:
        thread = threading.Thread(target=do, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                made = self._listening.accept()[0]
            except OSError:
                return
            self._open.append(made)
            self._start(self._serve, made)

    def _serve(self, control: socket.socket) -> None:
        with suppress(OSError, ValueError):
            _Talk(self, control).go_on()


class _Talk:
    """One control connection."""

    def __init__(self, server: ScriptedFtp, control: socket.socket) -> None:
        self.server, self.control = server, control
        self.data: socket.socket | None = None
        self.renamed = ""

    def go_on(self) -> None:
        """Answer until the client leaves."""
        self.say("welcome")
        while line := self._line():
            self.server.logged.append(line)
            verb, _, rest = line.partition(" ")
            getattr(self, f"_{verb.lower()}", lambda _rest, verb=verb: self.say(verb))(rest)

    def _line(self) -> str:
        read = b""
        while not read.endswith(b"\n"):
            if not (more := self.control.recv(1)):
                return ""
            read += more
        return read.decode().strip()

    def say(self, what: str) -> bool:
        """The scripted answer; whether it is a good one."""
        answer = self.server.script.get(what, "502 what?")
        if self._break(self.control, answer):
            raise ConnectionAbortedError
        self.tell(answer)
        return answer[0] in "123"

    def _break(self, connection: socket.socket, how: str) -> bool:
        """Do to a connection what the script says; whether it says so."""
        if how == HANG:
            self.server._stopped.wait(60)
        elif how == RESET:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if how in (CLOSE, RESET):
            socket.socket.close(connection)
        return how in (HANG, CLOSE, RESET)

    def tell(self, answer: str) -> None:
        """An answer."""
        self.control.sendall(f"{answer}\r\n".encode())

    def _auth(self, _rest: str) -> None:
        if self.say("AUTH") and self.server._context is not None:
            if self._break(self.control, self.server.script["handshake"]):
                raise ConnectionAbortedError
            self.control = self.server._context.wrap_socket(self.control, server_side=True)
            self.server._open.append(self.control)

    def _epsv(self, _rest: str) -> None:
        if self.server.script["EPSV"]:
            self.say("EPSV")
            return
        self.data = socket.create_server(("127.0.0.1", 0))
        self.server._open.append(self.data)
        self.tell(f"229 here (|||{self.data.getsockname()[1]}|)")

    def _pasv(self, _rest: str) -> None:
        """Names an address that is not ours: nobody may go there."""
        if self.server.script["PASV"]:
            self.say("PASV")
            return
        self.data = socket.create_server(("127.0.0.1", 0))
        self.server._open.append(self.data)
        port = self.data.getsockname()[1]
        self.tell(f"227 there (10,1,2,3,{port // 256},{port % 256})")

    def _size(self, name: str) -> None:
        held = self.server.files.get(name)
        if held is not None and self.server.script["SIZE"] == USUAL["SIZE"]:
            self.tell(f"213 {len(held)}")
        else:
            self.say("SIZE")

    def _stor(self, name: str) -> None:
        if not self.say("STOR") or self.data is None:
            return
        made = self.data.accept()[0]
        self.server._open.append(made)
        if self.server._context is not None:
            if self._break(made, self.server.script["data handshake"]):
                raise ConnectionAbortedError
            made = self.server._context.wrap_socket(made, server_side=True)
            self.server._open.append(made)
            self.server.reused.append(bool(made.session_reused))
            if not made.session_reused:
                made.close()
                self.tell("522 SSL connection failed: session reuse required")
                return
        arrived = self._taken(made)
        made.close()
        self.server.files[name] = arrived[: len(arrived) - self.server.loses] if self.server.loses else arrived
        self.say("done")

    def _taken(self, made: socket.socket) -> bytes:
        arrived = b""
        with suppress(OSError):
            while piece := made.recv(65_536):
                arrived += piece
                if len(arrived) > DATA and self._break(made, self.server.script["data"]):
                    return arrived
            if isinstance(made, ssl.SSLSocket):
                made.unwrap()
        return arrived

    def _rnfr(self, name: str) -> None:
        self.renamed = name
        self.say("RNFR")

    def _rnto(self, name: str) -> None:
        if not self.server.takes(name):
            self.tell("553 not that name")
        elif self.say("RNTO"):
            self.server.files[name] = self.server.files.pop(self.renamed)

    def _dele(self, name: str) -> None:
        self.server.files.pop(name, None)
        self.say("DELE")
