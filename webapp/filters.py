"""How values read on screen, in the viewer's language: sizes, times, numbers (UX section 2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from flask import Flask

from exports import catalogue
from webapp.words import _, formats, language

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def size(count: int | None) -> str:
    """Bytes in SI units: 98.4 MB, 422 kB, 18 kB, 940 bytes."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit < 2 or value >= 99.95 else 1
    return f"{formats.decimal(value, digits, language())} {_(UNITS[unit])}"


def number(count: int | None) -> str:
    """1,469,307."""
    return "" if count is None else formats.number(count, language())


def about(count: int | None) -> str:
    """48,000 for 48,213: as exact as an estimate is."""
    if count is None or count < 100:
        return number(count)
    unit = 10 ** (len(str(count)) - 2)
    return number(round(count / unit) * unit)


def share(part: int, whole: int) -> str:
    """3.3 % of the whole; under 0.1 % says so."""
    percent = 100 * part / whole if whole else 0.0
    if 0 < percent < 0.1:
        return _("under {share}", share=f"{formats.decimal(0.1, 1, language())} %")
    return f"{formats.decimal(percent, 0 if f'{percent:.1f}'.endswith('.0') else 1, language())} %"


def moment(
    at: datetime | None, zone: str, now: datetime | None = None, *, seconds: bool = False, inside: bool = False
) -> str:
    """Today 10:38, Yesterday 17:05, 20 Nov 2026 16:40: in the viewer's zone; `inside` a sentence today 10:38."""
    if at is None:
        return ""
    tz = ZoneInfo(zone)
    local = at.astimezone(tz)
    days = ((now or datetime.now(tz)).astimezone(tz).date() - local.date()).days
    words = {0: _("today"), 1: _("yesterday")} if inside else {0: _("Today"), 1: _("Yesterday")}
    return f"{words.get(days) or formats.day(local, language())} {formats.clock(local, seconds=seconds)}"


def dated(at: datetime, zone: str, *, seconds: bool = True) -> str:
    """Mon 23 Nov 2026 07:30:00: for what is looked up again much later, in the viewer's zone."""
    local = at.astimezone(ZoneInfo(zone))
    return f"{formats.day(local, language(), weekday=True)} {formats.clock(local, seconds=seconds)}"


def weekday_moment(at: datetime, zone: str, now: datetime) -> str:
    """Thu 26 Nov 07:30: for what is to come, in the viewer's zone."""
    local = at.astimezone(ZoneInfo(zone))
    day_ = formats.day(local, language(), weekday=True, year=local.year != now.astimezone(UTC).year)
    return f"{day_} {formats.clock(local, seconds=bool(local.second))}"


def day(at: datetime | None, zone: str) -> str:
    """20 Nov 2026."""
    if at is None:
        return ""
    return formats.day(at.astimezone(ZoneInfo(zone)), language())


def model_label(id: str) -> str:
    """Events for events; a model that no longer exists keeps its id."""
    model = catalogue.builtin().models.get(id)
    return _(model.label) if model else id


TARGETS = {"none": "", "ftp": "FTP", "ftps": "FTP over SSL", "sftp": "SFTP"}


def target_label(type_: str) -> str:
    """FTP over SSL for ftps; nothing for a download (SPEC section 2)."""
    return _(TARGETS[type_])


def duration(seconds: float) -> str:
    """0.1 s at least, 0.8 s, 7.6 s, 64 s, 2 min 5 s, 3 h 12 min."""
    if seconds < 10 and seconds != int(seconds):
        return f"{formats.decimal(max(seconds, 0.1), 1, language())} s"
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"


def rough_duration(seconds: float) -> str:
    """4 s, 76 s, 2 min, 3 h: for what is still to come, which nobody knows to the second."""
    if seconds < 100:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 2 * 3600 else f"{round(seconds / 3600)} h"


SHOWN: Final = (
    size, number, about, share, moment, dated, weekday_moment, day, duration, rough_duration, model_label, target_label,
)  # fmt: skip


def register(app: Flask) -> None:
    """Bind the filters to the application's templates."""
    for filter_ in SHOWN:
        app.add_template_filter(filter_)
