"""`flask date`: what `date:` expressions mean, one or a list of them; needs neither database nor Redis (SPEC 11)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import TextIOWrapper
from typing import Final

import click

from exports import zones
from exports.dates import parse
from exports.errors import DateExpressionError

STDIN: Final = "-"
REFUSED: Final = 2
FORMATS: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d")


@click.command("date", context_settings={"ignore_unknown_options": True})
@click.argument("expression")
@click.option("--base", type=click.DateTime(FORMATS), metavar="TIME", help="Local time: 2026-07-29 10:00. Default: now")
@click.option("--timezone", default="UTC", metavar="ZONE", show_default=True, help="Such as Europe/Budapest.")
@click.option("--keep-time", is_flag=True, help="Print the moment that datetime: would mean.")
@click.pass_context
def date(ctx: click.Context, expression: str, base: datetime | None, timezone: str, keep_time: bool) -> None:
    """Print the day that EXPRESSION means, given without the prefix date: (also if it begins with a minus sign).

    With - each line of standard input is an expression and each line of the output its result. The exit status is 2 if
    any was refused; in its place stands "error: " and what to write instead.
    """
    if timezone not in zones.names():
        raise click.BadParameter(f"{timezone!r} is no time zone of the list.", param_hint="--timezone")
    moment = _moment(base, timezone)
    refused = False
    if isinstance(sys.stdout, TextIOWrapper):  # quotation marks are not in every terminal's encoding
        sys.stdout.reconfigure(errors="replace")
    for text in _lines() if expression == STDIN else [expression]:
        try:
            click.echo(_answer(text, moment, timezone, keep_time))
        except DateExpressionError as error:
            refused = True
            click.echo(f"error: {error.said}")
    if refused:
        ctx.exit(REFUSED)


def _moment(base: datetime | None, timezone: str) -> datetime:
    if base is None:
        return datetime.now(UTC)
    try:
        # By way of UTC: a local time that the clock leaves out becomes the one that it shows then.
        return base.replace(tzinfo=zones.zone(timezone)).astimezone(UTC)
    except OverflowError:
        raise click.BadParameter("the years 1 and 9999 end earlier in other zones.", param_hint="--base") from None


def _lines() -> Iterator[str]:
    """The lines of standard input. Bytes that are no text become a character that no expression has."""
    for line in sys.stdin.buffer:
        yield line.rstrip(b"\r\n").decode(errors="replace")


def _answer(text: str, base: datetime, timezone: str, keep_time: bool) -> str:
    found = parse(text)
    zone = zones.zone(timezone)
    return found.resolve_moment(base, zone).isoformat(" ") if keep_time else found.resolve(base, zone).isoformat()
