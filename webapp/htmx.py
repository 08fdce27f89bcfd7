"""Everything `HX-*`: one URL, one view, two answers (STYLE section 4).

`page` answers the whole page, or, to an htmx request whose target is one of the *declared* fragments, that block alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, make_response, redirect, render_template, request
from jinja2_fragments.flask import render_block


def is_htmx() -> bool:
    """Whether a fragment is wanted: boosted and history-restoring requests get the whole page."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
    )


def target() -> str:
    """The id of the element that the answer is put into."""
    return request.headers.get("HX-Target", "")


def current_path() -> str:
    """Path and question of the page that an htmx request comes from."""
    page_ = urlsplit(request.headers.get("HX-Current-URL", ""))
    return f"{page_.path}?{page_.query}" if page_.query else page_.path


def _vary(response: Response) -> Response:
    response.vary.update(("HX-Request", "HX-Target"))
    return response


def page(template: str, fragments: Iterable[str] = (), status: int = 200, **context: Any) -> Response:
    """The page, or the block `run_table` for a request whose target is `run-table`, if `fragments` declares it.

    The template knows by `alone` that only the block is wanted: what goes elsewhere in the page may then follow it.
    """
    block = target().replace("-", "_")
    alone = is_htmx() and block in set(fragments)
    context["alone"] = alone
    text = render_block(template, block, **context) if alone else render_template(template, **context)
    return _vary(make_response(text, status))


def fragment(template: str, block: str | None = None, status: int = 200, **context: Any) -> Response:
    """A fragment without a page of its own: a template, or one block of it."""
    text = render_block(template, block, **context) if block else render_template(template, **context)
    return _vary(make_response(text, status))


def go(url: str) -> Response:
    """After a POST: 303 to a plain request; `HX-Redirect` to htmx, which does not see headers of a 3xx."""
    if not is_htmx():
        return _vary(redirect(url, 303))  # type: ignore[arg-type]
    response = make_response("", 200)
    response.headers["HX-Redirect"] = url
    return _vary(response)


def sign_in(url: str) -> Response:
    """In place of a 401: 302 to the login for a plain request; to htmx the 401 itself, with `HX-Redirect`."""
    if not is_htmx():
        return _vary(redirect(url, 302))  # type: ignore[arg-type]
    response = make_response("", 401)
    response.headers["HX-Redirect"] = url
    return _vary(response)


def nothing_new() -> Response:
    """A poll that found nothing changed."""
    return _vary(make_response("", 204))


def stop_polling(response: Response) -> Response:
    """The last answer of a poll: status 286 is htmx's word for enough; with 200 the content is swapped all the same."""
    response.status_code = 286
    return response


def instead(response: Response, selector: str) -> Response:
    """Put the answer in place of another element than the one that asked."""
    response.headers["HX-Retarget"] = selector
    response.headers["HX-Reswap"] = "outerHTML"
    return response


def around_alone(response: Response) -> Response:
    """Keep the target as it is: the answer is about what goes out of band alone."""
    response.headers["HX-Reswap"] = "none"
    return response


def event(response: Response, name: str) -> Response:
    """Tell the page that something happened (past tense, camelCase); parts that care refetch themselves."""
    response.headers["HX-Trigger"] = name
    return response


def no_store(response: Response) -> Response:
    """Keep an answer out of every cache."""
    response.headers["Cache-Control"] = "no-store"
    return response


def htmx_config() -> dict[str, Any]:
    """The content of the meta tag htmx-config (UX section 4)."""
    return {
        "allowEval": False,
        "allowScriptTags": False,
        "includeIndicatorStyles": False,
        "selfRequestsOnly": True,
        "historyCacheSize": 0,
        "refreshOnHistoryMiss": True,
        "responseHandling": [
            {"code": "204", "swap": False},
            {"code": "[23]..", "swap": True},
            {"code": "409", "swap": True},
            {"code": "422", "swap": True},
            {"code": "[45]..", "swap": False, "error": True},
        ],
    }


def register(app: Flask) -> None:
    """Give templates what they say of htmx."""
    app.add_template_global(htmx_config)
    app.add_template_global(is_htmx)
