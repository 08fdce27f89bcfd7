"""Errors of requests to the HTTP API, and of the tokens that they carry (docs/api.md)."""

from __future__ import annotations

from typing import ClassVar

from exports.errors.base import TRY_AGAIN, ExportsError, Problem


class RequestError(ExportsError):
    """A request to the API that is not carried out. `status` is that of HTTP."""

    status: ClassVar[int] = 400


class BodyUnreadable(RequestError):
    code = "request.unreadable"
    sentence = "The body cannot be read: {reason}"
    advice = "Send one JSON value, in UTF-8."


class KeyUnreadable(RequestError):
    code = "request.key"
    sentence = "The header Idempotency-Key must have 1 to 200 printable ASCII characters."
    advice = "Send a random text such as a UUID, a new one for each thing that you want once."


class ParametersRefused(RequestError):
    """Parameters of the address that cannot be used; carries their problems."""

    status = 422
    code = "request.parameters"
    sentence = "The parameters cannot be used: {first}"
    advice = "Correct what is named and try again."

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(first=problems[0].message)


class TokenMissing(RequestError):
    status = 401
    code = "token.missing"
    sentence = "This request carries no API token."
    advice = "Send the header Authorization: Bearer, followed by a token of your profile page."


class TokenInvalid(RequestError):
    """Unknown, expired, revoked, or of somebody who is disabled: told alike, so that nobody learns which."""

    status = 401
    code = "token.invalid"
    sentence = "This API token is not valid, or not any more."
    advice = "Make a new one on your profile page."


class ScopeMissing(RequestError):
    status = 403
    code = "token.scope"
    sentence = "This API token lacks the scope {scope}."
    advice = "Make one that has it on your profile page."


class NotAllowed(RequestError):
    status = 403
    code = "access.denied"
    sentence = "The user of this API token may not do this."
    advice = "Ask an admin of your brand for the right to do it."


class NotThere(RequestError):
    status = 404
    code = "access.not_found"
    sentence = "There is nothing here."
    advice = "It may have been deleted, or the address is not right."


class MethodUnknown(RequestError):
    status = 405
    code = "request.method"
    sentence = "This address does not take the method {method}."
    advice = "Use one that the header Allow names."


class BodyTooLarge(RequestError):
    status = 413
    code = "request.too_large"
    sentence = "That is too much at once."
    advice = "Send less than 1 MB."


class NotJson(RequestError):
    status = 415
    code = "request.media_type"
    sentence = "The body must be JSON, and not compressed."
    advice = "Send the header Content-Type: application/json, and no Content-Encoding."


class RangeUnknown(RequestError):
    status = 416
    code = "request.range"
    sentence = "The file has no such bytes."
    advice = "The header Content-Range says how many it has."


class KeyReused(RequestError):
    status = 422
    code = "request.key_reused"
    sentence = "This Idempotency-Key came with another request in the last 24 hours."
    advice = "Send a new key for a new request, and the same one only to repeat a request."


class RateLimited(RequestError):
    status = 429
    code = "rate.limited"
    sentence = "Too many requests in one minute."
    advice = "Wait as many seconds as the header Retry-After says."
    permanent = False


class RequestFailed(RequestError):
    status = 500
    code = "request.failed"
    sentence = "Something went wrong that we did not foresee."
    advice = "Try again. If it happens again, give your operator the number of the request."
    permanent = False


class Unavailable(RequestError):
    status = 503
    code = "request.unavailable"
    sentence = "The service cannot answer at this moment."
    advice = TRY_AGAIN
    permanent = False


class ExportNotRepeated(RequestError):
    status = 409
    code = "export.not_repeated"
    sentence = "Only a repeated export is active or inactive."
    advice = "Give it a repeated schedule when you create it, or run it whenever you need a file."


class ExportVersionChanged(RequestError):
    status = 409
    code = "export.version_changed"
    sentence = "The export has another version by now: {version}."
    advice = "Look at it again, then repeat the request with that version."


class TokenRefused(RequestError):
    """A token cannot be made as asked; carries every problem, each at its input."""

    status = 422
    code = "token.refused"
    sentence = "The token cannot be made: {reason}."
    advice = "Correct what is named and try again."

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__(reason="; ".join(one.message[:1].lower() + one.message[1:] for one in problems))
