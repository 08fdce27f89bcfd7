"""Rules that hold for the whole project: what may stand in it, and what its docs must say."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.campaigns import CAMPAIGNS, FILES

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


ASVS = """
1.1.1 1.1.2 1.2.1 1.2.2 1.2.3 1.2.4 1.2.9 1.2.10 1.3.3 1.3.6 1.3.7 1.3.10 1.3.11 1.5.2 2.1.3 2.2.1 2.2.2 2.2.3
2.3.1 2.3.3 2.3.4 2.4.1 3.2.1 3.3.1 3.3.2 3.3.3 3.3.4 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.5.1 3.5.2 3.5.3
3.7.2 4.1.1 4.1.3 4.2.1 5.3.2 5.4.1 5.4.2 6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.3.1
6.3.2 6.3.3 6.4.1 7.1.1 7.2.1 7.2.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.4 7.4.5 8.1.1 8.1.2 8.2.1
8.2.2 8.2.3 8.3.1 8.4.1 9.1.1 9.2.1 9.2.2 11.1.1 11.1.2 11.3.1 11.3.2 11.3.3 11.4.2 11.5.1 12.1.1 12.3.1
12.3.2 13.1.1 13.2.2 13.2.3 13.2.4 13.3.1 13.3.2 13.4.2 14.1.1 14.1.2 14.2.1 14.2.2 14.3.1 14.3.2 14.3.3
15.1.1 15.1.2 15.1.3 15.2.1 15.2.2 15.3.1 15.3.3 15.3.4 15.3.7 16.1.1 16.2.1 16.2.2 16.2.3 16.2.4 16.2.5
16.3.1 16.3.2 16.3.3 16.3.4 16.4.1 16.4.2 16.4.3 16.5.1 16.5.2 16.5.3
"""
"""What of levels 1 and 2 of OWASP ASVS 5.0 applies (RELIABILITY section 5); 1.2.10 is of level 3, and what we make."""


def test_each_requirement_of_asvs_has_its_line_and_a_test_that_exists() -> None:
    rows = re.findall(r"^\| (\d+\.\d+\.\d+) \| (.+) \|(.*)\|$", (ROOT / "docs/asvs.md").read_text(), re.MULTILINE)
    assert [id_ for id_, _, _ in rows] == ASVS.split()
    for id_, does, tests in rows:
        named = [one.strip() for one in tests.split(",") if one.strip()]
        assert named or "**Deviation**" in does, id_
        for one in named:
            path, _, name = one.partition("::")
            assert re.search(rf"^def {re.escape(name)}\(", (ROOT / path).read_text(), re.MULTILINE), f"{id_}: {one}"


def test_each_campaign_names_the_files_of_its_tests() -> None:
    """`script/soak` reads these alone: a test in another file would not be in its campaign."""
    joined: dict[str, set[str]] = {name: set() for name in CAMPAIGNS}
    for path in (ROOT / "tests").rglob("test_*.py"):
        for name in re.findall(
            r'^(?:@campaign|@drill|pytestmark = pytest.mark.campaign)\(\s*"(\w+)"', path.read_text(), re.MULTILINE
        ):
            joined[name].add(path.relative_to(ROOT / "tests").as_posix())
    assert joined == {name: set(files) for name, files in FILES.items()}
    page = (ROOT / "docs/campaigns.md").read_text()
    assert [name for name in CAMPAIGNS if f"| `{name}` |" not in page] == []
