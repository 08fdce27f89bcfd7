"""Around every request: who it is, what it may do, which brand it sees, and the headers that keep a browser honest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, ParamSpec, TypeVar

from flask import Flask, Response, abort, current_app, g, request
from flask_login import current_user
from flask_talisman import Talisman

from webapp import bearer, logs
from webapp.extensions import db
from webapp.models import User, brand_scope
from webapp.models.tokens import SCOPES
from webapp.permissions import ACTIONS, PUBLIC, may
from webapp.web_extensions import csrf, login

P = ParamSpec("P")
R = TypeVar("R")

CONTENT_SECURITY_POLICY: Final = {
    "default-src": "'none'",
    "object-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "font-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}
ADMIN_PAGES: Final = (
    ("users.list", "people.index", "People", "person-circle"),
    ("settings.change", "settings.index", "Settings", "pencil"),
    ("fields.change", "fields.index", "Custom fields", "table"),
    ("tokens.list", "tokens.index", "API tokens", "key"),
    ("personal.report", "personal.index", "Personal data", "lock-fill"),
    ("webhooks.change", "webhooks.index", "Webhooks", "cloud-check"),
)
"""Action, endpoint, label, icon."""
NOTHING: Final = "default-src 'none'; object-src 'none'; base-uri 'none'"
"""The policy of what is no page: a browser runs and loads nothing of it."""
PAGE_POLICY: Final = "; ".join(f"{name} {value}" for name, value in CONTENT_SECURITY_POLICY.items())


def answer_with_policy(policy: str, frame: str = "DENY") -> None:
    """Give the answer to this request a Content-Security-Policy of its own, and say who may show it in a frame."""
    g.own_policy = policy, frame


def action(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare what a view does, in the words of `permissions.ACTIONS`; a route without it is refused."""

    def declare(view: Callable[P, R]) -> Callable[P, R]:
        view.action = name  # type: ignore[attr-defined]
        return view

    return declare


def sandboxed(view: Callable[P, R]) -> Callable[P, R]:
    """For views that answer files: whatever is in one, the browser runs nothing of it (RELIABILITY T11)."""
    view.sandboxed = True  # type: ignore[attr-defined]
    return view


def require_actions(app: Flask) -> None:
    """Refuse to start with a route whose view declares no action, or one that nobody may do, and with one of the API
    that declares no scope.

    Raises:
        RuntimeError: naming the routes.
    """
    wanted = {PUBLIC, *ACTIONS}
    silent = [
        name
        for name, view in app.view_functions.items()
        if name.startswith("api.") and getattr(view, "scope", None) not in SCOPES
    ]
    if silent:
        raise RuntimeError(f"these routes declare no scope of webapp/models/tokens.py: {', '.join(sorted(silent))}")
    wrong = [name for name, view in app.view_functions.items() if getattr(view, "action", None) not in wanted]
    if wrong:
        raise RuntimeError(f"these routes declare no action of webapp/permissions.py: {', '.join(sorted(wrong))}")


def declared_action(endpoint: str | None) -> str | None:
    """The action that the view of an endpoint declared (static files never get here)."""
    if endpoint is None:
        return None
    return getattr(current_app.view_functions[endpoint], "action", None)


@login.user_loader  # type: ignore[untyped-decorator]  # flask-login ships no types
def _load_user(token: str) -> User | None:
    """Whom the session's row brought along (webapp/models/sessions.py)."""
    user: User | None = g.get("arrived")
    if bearer.is_asked() or user is None or user.token != token or not user.is_active:
        return None
    return user


def _enter() -> None:
    """For a person who is logged in: the brand that all statements are held to."""
    g.scopes = ExitStack()
    if (error := g.get("without_session")) is not None:
        raise error
    if request.endpoint is None:
        return
    wanted = declared_action(request.endpoint)
    if wanted is None:
        raise RuntimeError(f"the route {request.endpoint} declares no action")
    if bearer.is_asked():
        bearer.the_token()
    viewer = _viewer()
    if wanted != PUBLIC and not bearer.is_asked() and not viewer.is_authenticated:
        abort(401)
    if viewer.is_authenticated:
        g.scopes.enter_context(brand_scope(viewer.brand_id))
        logs.also(user=str(viewer.id))
    if bearer.is_asked():
        bearer.enter()
    request.get_data(cache=True)  # kept, so that a view can tell a text that is no Unicode, which a form hides
    if not bearer.is_asked():
        csrf.protect()  # here, not before: who is signed out is led to the login, and a refusal has a brand


def _viewer() -> User:
    """Who is logged in, and not flask-login's stand-in, which looks for the person at every question."""
    return current_user._get_current_object()  # type: ignore[no-any-return]


def _drop_unsaved(response: Response) -> Response:
    """What no service committed is not kept: one request is one commit or none."""
    db.session.close()
    return response


def _keep_private(response: Response) -> Response:
    """What a person saw is not for the next one at the same machine: no cache keeps it, unless the view says so."""
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _sandbox(response: Response) -> Response:
    """A page in place of the file, which says why there is none, is a page like the others."""
    view = current_app.view_functions.get(request.endpoint or "")
    if getattr(view, "sandboxed", False) and response.status_code < 400:
        response.headers["Content-Security-Policy"] = f"{NOTHING}; frame-ancestors 'none'; sandbox"
    if "own_policy" in g and response.status_code < 400:
        response.headers["Content-Security-Policy"], response.headers["X-Frame-Options"] = g.own_policy
    return response


def _leave(_error: BaseException | None) -> None:
    scopes = g.pop("scopes", None)
    if scopes is not None:
        scopes.close()


def admin_pages() -> list[tuple[str, str, str]]:
    """The pages of the account menu that the person may see: endpoint, label, icon."""
    viewer = _viewer()
    return [page[1:] for page in ADMIN_PAGES if may(viewer, page[0])]


def may_open(endpoint: str) -> bool:
    """Whether the person may see a page that is about no single thing."""
    return may(_viewer(), declared_action(endpoint) or "")


def register(app: Flask) -> None:
    """Bind everything of this module to the application."""
    app.add_template_global(admin_pages)
    app.add_template_global(may_open)
    app.after_request(_sandbox)  # what is bound first is asked last: Talisman's headers are there by then
    Talisman(
        app,
        force_https=False,
        strict_transport_security=not app.config["SETTINGS"].embedded,
        content_security_policy=CONTENT_SECURITY_POLICY,
        frame_options="DENY",
        referrer_policy="no-referrer",
        session_cookie_secure=app.config["SESSION_COOKIE_SECURE"],
        session_cookie_samesite="Lax",
    )
    bearer.register(app)
    app.before_request(_enter)
    app.after_request(_drop_unsaved)
    app.after_request(_keep_private)
    app.teardown_request(_leave)
