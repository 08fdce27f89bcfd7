"""Static files: addresses that name their content, compressed copies, and nothing that no page needs."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import brotli
import pytest
from flask import Flask

from tests.fix_pages import check
from webapp import icons, static_files


@pytest.mark.parametrize("name", sorted(static_files.sources()))
def test_an_address_names_the_content_and_never_has_to_be_asked_for_again(app: Flask, name: str) -> None:
    content = static_files.sources()[name].read_bytes()
    response = app.test_client().get(static_files.static_url(name), buffered=True)
    assert response.status_code == 200
    assert response.data == content
    assert hashlib.sha256(content).hexdigest()[:12] in static_files.static_url(name)
    assert response.headers["Cache-Control"] == "max-age=315360000, public, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Access-Control-Allow-Origin" not in response.headers


def test_no_file_has_a_second_address(app: Flask) -> None:
    client = app.test_client()
    for address in (
        "/static/app.css",
        "/static/app.000000000000.css",
        "/bootstrap/static/bootstrap5/css/bootstrap.min.css",
    ):
        assert client.get(address).status_code == 404


def test_bootstrap_makes_smaller_copies_with_the_same_content(tmp_path: Path) -> None:
    made = static_files.build(tmp_path)
    assert {path.name for path in made} == {static_files.hashed(name) for name in static_files.sources()}
    css = next(path for path in made if path.name.startswith("bootstrap.min."))
    assert gzip.decompress(Path(f"{css}.gz").read_bytes()) == css.read_bytes()
    assert brotli.decompress(Path(f"{css}.br").read_bytes()) == css.read_bytes()
    assert Path(f"{css}.br").stat().st_size < 31_000


def test_making_them_again_makes_only_what_is_missing(tmp_path: Path) -> None:
    made = static_files.build(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    made[0].unlink()
    static_files.build(tmp_path)
    changed = {path.name for path in tmp_path.iterdir() if path.stat().st_mtime_ns != before[path]}
    assert changed == {made[0].name, f"{made[0].name}.br", f"{made[0].name}.gz"}


def test_compressed_copies_are_served_to_who_takes_them(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    static_files.build(tmp_path)
    monkeypatch.setattr(static_files, "BUILT", tmp_path)
    small = Flask("small")
    static_files.register(small)
    takes = {"Accept-Encoding": "br"}
    response = small.test_client().get(static_files.static_url("app.css"), headers=takes, buffered=True)
    assert response.headers["Content-Encoding"] == "br"
    assert brotli.decompress(response.data) == static_files.sources()["app.css"].read_bytes()


def test_icons_are_drawn_inline_and_hidden_from_screen_readers() -> None:
    for name in icons.NAMES:
        drawn = str(icons.icon(name, "spin"))
        check(drawn, whole=False)
        assert drawn.startswith('<svg class="i spin" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><')


def test_an_icon_that_is_not_on_the_list_is_an_error() -> None:
    with pytest.raises(KeyError):
        icons.icon("0-circle")


def test_every_icon_on_the_list_is_used() -> None:
    root = static_files.ROOT
    drawing = [*(root / "webapp" / "views").rglob("*.py"), root / "webapp" / "drawn.py"]
    files = [*(root / "templates").rglob("*.html"), *drawing]
    used = "".join(path.read_text() for path in files)
    assert [name for name in sorted(icons.NAMES) if f'"{name}"' not in used] == []
