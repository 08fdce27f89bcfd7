"""What the processes write about themselves: a line each, in JSON for collectors or as text for people.

Each line has the ids of the request or the run that it is about. No line can be forged by what it tells of (RELIABILITY
T20), and none holds a secret, whether it is known by its value or by what stands before it.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

from exports.scrubbing import without_secrets

Event = MutableMapping[str, Any]
FORMATS: Final = ("json", "text")
LEAST_SECRET: Final = 6
"""A shorter password would be taken out of words as well."""
CHATTY: Final = ("rq", "alembic", "asyncio", "paramiko", "flask-limiter")
FIRST: Final = ("at", "level", "logger", "message")

_request: ContextVar[Mapping[str, str] | None] = ContextVar("request", default=None)
_run: dict[str, str] = {}
_hidden: list[str] = []


def set_up(form: str) -> None:
    """Log to standard error from INFO on, libraries' chatter from WARNING on. `form`: json or text."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(form))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    if form == "text":  # somebody looks at it, and the pages ask every second
        logging.getLogger("access").setLevel(logging.WARNING)
    for own in ("exports", "gunicorn.error"):  # Flask and gunicorn bring handlers of their own
        logger = logging.getLogger(own)
        logger.handlers.clear()
        logger.propagate = True


def formatter(form: str) -> logging.Formatter:
    """Makes a line of a record."""
    import structlog  # half as long to import as flask, and commands write no log
    from structlog.stdlib import ProcessorFormatter

    return ProcessorFormatter(
        foreign_pre_chain=[
            _add_ids,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
        ],
        processors=[
            ProcessorFormatter.remove_processors_meta,
            structlog.processors.EventRenamer("message"),
            _scrub,
            _as_json if form == "json" else _as_text,
        ],
    )


def of_request(**ids: str) -> None:
    """From here on the lines of this thread are about this request, until the next one."""
    _request.set(ids)


def also(**ids: str) -> None:
    """What is known of the request besides, by now."""
    _request.set({**(_request.get() or {}), **ids})


def ids() -> dict[str, str]:
    """What the lines of this thread are about now."""
    return dict(_request.get() or {})


def of_nothing() -> None:
    """The request is over."""
    _request.set(None)


@contextmanager
def of_run(**ids: str) -> Iterator[None]:
    """The lines of this process, whichever thread writes them, are about this run: a work horse has one at a time."""
    _run.update(ids)
    try:
        yield
    finally:
        for name in ids:
            _run.pop(name, None)


def hide(secrets: Iterable[str]) -> None:
    """No line holds one of these from here on."""
    found = {one for one in secrets if len(one) >= LEAST_SECRET}
    _hidden[:] = sorted({*_hidden, *found}, key=len, reverse=True)


def _add_ids(_logger: Any, _method: str, event: Event) -> Event:
    event.update({**(_request.get() or {}), **_run})
    return event


def _scrub(_logger: Any, _method: str, event: Event) -> Event:
    return {name: _without(value) if isinstance(value, str) else value for name, value in event.items()}


def _without(text: str) -> str:
    for secret in _hidden:
        text = text.replace(secret, "***")
    return without_secrets(text)


def _as_json(_logger: Any, _method: str, event: Event) -> str:
    text = json.dumps(_ordered(event), default=str)
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def _ordered(event: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: event[name] for name in FIRST if name in event}, **event}


def _as_text(_logger: Any, _method: str, event: Event) -> str:
    """Time, level, logger, message, ids; a traceback's lines are kept, all other control characters are escaped."""
    traceback = event.pop("exception", "")
    words = [str(event.pop(name, "")) for name in FIRST]
    line = _escaped(" ".join([*words, *(f"{name}={value}" for name, value in event.items())]))
    return "\n".join([line, *map(_escaped, str(traceback).splitlines())])


def _escaped(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
