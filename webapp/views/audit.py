"""**Audit log**: who did what, when, from where; searched and exported by admins and who has the grant for it."""

from __future__ import annotations

from datetime import date
from typing import Final

from flask import Blueprint, Response, request, stream_with_context
from flask_login import current_user

from webapp.htmx import page
from webapp.models import User
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import audit_log
from webapp.services.audit import KINDS
from webapp.services.audit_log import LogQuery
from webapp.services.progress import present

blueprint = Blueprint("audit", __name__)

MAX_SEARCH: Final = 200
NO_DAY: Final = "This is not a day. Write it as 2026-11-23."


@blueprint.get("/audit")
@action("audit.see")
def index() -> Response:
    """The newest entries, or those that are looked for."""
    authorize(current_user, "audit.see")
    asked, problems = _asked()
    before = request.args.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    found = audit_log.page(_user(), asked, number)
    return page(
        "audit/list.html",
        found=found,
        asked=asked,
        kinds=KINDS,
        link=_link(asked),
        told=audit_log.told,
        now=present(),
        problems=problems,
        status=422 if problems else 200,
    )


@blueprint.get("/audit/export")
@action("audit.see")
def export() -> Response:
    """The same as a CSV file."""
    authorize(current_user, "audit.see")
    asked, problems = _asked()
    if problems:
        return index()
    lines = audit_log.export(_user(), asked)
    answer = Response(stream_with_context(lines), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="audit-{present():%Y-%m-%d}.csv"'
    return answer


def _user() -> User:
    user: User = current_user._get_current_object()
    return user


def _asked() -> tuple[LogQuery, list[tuple[str, str]]]:
    """What is looked for, and what of it cannot be read."""
    days: dict[str, date | None] = {}
    problems = []
    for name in ("from", "to"):
        text = request.args.get(name, "").strip()
        try:
            days[name] = date.fromisoformat(text) if text else None
        except ValueError:
            days[name] = None
            problems.append((name, NO_DAY))
    search = request.args.get("q", "").replace("\x00", "").encode(errors="ignore").decode()[:MAX_SEARCH].strip()
    kind = request.args.get("kind", "")
    if days["to"] == date.max:  # there is no day after it
        days["to"] = None
    return LogQuery(search, kind if kind in KINDS else "", days["from"], days["to"]), problems


def _link(asked: LogQuery) -> dict[str, str]:
    values = {"q": asked.search, "kind": asked.kind, "from": asked.from_, "to": asked.to}
    return {name: str(value) for name, value in values.items() if value}
