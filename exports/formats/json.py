"""json and jsonl: PostgreSQL writes each record as one object, here stand the brackets and commas between them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from exports.columns import Context, Expression, Form, literal
from exports.formats.base import UNUSED_DELIMITER, UNUSED_QUOTE, Buffer, Copying, Encoder, Format
from exports.render import Cell, json_cell

_DECODER: Final = json.JSONDecoder()


class JsonLines(Format):
    """One object a line (https://jsonlines.org)."""

    media_type = "application/jsonl; charset=utf-8"
    native = True

    @property
    def copying(self) -> Copying:
        """csv with control characters: the text format of COPY would escape backslashes a second time."""
        return Copying(UNUSED_DELIMITER, UNUSED_QUOTE)

    def columns(self, cells: Sequence[Cell], context: Context) -> list[Expression]:
        """One column: the object, put together as text, because PostgreSQL cuts names at 63 bytes."""
        pieces: list[Expression] = []
        for position, cell in enumerate(cells):
            opening = ("," if position else "{") + json.dumps(cell.header, ensure_ascii=False) + ":"
            pieces += [literal(opening), json_cell(cell, context)]
        return [_joined([*pieces, literal("}")])]

    def encoder(self, headers: Sequence[str]) -> Encoder:
        """Rows are lines already."""
        return LinesEncoder()

    def values(self, row: Sequence[str]) -> list[str]:
        """The members of the object."""
        return list(_members(row[0]))


class JsonArray(JsonLines):
    """One array of objects."""

    media_type = "application/json"

    def encoder(self, headers: Sequence[str]) -> Encoder:
        """Adds brackets and commas."""
        return ArrayEncoder()


def _joined(pieces: list[Expression]) -> Expression:
    """Concatenated in halves: one after the other, the beginning of a wide row would be copied once for each column."""
    if len(pieces) == 1:
        return pieces[0]
    middle = len(pieces) // 2
    return Form("({} || {})", _joined(pieces[:middle]), _joined(pieces[middle:]))


def _members(text: str) -> Iterator[str]:
    """The values of an object as it was put together: numbers, lists and objects letter by letter."""
    place = 1
    while text[place - 1] != "}":
        _key, colon = _DECODER.raw_decode(text, place)
        value, end = _DECODER.raw_decode(text, colon + 1)
        yield "" if value is None else value if isinstance(value, str) else text[colon + 1 : end]
        place = end + 1


class LinesEncoder(Encoder):
    """Nothing to add."""

    def head(self) -> bytes:
        """Nothing."""
        return b""

    def batch(self, rows: bytearray) -> Buffer:
        """As COPY wrote them: a JSON text holds no line end."""
        return rows

    def tail(self) -> bytes:
        """Nothing."""
        return b""


class ArrayEncoder(Encoder):
    """Brackets around all, a comma between two."""

    def __init__(self) -> None:
        self._between = b""

    def head(self) -> bytes:
        """The opening bracket."""
        return b"[\n"

    def batch(self, rows: bytearray) -> Buffer:
        """Rows without the last line end, which becomes a comma if another batch follows."""
        del rows[-1:]
        joined = self._between + rows.replace(b"\n", b",\n")
        self._between = b",\n"
        return joined

    def tail(self) -> bytes:
        """The closing bracket."""
        return b"\n]\n" if self._between else b"]\n"
