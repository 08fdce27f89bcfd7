"""Log lines cannot be forged by what they tell of (RELIABILITY T20)."""

import logging

from jobs.logs import OneLine


def line(message: str, *arguments: object) -> str:
    """The text of one record."""
    return OneLine("%(levelname)s %(message)s").format(
        logging.LogRecord("x", logging.INFO, "f.py", 1, message, arguments, None)
    )


def test_a_message_is_one_line_of_printable_characters() -> None:
    told = line("name: %s", "a\nERROR forged\r\x1b[31m\x00")
    assert told == "INFO name: a\\nERROR forged\\r\\x1b[31m\\x00"
