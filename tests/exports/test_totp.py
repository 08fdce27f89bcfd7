"""Codes of authenticator apps: the vectors of RFC 6238, clocks that are off, and no code twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from exports import totp

SECRET = b"12345678901234567890"
NOW = datetime.fromtimestamp(1_111_111_109, UTC)


@pytest.mark.parametrize(
    ("moment", "code"),
    [(59, "287082"), (1_111_111_109, "081804"), (1_111_111_111, "050471"), (1_234_567_890, "005924"),
     (2_000_000_000, "279037"), (20_000_000_000, "353130")],
)  # fmt: skip
def test_the_vectors_of_the_standard(moment: int, code: str) -> None:
    at = datetime.fromtimestamp(moment, UTC)
    assert totp.code(SECRET, totp.step_of(at)) == code
    assert totp.step_with(SECRET, code, at, None) == moment // 30


@pytest.mark.parametrize(("seconds", "passes"), [(-60, False), (-30, True), (0, True), (30, True), (61, False)])
def test_a_clock_may_be_off_by_one_step(seconds: int, passes: bool) -> None:
    typed = totp.code(SECRET, totp.step_of(NOW + timedelta(seconds=seconds)))
    assert (totp.step_with(SECRET, typed, NOW, None) is not None) == passes


def test_a_code_and_those_before_it_are_used_up_with_it() -> None:
    step = totp.step_of(NOW)
    assert totp.step_with(SECRET, "081 804", NOW, step - 1) == step
    assert totp.step_with(SECRET, "081804", NOW, step) is None
    assert totp.step_with(SECRET, totp.code(SECRET, step - 1), NOW, step) is None
    assert totp.step_with(SECRET, totp.code(SECRET, step + 1), NOW, step) == step + 1


@pytest.mark.parametrize("typed", ["", "08180", "0818044", "08180x", "٠٨١٨٠٤", "-81804", "081804\x00"])
def test_what_is_no_code_is_none(typed: str) -> None:
    assert totp.step_with(SECRET, typed, NOW, None) is None


def test_an_app_is_told_issuer_account_and_secret() -> None:
    address = urlsplit(totp.address(SECRET, "Exports Maple & Co", "ann@maple.example"))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert unquote(address.path) == "/Exports Maple & Co:ann@maple.example"
    asked = parse_qs(address.query)
    assert asked == {"secret": ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"], "issuer": ["Exports Maple & Co"]}
    assert totp.spelled(SECRET) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"


def test_secrets_are_as_long_as_the_standard_wants_and_differ() -> None:
    assert len({totp.new_secret() for _ in range(10)}) == 10
    assert len(totp.new_secret()) == 20
