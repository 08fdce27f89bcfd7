"""How the file of a definition is to be read: its options, the names of its columns, and those that name a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from exports.catalogue import DataModel
from exports.definition import Column, Definition, File
from exports.errors.compare import ColumnsDiffer, ModelsDiffer


@dataclass(frozen=True)
class Layout:
    """`key` has the places of the columns that name a row, in the order of the file's rows; empty if there are none.

    `is_open`: the columns are all fields that the model had at that time, which the file itself knows better.
    """

    model: str
    file: File
    headers: tuple[str, ...]
    key: tuple[int, ...]
    is_open: bool = False

    def with_headers(self, found: Sequence[str]) -> Layout:
        """The same with the names that the file has, if they could have changed since."""
        if not self.is_open or tuple(found) == self.headers:
            return self
        named = {self.headers[place] for place in self.key}
        return replace(self, headers=tuple(found), key=tuple(n for n, one in enumerate(found) if one in named))


def layout_of(definition: Definition, model: DataModel | None) -> Layout:
    """How to read the file that a definition has made. `model` is None if there is none of this name any more."""
    if definition.all_fields:
        ids = tuple(one.id for one in model.all_fields) if model else ()
        key = tuple(place for place, id in enumerate(ids) if model and id == model.key)
        return Layout(definition.model, definition.file, ids, key, is_open=True)
    headers = tuple(one.header for one in definition.fields)
    return Layout(definition.model, definition.file, headers, _key(definition, model))


def _key(definition: Definition, model: DataModel | None) -> tuple[int, ...]:
    """Aggregated: the groups. Else the model's key, if it is a column as it is: what is replaced names no row."""
    if definition.aggregation:
        return tuple(place for place, one in enumerate(definition.fields) if one.aggregation == "group")
    return next(((place,) for place, one in enumerate(definition.fields) if model and _is_key(one, model)), ())


def _is_key(column: Column, model: DataModel) -> bool:
    return column.from_ == model.key and not column.replace and column.mask is None


def same_columns(before: Layout, after: Layout) -> tuple[int, ...]:
    """Where each column of the one file stands in the other.

    Raises:
        ModelsDiffer: the files are of different data models.
        ColumnsDiffer: one of them has columns that the other does not have.
    """
    if before.model != after.model:
        raise ModelsDiffer
    if before.headers == after.headers:
        return tuple(range(len(before.headers)))
    was, now = Counter(before.headers), Counter(after.headers)
    if was != now:
        raise ColumnsDiffer(what=_told(list((now - was).elements()), list((was - now).elements())))
    if max(was.values()) > 1:
        raise ColumnsDiffer(what="two columns have the same name, and the order has changed")
    return tuple(after.headers.index(one) for one in before.headers)


def _told(added: list[str], removed: list[str]) -> str:
    """Store was added; Store was added, Name and Town were removed."""
    parts = [_part(names, word) for names, word in ((added, "added"), (removed, "removed")) if names]
    return ", ".join(parts)


def _part(names: list[str], word: str) -> str:
    shown = names if len(names) <= 4 else [*names[:3], f"{len(names) - 3} others"]
    listed = shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
    return f"{listed} {'was' if len(names) == 1 else 'were'} {word}"
