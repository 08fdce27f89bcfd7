"""A line of the log for each request: method, path, status, how long it took and how much was sent.

What stands behind the `?` is not in it: links to choose a password have their token there.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from typing import Final

from flask import Flask, Response, current_app, g, request

from webapp import logs

log = logging.getLogger("access")

TAKEN: Final = re.compile(r"[A-Za-z0-9._=-]{8,128}")
"""Ids of requests that we go on with; Heroku's have 36 characters, those of nginx 32."""
QUIET: Final = frozenset({"health.healthz", "health.readyz", "health.metrics"})
"""Asked every few seconds by machines: written down only when the answer is bad."""


def request_id() -> str:
    """The id that the proxy in front gave the request, so that its lines and ours go together; else one of our own.

    Only a proxy that the operator named is believed, and only what looks like an id: it is kept in the audit log.
    """
    given = request.headers.get("X-Request-ID", "")
    behind_proxy = current_app.config["SETTINGS"].trusted_proxies > 0
    return given if behind_proxy and TAKEN.fullmatch(given) else uuid.uuid4().hex


def _begin() -> None:
    g.begun = time.perf_counter()
    g.request_id = request_id()
    logs.of_request(request=g.request_id)


def _end(response: Response) -> Response:
    """Write the line when the last byte has been handed over: a download takes as long as its reader."""
    if request.endpoint in QUIET and response.status_code < 500:
        return response
    facts = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "ip": request.remote_addr,
        **logs.ids(),  # another request may be at work in this thread by then
    }
    begun = g.begun

    def write() -> None:
        level = logging.WARNING if response.status_code >= 500 else logging.INFO
        log.log(level, "request", extra={**facts, "ms": round((time.perf_counter() - begun) * 1000, 1)})

    response.call_on_close(write)
    return response


def register(app: Flask) -> None:
    """Give each request its id, and write it down."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(lambda _error: logs.of_nothing())
