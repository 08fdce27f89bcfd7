"""Numbers, days and times as a language writes them: English in our own way, others as Unicode's CLDR has it."""

from __future__ import annotations

from datetime import date, datetime

from webapp.models.accounts import LANGUAGES

# Babel takes 40 ms to import: English needs nothing of it.


def number(count: int, language: str) -> str:
    """1,469,307; 1.469.307."""
    if language == LANGUAGES[0]:
        return f"{count:,}"
    from babel.numbers import format_decimal

    return format_decimal(count, locale=language)


def decimal(value: float, digits: int, language: str) -> str:
    """98.4; 98,4."""
    if language == LANGUAGES[0]:
        return f"{value:.{digits}f}"
    from babel.numbers import format_decimal

    return format_decimal(round(value, digits), f"0.{'0' * digits}" if digits else "0", locale=language)


def day(day_: date, language: str, *, weekday: bool = False, year: bool = True, whole: bool = False) -> str:
    """20 Nov 2026, Mon 23 Nov; 20. Nov. 2026, Mo., 23. Nov. `whole`: with the whole name of the month."""
    if language == LANGUAGES[0]:
        return f"{f'{day_:%a} ' if weekday else ''}{day_.day} {day_:%b}{f' {day_:%Y}' if year else ''}"
    from babel.dates import format_skeleton

    month = "MMMM" if whole else "MMM"
    return format_skeleton(f"{'y' if year else ''}{month}{'E' if weekday else ''}d", day_, locale=language)


def clock(at: datetime, *, seconds: bool = False) -> str:
    """16:40: the 24 hours of every language here."""
    return f"{at:{'%H:%M:%S' if seconds else '%H:%M'}}"
