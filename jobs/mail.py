"""Sends mails: what is due in the outbox, over one conversation with the mail server (RELIABILITY P15, F32).

No page and no run waits for this. On the embedded default nothing is sent: mails are caught, and read on a page.
"""

from __future__ import annotations

import importlib
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from flask import current_app

from exports.errors import MailError, MailServerSlow, MailServerUnreachable, MailUnwritable
from jobs import horse, scheduler
from webapp import mails
from webapp.extensions import db
from webapp.models import Mail, brand_scope
from webapp.queues import MAIL, top_up
from webapp.services.mail import results
from webapp.services.mail.notify import Recipient, still
from webapp.services.outgoing import Due

if TYPE_CHECKING:
    from email.message import EmailMessage

    from exports.mail_server import Conversation, MailServer

log = logging.getLogger("jobs.mail")

PASS_S: Final = 15.0
"""After this another ticket goes on: what waits in the same queue, the moments of schedules, waits no longer; and a
horse that sends for minutes, to a server that takes each mail slowly, would be taken for a stuck one: with connecting
and one mail more (exports/mail_server.py) it must end before STUCK_S (jobs/worker.py)."""
MAX_LOST: Final = 2
"""Mails one after the other at which the conversation ended: then it is the server's, and not these mails'."""


def send(run: str | None = None, *, pass_s: float = PASS_S) -> None:
    """Send what is due, until nothing is. A ticket only says that there is work: `run` is not looked at."""
    end = time.monotonic() + pass_s
    while not horse.stopping() and (due := scheduler.take_mails()):
        if not _send_all(due, end):
            return  # the server is away: the scheduler rings when the next try has come
        if time.monotonic() > end:
            top_up(MAIL, [due[0].id])
            return


def preload() -> None:
    """Before processes are forked: import what is otherwise imported at its first use."""
    for name in ("smtplib", "ssl", "email.mime.text", "jinja2"):
        importlib.import_module(name)


def _send_all(due: Sequence[Due], end: float) -> bool:
    """Send the mails that were claimed, and give back what is left when `end` or the word to stop comes, or when the
    server takes none; False if it is to be left alone for a while.
    """
    settings = current_app.config["SETTINGS"]
    with Post(settings.mail_server, settings.base_host) as post:
        for place, one in enumerate(due):
            is_over = horse.stopping() or time.monotonic() > end or post.lost >= MAX_LOST
            if place and post.trouble is None and is_over:
                scheduler.give_mails_back(due[place:], at_once=not post.lost)
                break
            with brand_scope(one.brand_id):
                _send(one, post)
            db.session.remove()
        return post.trouble is None and not post.lost


def _send(due: Due, post: Post) -> None:
    mail = db.session.get(Mail, due.id)
    if mail is None:
        return  # its export was deleted at this moment
    recipient = Recipient(mail.recipient, mail.user_id)
    try:
        found = still(recipient)
        if found is None:
            results.dropped(due)
            return
        recipient = found
        parts = mails.rendered(mail, recipient)
        db.session.rollback()  # no transaction of ours stays open while the server is talked to
        if post.is_real:
            post.hand_over(mails.message(due.id, recipient.address, parts))
            results.sent(due, recipient.address)
        else:
            results.caught(due, recipient.address, asdict(parts))
    except MailError as error:
        _failed(due, recipient, error)
    except Exception as error:  # whatever we did not foresee in one mail holds up no other
        log.exception("mail %s", due.id)
        _failed(due, recipient, MailUnwritable(str(error)))


def _failed(due: Due, recipient: Recipient, error: MailError) -> None:
    log.warning("mail %s: try %d: %s %s %s", due.id, due.tries, error.code, error.message, error.detail)
    db.session.rollback()
    results.failed(due, recipient.address, error)


class Post:
    """Conversations with the mail server, one for all mails if it lets us; a context manager.

    `trouble`: why it cannot be talked to. Then all further mails have the same trouble, and nobody waits for each.
    `lost`: so many mails in a row, up to the last one, ended their conversation; that may be for what they are.
    """

    def __init__(self, server: MailServer | None, our_name: str) -> None:
        self.trouble: MailError | None = None
        self.lost = 0
        self._server = server
        self._our_name = our_name
        self._conversation: Conversation | None = None

    @property
    def is_real(self) -> bool:
        """Whether there is a server; else mails are caught."""
        return self._server is not None

    def __enter__(self) -> Post:
        return self

    def __exit__(self, *_: object) -> None:
        self._hang_up()

    def hand_over(self, message: EmailMessage) -> None:
        """Send one mail.

        Raises:
            MailError: it was not taken, or nobody knows.
        """
        if self.trouble is not None:
            raise self.trouble
        conversation = self._conversation if self._conversation and self._conversation.is_open else self._begin()
        try:
            conversation.send(message)
        except (MailServerUnreachable, MailServerSlow):
            self._hang_up()
            self.lost += 1
            raise
        except MailError:
            self.lost = 0
            raise
        self.lost = 0

    def _begin(self) -> Conversation:
        if self._server is None:
            raise ValueError("there is no mail server")
        self._hang_up()
        conversation = self._server.conversation(self._our_name)
        try:
            conversation.__enter__()
        except MailError as error:
            self.trouble = error
            raise
        self._conversation = conversation
        return conversation

    def _hang_up(self) -> None:
        if self._conversation is not None:
            self._conversation.__exit__()
        self._conversation = None
