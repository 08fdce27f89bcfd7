"""Which network addresses an upload may reach: the guard against requests into our own network (RELIABILITY T3).

A host is read (`read_host`), resolved where it is connected from (`Guard.addresses`), and every answer must be allowed;
who connects, connects to an address that was checked, never to the name. The standard library is not asked what is
public: `ipaddress.is_global` takes NAT64 and 6to4 forms of private addresses for public ones.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from exports.errors import AddressBlocked, HostUnknown, NamesUnavailable

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Sequence[str]]
"""From a host name and a port to addresses as texts. Raises socket.gaierror."""

MAX_HOST: Final = 253
MAX_PORT: Final = 65_535
PORT_RULE: Final = f"must be a whole number from 1 to {MAX_PORT}"
HOST_RULE: Final = "must be a name such as files.example.com or an address: no protocol, user, port or path"

BLOCKED: Final = tuple(
    ipaddress.ip_network(one)
    for one in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "224.0.0.0/3",
        "::/127", "64:ff9b:1::/48", "100::/64", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    )
)  # fmt: skip
"""RELIABILITY T3; besides, IPv6's discard and multicast networks and NAT64's for local use."""
DEFAULT_PORTS: Final = (
    "21,22,990,1024-65535,!1433,!1521,!2049,!2375-2376,!2379-2380,!3306,!3389,!5432,!5672,!5900,!5984,!6379,!6443,"
    "!8500,!9000,!9092,!9200,!9300,!10250,!11211,!27017"
)
"""RELIABILITY T3: file transfer, and what is free for anybody less the ports of databases and of control planes."""
HERE: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


def read_port(value: object) -> int:
    """A port, from a number or from its digits.

    Raises:
        ValueError: PORT_RULE.
    """
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(MAX_PORT)):
        value = int(value)
    if type(value) is not int or not 1 <= value <= MAX_PORT:
        raise ValueError(PORT_RULE)
    return value


def read_host(text: str) -> str:
    """A host as it is connected to: lower-case ASCII (IDNA), or an address in its usual spelling.

    Every spelling that a resolver would take for an address becomes that address here: `127.1`, `0x7f000001`.

    Raises:
        ValueError: HOST_RULE.
    """
    literal = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if ":" in literal:
        return str(_ipv6(literal))
    if literal is not text:
        raise ValueError(HOST_RULE)
    labels = _ascii(text).removesuffix(".").split(".")
    if len(".".join(labels)) > MAX_HOST or not all(map(_LABEL.fullmatch, labels)):
        raise ValueError(HOST_RULE)
    if _NUMBER.fullmatch(labels[-1]):
        return str(_ipv4(".".join(labels)))
    return ".".join(labels)


def _ipv6(text: str) -> IPv6Address:
    try:
        return IPv6Address(text)
    except ValueError as error:
        raise ValueError(HOST_RULE) from error


def _ipv4(text: str) -> IPv4Address:
    """As `connect` reads numbers: octal, hexadecimal, fewer than four parts."""
    try:
        return IPv4Address(socket.inet_aton(text))
    except OSError as error:
        raise ValueError(HOST_RULE) from error


def _ascii(text: str) -> str:
    if not text or len(text) > MAX_HOST:
        raise ValueError(HOST_RULE)
    try:
        encoded = text.encode("idna").decode("ascii").lower()
        for label in encoded.split("."):
            if label.startswith("xn--") and label.encode().decode("idna").encode("idna").decode() != label:
                raise ValueError(HOST_RULE)
    except UnicodeError as error:
        raise ValueError(HOST_RULE) from error
    return encoded


def _carried(address: Address) -> Iterator[Address]:
    """An address, and those of IPv4 that packets for it end up at."""
    if isinstance(address, IPv4Address):
        yield address
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped  # the same socket, in another spelling
        return
    yield address
    packed = address.packed
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    # IPv4-compatible, which `::` and `::1` are not; NAT64.
    if packed[:12] in (bytes(12), bytes.fromhex("0064ff9b") + bytes(8)) and int(address) > 1:
        yield IPv4Address(packed[12:])


def is_public(address: Address) -> bool:
    """Whether an address lies outside all networks that only somebody inside should reach."""
    return not any(one in network for one in _carried(address) for network in BLOCKED)


@dataclass(frozen=True)
class Allowed:
    """A network that the operator allows although it is not public; with a port, only that one there."""

    network: ipaddress.IPv4Network | ipaddress.IPv6Network
    port: int | None = None

    def __str__(self) -> str:
        """As the setting has it."""
        if self.port is None:
            return str(self.network)
        is_one = self.network.prefixlen == self.network.max_prefixlen
        host = str(self.network.network_address if is_one else self.network)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


def read_networks(text: str) -> tuple[Allowed, ...]:
    """EXPORTS_ALLOWED_NETWORKS: `10.1.0.0/16, 192.168.7.4, 127.0.0.1:2222, [::1]:2222, fd00::/8`.

    Raises:
        ValueError: naming the entry that is none.
    """
    return tuple(_allowed(one.strip()) for one in text.split(",") if one.strip())


def _allowed(entry: str) -> Allowed:
    found = re.fullmatch(r"\[([^\]]+)\](?::(\d+))?|([^:]+):(\d+)", entry)
    network, port = (found[1] or found[3], found[2] or found[4]) if found else (entry, None)
    try:
        return Allowed(ipaddress.ip_network(network), read_port(port) if port else None)
    except ValueError as error:
        raise ValueError(f'"{entry}" is no network such as 10.1.0.0/16 or 127.0.0.1:2222') from error


@dataclass(frozen=True)
class Ports:
    """Ranges of ports (both ends included) that may be used, less those that may not."""

    may: tuple[tuple[int, int], ...]
    not_: tuple[tuple[int, int], ...] = ()

    def __contains__(self, port: int) -> bool:
        return any(low <= port <= high for low, high in self.may) and not any(
            low <= port <= high for low, high in self.not_
        )


def read_ports(text: str) -> Ports:
    """EXPORTS_ALLOWED_PORTS: `21,22,990,1024-65535,!5432`; what follows a `!` is taken out.

    Raises:
        ValueError: naming the entry that is none.
    """
    may: list[tuple[int, int]] = []
    not_: list[tuple[int, int]] = []
    for entry in (one.strip() for one in text.split(",") if one.strip()):
        low, dash, high = entry.removeprefix("!").partition("-")
        try:
            pair = (read_port(low), read_port(high if dash else low))
        except ValueError as error:
            raise ValueError(f'"{entry}" is no port such as 22, 1024-65535 or !5432') from error
        (not_ if entry.startswith("!") else may).append(pair)
    return Ports(tuple(may), tuple(not_))


def system_resolver(host: str, port: int) -> list[str]:
    """All addresses of a name, as this machine knows them."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True)
class Guard:
    """Says which hosts and ports may be reached. Whatever is blocked is blocked in the same words (RELIABILITY T3)."""

    allowed: tuple[Allowed, ...] = ()
    ports: Ports = field(default_factory=lambda: read_ports(DEFAULT_PORTS))
    resolver: Resolver = system_resolver
    public_too: bool = True
    """Whether what is public may be reached beside what is allowed by name: not where nothing is encrypted."""

    def check(self, host: str, port: int) -> None:
        """What can be said without asking anybody: for forms, where no name is resolved. `host` as `read_host` has it.

        Raises:
            AddressBlocked: a port, an address or this very machine that may not be reached.
        """
        if port not in self.ports and port not in self._own_ports:
            raise AddressBlocked
        if (known := _known(host)) and not self._all_allowed(known, port):
            raise AddressBlocked

    def addresses(self, host: str, port: int) -> list[Address]:
        """The addresses of a host, each of which may be connected to.

        Raises:
            AddressBlocked: the port, or any of the addresses, may not be reached.
            HostUnknown: there is no such name.
            NamesUnavailable: nobody could be asked for it.
        """
        self.check(host, port)
        found = list(_known(host)) or list(self._resolved(host, port))
        if not self._all_allowed(found, port):
            raise AddressBlocked
        return found

    @cached_property
    def _own_ports(self) -> frozenset[int]:
        return frozenset(one.port for one in self.allowed if one.port is not None)

    def _all_allowed(self, addresses: Iterable[Address], port: int) -> bool:
        return all(self._is_allowed(one, port) for one in addresses)

    def _is_allowed(self, address: Address, port: int) -> bool:
        carried = list(_carried(address))
        if self.public_too and port in self.ports and is_public(address):
            return True
        return all(any(self._covers(one, each, port) for one in self.allowed) for each in carried)

    def _covers(self, one: Allowed, address: Address, port: int) -> bool:
        return address in one.network and (port in self.ports if one.port is None else port == one.port)

    def _resolved(self, host: str, port: int) -> Iterator[Address]:
        try:
            found = self.resolver(host, port)
        except socket.gaierror as error:
            if error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)):
                raise HostUnknown(str(error), host=host) from error
            raise NamesUnavailable(str(error), host=host) from error
        except (OSError, UnicodeError) as error:
            raise NamesUnavailable(str(error), host=host) from error
        if not found:
            raise HostUnknown("no address", host=host)
        for one in dict.fromkeys(found):
            yield ipaddress.ip_address(one)


def _known(host: str) -> tuple[Address, ...]:
    """The addresses of a host that needs no resolving: an address, or this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return HERE
    try:
        return (ipaddress.ip_address(host),)
    except ValueError:
        return ()
