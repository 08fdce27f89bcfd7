"""What was posted: every name known, none twice, every text one that PostgreSQL can hold."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import parse_qsl

from flask import Request
from werkzeug.datastructures import MultiDict

from exports.definition import CALLED, MAX_VALUES_BYTES, called, storable

AROUND: Final = frozenset({"csrf_token", "rev", "tab", "op", "then", "next"})
"""Inputs that every step has."""
MAX_TEXT: Final = 3 * MAX_VALUES_BYTES
"""More than a list of all values that a definition may have takes, with its commas, quotes and doubled quotes."""
SHOWN: Final = 60
"""How much of an invented name is shown."""


class FormRefused(ValueError):
    """A form that is not ours, or a text that cannot be stored; `input` is its name."""

    def __init__(self, input: str, message: str) -> None:
        self.input = input
        self.message = message
        super().__init__(message)


class Posted:
    """The inputs of one step, taken out of the form by name."""

    def __init__(self, request: Request) -> None:
        """Raises FormRefused for texts that cannot be stored."""
        self._form = _read(request)
        for name in self._form:
            for text in self._form.getlist(name):
                _hold(name, text)

    def only(self, known: Collection[str], pattern: re.Pattern[str] | None = None, many: str = "") -> None:
        """Refuse names that are neither known nor of the pattern, and those given twice.

        `many` is the ending of names that may be given more than once: groups of checkboxes.

        Raises:
            FormRefused: naming the input.
        """
        for name in self._form:
            shown = _shown(name)
            if name not in AROUND and name not in known and not (pattern and pattern.fullmatch(name)):
                raise FormRefused(name[:SHOWN], f"{shown} is no input of this step")
            if len(self._form.getlist(name)) > 1 and not (many and name.endswith(many)):
                raise FormRefused(name[:SHOWN], f"{shown} is given more than once")

    def text(self, name: str, former: str = "") -> str:
        """A text; the former one if the form does not have the input."""
        return self._form.get(name, former)

    def many(self, name: str) -> tuple[str, ...]:
        """All values of a group of checkboxes."""
        return tuple(self._form.getlist(name))

    def checked(self, name: str) -> bool:
        """Whether a checkbox is."""
        return name in self._form

    def names(self, starting: str) -> list[str]:
        """The names that begin like this."""
        return [name for name in self._form if name.startswith(starting)]

    def about(self, name: str, read: Callable[[str], str]) -> str:
        """One of the inputs around, read; empty if it makes no sense."""
        try:
            return read(self._form.get(name, ""))
        except ValueError:
            return ""

    @property
    def op(self) -> str:
        """The button that was pressed; Next if the form was sent without one."""
        return self._form.get("op") or "next"

    @property
    def rev(self) -> int | None:
        """The revision that the page knows; 0, which no draft has, if it names none."""
        text = self._form.get("rev", "")
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text, re.ASCII) else 0

    @property
    def tab(self) -> str:
        """The page that posts."""
        return self.about("tab", lambda text: str(uuid.UUID(text)))


def _read(request: Request) -> MultiDict[str, str]:
    """The form, where bytes that are no UTF-8 are lone surrogates; in flask's own they are percent signs and digits."""
    if request.mimetype != "application/x-www-form-urlencoded":
        return request.form
    body = request.get_data(cache=True).decode("ascii", "surrogateescape")
    return MultiDict(parse_qsl(body, keep_blank_values=True, errors="surrogateescape"))


def _shown(name: str) -> str:
    """A name that somebody invented, as it can be said on a page."""
    plain = name.encode(errors="replace").decode().replace("\x00", "?")
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…"


def _hold(name: str, text: str) -> None:
    input = _called(name)
    try:
        storable(name)
        storable(text)
    except ValueError as refused:
        raise FormRefused(name, f"{input} {refused}") from refused
    if len(text) > MAX_TEXT:
        raise FormRefused(name, f"{input} is longer than {MAX_TEXT:,} characters")


def _called(name: str) -> str:
    """An input in a sentence, as the definition calls the member that it becomes."""
    parts = name.split("-")
    parts[-1] = {"values": "value", "low": "value", "high": "value", "delimiter_other": "delimiter"}.get(
        parts[-1], parts[-1]
    )
    return called(parts) if parts[-1] in CALLED else _shown(name)
