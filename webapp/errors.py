"""What people see when something is wrong: a page, a sentence for htmx, or, where nobody is logged in, the login."""

from __future__ import annotations

import logging
from typing import Final

from flask import Flask, Response, g, make_response, render_template, request
from flask_limiter import RateLimitExceeded
from flask_login import current_user
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from exports.errors import ExportArchived, ExportsError
from exports.errors.request import NotAllowed, NotThere, RequestFailed, Unavailable
from webapp import problems
from webapp.database import is_away
from webapp.extensions import db
from webapp.htmx import is_htmx
from webapp.permissions import Refused
from webapp.services import audit
from webapp.way_back import here
from webapp.words import translated

log = logging.getLogger("security")

SENTENCES: Final = {
    400: ("This request cannot be read", "Go back, reload the page and try again."),
    403: ("You may not do this", "Ask an admin of your brand for the right to do it."),
    404: ("There is nothing here", "It may have been deleted, or the address is not right."),
    405: ("This request cannot be read", "Go back, reload the page and try again."),
    409: (ExportArchived.sentence.rstrip("."), ExportArchived.advice),
    413: ("That is too much at once", "Send less than 1 MB at a time."),
    416: ("The file has no such bytes", "Download it from its beginning."),
    429: ("Too many tries", "Wait a few minutes, then try again."),
    500: (
        "Something went wrong that we did not foresee",
        "Try again. If it happens again, give your operator the number.",
    ),
}


def _answer(status: int) -> Response:
    return _said(*SENTENCES.get(status, SENTENCES[400]), status)


def told(error: ExportsError, status: int, url: str, link: str) -> Response:
    """An error of ours as a page of its own, with a link to where it goes on."""
    return _said(translated(error.message).removesuffix("."), error.advised, status, url, link)


def _said(title: str, advice: str, status: int, url: str = "/", link: str = "All exports") -> Response:
    if is_htmx():
        return Response(f"{translated(title)}. {translated(advice)}", status, content_type="text/plain; charset=utf-8")
    number = g.get("request_id") if status >= 500 else None
    text = render_template("errors/error.html", title=title, advice=advice, number=number, url=url, link=link)
    return make_response(text, status)


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:
        return error
    if problems.is_api():
        return problems.of_http(error)
    answer = _answer(error.code)
    for name in problems.KEPT_HEADERS:
        if value := dict(error.get_headers()).get(name):
            answer.headers[name] = value
    return answer


def _unforeseen(error: InternalServerError) -> Response:
    db.session.rollback()
    away = is_away(error.original_exception)
    if problems.is_api():
        return problems.answer(Unavailable() if away else RequestFailed())
    if away:
        return told(Unavailable(), Unavailable.status, here(), "Try again")
    return _answer(500)


def _ours(error: ExportsError) -> Response:
    """An error of ours that no view has turned into a page: to a program it is the answer, on a page a fault."""
    if not problems.is_api() or problems.status_of(error) == 500:
        raise error
    db.session.rollback()
    return problems.answer(error)


def _archived(error: ExportArchived) -> Response:
    return problems.answer(error) if problems.is_api() else _answer(409)


def _refused(error: Refused) -> Response:
    """Say no, and keep that it was asked for (RELIABILITY section 6)."""
    _keep("access.denied", asked=error.action)
    if problems.is_api():
        return problems.answer(NotThere() if error.hidden else NotAllowed())
    return _answer(404 if error.hidden else 403)


def _csrf(error: CSRFError) -> Response:
    """A form without its token is refused: it came from elsewhere, or the session has ended since."""
    _keep("csrf.failed", reason=str(error.description))
    return _answer(400)


def _keep(kind: str, **facts: str) -> None:
    db.session.rollback()
    if not current_user.is_authenticated:
        log.warning("%s from %s", kind, request.remote_addr)
        return
    audit.record(kind, current_user._get_current_object(), result="denied", path=request.path, **facts)
    db.session.commit()


def register(app: Flask) -> None:
    """Bind the handlers to the application."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _unforeseen)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(ExportsError, _ours)
    app.register_error_handler(ExportArchived, _archived)
    app.register_error_handler(CSRFError, _csrf)
    app.register_error_handler(RateLimitExceeded, lambda error: error.response or _answer(429))
