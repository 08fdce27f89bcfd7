"""What keeps a webhook from being told: none of it fails a run, all of it is tried again."""

from __future__ import annotations

from exports.errors.base import ExportsError


class WebhookError(ExportsError):
    """A webhook cannot be told (now). `status`: what its server answered, if it did."""

    permanent = False

    @property
    def status(self) -> int | None:
        """What the server answered."""
        return self.facts.get("status")


class WebhookBlocked(WebhookError):
    """In the same words whatever the address is: it tells nothing of our network (RELIABILITY T3)."""

    code = "webhook.blocked"
    sentence = "This address cannot be used for webhooks."
    advice = "Use another address, or ask your operator to allow this one."


class WebhookUnreachable(WebhookError):
    code = "webhook.unreachable"
    sentence = "The server {host} cannot be reached."
    advice = "Check the address of the webhook, and whether its server runs."


class WebhookSlow(WebhookError):
    code = "webhook.slow"
    sentence = "The server {host} did not answer within {limit:.0f} s."
    advice = "Let it answer first and do its work afterwards."


class WebhookUntrusted(WebhookError):
    code = "webhook.untrusted"
    sentence = "The server {host} could not be trusted: {reason}."
    advice = "Its certificate must be valid, for this name, and signed by a known authority."


class WebhookRefused(WebhookError):
    code = "webhook.refused"
    sentence = "The server {host} answered {status}."
    advice = "It must answer with a status from 200 to 299."


class WebhookRedirected(WebhookError):
    code = "webhook.redirected"
    sentence = "The server {host} answered {status}, which leads elsewhere."
    advice = "Webhooks do not follow: enter the address that it leads to."


class WebhookSecretUnreadable(WebhookError):
    code = "webhook.secret"
    sentence = "The secret of the webhook can't be read."
    advice = "Make a new one, or ask your operator to check CREDENTIAL_KEYS."


class WebhookUnexpected(WebhookError):
    """Ours: one message that cannot be sent holds up no other."""

    code = "webhook.unexpected"
    sentence = "It could not be sent."
    advice = "Give your operator the number of the message: the log of fastworker says why."
