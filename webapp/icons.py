"""The icons that pages draw inline, cut at start from the sprite of Bootstrap Icons, which itself is never sent."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from flask import Flask
from markupsafe import Markup

from webapp.static_files import package

NAMES: Final = frozenset({
    "archive", "arrow-counterclockwise", "arrow-down", "arrow-down-up", "arrow-left", "arrow-left-right",
    "arrow-repeat", "arrow-right", "arrow-up", "box-arrow-right", "box-arrow-up-right", "braces", "calendar-check",
    "check-circle-fill", "check-lg", "chevron-down", "chevron-left", "chevron-right", "circle", "clipboard", "clock",
    "cloud-check", "dash-circle", "dash-lg", "download", "envelope", "exclamation-circle-fill",
    "exclamation-triangle-fill", "file-earmark-spreadsheet", "files", "grip-vertical", "hdd-network",
    "info-circle-fill", "key", "list", "lock-fill", "pause-circle", "pencil", "person", "person-circle", "play",
    "play-circle-fill", "plus-circle", "plus-lg", "search", "skip-forward-fill", "slash-circle", "table", "three-dots",
    "trash", "wifi-off", "x-circle-fill", "x-lg",
})  # fmt: skip
"""Every icon that a template may use; the sprite holds two thousand."""

_SYMBOL: Final = re.compile(r'<symbol class="[^"]*" viewBox="([^"]*)" id="([^"]*)">(.*?)</symbol>', re.DOTALL)


@cache
def drawings() -> dict[str, tuple[str, str]]:
    """View box and paths of every icon of NAMES.

    Raises:
        RuntimeError: the sprite lacks one of them.
    """
    sprite = package("flask_bootstrap") / "static" / "bootstrap5" / "icons" / "bootstrap-icons.svg"
    found = {id_: (box, paths) for box, id_, paths in _SYMBOL.findall(sprite.read_text()) if id_ in NAMES}
    if missing := NAMES - found.keys():
        raise RuntimeError(f"the sprite of bootstrap-flask has no icon {', '.join(sorted(missing))}")
    return found


@cache
def icon(name: str, classes: str = "") -> Markup:
    """An icon as decoration: it is hidden from screen readers, the word beside it says what it means.

    Raises:
        KeyError: the icon is not in NAMES.
    """
    box, paths = drawings()[name]
    return Markup('<svg class="{}" viewBox="{}" aria-hidden="true" focusable="false">{}</svg>').format(
        f"i {classes}".strip(),
        box,
        Markup(paths),  # noqa: S704 (the package's own drawing, no input)
    )


REFERRED_TO: Final = (
    "arrow-down", "arrow-right", "arrow-up", "chevron-down", "chevron-right", "exclamation-circle-fill",
    "exclamation-triangle-fill", "grip-vertical", "plus-lg", "trash",
    "check-circle-fill", "clock", "pause-circle", "play-circle-fill", "skip-forward-fill", "slash-circle",
    "x-circle-fill",
)  # fmt: skip
"""Icons of the lines of Field settings, of which there can be 500, and of the rows of the list: drawn once on the page,
else they are half of it.
"""


@cache
def icons_once() -> Markup:
    """The drawings that `icon_of` refers to: once on a page, outside of what is swapped."""
    symbol = '<symbol id="i-{}" viewBox="{}">{}</symbol>'
    symbols = "".join(symbol.format(name, *drawings()[name]) for name in REFERRED_TO)
    return Markup(f'<svg hidden aria-hidden="true">{symbols}</svg>')  # noqa: S704 (the package's own drawings)


@cache
def icon_of(name: str) -> Markup:
    """The same icon by a reference to the page's one drawing of it.

    Raises:
        KeyError: the icon is not in REFERRED_TO.
    """
    if name not in REFERRED_TO:
        raise KeyError(name)
    return Markup('<svg class="i" aria-hidden="true" focusable="false"><use href="#i-{}"></use></svg>').format(name)


def register(app: Flask) -> None:
    """Give templates `icon(name, classes)`, `icons_once()` and `icon_of(name)`."""
    drawings()
    for given in (icon, icon_of, icons_once):
        app.add_template_global(given)
