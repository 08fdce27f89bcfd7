"""What may come out of Redis: orders of a closed list, with one id at most; nothing else is read (RELIABILITY T14)."""

from __future__ import annotations

import json
import uuid
import zlib
from dataclasses import dataclass
from typing import Any, Final

from rq.job import Job

from webapp.queues import FIRE, FUNCTIONS

MAX_BYTES: Final = 10_000
"""A ticket takes about 100."""


class TicketRefused(Exception):
    """Something in the queue that is no ticket of ours; the text says why, without quoting what it holds."""


@dataclass(frozen=True)
class Order:
    """What a ticket asks for; `run` is empty for what is about no run."""

    function: str
    run: str = ""

    @property
    def arguments(self) -> dict[str, str]:
        """What the function is given."""
        return {"run": self.run} if self.run else {}


class Ticket(Job):
    """A job of which only the order is read: callbacks, webhooks, dependencies and results in its hash mean nothing."""

    def restore(self, raw_data: dict[bytes, bytes]) -> None:
        """Read the order's text from the job's hash."""
        self.data = _inflated(raw_data.get(b"data", b""))
        self.timeout = -1
        self.description = "ticket"

    @staticmethod
    def order_of(job: Job, queue: str) -> Order:
        """What is asked for.

        Raises:
            TicketRefused: it is not JSON, or asks for a function that this queue does not have, or for more than an id.
        """
        try:
            found = json.loads(job.data)
        except (ValueError, RecursionError) as error:
            raise TicketRefused("it is not JSON") from error
        match found:
            case [str(function), None, [], {"run": str(run), **more}] if not more and function != FIRE:
                pass
            case [str(function), None, [], {**nothing}] if not nothing and function == FIRE:
                run = ""
            case _:
                raise TicketRefused("it has not the shape of a ticket")
        if FUNCTIONS.get(function) != queue:
            raise TicketRefused("it asks for a function that this queue does not have")
        if function != FIRE and not _is_uuid(run):
            raise TicketRefused("its run is no id")
        return Order(function, run)

    def perform(self) -> Any:
        """Never: a worker carries out the order itself."""
        raise TicketRefused("tickets are not performed by RQ")


def _inflated(data: bytes) -> bytes:
    """RQ compresses what it sends; a bomb is cut."""
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MAX_BYTES)
    except zlib.error:
        return data[:MAX_BYTES]
    return b"" if inflater.unconsumed_tail else text


def _is_uuid(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
