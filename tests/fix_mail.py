"""A mail server on loopback that can be told to refuse, and what it was handed."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest

from exports.mail_server import MailServer

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session
    from flask import Flask

OK = "250 Taken"


@dataclass
class Postbox:
    """What a mail server was handed, and what it answers: to RCPT, and after DATA.

    `looks_at`: to mails whose subject has one of these words it answers so many seconds later.
    """

    port: int = 0
    to_rcpt: str = OK
    to_data: str = OK
    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    conversations: int = 0
    looks_at: dict[str, float] = field(default_factory=dict)

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname  # type: ignore[assignment]
        self.conversations += 1
        return responses

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        if self.to_rcpt == OK:
            envelope.rcpt_tos.append(address)
        return self.to_rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        for word, seconds in self.looks_at.items():
            if word in message["Subject"]:
                await asyncio.sleep(seconds)
        if self.to_data == OK:
            self.messages.append(message)
            self.recipients += envelope.rcpt_tos
        return self.to_data

    @property
    def server(self) -> MailServer:
        """Where it is, without encryption."""
        return MailServer("127.0.0.1", self.port, "none")


@contextmanager
def serving(postbox: Postbox, **options: Any) -> Iterator[Postbox]:
    """Listen on loopback. `options` are those of aiosmtpd's SMTP, and `tls` for a port that is encrypted at once."""
    from aiosmtpd.controller import Controller

    class OnAnyPort(Controller):
        def _trigger_server(self) -> None:
            self.port = postbox.port = self.server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
            super()._trigger_server()

    controller = OnAnyPort(
        postbox, hostname="127.0.0.1", port=0, ssl_context=options.pop("tls", None), ready_timeout=10, **options
    )
    controller.start()
    try:
        yield postbox
    finally:
        controller.stop(no_assert=True)


@pytest.fixture
def postbox(app: Flask) -> Iterator[Postbox]:
    """The application's mail server."""
    with serving(Postbox()) as postbox, mailing_by(app, postbox.server):
        yield postbox


@contextmanager
def mailing_by(app: Flask, server: MailServer | None) -> Iterator[None]:
    """The application hands its mails to this server; to none: it catches them, as the embedded default does."""
    before = app.config["SETTINGS"]
    app.config["SETTINGS"] = replace(before, mail_server=server)
    try:
        yield
    finally:
        app.config["SETTINGS"] = before
