"""Technical details of errors are stored without credentials and without what records hold (RELIABILITY P6)."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exports.scrubbing import MAX_DETAIL, scrubbed

SECRET = "hunter2"


@pytest.mark.parametrize(
    "detail",
    [
        f"connection to postgresql://exports:{SECRET}@db.example/loyalty failed",
        f"redis://:{SECRET}@cache:6379/0",
        f"s3 error: secret_access_key={SECRET} region=x",
        f"AWS_SECRET_ACCESS_KEY: {SECRET}",
        f'{{"password": "{SECRET}"}}',
        f"Authorization: Bearer {SECRET}",
        f"password='{SECRET} with blanks' host=x",
        f'22P02 invalid input syntax for type integer: "{SECRET}"',
        f"23505 duplicate key\nDETAIL:  Key (email)=({SECRET}) already exists.\nCONTEXT:  COPY customers: {SECRET}",
    ],
)
def test_no_secret_is_left(detail: str) -> None:
    assert SECRET not in scrubbed(detail)
    assert "***" in scrubbed(detail)


def test_what_helps_is_kept() -> None:
    text = 'File "jobs/runs.py", line 12, in attempt\n42703 UndefinedColumn: column "points" does not exist'
    assert scrubbed(text) == text


@pytest.mark.parametrize("text", ["x", "-", "\n", " ", "password", "password=", "a=1,", "DETAIL:"])
def test_a_long_detail_takes_no_longer_than_it_is_long(text: str) -> None:
    began = time.process_time()
    scrubbed(text * 20_000)
    assert time.process_time() - began < 1


@given(st.text(max_size=200), st.integers(0, 3))
def test_whatever_it_is_it_can_be_stored(text: str, times: int) -> None:
    found = scrubbed((text + "x" * 1000) * (times * 2))
    assert len(found) <= MAX_DETAIL
    assert "\x00" not in found
    found.encode()
