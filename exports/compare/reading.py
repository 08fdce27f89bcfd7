"""The rows of a file as texts, with the options by which it was written: what csv encloses and what json types alike.

A number, a truth value or a text of json is its text, null the empty text, a list or an object its compact JSON: so
that files of different formats can be compared by what they say.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, Final

from exports.compare.layout import Layout
from exports.errors.compare import FileMisread
from exports.render import GUARDED

Row = list[str]
BUFFER: Final = 256 * 1024
LONGEST_CELL: Final = 2**31 - 1
"""The csv module refuses cells of more than 131,072 characters unless told so; PostgreSQL gives up to 1 GB."""


BRACKETS: Final = frozenset({"[\n", "]\n"})
BETWEEN: Final = frozenset({",\n", "\n"})


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = memoryview(piece)
        taken = min(len(buffer), len(self._rest))
        buffer[:taken] = self._rest[:taken]
        self._rest = self._rest[taken:]
        return taken


class Opened:
    """A file that is being read: `layout` with the names of its columns as they are, and its rows, once."""

    def __init__(self, layout: Layout, pieces: Iterator[bytes]) -> None:
        # newline="": nothing is translated, so that line ends inside of values stay what they are.
        self._lines = io.TextIOWrapper(io.BufferedReader(_Pieces(pieces), BUFFER), encoding="utf-8", newline="")
        self._number = 0
        is_json = layout.file.extension in ("json", "jsonl")
        try:
            names, self._rows = self._json() if is_json else self._csv(layout)
        except (csv.Error, ValueError, RecursionError) as error:
            raise FileMisread(str(error), row="1") from error
        self.layout = layout.with_headers(names) if names else layout

    def rows(self) -> Iterator[Row]:
        """Every row.

        Raises:
            FileMisread: a row cannot be read, or has more or fewer cells than there are columns.
        """
        width = len(self.layout.headers)
        try:
            for row in self._rows:
                self._number += 1
                if len(row) != width:
                    raise FileMisread(row=f"{self._number:,}")
                yield row
        except (csv.Error, ValueError, RecursionError) as error:
            raise FileMisread(str(error), row=f"{self._number + 1:,}") from error

    def _csv(self, layout: Layout) -> tuple[Row, Iterator[Row]]:
        file = layout.file
        csv.field_size_limit(LONGEST_CELL)
        if file.bom and self._lines.read(1) != "\ufeff":
            raise FileMisread("no byte order mark", row="1")
        rows = csv.reader(
            self._lines,
            delimiter=file.delimiter or ",",
            quotechar=file.enclosure,
            quoting=csv.QUOTE_MINIMAL if file.enclosure else csv.QUOTE_NONE,
            strict=True,
        )
        return (next(rows, []) if file.header else []), rows

    def _json(self) -> tuple[Row, Iterator[Row]]:
        objects = self._objects()
        first = next(objects, None)
        if first is None:
            return [], iter(())
        return list(first), self._cells(first, objects)

    def _objects(self) -> Iterator[dict[str, Any]]:
        decode = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number).raw_decode
        for line in self._lines:
            if line in BRACKETS:
                continue
            found, end = decode(line)
            if line[end:] not in BETWEEN:
                raise FileMisread("something follows the object", row=f"{self._number + 1:,}")
            yield found

    def _cells(self, first: dict[str, Any], objects: Iterator[dict[str, Any]]) -> Iterator[Row]:
        yield [_text(one) for one in first.values()]
        for found in objects:
            yield [one if one.__class__ is str else _text(one) for one in found.values()]


class _Number(str):
    """A number of json, letter by letter."""

    __slots__ = ()


def _text(value: Any) -> str:
    """What a value of json is in a csv file."""
    if value is None:
        return ""
    return str(value) if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    """The JSON text of a value without spaces, its numbers as they stood."""
    if isinstance(value, _Number):
        return str(value)
    if isinstance(value, list):
        return f"[{','.join(map(_compact, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_compact(name)}:{_compact(one)}' for name, one in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def unguarded(text: str) -> str:
    """A cell without the sign that **Protect spreadsheets** puts before it."""
    return text[1:] if len(text) > 1 and text[0] == "'" and ord(text[1]) in GUARDED else text
