"""Whether the server at the other end of TLS is the one that is meant (RELIABILITY T4): an authority vouches for it, or
somebody accepted its certificate. There is no way on without one of both.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable
from typing import Any, Final, TypeVar

from exports.delivery.base import Course, Server
from exports.errors.target import (
    CertificateChanged,
    CertificateExpired,
    CertificateName,
    CertificateUntrusted,
    ConnectionLost,
    TargetError,
    TlsFailed,
)

Client = TypeVar("Client")
EXPIRED: Final = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, X509_V_ERR_CERT_HAS_EXPIRED
OTHER_NAME: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def by_authorities() -> ssl.SSLContext:
    """Trust what is signed by an authority that this machine knows (SSL_CERT_FILE adds one), for its name."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def by_fingerprint() -> ssl.SSLContext:
    """Verify nothing: for who compares the fingerprint before anything is sent."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def wrapped(
    connection: socket.socket, context: ssl.SSLContext, name: str, course: Course, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    """TLS over a connection, in the same `session` if one is given; the watchdog can cut its handshake too."""
    connection.getpeername()  # if it is lost already, `wrap_socket` would raise too, and leave a socket open
    made = context.wrap_socket(connection, server_hostname=name, session=session, do_handshake_on_connect=False)
    course.hold(made)
    made.do_handshake()
    return made


def fingerprint(connection: ssl.SSLSocket) -> str:
    """The certificate of the other end: "x509 SHA256:AB:CD:…"."""
    digest = hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest().upper()
    return "x509 SHA256:" + ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))


def check_same(control: ssl.SSLSocket, data: ssl.SSLSocket, host: str) -> None:
    """The data connection of a server whose certificate somebody accepted leads to that same server.

    Raises:
        CertificateChanged: to another one.
    """
    if control.context.verify_mode is ssl.CERT_NONE and fingerprint(data) != fingerprint(control):
        raise CertificateChanged(host=host, fingerprint=fingerprint(data))


def secured(
    begin: Callable[[Client, ssl.SSLContext], ssl.SSLSocket],
    client: Client,
    again: Callable[[], Client],
    server: Server,
    course: Course,
) -> tuple[Client, str]:
    """A client whose connection is encrypted, to a server that is trusted; and what its certificate is.

    `begin` starts TLS on a client, `again` makes a new one.

    Raises:
        CertificateExpired, CertificateName, CertificateUntrusted, CertificateChanged: with its fingerprint.
        TlsFailed: there is no common way to encrypt.
    """
    if server.trust is not None:
        shown = fingerprint(begin(client, by_fingerprint()))
        if shown == server.trust:
            return client, shown
        client = again()
    try:
        return client, fingerprint(begin(client, by_authorities()))
    except _NotVerified as refused:
        shown = fingerprint(begin(again(), by_fingerprint()))
        course.facts["certificate"] = shown
        facts: dict[str, Any] = {"host": server.host, "fingerprint": shown}
        kind = CertificateChanged if server.trust is not None else refused.kind
        raise kind(refused.reason, **facts) from refused


class _NotVerified(TargetError):
    """A certificate that no authority vouches for; `kind` says why."""

    def __init__(self, kind: type[TargetError], reason: str) -> None:
        self.kind, self.reason = kind, reason
        super().__init__(reason)


def refused(error: OSError, server: Server) -> TargetError:
    """What a failed handshake means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        code = error.verify_code
        if code in EXPIRED:
            return _NotVerified(CertificateExpired, error.verify_message)
        if code in OTHER_NAME:
            return _NotVerified(CertificateName, error.verify_message)
        return _NotVerified(CertificateUntrusted, error.verify_message)
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return TlsFailed(str(error))
    return ConnectionLost(f"{type(error).__name__}: {error}")
