"""Files as the engine writes them, by the plainest means: for what reads them again."""

from __future__ import annotations

import json
from collections.abc import Sequence

from exports.definition import File


def written(file: File, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The file of these rows. An empty cell is null in json, and stands without enclosure in csv."""
    if file.extension in ("json", "jsonl"):
        objects = [_object(headers, row) for row in rows]
        if file.extension == "jsonl":
            return "".join(f"{one}\n" for one in objects).encode()
        return ("[\n" + ",\n".join(objects) + ("\n]\n" if objects else "]\n")).encode()
    lines = [headers, *rows] if file.header else rows
    text = "".join(_line(file, row, is_first=place == 0) for place, row in enumerate(lines))
    return (("\ufeff" if file.bom else "") + text).encode()


def _object(headers: Sequence[str], row: Sequence[str]) -> str:
    return json.dumps({name: one or None for name, one in zip(headers, row, strict=True)}, ensure_ascii=False)


def _line(file: File, row: Sequence[str], *, is_first: bool) -> str:
    quote, delimiter = file.enclosure or "", file.delimiter or ","
    cells = []
    for place, cell in enumerate(row):
        needs = any(one in cell for one in (quote, delimiter, "\r", "\n")) or (
            is_first and place == 0 and cell.startswith("\ufeff")
        )
        alone = len(row) == 1 and not cell
        cells.append(quote + cell.replace(quote, quote * 2) + quote if needs or alone else cell)
    return delimiter.join(cells) + file.newline
