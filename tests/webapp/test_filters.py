"""How sizes, numbers and moments read on screen."""

from datetime import UTC, datetime

import pytest

from webapp.filters import moment, number, size


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, ""), (0, "0 bytes"), (940, "940 bytes"), (18_000, "18 kB"), (3_640_000, "3.6 MB"), (98_400_000, "98.4 MB"),
     (141_071_784, "141 MB"), (999_499, "999 kB"), (999_500, "1.0 MB"), (21_000_000_000, "21.0 GB")],
)  # fmt: skip
def test_sizes_are_in_si_units(count: int | None, text: str) -> None:
    assert size(count) == text


def test_numbers_have_separators() -> None:
    assert number(1_469_307) == "1,469,307"


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (datetime(2026, 11, 23, 9, 38, tzinfo=UTC), "Today 10:38"),
        (datetime(2026, 11, 22, 23, 30, tzinfo=UTC), "Today 00:30"),
        (datetime(2026, 11, 22, 16, 5, tzinfo=UTC), "Yesterday 17:05"),
        (datetime(2026, 11, 9, 15, 40, tzinfo=UTC), "9 Nov 2026 16:40"),
    ],
)
def test_moments_are_in_the_viewers_zone(at: datetime, text: str) -> None:
    assert moment(at, "Europe/Budapest", now=datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) == text
