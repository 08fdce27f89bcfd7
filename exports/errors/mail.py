"""What keeps a mail from being sent: none of it fails a run, all of it is tried again (SPEC section 9)."""

from __future__ import annotations

from exports.errors.base import ExportsError


class MailError(ExportsError):
    """A mail cannot be sent (now). `sentence` is what the run's page says behind "Email could not be sent to …: "."""

    permanent = False


class MailServerUnreachable(MailError):
    code = "mail.unreachable"
    sentence = "The mail server did not answer or broke the connection."
    advice = "Ask your operator to check MAIL_URL if this goes on."


class MailServerSlow(MailError):
    code = "mail.slow"
    sentence = "The mail server took longer than {seconds} s."
    advice = "Ask your operator to look at the mail server if this goes on."


class MailServerUntrusted(MailError):
    """No certificate that we trust, or no encryption where it is asked for: the password was not sent."""

    code = "mail.untrusted"
    sentence = "The mail server could not be trusted: {reason}."
    advice = "Ask your operator to check the server's certificate and MAIL_URL."


class MailLoginRefused(MailError):
    code = "mail.login"
    sentence = "The mail server refused the login: {reason}"
    advice = "Ask your operator to check the name and the password in MAIL_URL."


class MailRefused(MailError):
    code = "mail.refused"
    sentence = "The mail server refused it: {reason}"
    advice = "Check the address. If it is right, show the answer to whoever runs the mail server."


class RecipientNotAllowed(MailError):
    code = "mail.recipient"
    sentence = "The address {address} is no user's, and mails to its domain are not allowed."
    advice = "Edit the export and take the address out of Notify, or ask an admin to allow the domain."
    permanent = True


class MailUnwritable(MailError):
    """Ours: one mail that cannot be written holds up no other."""

    code = "mail.unexpected"
    sentence = "It could not be written."
    advice = "Give your operator the number of the run: the log of fastworker says why."
