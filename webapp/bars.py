"""The bars of templates/macros/chart.html: a list has hundreds of a dozen parts, which templates draw slowly."""

from __future__ import annotations

from flask import Flask
from markupsafe import Markup, escape

from webapp.filters import dated, duration, number
from webapp.services.exports.charting import Bar, Chart
from webapp.words import _


def bars(chart: Chart, which: str, step: int, high: int, base: int, zone: str | None = None) -> Markup:
    """One row of bars from x = 0, `step` wide each, `high` high, standing on y = `base`; `which`: tall or long.

    A failed run is a cross over its whole height, one that did not run a dot. With a `zone` the title of each says what
    it was; bars of a few pixels are not pointed at one by one.
    """
    drawn = []
    for place, bar in enumerate(chart.bars):
        shape = _drawn(bar, place * step, getattr(bar, which), step, high, base)
        drawn.append(f"<g><title>{escape(_said(bar, zone))}</title>{shape}</g>" if zone else shape)
    return Markup("".join(drawn))  # noqa: S704 - numbers of ours, and the title is escaped


def _said(bar: Bar, zone: str) -> str:
    said = f"{dated(bar.at, zone)}: {_(bar.state.capitalize())}"
    if bar.state == "success":
        return f"{said}, {_('{count} rows', count=number(bar.rows))}, {duration(bar.seconds)}"
    return f"{said} {_('after {seconds}', seconds=duration(bar.seconds))}" if bar.seconds else said


def _drawn(bar: Bar, x: int, percent: int, step: int, high: int, base: int) -> str:
    if bar.state == "success":
        height = max(percent * high / 100, 1)
        return f'<rect class="bar" x="{x}" y="{base - height:.1f}" width="{step - 2}" height="{height:.1f}"/>'
    if bar.state == "failed":
        return (
            f'<rect class="hit" x="{x}" y="{base - high}" width="{step - 2}" height="{high}"/>'
            f'<path class="cross" d="M{x + step / 2 - 4:g} {base - 7}l6 6m0 -6l-6 6"/>'
        )
    return f'<circle class="dot" cx="{x + step / 2 - 1:g}" cy="{base - 2}" r="1.5"/>'


def register(app: Flask) -> None:
    """Give templates `bars(…)`."""
    app.add_template_global(bars)
