"""What a page draws dozens of times, which templates do slowly: bars of runs, badges, options of lists, addresses."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final

import flask
from markupsafe import Markup, escape

from webapp.filters import dated, duration, number
from webapp.icons import icon, icon_of
from webapp.services.exports.charting import Bar, Chart, Measure
from webapp.words import _, language

BADGES: Final = {
    "Finished": ("ok", "check-circle-fill"), "Success": ("ok", "check-circle-fill"),
    "Active": ("ok", "play-circle-fill"), "Inactive": ("", "pause-circle"),
    "Failed": ("bad", "x-circle-fill"), "Processing": ("run", "arrow-repeat"),
    "Missed": ("warn", "exclamation-triangle-fill"), "Skipped": ("warn", "skip-forward-fill"),
    "Pending": ("", "clock"), "Queued": ("", "clock"), "Cancelled": ("", "slash-circle"),
}  # fmt: skip
"""Status of an export or a run (SPEC section 2): a word, a colour and an icon of its own."""
KEPT: Final = 4_096
"""Options that a process keeps: all time zones, chosen and not, several times over."""
NOBODY: Final = uuid.UUID(int=0)


def badge(word: str, *, large: bool = False, once: bool = False) -> Markup:
    """A status. `once`: the page has drawn its icons once (`icons_once`), and rows refer to them."""
    return _badge(word, large, once, language())


@lru_cache
def _badge(word: str, large: bool, once: bool, _language: str) -> Markup:
    colour, sign = BADGES[word]
    turns = word == "Processing"
    drawing = icon_of(sign) if once and not turns else icon(sign, "spin" if turns else "")
    classes = " ".join(one for one in ("st", colour, "lg" if large else "") if one)
    return Markup('<span class="{}">{} {}</span>').format(classes, drawing, _(word))


def options(choices: Iterable[tuple[Any, str]], value: Any, spoken: bool = False) -> Markup:
    """The options of a list, with the chosen one. `spoken`: their texts are words of the product, to be translated."""
    drawn = (_option(str(key), _(text) if spoken else text, key == value) for key, text in choices)
    return Markup("".join(drawn))  # noqa: S704 - each is escaped


@lru_cache(KEPT, typed=True)  # what is Markup already is not the text that looks like it
def _option(key: str, text: str, chosen: bool) -> str:
    return Markup('<option value="{}"{}>{}</option>').format(key, " selected" if chosen else "", text)


def sparkline(chart: Chart, name: str) -> Markup:
    """In a row of the list: how many rows each of the last runs had."""
    wide, said, called = len(chart.bars) * 8, escape(chart_words(chart)), escape(name)
    return Markup(  # noqa: S704 - what is not ours is escaped
        f'<svg class="spark" role="img" width="{wide}" height="18" viewBox="0 0 {wide} 18"'
        f' aria-label="{called}: {said}"><title>{said}</title>{bars(chart, 8, [("rows", 16, 17)])}</svg>'
    )


def chart_words(chart: Chart) -> str:
    """What bars show, in words: Last 12 runs: 11 Success, 1 Failed; 9,100 to 9,845 rows in 0.4 s to 1.2 s."""
    states = ", ".join(f"{count} {_(state.capitalize())}" for state, count in chart.counts)
    words = f"{_('Last {count} runs:', count=len(chart.bars))} {states}"
    if chart.rows is None or chart.seconds is None:
        return words
    rows, seconds = _to(*map(number, chart.rows)), _to(*map(duration, chart.seconds))
    return f"{words}; {_('{rows} rows in {seconds}', rows=rows, seconds=seconds)}"


def _to(least: str, most: str) -> str:
    return least if least == most else _("{from} to {to}", **{"from": least, "to": most})


def bars(chart: Chart, step: int, lines: Sequence[tuple[Measure, int, int]], zone: str | None = None) -> Markup:
    """Bars from x = 0, `step` wide each, in one line or several: of what, how high, standing on which y.

    A failed run is a cross over its whole height, one that did not run a dot. With a `zone` the title of each says what
    it was; bars of a few pixels are not pointed at one by one.
    """
    heights = [chart.heights(of) for of, _high, _base in lines]
    drawn: list[str] = []
    for place, bar in enumerate(chart.bars):
        shapes = [
            _shape(bar.state, place * step, percent[place], step, high, base)
            for percent, (_of, high, base) in zip(heights, lines, strict=True)
        ]
        drawn += [f"<g><title>{escape(_said(bar, zone))}</title>", *shapes, "</g>"] if zone else shapes
    return Markup("".join(drawn))  # noqa: S704 - numbers of ours, and the title is escaped


def _said(bar: Bar, zone: str) -> str:
    said = f"{dated(bar.at, zone)}: {_(bar.state.capitalize())}"
    if bar.state == "success":
        return f"{said}, {_('{count} rows', count=number(bar.rows))}, {duration(bar.seconds)}"
    return f"{said} {_('after {seconds}', seconds=duration(bar.seconds))}" if bar.seconds else said


def _shape(state: str, x: int, percent: int, step: int, high: int, base: int) -> str:
    if state == "success":
        height = max(percent * high / 100, 1)
        return f'<rect class="bar" x="{x}" y="{base - height:.1f}" width="{step - 2}" height="{height:.1f}"/>'
    if state == "failed":
        return (
            f'<rect class="hit" x="{x}" y="{base - high}" width="{step - 2}" height="{high}"/>'
            f'<path class="cross" d="M{x + step / 2 - 4:g} {base - 7}l6 6m0 -6l-6 6"/>'
        )
    return f'<circle class="dot" cx="{x + step / 2 - 1:g}" cy="{base - 2}" r="1.5"/>'


def url_for(endpoint: str, **values: Any) -> str:
    """As Flask's; what stands around the id of a thing is found out once, since pages have a hundred of these."""
    if not values.keys() <= {"id"} or not isinstance(id := values.get("id", NOBODY), uuid.UUID):
        return flask.url_for(endpoint, **values)
    before, after = _around(flask.request.script_root, endpoint, bool(values))
    return f"{before}{id}{after}" if values else before


@lru_cache
def _around(_root: str, endpoint: str, of_id: bool) -> tuple[str, str]:
    whole = flask.url_for(endpoint, id=NOBODY) if of_id else flask.url_for(endpoint)
    before, _id, after = whole.partition(str(NOBODY))
    return before, after


def register(app: flask.Flask) -> None:
    """Give templates what is here."""
    given: tuple[Any, ...] = (badge, options, sparkline, chart_words, bars, url_for)
    for one in given:
        app.add_template_global(one)
