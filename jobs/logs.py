"""What the processes of jobs/ write about themselves: one line each, control characters escaped (RELIABILITY T20)."""

from __future__ import annotations

import logging
import sys


class OneLine(logging.Formatter):
    """Time, level, logger, message; a traceback's lines are kept, all other control characters are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        text = super().format(record)
        return "".join(char if char.isprintable() or char == "\n" else repr(char)[1:-1] for char in text)

    def formatMessage(self, record: logging.LogRecord) -> str:
        """The first line: here a line end is escaped too."""
        return super().formatMessage(record).replace("\n", "\\n")


def set_up() -> None:
    """Log to standard error from INFO on; RQ's and Alembic's chatter from WARNING on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in ("rq", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
