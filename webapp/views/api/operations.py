"""What an operation of the API takes and answers: declared once, for the request and for the document of the API."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

from flask import Response, request
from flask_login import current_user
from flask_smorest import Blueprint
from pydantic import BaseModel, ValidationError

from exports import definition
from exports.errors import DefinitionRefused, ExportsError, Problem
from exports.errors.request import (
    BodyTooLarge,
    BodyUnreadable,
    KeyReused,
    KeyUnreadable,
    NotAllowed,
    NotJson,
    NotThere,
    ParametersRefused,
    RateLimited,
    RequestFailed,
    ScopeMissing,
    TokenInvalid,
    TokenMissing,
)
from webapp import bearer, problems
from webapp.permissions import authorize
from webapp.security import declared_action
from webapp.services import once
from webapp.views.lookups import find_export_or_404

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
bearer.limited(blueprint)

Body = TypeVar("Body", bound=BaseModel)
View = TypeVar("View", bound=Callable[..., Any])
Errors = Iterable[type[ExportsError]]

ALWAYS: Final = (TokenMissing, TokenInvalid, ScopeMissing, NotAllowed, BodyTooLarge, RateLimited, RequestFailed)
OF_BODY: Final = (BodyUnreadable, NotJson, DefinitionRefused)
MAX_KEY: Final = 200
NOT_MODIFIED: Final = 304
KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A random text of yours, such as a UUID. The same request with the same key within 24 hours is "
    "carried out once, and gets the same answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
}
RATE_HEADERS: Final = {
    f"RateLimit-{name}": {"description": about, "schema": {"type": "integer", "minimum": 0}}
    for name, about in {
        "Limit": "Requests that the token has in a minute.",
        "Remaining": "Those that are left in this one.",
        "Reset": "Seconds until it ends.",
    }.items()
}


def operation(method: str, rule: str, tag: str) -> Callable[[View], View]:
    """Bind a view to an address below /api/v1; the other decorators stand below this one."""
    bind: Callable[[View], View] = blueprint.route(rule, methods=[method], tags=[tag])
    return bind


def ref(name: str) -> dict[str, str]:
    """A schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def answers(
    status: int,
    shape: type[BaseModel] | dict[str, Any],
    about: str,
    errors: Errors = (),
    *,
    is_found: bool = False,
    also: Mapping[int, str] = MappingProxyType({}),
    kind: str = "application/json",
) -> Callable[..., Any]:
    """Declare what an operation answers, beside the errors that every one may, and those that the decorators below this
    one bring. A view gives the answer's shape, or a response of its own. `is_found`: the address names a thing.
    `also`: what else may come in place of the first; of the same `kind`, if it has a body.
    """

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def answered(*arguments: Any, **named: Any) -> Response:
            made = view(*arguments, **named)
            return made if isinstance(made, Response) else reply(made, status)

        told: Callable[..., Any] = blueprint.doc(operationId=view.__name__)(answered)
        schema = shape if isinstance(shape, dict) else ref(shape.__name__)
        headers = {**RATE_HEADERS, **(LOCATION if status == 201 else {})}
        for code, words in {status: about, **also}.items():
            shown = {} if code == NOT_MODIFIED else {"schema": schema, "content_type": kind}
            told = blueprint.alt_response(code, description=words, headers=headers, success=True, **shown)(told)
        return _told_errors(told, [*ALWAYS, *([NotThere] if is_found else []), *errors, *getattr(view, "errors", [])])

    return declare


LOCATION: Final = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}


def _may(view: Callable[..., Any], errors: Errors) -> Callable[..., Any]:
    """Remember errors for the document."""
    view.errors = [*getattr(view, "errors", []), *errors]  # type: ignore[attr-defined]
    return view


def _told_errors(view: Callable[..., Any], errors: Errors) -> Callable[..., Any]:
    """Document each status with the codes that it may have."""
    by_status: dict[int, list[type[ExportsError]]] = {}
    for one in errors:
        by_status.setdefault(problems.status_of(one), []).append(one)
    for status, kinds in by_status.items():
        about = "\n".join(f"- `{one.code}`: {one.sentence}" for one in kinds)
        view = blueprint.alt_response(
            status,
            schema=ref("ProblemDetails"),
            content_type=problems.MEDIA_TYPE,
            description=about,
            headers=_headers_of(status),
        )(view)
    return view


def _headers_of(status: int) -> dict[str, Any]:
    text, number = {"schema": {"type": "string"}}, {"schema": {"type": "integer", "minimum": 1}}
    if status == 401:
        return {"WWW-Authenticate": {"description": "Which token would do.", **text}}
    if status == 429:
        return {"Retry-After": {"description": "Seconds to wait.", **number}}
    return {}


def reply(shape: BaseModel, status: int = 200, location: str = "") -> Response:
    """The answer as JSON."""
    response = Response(shape.model_dump_json(exclude_unset=False) + "\n", status, content_type="application/json")
    if location:
        response.headers["Location"] = location
    return response


# --- what is asked


def asks(shape: type[BaseModel]) -> Callable[..., Any]:
    """Declare the parameters of the address; the view gets them as `asked`."""

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(view)
        def asking(*arguments: Any, **named: Any) -> Any:
            return view(*arguments, asked=_parameters(shape), **named)

        schema = shape.model_json_schema()
        told = [
            {"name": name, "in": "query", "required": False, "description": one.pop("description", ""), "schema": one}
            for name, one in schema["properties"].items()
        ]
        return _may(blueprint.doc(parameters=told)(asking), [ParametersRefused])

    return declare


def _parameters(shape: type[BaseModel]) -> BaseModel:
    """The parameters that were given.

    Raises:
        ParametersRefused: with every one that cannot be used.
    """
    twice = [name for name in request.args if len(request.args.getlist(name)) > 1]
    if twice:
        raise ParametersRefused([Problem(twice[0][:60], "shape.twice", f"{twice[0][:60]} is given more than once")])
    try:
        return shape.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise ParametersRefused(definition.problems_of(error)) from error


def takes(shape: type[BaseModel], *, required: bool = True) -> Callable[..., Any]:
    """Declare the body, which the view reads by `json_body`."""

    def declare(view: Callable[..., Any]) -> Callable[..., Any]:
        content = {"application/json": {"schema": ref(shape.__name__)}}
        told = blueprint.doc(requestBody={"required": required, "content": content})(view)
        return _may(told, OF_BODY)

    return declare


def json_body() -> Any:
    """The JSON value in the body.

    Raises:
        NotJson: it is of another type, or compressed.
        BodyUnreadable: it is none.
    """
    if request.mimetype != "application/json" or request.headers.get("Content-Encoding", "identity") != "identity":
        raise NotJson
    try:
        return definition.read_json(request.get_data())
    except RecursionError as error:
        raise BodyUnreadable(reason="it is nested too deeply.") from error
    except ValueError as error:
        raise BodyUnreadable(reason=f"{definition.printable(str(error))}.") from error


def read(shape: type[Body], document: Any) -> Body:
    """A body of that shape.

    Raises:
        DefinitionRefused: with every problem of it.
    """
    try:
        return shape.model_validate(document)
    except ValidationError as error:
        raise DefinitionRefused(definition.problems_of(error)) from error


# --- once


def repeatable(view: Callable[..., Any]) -> Callable[..., Any]:
    """For what makes something: with the header Idempotency-Key it is made once. The view gets `made_with`, which is
    the same for each repetition, and gives a response.
    """

    @functools.wraps(view)
    def repeated(*arguments: Any, **named: Any) -> Response:
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return view(*arguments, made_with=once.new(), **named)  # type: ignore[no-any-return]
        if not (0 < len(key) <= MAX_KEY and all("!" <= one <= "~" for one in key)):
            raise KeyUnreadable
        token_id = bearer.the_token().id
        known = once.begin(token_id, key, request.method, request.path, request.get_data())
        if known.answer is not None:
            _still_may(named.get("id"))
            return _again(known.answer, known.status or 200, known.location or "")
        response: Response = view(*arguments, made_with=known.made_with, **named)
        once.keep(token_id, key, response.status_code, response.get_data(as_text=True), response.headers["Location"])
        return response

    return _may(blueprint.doc(parameters=[KEY])(repeated), [KeyUnreadable, KeyReused])


def _still_may(id: uuid.UUID | None) -> None:
    """An answer of before is for who may ask for it now: the view, which would look, is not called. `id`: that of the
    export in the address.

    Raises:
        Refused: as the view would.
    """
    wanted = str(declared_action(request.endpoint))
    if id is None:
        authorize(current_user, wanted)
    else:
        find_export_or_404(wanted, id)


def _again(answer: str, status: int, location: str) -> Response:
    response = Response(answer, status, content_type="application/json")
    response.headers["Location"] = location
    response.headers["Idempotency-Replayed"] = "true"
    return response
