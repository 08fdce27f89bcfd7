"""Errors below /api as `application/problem+json` (RFC 9457), with the codes and sentences of the screen."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, Final

from flask import Response, g, request
from werkzeug.exceptions import HTTPException

from exports.errors import (
    DefinitionRefused,
    ExportArchived,
    ExportsError,
    NoFile,
    NotMade,
    PersonalFile,
    Problem,
    StoreUnreachable,
)
from exports.errors.request import (
    BodyTooLarge,
    BodyUnreadable,
    MethodUnknown,
    NotAllowed,
    NotJson,
    NotThere,
    RangeUnknown,
    RateLimited,
    RequestError,
    RequestFailed,
    ScopeMissing,
    TokenInvalid,
    TokenMissing,
    Unavailable,
)

MEDIA_TYPE: Final = "application/problem+json"
PAGE: Final = "/api"
"""Where the codes are told; the type of a problem is a part of that page."""
OF_STATUS: Final[dict[int, type[RequestError]]] = {
    one.status: one
    for one in (TokenMissing, NotAllowed, NotThere, BodyTooLarge, NotJson, RangeUnknown, RateLimited, RequestFailed,
                Unavailable)
}  # fmt: skip
OTHERS: Final = (DefinitionRefused, ExportArchived, PersonalFile, StoreUnreachable)
KEPT_HEADERS: Final = ("Allow", "Content-Range", "Retry-After")


def is_api() -> bool:
    """Whether a program asks, which reads no pages."""
    return request.path.startswith("/api/")


def status_of(error: type[ExportsError] | ExportsError) -> int:
    """The status of HTTP that an error of ours, or one of its class, is answered with."""
    kind = error if isinstance(error, type) else type(error)
    if issubclass(kind, RequestError):
        return kind.status
    if issubclass(kind, NoFile):
        return 404 if issubclass(kind, NotMade) else 410
    known = {DefinitionRefused: 422, ExportArchived: 409, PersonalFile: 403}
    return known.get(kind, 500 if kind.permanent else 503)


def answered(kinds: Iterable[type[ExportsError]]) -> Iterator[type[ExportsError]]:
    """Those errors of a catalogue that a request may be answered with."""
    for kind in kinds:
        if issubclass(kind, RequestError | NoFile) or kind in OTHERS:
            yield kind


def answer(error: ExportsError, status: int | None = None) -> Response:
    """An error as a program reads it; of a refused definition with every problem, as `flask export check` has it."""
    status = status or status_of(error)
    problems: list[Problem] = getattr(error, "problems", [])
    told: dict[str, Any] = {
        "type": f"{PAGE}#{error.code}",
        "title": phrase(status),
        "status": status,
        "code": error.code,
        "detail": _detail(error),
        "errors": [one.as_dict() for one in problems if not one.warning],
    }
    if status >= 500 and "request_id" in g:
        told["request"] = g.request_id
    response = Response(json.dumps(told, ensure_ascii=False) + "\n", status, content_type=MEDIA_TYPE)
    challenge = _challenge(error)
    if challenge:
        response.headers["WWW-Authenticate"] = challenge
    return response


def of_http(error: HTTPException) -> Response:
    """An error of the framework in the same form."""
    status = error.code or 500
    if status == 405:
        told: RequestError = MethodUnknown(method=request.method[:20])
    elif status in OF_STATUS:
        told = OF_STATUS[status]()
    else:
        told = BodyUnreadable(reason=f"{error.name}.")
    response = answer(told, status)
    for name in KEPT_HEADERS:
        if value := dict(error.get_headers()).get(name):
            response.headers[name] = value
    return response


def phrase(status: int) -> str:
    """What HTTP calls a status."""
    return {413: "Content Too Large", 422: "Unprocessable Content"}.get(status) or HTTPStatus(status).phrase


def _detail(error: ExportsError) -> str:
    """What happened and what to do, for somebody who waits for the answer."""
    message = error.message
    ended = message if message.endswith((".", "?", "!", "”")) else f"{message}."
    return error.told_now.replace(message, ended, 1)


def _challenge(error: ExportsError) -> str:
    """Which token would do (RFC 6750)."""
    if isinstance(error, TokenMissing):
        return 'Bearer realm="exports"'
    if isinstance(error, TokenInvalid):
        return 'Bearer realm="exports", error="invalid_token"'
    if isinstance(error, ScopeMissing):
        return f'Bearer realm="exports", error="insufficient_scope", scope="{error.facts["scope"]}"'
    return ""
