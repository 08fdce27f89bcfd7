"""What people see when something is wrong: a page for browsers, a small answer for htmx."""

from __future__ import annotations

from flask import Flask, Response, g, render_template
from flask_limiter import RateLimitExceeded
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from webapp.extensions import db
from webapp.permissions import Refused

SENTENCES = {
    400: ("This request cannot be read", "Go back, reload the page and try again."),
    403: ("You may not do this", "Ask an admin of your brand for the right to do it."),
    404: ("There is nothing here", "It may have been deleted, or the address is not right."),
    405: ("This request cannot be read", "Go back, reload the page and try again."),
    413: ("That is too much at once", "Send less than 1 MB at a time."),
    429: ("Too many tries", "Wait a few minutes, then try again."),
    500: (
        "Something went wrong that we did not foresee",
        "Try again. If it happens again, give your operator the number.",
    ),
}


def _answer(status: int) -> Response:
    title, advice = SENTENCES.get(status, SENTENCES[400])
    text = render_template(
        "errors/error.html", status=status, title=title, advice=advice, request_id=g.get("request_id")
    )
    return Response(text, status)


def _http(error: HTTPException) -> Response | HTTPException:
    if error.code is None or error.code < 400:
        return error
    return _answer(error.code)


def _unforeseen(error: InternalServerError) -> Response:
    db.session.rollback()
    return _answer(500)


def register(app: Flask) -> None:
    """Bind the handlers to the application."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(InternalServerError, _unforeseen)
    app.register_error_handler(Refused, lambda error: _answer(404 if error.hidden else 403))
    app.register_error_handler(CSRFError, lambda _error: _answer(400))
    app.register_error_handler(RateLimitExceeded, lambda _error: _answer(429))
