"""`python -m tests.jobs.impatient QUEUE`: a worker that ends a horse which holds nothing after two seconds."""

from __future__ import annotations

import sys
from typing import Final

from jobs import program
from jobs.worker import TicketWorker, preload

STUCK_S: Final = 2.0

if __name__ == "__main__":
    app = program.create()
    preload(app, sys.argv[1])
    TicketWorker(app, sys.argv[1], STUCK_S).work()
