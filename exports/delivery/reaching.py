"""Opens connections, to addresses that were checked and to no others (RELIABILITY T3)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Final, TypeVar

from exports.addresses import Address, Guard, read_host
from exports.delivery.base import Course, Server
from exports.errors.target import ConnectionRefused, ConnectTimeout, HostUnknown, HostUnreachable, NamesUnavailable

Found = TypeVar("Found")
KEEP_ALIVE: Final = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""Seconds of silence before the other end is asked for, between such questions, and how many may stay unanswered; not
every system lets each be set.
"""


def addresses_of(server: Server, guard: Guard, limit: float) -> list[Address]:
    """The addresses of a server, all of which may be reached.

    Raises:
        AddressBlocked: one of them may not.
        HostUnknown, NamesUnavailable: there is none, or nobody says.
    """
    try:
        host = read_host(server.host)
    except ValueError as error:
        raise HostUnknown(host=server.host) from error
    found = within(limit, lambda: guard.addresses(host, server.port))
    if found is None:
        raise NamesUnavailable(f"no answer for {limit:.0f} s", host=host)
    return found


def within(limit: float, ask: Callable[[], Found]) -> Found | None:
    """What is asked of a library that knows no limits; None if it takes longer than `limit` seconds."""
    answers: list[Found] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(ask())
        except BaseException as error:  # it is raised where it was asked for
            errors.append(error)

    asking = threading.Thread(target=run, name="resolver", daemon=True)
    asking.start()
    asking.join(limit)
    if errors:
        raise errors[0]
    return answers[0] if answers else None


def connect(server: Server, addresses: list[Address], course: Course) -> socket.socket:
    """A connection to the first of these addresses that answers.

    Raises:
        ConnectionRefused, ConnectTimeout, HostUnreachable: none does.
    """
    error: OSError | None = None
    each = course.limits.connect / len(addresses)
    for address in addresses:
        try:
            made = socket.create_connection((str(address), server.port), timeout=each)
        except OSError as failed:
            error = failed
            continue
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keep_alive(made)
        course.hold(made)
        course.facts["address"] = str(address)
        return made
    facts = {"host": server.host, "port": server.port}
    if isinstance(error, TimeoutError):
        raise ConnectTimeout(str(error), **facts, limit=course.limits.connect) from error
    if isinstance(error, ConnectionRefusedError):
        raise ConnectionRefused(str(error), **facts) from error
    raise HostUnreachable(str(error), **facts) from error


def keep_alive(connection: socket.socket) -> None:
    """Let the system ask for the other end while nothing is said: what stands between forgets who is silent.

    FTP says nothing on the control connection for as long as an upload takes, and a store may pause the data.
    """
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in KEEP_ALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def first_bytes(connection: socket.socket) -> bytes:
    """What a server says first, without taking it: SSH and FTP servers both begin. Empty if it leaves."""
    return connection.recv(4, socket.MSG_PEEK)
