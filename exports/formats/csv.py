"""csv and psv: COPY writes the rows, here stand the header, the newline and the refusal of values without enclosure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

import sqlalchemy as sa

from exports.columns import Context, Expression, literal
from exports.definition import File
from exports.errors import EnclosureNeeded
from exports.formats.base import UNUSED_QUOTE, Buffer, Copying, Encoder, Format
from exports.render import Cell, guarded, text_cell

T = TypeVar("T", bytes, bytearray)
BOM: Final = b"\xef\xbb\xbf"
"""U+FEFF in UTF-8, the byte order mark: readers take it away from the beginning of a file."""


class Csv(Format):
    """Values apart by a delimiter, one row a line (RFC 4180)."""

    media_type = "text/csv; charset=utf-8"

    @property
    def copying(self) -> Copying:
        """Without enclosure a control character stands in for it, so that the encoder can see where one was needed."""
        return Copying(self.file.delimiter or ",", self.file.enclosure or UNUSED_QUOTE)

    def columns(self, cells: Sequence[Cell], context: Context) -> list[Expression]:
        """One column for each cell. A NULL is an empty cell; in a file of one column that would be an empty line."""
        columns = [text_cell(cell, context, self.file.protect_spreadsheets) for cell in cells]
        if len(columns) == 1:
            return [sa.func.coalesce(sa.cast(columns[0], sa.Text()), literal(""))]
        return columns

    def encoder(self, headers: Sequence[str]) -> Encoder:
        """The encoder for the newline and enclosure that were chosen."""
        return CsvEncoder(self.file, headers)

    def values(self, row: Sequence[str]) -> list[str]:
        """The cells are the columns."""
        return list(row)


def header_line(file: File, headers: Sequence[str]) -> str:
    """The header, enclosed where a value would be.

    Raises:
        EnclosureNeeded: a header needs an enclosure and there is none.
    """
    quote = file.enclosure
    special = {file.delimiter, quote, "\r", "\n"} - {None}
    shown = []
    for header in map(guarded, headers) if file.protect_spreadsheets else headers:
        if not any(character in special for character in header):
            shown.append(header)
        elif quote is None:
            raise EnclosureNeeded(row="of the headers")
        else:
            shown.append(f"{quote}{header.replace(quote, quote * 2)}{quote}")
    return (file.delimiter or ",").join(shown) + file.newline


class CsvEncoder(Encoder):
    """Header, newline, and the check that no value needed an enclosure."""

    def __init__(self, file: File, headers: Sequence[str]) -> None:
        self._file = file
        self._headers = headers
        self._newline = file.newline.encode()
        self._quote = file.enclosure.encode() if file.enclosure else None
        self._rows = 0
        self._begins = not file.header

    def head(self) -> bytes:
        """Byte order mark and header line, as chosen."""
        line = header_line(self._file, self._headers).encode() if self._file.header else b""
        return (BOM if self._file.bom else b"") + self._begun(line, "of the headers")

    def batch(self, rows: bytearray) -> Buffer:
        """The rows with the chosen newline; the line ends inside of values stay."""
        if self._begins:
            self._begins, rows = False, self._begun(rows, "1")
        if self._quote is None:
            return self._unenclosed(rows)
        if self._newline == b"\n":
            return rows
        if self._quote not in rows:
            return rows.replace(b"\n", self._newline)
        # Enclosures are doubled inside of values, so every other piece lies outside of them.
        pieces = rows.split(self._quote)
        pieces[::2] = [piece.replace(b"\n", self._newline) for piece in pieces[::2]]
        return self._quote.join(pieces)

    def _begun(self, file: T, row: str) -> T:
        """The beginning of the file; a first value that begins with U+FEFF is enclosed, or readers would drop that."""
        if not file.startswith(BOM):
            return file
        if self._quote is None:
            raise EnclosureNeeded(row=row)
        ends = (file.find(one.encode()) for one in (self._file.delimiter or ",", "\n", "\r"))
        end = min(place for place in ends if place >= 0)
        return file[:0] + self._quote + file[:end] + self._quote + file[end:]

    def _unenclosed(self, rows: bytearray) -> Buffer:
        mark = UNUSED_QUOTE.encode()
        if mark in rows:
            # COPY encloses a lone \. for readers of its own text format: no other reader needs that.
            rows = rows.replace(mark + b"\\." + mark + b"\n", b"\\.\n")
        place = rows.find(mark)
        if place >= 0:
            row = self._rows + rows.count(b"\n", 0, place) + 1
            raise EnclosureNeeded(row=f"{row:,}")
        self._rows += rows.count(b"\n")
        return rows if self._newline == b"\n" else rows.replace(b"\n", self._newline)

    def tail(self) -> bytes:
        """Nothing: every row has ended its own line."""
        return b""
