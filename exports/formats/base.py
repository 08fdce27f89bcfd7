"""What a file format is: which columns the SELECT has, how COPY writes a row, what is left to be done to the bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from exports.columns import Context, Expression
from exports.definition import File
from exports.render import Cell

UNUSED_QUOTE: Final = "\x01"
UNUSED_DELIMITER: Final = "\x02"
"""Control characters that no JSON text holds, and that a csv value holds so rarely that it may be refused."""

Buffer = bytes | bytearray


@dataclass(frozen=True)
class Copying:
    """The options of `COPY ... (FORMAT csv)`."""

    delimiter: str
    quote: str


class Encoder(ABC):
    """Makes the bytes of one file from what COPY gives. One per file; its methods are called in this order."""

    @abstractmethod
    def head(self) -> bytes:
        """What stands before the first row: byte order mark, header, opening bracket."""

    @abstractmethod
    def batch(self, rows: bytearray) -> Buffer:
        """Whole rows as COPY wrote them, each ended by LF, as they stand in the file.

        Raises:
            EnclosureNeeded: a row cannot be written without an enclosure.
        """

    @abstractmethod
    def tail(self) -> bytes:
        """What stands behind the last row."""


class Format(ABC):
    """One kind of file, with the options that a definition chose."""

    media_type: str
    native: bool = False
    """Whether numbers and truth values have types of their own in it."""

    def __init__(self, file: File) -> None:
        self.file = file

    @property
    @abstractmethod
    def copying(self) -> Copying:
        """How COPY is to write the rows."""

    @abstractmethod
    def columns(self, cells: Sequence[Cell], context: Context) -> list[Expression]:
        """The columns of the SELECT."""

    @abstractmethod
    def encoder(self, headers: Sequence[str]) -> Encoder:
        """A new encoder for one file."""

    @abstractmethod
    def values(self, row: Sequence[str]) -> list[str]:
        """The texts of a row's cells, from the columns of the SELECT: for showing the first rows."""
