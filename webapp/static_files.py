"""Static files: ours and those of the packages that bring Bootstrap and htmx, under addresses that name their content.

`python -m webapp.static_files` (script/bootstrap calls it, gunicorn looks again at start) writes brotli and gzip copies
to build/static; without them the files are served all the same, only not compressed.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from wsgiref.headers import Headers

from flask import Flask
from whitenoise import WhiteNoise

ROOT: Final = Path(__file__).resolve().parent.parent
BUILT: Final = ROOT / "build" / "static"
PREFIX: Final = "/static/"


def package(name: str) -> Path:
    """The folder of an installed package, without importing it (js_lib_htmx would ask for Django)."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"the package {name} is not installed: run script/bootstrap")
    return Path(spec.origin).parent


@cache
def sources() -> dict[str, Path]:
    """Every static file by the name that templates call it."""
    ours = {path.name: path for path in sorted((ROOT / "static").iterdir()) if path.is_file()}
    return {
        **ours,
        "bootstrap.min.css": package("flask_bootstrap") / "static" / "bootstrap5" / "css" / "bootstrap.min.css",
        "htmx.min.js": package("js_lib_htmx") / "static" / "htmx" / "htmx.min.js",
    }


@cache
def hashed(name: str) -> str:
    """app.css -> app.3f2a9c01b7de.css.

    Raises:
        KeyError: there is no such static file.
    """
    digest = hashlib.sha256(sources()[name].read_bytes()).hexdigest()[:12]
    stem, dot, extension = name.rpartition(".")
    return f"{stem}.{digest}{dot}{extension}"


def static_url(name: str) -> str:
    """The address of a static file, for templates."""
    return PREFIX + hashed(name)


HARDENED: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
"""As the application's own answers, which never see these requests; opened by itself, a file shows and runs nothing."""
HTTPS_ONLY: Final = {"Strict-Transport-Security": "max-age=31556926; includeSubDomains"}
"""As flask-talisman says it of pages. A browser heeds it over HTTPS alone."""


def register(app: Flask) -> None:
    """Serve them in front of the application, which never sees their requests."""
    added = {**HARDENED, **HTTPS_ONLY} if app.config.get("SESSION_COOKIE_SECURE") else HARDENED

    def harden(headers: Headers, _path: str, _url: str) -> None:
        for name, value in added.items():
            headers[name] = value

    server = WhiteNoise(
        app.wsgi_app,
        allow_all_origins=False,
        add_headers_function=harden,
        immutable_file_test=lambda _path, _url: True,  # an address changes with its content
    )
    for name, source in sources().items():
        built = BUILT / hashed(name)
        server.add_file_to_dictionary(static_url(name), str(built if built.exists() else source))
    app.wsgi_app = server  # type: ignore[method-assign]
    app.add_template_global(static_url)


def build(folder: Path = BUILT) -> list[Path]:
    """Copy what is not there yet under its hashed name, with .br and .gz beside it; returns all copies.

    Older ones stay: a process of the version before may still serve them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, source in sources().items():
        if not (folder / hashed(name)).exists():
            _compress(source, folder / hashed(name))
    return [folder / hashed(name) for name in sources()]


def _compress(source: Path, copy: Path) -> None:
    """The copy itself comes last and whole: a server that starts meanwhile finds all three files or none."""
    from whitenoise.compress import Compressor

    with TemporaryDirectory(dir=copy.parent) as folder:
        made = Path(folder) / copy.name
        made.write_bytes(source.read_bytes())
        Compressor(quiet=True).compress(str(made))
        for path in sorted(Path(folder).iterdir(), key=lambda path: path == made):
            path.replace(copy.parent / path.name)


if __name__ == "__main__":
    build()
