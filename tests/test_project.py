"""Rules that hold for the whole project: what may stand in it, and what its docs must say."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TOP_LEVEL = {
    "webapp", "exports", "jobs", "demo", "templates", "static", "tests", "script", "docs", "benchmarks", "migrations",
    ".ci", "wsgi.py", "Procfile", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "pyproject.toml", ".importlinter",
    ".gitignore", "requirements.in", "requirements.txt", "requirements-demo.in", "requirements-demo.txt",
    "requirements-dev.in", "requirements-dev.txt",
}  # fmt: skip


def tracked() -> list[Path]:
    """Every file of the project."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in names.split("\0") if name and (ROOT / name).exists()]


def python_files(*folders: str) -> list[Path]:
    """The Python files of some folders."""
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders]


def test_the_top_level_stays_as_it_is() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in tracked()} <= TOP_LEVEL


def test_no_file_is_called_utils_or_helpers() -> None:
    assert not [path for path in tracked() if path.stem in ("utils", "helpers", "misc", "common")]


def test_every_module_opens_with_a_sentence() -> None:
    silent = [
        path for path in python_files("exports", "webapp", "jobs", "demo") if not path.read_text().startswith('"""')
    ]
    assert not silent


def test_pins_have_hashes_and_no_index_address() -> None:
    for name in ("requirements.txt", "requirements-demo.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"https?://|file://|--index|--find-links", text)


def test_each_dependency_has_its_reason() -> None:
    page = (ROOT / "docs/dependencies.md").read_text()
    for name in ("requirements.in", "requirements-demo.in", "requirements-dev.in"):
        for line in (ROOT / name).read_text().splitlines():
            package = re.match(r"[a-z0-9\[\]-]+", line)
            if package and not line.startswith(("#", "-")):
                assert package[0] in page, package[0]


def test_each_setting_is_in_the_docs() -> None:
    page = (ROOT / "docs/settings.md").read_text()
    code = "".join(path.read_text() for path in python_files("webapp", "jobs", "demo", "exports"))
    for name in set(re.findall(r'environ(?:\.get)?[\[(]\s*"([A-Z_]{4,})"', code)):
        assert f"`{name}`" in page, name


@pytest.mark.parametrize("folder", ["exports", "webapp", "jobs", "demo", "script", "benchmarks"])
def test_no_file_has_outgrown_its_subject(folder: str) -> None:
    long = {path.name: count for path in python_files(folder) if (count := len(path.read_text().splitlines())) > 400}
    assert not long


def test_the_demo_is_reached_by_its_entry_point_alone() -> None:
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["flask.commands"]
    assert entries == {"demo": "demo.cli:demo"}
