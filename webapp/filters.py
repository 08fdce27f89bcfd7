"""How values read on screen: sizes, times, numbers (UX section 2)."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Flask

UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def size(count: int | None) -> str:
    """Bytes in SI units: 98.4 MB, 422 kB, 18 kB, 940 bytes."""
    if count is None:
        return ""
    value, unit = float(count), 0
    while value >= 999.5 and unit < len(UNITS) - 1:
        value, unit = value / 1000, unit + 1
    digits = 0 if unit < 2 or value >= 99.95 else 1
    return f"{value:.{digits}f} {UNITS[unit]}"


def number(count: int | None) -> str:
    """1,469,307."""
    return "" if count is None else f"{count:,}"


def moment(at: datetime | None, zone: str, now: datetime | None = None) -> str:
    """Today 10:38, Yesterday 17:05, 20 Nov 2026 16:40: in the viewer's zone."""
    if at is None:
        return ""
    tz = ZoneInfo(zone)
    local = at.astimezone(tz)
    days = ((now or datetime.now(tz)).astimezone(tz).date() - local.date()).days
    day = {0: "Today", 1: "Yesterday"}.get(days, f"{local.day} {local:%b %Y}")
    return f"{day} {local:%H:%M}"


def register(app: Flask) -> None:
    """Bind the filters to the application's templates."""
    for filter_ in (size, number, moment):
        app.add_template_filter(filter_)
