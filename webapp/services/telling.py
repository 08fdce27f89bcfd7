"""Who is told that a run has ended: people by mail, other programs by webhooks; both in the transaction of its end."""

from __future__ import annotations

from webapp.models import Run
from webapp.services import webhooks
from webapp.services.mail import outbox


def run_ended(run: Run) -> None:
    """Write down the mails and the messages; they go out later, and no run waits for them."""
    outbox.run_ended(run)
    webhooks.run_ended(run)


def rehearse() -> None:
    """Have the statements compiled that the end of a run asks; nothing is changed."""
    outbox.rehearse()
    webhooks.rehearse()
