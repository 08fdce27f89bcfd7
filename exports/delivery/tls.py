"""Whether the server at the other end of TLS is the one that is meant (RELIABILITY T4): an authority vouches for it, or
somebody accepted its certificate. There is no way on without one of both.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from exports.delivery.base import Course, Server, said
from exports.errors.target import (
    CertificateChanged,
    CertificateExpired,
    CertificateName,
    CertificateUntrusted,
    ConnectionLost,
    TargetError,
    TlsFailed,
)

if TYPE_CHECKING:
    from cryptography import x509

Client = TypeVar("Client")
MOST_NAMES: Final = 10
"""Host names of a certificate that are shown: some have hundreds."""
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


def _certificate(connection: ssl.SSLSocket) -> bytes:
    return connection.getpeercert(binary_form=True) or b""


def described(certificate: bytes) -> dict[str, Any]:
    """What a person compares beside the fingerprint: whom it is for, who signed it, for how long; empty if unreadable.

    `names`: the hosts that it is for. `begins`, `ends`: ISO 8601, UTC.
    """
    from cryptography import x509

    try:
        read = x509.load_der_x509_certificate(certificate)
        subject, issuer = read.subject.rfc4514_string(), read.issuer.rfc4514_string()
        return {
            "subject": said(subject),
            "issuer": said(issuer),
            "by_itself": subject == issuer,
            "names": [said(one) for one in _names(read)][:MOST_NAMES],
            "begins": read.not_valid_before_utc.isoformat(),
            "ends": read.not_valid_after_utc.isoformat(),
        }
    except ValueError:
        return {}


def _names(certificate: x509.Certificate) -> list[str]:
    from cryptography import x509

    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    hosts = found.get_values_for_type(x509.DNSName)
    return [*hosts, *map(str, found.get_values_for_type(x509.IPAddress))]


def fingerprint(connection: ssl.SSLSocket) -> str:
    """The certificate of the other end: "x509 SHA256:AB:CD:…"."""
    digest = hashlib.sha256(_certificate(connection)).hexdigest().upper()
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

    def shown_by(one: Client, context: ssl.SSLContext) -> str:
        connection = begin(one, context)
        course.certificate = _certificate(connection)
        return fingerprint(connection)

    if server.trust is not None:
        shown = shown_by(client, by_fingerprint())
        if shown == server.trust:
            return client, shown
        client = again()
    try:
        return client, shown_by(client, by_authorities())
    except _NotVerified as refused:
        shown = shown_by(again(), by_fingerprint())
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
