"""Files are named for their exports, and every system takes the names (SPEC section 6, "Download")."""

from __future__ import annotations

import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.archive import RESERVED, file_name, zipped

HOSTILE = json.loads((Path(__file__).parents[1] / "data" / "hostile_inputs.json").read_text())
NAMES = [
    entry["value"]["$repeat"] * entry["value"]["n"] if isinstance(entry["value"], dict) else entry["value"]
    for entry in HOSTILE
    if entry["group"] == "export_name"
]


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("Coupon use 2017", "Coupon use 2017.csv"),
        ('a/b\\c:d*e?f"g<h>i|j', "a_b_c_d_e_f_g_h_i_j.csv"),
        ("a\x1b[31m\x7f\x85b", "a_[31m__b.csv"),
        (" .. name .. ", "name.csv"),
        ("../../etc/passwd", "_.._etc_passwd.csv"),
        ("...", "export.csv"),
        ("", "export.csv"),
        ("con", "con_.csv"),
        ("NUL.txt", "NUL_.txt.csv"),
        ("com1 .x", "com1 _.x.csv"),
        ("console", "console.csv"),
        ("Őszi árvíztűrő 日本 \U0001f642", "Őszi árvíztűrő 日本 \U0001f642.csv"),
        (".htaccess", "htaccess.csv"),
        ("é" * 200, "é" * 98 + ".csv"),
    ],
)
def test_the_file_inherits_the_name_of_the_export(name: str, file: str) -> None:
    assert file_name(name, "csv") == file


def is_safe(file: str) -> bool:
    """What the rule asks of a name."""
    stem = file.rpartition(".")[0]
    return (
        not re.search(r'[/\\:*?"<>|\x00-\x1f\x7f-\x9f]', file)
        and len(file.encode(errors="surrogatepass")) <= 200
        and stem == stem.strip(". ")
        and bool(stem)
        and stem.split(".")[0].rstrip(" ").lower() not in RESERVED
    )


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_give_harmless_files(name: str) -> None:
    assert is_safe(file_name(name, "csv"))


@given(st.text(max_size=200), st.sampled_from(["csv", "psv", "json", "jsonl", "zip"]))
def test_any_name_gives_a_harmless_file(name: str, extension: str) -> None:
    file = file_name(name, extension)
    assert is_safe(file)
    assert file.endswith(f".{extension}")
    file.encode()


@given(st.sampled_from(sorted(RESERVED)), st.text(max_size=210))
def test_names_that_windows_keeps_for_devices_are_changed(name: str, rest: str) -> None:
    assert is_safe(file_name(f"{name}.{rest}", "csv"))


@given(st.lists(st.binary(max_size=1000), max_size=10))
def test_an_archive_gives_back_what_was_put_in_and_is_the_same_every_time(pieces: list[bytes]) -> None:
    data = b"".join(zipped(iter(pieces), "ű.csv"))
    assert data == b"".join(zipped(iter(pieces), "ű.csv"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["ű.csv"]
        assert archive.read("ű.csv") == b"".join(pieces)
        assert archive.infolist()[0].date_time == (1980, 1, 1, 0, 0, 0)
