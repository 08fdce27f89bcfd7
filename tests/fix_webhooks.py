"""A program on loopback that listens to webhooks, and can be told to misbehave."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Told:
    """One request as it came."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Listener:
    """What came, and what is answered. `answer`: a status; a text is sent as it is; None: nothing is, until the end."""

    port: int = 0
    answer: int | str | None = 204
    told: list[Told] = field(default_factory=list)
    connections: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """Where it is, without encryption."""
        return f"http://127.0.0.1:{self.port}/hooks?key=in-the-url"


class _Conversation(socketserver.StreamRequestHandler):
    timeout = 20

    def handle(self) -> None:
        listener: Listener = self.server.listener  # type: ignore[attr-defined]
        listener.connections += 1
        line = self.rfile.readline().decode().strip()
        pairs = iter(lambda: self.rfile.readline().decode().strip(), "")
        headers = {name.lower(): value for name, _, value in (pair.partition(": ") for pair in pairs)}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        listener.told.append(Told(line, headers, body))
        self._say(listener)

    def _say(self, listener: Listener) -> None:
        if listener.answer is None:
            listener.ended.wait(20)
        elif isinstance(listener.answer, int):
            self.wfile.write(f"HTTP/1.1 {listener.answer} Word\r\nContent-Length: 0\r\n\r\n".encode())
        elif listener.answer == "dribble":
            with suppress(OSError):
                while not listener.ended.wait(0.05):
                    self.wfile.write(b"x")
        else:
            self.wfile.write(listener.answer.encode())


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = False
    listener: Listener
    context: ssl.SSLContext | None = None

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        plain, address = self.socket.accept()
        if self.context is None:
            return plain, address
        try:
            return self.context.wrap_socket(plain, server_side=True), address
        except OSError:
            plain.close()
            raise

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hung up has its reasons."""


@contextmanager
def listening(certificate: Path | None = None) -> Iterator[Listener]:
    """Listen on loopback, encrypted if there is a certificate."""
    listener = Listener()
    with _Server(("127.0.0.1", 0), _Conversation) as server:
        server.listener = listener
        if certificate is not None:
            server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            server.context.load_cert_chain(certificate)
        listener.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield listener
        finally:
            listener.ended.set()
            server.shutdown()
            thread.join()


@pytest.fixture
def listener() -> Iterator[Listener]:
    """A program that listens."""
    with listening() as one:
        yield one
