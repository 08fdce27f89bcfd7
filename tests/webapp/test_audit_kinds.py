"""The closed list of what is recorded: nothing else is, and each kind is raised somewhere and has a test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from webapp.services.audit import KINDS, record

ROOT = Path(__file__).parents[2]


def words_of(*folders: str) -> set[str]:
    """Every text in quotes in the Python files of these folders, but the list itself."""
    files = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    code = "".join(path.read_text() for path in files if path.name != "audit.py" or "cli" in path.parts)
    return set(re.findall(r'"([a-z_.]+)"', code))


def test_each_kind_is_raised_somewhere() -> None:
    assert words_of("webapp", "jobs") >= KINDS.keys()


def test_each_kind_is_looked_for_by_a_test() -> None:
    """Of each thing that is done, a test looks whether it was written down."""
    assert sorted(KINDS.keys() - words_of("tests")) == []


def test_each_kind_is_called_otherwise() -> None:
    assert len(set(KINDS.values())) == len(KINDS)


def test_each_kind_stands_in_the_docs() -> None:
    page = (ROOT / "docs/audit.md").read_text()
    assert [kind for kind in sorted(KINDS) if f"`{kind}`" not in page] == []


def test_what_is_no_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="no kind of audit entry"):
        record("export.frobnicated", "nobody")
