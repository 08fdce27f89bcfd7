"""Where an upload goes: placeholders of a closed list, and nothing that leads elsewhere (SPEC section 8)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.paths import MAX_PART, PLACEHOLDERS, PathRefused, check, expand, has_placeholder, numbered
from tests.fix_hostile import group, shown

AT = datetime(2027, 1, 2, 23, 4, 5, tzinfo=UTC)
HERE = ZoneInfo("UTC")
BUDAPEST = ZoneInfo("Europe/Budapest")

moments = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30), timezones=st.just(HERE))
parts = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="/%\\"), max_size=20)


@given(st.sampled_from(sorted(PLACEHOLDERS)), moments)
def test_each_placeholder_is_what_strftime_makes_of_it(placeholder: str, moment: datetime) -> None:
    assert expand(f"/in/x{placeholder}y.csv", moment, HERE, "csv") == f"/in/x{moment.strftime(placeholder)}y.csv"


@given(st.characters(exclude_categories=["Cs"]))
def test_no_other_placeholder_is_known(letter: str) -> None:
    if f"%{letter}" not in PLACEHOLDERS:
        with pytest.raises(PathRefused):
            expand(f"/in/%{letter}.csv", AT, HERE, "csv")


@given(st.lists(parts, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_a_path_is_refused_or_stays_below_its_folder(typed: list[str], is_absolute: bool, archive: bool) -> None:
    path = ("/" if is_absolute else "") + "/".join(typed)
    try:
        whole = expand(path, AT, HERE, "csv", archive)
    except PathRefused:
        return
    assert whole.endswith(".zip") == archive or not archive
    assert not any(part.startswith(".") for part in whole.split("/"))
    assert "//" not in whole
    assert whole.startswith("/") == path.startswith("/")


def test_every_hostile_path_has_its_outcome() -> None:
    expected = {"/upload/100%%_%Y.csv": "/upload/100%_2027.csv", "/upload/%Y%m%d.csv": "/upload/20270102.csv"}
    expected["//a.csv"] = "/a.csv"
    for value, is_refused in group("target_path"):
        if is_refused:
            with pytest.raises(PathRefused) as refused:
                check(value, "csv", archive=False)
            assert "path" in str(refused.value).lower(), shown(value)
        else:
            assert expand(value, AT, HERE, "csv") == expected.get(value, value), shown(value)


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/upload/exports/Antavo_EventCounts_%Y%m%d", "/upload/exports/Antavo_EventCounts_20270103.csv"),
        ("a.CSV", "a.CSV"),
        ("a.2027", "a.2027.csv"),
        ("a.abcdefgh", "a.abcdefgh"),
        ("a.abcdefghi", "a.abcdefghi.csv"),
        ("a.b/c", "a.b/c.csv"),
        ("a.%b", "a.Jan.csv"),
        ("a.", "a..csv"),
        ("a.txt ", "a.txt .csv"),
    ],
)
def test_the_extension_is_added_unless_there_is_one(path: str, written: str) -> None:
    assert expand(path, AT, BUDAPEST, "csv") == written


def test_an_archive_is_the_path_with_zip_behind_it() -> None:
    assert expand("/in/x", AT, HERE, "csv", archive=True) == "/in/x.csv.zip"
    assert expand("/in/x.psv", AT, HERE, "psv", archive=True) == "/in/x.psv.zip"


def test_the_moment_is_told_in_the_zone_of_the_export() -> None:
    assert expand("%Y-%m-%d %H", AT, BUDAPEST, "csv") == "2027-01-03 00.csv"


def test_what_the_extension_makes_too_long_is_refused() -> None:
    check("a" * (MAX_PART - 4), "csv", archive=False)
    for path, archive in (("a" * (MAX_PART - 3), False), ("a" * (MAX_PART - 4), True), ("ab/" * 341 + "abcd", False)):
        with pytest.raises(PathRefused, match="longer than"):
            check(path, "csv", archive=archive)


@pytest.mark.parametrize(
    ("path", "second"),
    [
        ("/in/x.csv", "/in/x-2.csv"),
        ("/in/x.csv.zip", "/in/x-2.csv.zip"),
        ("/in.d/x", "/in.d/x-2"),
        ("x.v1.2.csv", "x.v1.2-2.csv"),
        ("2027.csv", "2027-2.csv"),
        ("/in/" + "a" * 249 + ".csv", "/in/" + "a" * 249 + "-2.csv"),
        ("/in/" + "a" * 250 + ".csv", "/in/" + "a" * 249 + "-2.csv"),
        ("a" * 251 + ".csv", "a" * 249 + "-2.csv"),
        ("é" * 123 + ".csv.zip", "é" * 122 + "-2.csv.zip"),
    ],
)
def test_a_number_stands_before_the_extension(path: str, second: str) -> None:
    assert numbered(path, 2) == second


def test_a_percent_sign_that_is_written_twice_is_no_placeholder() -> None:
    assert not has_placeholder("/in/100%%.csv")
    assert has_placeholder("/in/100%%%Y.csv")


def test_every_placeholder_is_in_the_docs() -> None:
    page = Path("docs/delivery.md").read_text()
    assert [one for one in PLACEHOLDERS if f"`{one}`" not in page] == []
