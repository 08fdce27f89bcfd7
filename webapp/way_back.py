"""The way back after a login: only to pages of ours (RELIABILITY fact 10)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from flask import current_app, request, url_for
from werkzeug.exceptions import HTTPException

from webapp.htmx import current_path, is_htmx

_OWN: Final = re.compile(r"/(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*/?)*(?:\?[A-Za-z0-9_.~!$&'()*+,;=:@/?%-]*)?", re.ASCII)
"""What our own addresses look like: no empty part, none that begins with a dot, no escape before the question mark."""
MAX: Final = 2000


def own_path(wanted: str | None) -> str:
    """The address to go to after a login: the wanted one if a page of ours answers it, else the exports list."""
    home = url_for("exports.index")
    if not wanted or len(wanted) > MAX or not _OWN.fullmatch(wanted) or not _answers_get(urlsplit(wanted).path):
        return home
    return wanted


def here() -> str:
    """The page that the person is on: of a fragment that which shows it, of a form the page with that form."""
    if is_htmx():
        return own_path(current_path())
    wanted = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else request.path
    return own_path(wanted)


def _answers_get(path: str) -> bool:
    adapter = current_app.create_url_adapter(request)
    try:
        return adapter is not None and bool(adapter.match(path, method="GET"))
    except HTTPException:
        return False
