"""What ends with which exit status: 2 says that a definition is refused, so a mistake in use ends with 1."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import click

from exports.errors import Problem

REFUSED: Final = 2


class Command(click.Command):
    """A command whose mistakes in use end with 1: 2 is for refused definitions."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _usage_ends_with_1():
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _usage_ends_with_1():
            return super().invoke(ctx)


@contextmanager
def _usage_ends_with_1() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.exit_code = 1  # type: ignore[misc]
        raise


def refuse(problems: list[Problem]) -> NoReturn:
    """Say on standard error what a definition breaks, and end with 2."""
    for one in problems:
        click.echo(f"{one.at}: {one.message}", err=True)
    raise SystemExit(REFUSED)
