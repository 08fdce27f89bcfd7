"""A TCP proxy that does to connections what networks do: pass, reset, close, swallow, crawl (RELIABILITY section 3)."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from typing import Literal

Mode = Literal["pass", "reset", "close", "hole", "slow"]
SLOW = 20_000
"""Bytes a second that `slow` lets through."""


class FaultProxy:
    """Forwards connections to `port`; once `after` bytes came from a client, does what `mode` says to that connection.

    `hole` goes on taking bytes and answers nothing. Only connections from number `first` on are meant (0 is the first).
    """

    def __init__(self, port: int, mode: Mode = "pass", after: int = 0, first: int = 0) -> None:
        self.target, self.mode, self.after, self.first = port, mode, after, first
        self._struck: Mode | None = None
        self.connections = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._stopped = threading.Event()
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def strike(self, mode: Mode) -> None:
        """Do it now, to every connection: what a server answers from here on does not arrive."""
        self._struck = mode

    def stop(self) -> None:
        """End it with all its connections."""
        self._stopped.set()
        for one in self._threads:
            one.join(10)
        for one in (self._listening, *self._open):
            one.close()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            if not select.select([self._listening], [], [], 0.05)[0]:
                continue
            client = self._listening.accept()[0]
            number = self.connections
            self.connections += 1
            carrier = threading.Thread(target=self._carry, args=(client, number), daemon=True)
            self._threads.append(carrier)
            carrier.start()

    def _carry(self, client: socket.socket, number: int) -> None:
        server = socket.create_connection(("127.0.0.1", self.target))
        self._open += [client, server]
        mode: Mode = self.mode if number >= self.first else "pass"
        passed = 0
        silent = False
        while not self._stopped.is_set():
            mode = self._struck or mode
            if not silent and mode not in ("pass", "slow") and (self._struck or passed >= self.after):
                if mode == "hole":
                    silent = True
                else:
                    return self._break(client, server, mode)
            readable = select.select([client] if silent else [client, server], [], [], 0.05)[0]
            if self._struck and not silent:
                continue
            try:
                for one in readable:
                    limit = 65_536 if mode in ("pass", "slow") or silent else max(1, self.after - passed)
                    if mode == "slow":
                        limit = 2_000
                    data = one.recv(limit)
                    if not data:
                        return self._break(client, server, "close")
                    if one is client:
                        passed += len(data)
                    if not silent:
                        (server if one is client else client).sendall(data)
                    if mode == "slow" and one is client:
                        time.sleep(len(data) / SLOW)
            except OSError:
                return self._break(client, server, "close")
        return None

    def _break(self, client: socket.socket, server: socket.socket, mode: str) -> None:
        for one in (client, server):
            if mode == "reset":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.close()
