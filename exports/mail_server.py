"""The mail server: its address, and one conversation with it whose every phase is bounded in time.

Only the standard library. What goes wrong comes out as one of exports/errors/mail.py, without a password in it.
"""

from __future__ import annotations

import base64
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final, Literal, Self
from urllib.parse import parse_qs, unquote, urlsplit

from exports.errors import (
    MailError,
    MailLoginRefused,
    MailRefused,
    MailServerSlow,
    MailServerUnreachable,
    MailServerUntrusted,
)

if TYPE_CHECKING:
    import smtplib

ANSWER_S: Final = 10.0
"""For each answer while we connect and log in."""
CONNECT_S: Final = 30.0
"""For connecting with login as a whole: a server that sends a byte now and then is not waited for."""
MAIL_S: Final = 65.0
"""For one mail as a whole, its answers included: a server may look for its recipient, or for viruses, before it answers
RCPT or the end of DATA (RFC 5321 4.5.3.2). What sends mails counts on it (jobs/mail.py)."""
MAX_REASON: Final = 200
"""Characters of a server's answer that are kept."""
PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

Security = Literal["starttls", "tls", "none"]


class MailUrlRefused(ValueError):
    """A MAIL_URL that makes no sense; the text says what to write, without the password."""


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed over. `security`: TLS after STARTTLS, TLS from the first byte, or none at all."""

    host: str
    port: int
    security: Security
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def parse(cls, url: str) -> MailServer:
        """Read `smtp://user:password@host:587`, `smtps://…` or, without encryption, `smtp://host:25?tls=none`.

        Raises:
            MailUrlRefused: naming what is wrong.
        """
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise MailUrlRefused("the port must be a number from 1 to 65535") from error
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path.strip("/") or parts.fragment:
            raise MailUrlRefused("write smtp://user:password@host:587 or smtps://user:password@host:465")
        security = _security(parts.scheme, parts.query)
        user, password = unquote(parts.username or ""), unquote(parts.password or "")
        if bool(user) != bool(password):
            raise MailUrlRefused("name and password stand together, or both are left out")
        if not (user + password).isascii():  # smtplib sends nothing else
            raise MailUrlRefused("name and password must be of ASCII characters")
        if password and security == "none" and parts.hostname not in LOOPBACK:
            raise MailUrlRefused("a password is not sent without encryption: take ?tls=none out")
        return cls(parts.hostname, port or PORTS[security], security, user, password)

    def conversation(self, our_name: str) -> Conversation:
        """Begin to talk to it. `our_name` is the host name by which we introduce ourselves."""
        return Conversation(self, our_name)


def _security(scheme: str, query: str) -> Security:
    options = parse_qs(query, keep_blank_values=True)
    if options not in ({}, {"tls": ["none"]}):
        raise MailUrlRefused("the only option is ?tls=none")
    if scheme == "smtps":
        if options:
            raise MailUrlRefused("smtps:// is encrypted from the beginning: take ?tls=none out")
        return "tls"
    return "none" if options else "starttls"


class Conversation:
    """One connection, over which any number of mails are handed over. A context manager: entering connects and logs in.

    Raises on entering:
        MailError: what is in the way.
    """

    def __init__(self, server: MailServer, our_name: str) -> None:
        self._server = server
        self._our_name = our_name
        self._smtp: smtplib.SMTP | None = None
        self._is_cut = False
        self._patience_s = ANSWER_S

    def __enter__(self) -> Self:
        try:
            self._bounded(self._open, CONNECT_S)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def is_open(self) -> bool:
        """Whether another mail can be handed over; a server may end a conversation with its answer."""
        return self._smtp is not None and self._smtp.sock is not None

    def send(self, message: EmailMessage) -> None:
        """Hand over one mail to its one recipient. When this returns, the server has it.

        Raises:
            MailError: it may have it or not: the same Message-ID, sent again, is the same mail. After
                MailServerUnreachable and MailServerSlow the conversation is over.
        """
        self._bounded(lambda: self._hand_over(message), MAIL_S)

    def _open(self) -> None:
        import smtplib

        server, context = self._server, ssl.create_default_context()
        if server.security == "tls":
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(timeout=ANSWER_S, local_hostname=self._our_name, context=context)
        else:
            smtp = smtplib.SMTP(timeout=ANSWER_S, local_hostname=self._our_name)
        self._smtp = smtp
        # What the certificate must name. smtplib takes it from its constructor alone, which connects: there is nothing
        # yet then that could be cut.
        smtp._host = server.host  # type: ignore[attr-defined]
        code, said = smtp.connect(server.host, server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        smtp.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            if not smtp.has_extn("starttls"):
                raise MailServerUntrusted(reason="it offers no encryption (STARTTLS)")
            smtp.starttls(context=context)
        if server.user:
            smtp.login(server.user, server.password)

    def _hand_over(self, message: EmailMessage) -> None:
        if self._smtp is None:
            raise MailServerUnreachable("the conversation is over")
        if self._smtp.sock is not None:
            self._patience_s = MAIL_S
            self._smtp.sock.settimeout(MAIL_S)
        self._smtp.send_message(message)

    def _bounded(self, phase: Callable[[], None], limit_s: float) -> None:
        """Carry out a phase; after so long its connection is cut, whatever it waits for."""
        watchdog = threading.Timer(limit_s, self._cut, [limit_s])
        watchdog.daemon = True
        watchdog.start()
        try:
            with self._translating():
                phase()
        finally:
            watchdog.cancel()

    @contextmanager
    def _translating(self) -> Iterator[None]:
        import smtplib

        try:
            yield
        except (smtplib.SMTPException, OSError) as error:
            raise self._told(error) from error

    def _told(self, error: Exception) -> MailError:
        """Our error for one of smtplib, which tells a time that ran out only as the cause of something else."""
        import smtplib

        ran_out = isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)
        if self._is_cut or ran_out:  # cut: whatever came of what was left of an answer
            return MailServerSlow(str(error), seconds=round(self._patience_s))
        match error:
            case smtplib.SMTPAuthenticationError():
                return MailLoginRefused(reason=self._said(error.smtp_code, error.smtp_error))
            case smtplib.SMTPRecipientsRefused():
                return MailRefused(reason=self._said(*next(iter(error.recipients.values()))))
            case smtplib.SMTPResponseException():
                return MailRefused(reason=self._said(error.smtp_code, error.smtp_error))
            case smtplib.SMTPNotSupportedError():
                return MailRefused(reason=str(error))
            case ssl.SSLCertVerificationError():
                return MailServerUntrusted(reason=error.verify_message)
            case ssl.SSLError():
                return MailServerUntrusted(str(error), reason="it does not speak TLS on this port")
            case _:
                return MailServerUnreachable(str(error))

    def _said(self, code: int, text: bytes | str) -> str:
        """A server's answer in one line; it is anybody's text."""
        said = text.decode(errors="replace") if isinstance(text, bytes) else text
        for secret in self._secrets():
            said = said.replace(secret, "…")
        line = " ".join(f"{code} {said}".split())
        plain = "".join(one if one.isprintable() else "?" for one in line)
        return plain if len(plain) <= MAX_REASON else f"{plain[:MAX_REASON]}…"

    def _secrets(self) -> list[str]:
        """What a server may repeat of the login: the password, and how AUTH LOGIN and AUTH PLAIN send it."""
        user, password = self._server.user, self._server.password
        sent = (password, f"\0{user}\0{password}")
        return [password, *(base64.b64encode(one.encode()).decode() for one in sent)] if password else []

    def _cut(self, limit_s: float) -> None:
        self._patience_s, self._is_cut = limit_s, True
        sock = getattr(self._smtp, "sock", None)
        if sock is not None:
            with suppress(OSError):  # it was closed at this moment
                sock.shutdown(socket.SHUT_RDWR)

    def _close(self) -> None:
        """Say goodbye if somebody listens, and let go."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            import smtplib

            with suppress(smtplib.SMTPException, OSError):  # the mails are handed over, or have their error
                if smtp.sock is not None:
                    smtp.sock.settimeout(1.0)
                    smtp.quit()
            smtp.close()
