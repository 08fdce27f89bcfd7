"""The file formats by extension. A new one is one file here and one entry in `FORMATS`."""

from __future__ import annotations

from typing import Final

from exports.definition import File
from exports.formats.base import Copying, Encoder, Format
from exports.formats.csv import Csv
from exports.formats.json import JsonArray, JsonLines

FORMATS: Final[dict[str, type[Format]]] = {"csv": Csv, "psv": Csv, "json": JsonArray, "jsonl": JsonLines}


def format_of(file: File) -> Format:
    """The format of a definition's file."""
    return FORMATS[file.extension](file)


__all__ = ["FORMATS", "Copying", "Encoder", "Format", "format_of"]
