"""How sizes, numbers and moments read on screen."""

from datetime import UTC, datetime

import pytest

from webapp.filters import dated, day, duration, model_label, moment, number, rough_duration, size, target_label


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


def test_inside_a_sentence_days_begin_small_and_seconds_can_be_told() -> None:
    at = datetime(2026, 11, 23, 9, 38, 6, tzinfo=UTC)
    assert moment(at, "Europe/Budapest", now=at, seconds=True, inside=True) == "today 10:38:06"
    assert moment(None, "UTC") == ""


def test_what_is_looked_up_later_has_weekday_year_and_seconds() -> None:
    assert dated(datetime(2026, 11, 9, 23, 40, 6, tzinfo=UTC), "Europe/Budapest") == "Tue 10 Nov 2026 00:40:06"


def test_a_day_is_that_of_the_viewers_zone() -> None:
    assert day(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), "Europe/Budapest") == "23 Nov 2026"
    assert day(None, "UTC") == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.04, "0.1 s"),
        (0.8, "0.8 s"),
        (7.6, "7.6 s"),
        (64.2, "64 s"),
        (99.6, "1 min 40 s"),
        (125, "2 min 5 s"),
        (11_520, "3 h 12 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.1, "1 s"), (76, "76 s"), (138, "2 min"), (7_100, "118 min"), (9_000, "2 h")]
)
def test_what_is_still_to_come_is_told_roughly(seconds: float, text: str) -> None:
    assert rough_duration(seconds) == text


def test_models_and_targets_by_the_words_of_the_screen() -> None:
    assert model_label("coupon_pools") == "Coupon pools"
    assert model_label("gone") == "gone"
    assert [target_label(type_) for type_ in ("none", "ftp", "ftps", "sftp")] == ["", "FTP", "FTP over SSL", "SFTP"]
