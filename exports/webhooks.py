"""Tells another program something over HTTP: one signed POST, to an address that was checked (RELIABILITY T3).

Headers and signature are those of Standard Webhooks 1.0, for which there are libraries in most languages. Nothing is
followed, no answer is read further than its status, and all of it is bounded in time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from exports.addresses import Address, Guard, read_host, read_port
from exports.delivery.reaching import within
from exports.delivery.tls import by_authorities
from exports.errors import AddressBlocked, HostUnknown, NamesUnavailable
from exports.errors.webhooks import (
    WebhookBlocked,
    WebhookError,
    WebhookRedirected,
    WebhookRefused,
    WebhookSlow,
    WebhookUnreachable,
    WebhookUntrusted,
)

LIMIT_S: Final = 5.0
"""For all of it, the server's own work as well: moments of schedules may wait behind it."""
MAX_URL: Final = 2_000
SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"
USUAL_PORTS: Final = {"https": 443, "http": 80}


class UrlRefused(ValueError):
    """A text that is no address of a webhook; it says why."""


@dataclass(frozen=True)
class Place:
    """Where a webhook is, taken apart."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def is_encrypted(self) -> bool:
        """Whether it is HTTPS."""
        return self.scheme == "https"

    @property
    def header(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == USUAL_PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(text: str) -> Place:
    """An address such as https://hooks.company.example/exports?key=1.

    Raises:
        UrlRefused: saying why.
    """
    if len(text) > MAX_URL:
        raise UrlRefused(f"The address is longer than {MAX_URL:,} characters")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise UrlRefused("This is no address such as https://hooks.company.example/exports") from error
    if parts.scheme not in USUAL_PORTS or not parts.hostname or not text.isascii() or not text.isprintable():
        raise UrlRefused("Enter an address such as https://hooks.company.example/exports")
    if " " in text or "\\" in text:
        raise UrlRefused("The address holds a space or a backslash: write them as %20 and %5C")
    if parts.username is not None or parts.password is not None:
        raise UrlRefused("Leave name and password out of the address: what is sent is signed")
    if "#" in text:
        raise UrlRefused("Leave out the # and what follows it: it is never sent")
    try:
        host = read_host(f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname)
        number = read_port(USUAL_PORTS[parts.scheme] if port is None else port)
    except ValueError as error:
        raise UrlRefused(f"The host or the port of the address cannot be right: {error}") from error
    return Place(parts.scheme, host, number, (parts.path or "/") + (f"?{parts.query}" if parts.query else ""))


def new_secret() -> str:
    """A secret to sign with, as Standard Webhooks writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers by which the receiver knows whom a message is from, and that it is not an old one sent again."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    digest = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def tell(place: Place, headers: Mapping[str, str], body: bytes, guard: Guard, limit: float = LIMIT_S) -> int:
    """Send one message; the status of the answer, 200 to 299.

    Raises:
        WebhookError: it was not taken, or nobody knows.
    """
    deadline = time.monotonic() + limit
    addresses = _addresses(place, guard, limit)
    call = _Call(place, addresses, deadline, limit)
    try:
        status = call.carry_out(headers, body)
    finally:
        call.close()
    facts: dict[str, Any] = {"host": place.host, "status": status}
    if 300 <= status < 400:
        raise WebhookRedirected(**facts)
    if not 200 <= status < 300:
        raise WebhookRefused(**facts)
    return status


def _addresses(place: Place, guard: Guard, limit: float) -> list[Address]:
    try:
        found = within(limit, lambda: guard.addresses(place.host, place.port))
    except AddressBlocked as error:
        raise WebhookBlocked from error
    except (HostUnknown, NamesUnavailable) as error:
        raise WebhookUnreachable(error.detail, host=place.host) from error
    if found is None:
        raise WebhookSlow("the name was not looked up in time", host=place.host, limit=limit)
    return found


class _Call:
    """One request to the first of these addresses that answers; whatever it waits for, at its time it is cut."""

    def __init__(self, place: Place, addresses: list[Address], deadline: float, limit: float) -> None:
        self.place, self.addresses, self.limit, self.deadline = place, addresses, limit, deadline
        self._socket: socket.socket | None = None
        self._is_cut = False
        self._watchdog = threading.Timer(max(0.0, deadline - time.monotonic()), self._cut)
        self._watchdog.daemon = True
        self._watchdog.start()

    def carry_out(self, headers: Mapping[str, str], body: bytes) -> int:
        """The status that is answered."""
        try:
            self._socket = self._connected()
            if self.place.is_encrypted:
                self._socket = self._secured(self._socket)
            return self._asked(headers, body)
        except WebhookError:
            raise
        except (OSError, http.client.HTTPException) as error:
            raise self._told(error) from error

    def close(self) -> None:
        """Let go."""
        self._watchdog.cancel()
        if self._socket is not None:
            self._socket.close()

    def _connected(self) -> socket.socket:
        error: OSError | None = None
        for number, address in enumerate(self.addresses):
            left = max(0.1, self.deadline - time.monotonic()) / (len(self.addresses) - number)
            try:
                return socket.create_connection((str(address), self.place.port), timeout=left)
            except OSError as failed:
                error = failed
        raise error or OSError("no address")

    def _secured(self, plain: socket.socket) -> socket.socket:
        made = by_authorities().wrap_socket(plain, server_hostname=self.place.host, do_handshake_on_connect=False)
        self._socket = made
        made.do_handshake()
        return made

    def _asked(self, headers: Mapping[str, str], body: bytes) -> int:
        connection = http.client.HTTPConnection(self.place.host, self.place.port)
        connection.sock = self._socket  # it is connected: http.client looks no name up
        connection.auto_open = 0
        connection.putrequest("POST", self.place.path, skip_host=True, skip_accept_encoding=True)
        sent = {"Host": self.place.header, "Content-Length": str(len(body)), "Connection": "close", **headers}
        for name, value in sent.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        response = connection.getresponse()
        response.close()
        return response.status

    def _told(self, error: Exception) -> WebhookError:
        host = self.place.host
        if self._is_cut or isinstance(error, TimeoutError):
            return WebhookSlow(str(error), host=host, limit=self.limit)
        if isinstance(error, ssl.SSLCertVerificationError):
            return WebhookUntrusted(host=host, reason=error.verify_message)
        if isinstance(error, ssl.SSLError):
            return WebhookUntrusted(str(error), host=host, reason="it does not speak TLS on this port")
        return WebhookUnreachable(f"{type(error).__name__}: {error}", host=host)

    def _cut(self) -> None:
        self._is_cut = True
        if self._socket is not None:
            with suppress(OSError):  # it was closed at this moment
                self._socket.shutdown(socket.SHUT_RDWR)
