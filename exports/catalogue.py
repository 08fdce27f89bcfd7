"""The data models, their fields and what they mean: read from `catalogue/*.toml`, checked once at start.

How a file is written, and what is checked when it is read: `catalogue_files.py` and docs/catalogue.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any


class FieldType(StrEnum):
    """Our own small set of types (REFERENCE 0.2)."""

    STRING = "string"
    TEXT = "text"
    INTEGER = "integer"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    ENUM = "enum"
    LIST = "list"
    REFERENCE = "reference"
    JSON = "json"


class Special(StrEnum):
    """What the special operators of SPEC section 5 ask for, beside days and ages."""

    GROUPS = "groups"
    SEGMENTS = "segments"
    REWARDS = "rewards"
    ACTIVITIES = "activities"
    ACTIONS = "actions"
    PURCHASES = "purchases"


@dataclass(frozen=True)
class DataField:
    """One column of a data model, built in or custom.

    Its value is `sql` (a computed expression over the table's columns; the binds `:today`, a date, `:moment`, a
    timestamptz, and `:brand` may stand in it), or the member `path` of the JSONB column `column`, or that column, or,
    with `special`, what the query builder makes of it. `items` is the type of a list's elements. `translated` marks an
    object of texts by locale (REFERENCE 5.3). `open`: other values than the `choices` may occur.
    `stored` says where a column is not of the type that `type` has in the reference schema: "double precision", or
    "text", which a catalogue file cannot say: the text that `type` was to be, finished for the file.
    `mask` is what is shown in place of the values of the field `unmasked` (masks.py); no catalogue file says it.
    `asks` gives it special operators beside those of its type (special/attributes.py); `filter_only`: it has those
    alone, and is no column of a file; `through`: it is about the customer whom that field of the record names.
    """

    id: str
    label: str
    type: FieldType
    description: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    mandatory: bool = False
    identifier: bool = False
    computed: bool = False
    personal: bool = False
    custom: bool = False
    translated: bool = False
    items: FieldType = FieldType.STRING
    reference: str | None = None
    column: str = ""
    path: tuple[str, ...] = ()
    sql: str | None = None
    special: str | None = None
    open: bool = False
    stored: str = ""
    mask: str = ""
    unmasked: DataField | None = field(default=None, repr=False)
    asks: Special | None = None
    filter_only: bool = False
    through: str = ""
    created_at: datetime | None = None
    updated_at: datetime | None = None


def _holds(one: DataField, column: str, path: tuple[str, ...]) -> bool:
    """Whether the member of a column is a part of what a field shows: an object shows all of its members."""
    return one.sql is None and one.column == column and len(one.path) < len(path) and path[: len(one.path)] == one.path


@dataclass(frozen=True)
class DataModel:
    """One kind of exportable record (SPEC section 3.1). `brand` is the column that holds the brand, or "all".

    `attributes` are what can only be filtered by, such as `action_history` or `customer.group_id`.
    """

    id: str
    label: str
    description: str
    record: str
    table: str | None
    key: str
    brand: str
    module: str | None
    fields: Mapping[str, DataField] = field(repr=False)
    attributes: Mapping[str, DataField] = field(default_factory=dict, repr=False)

    def attribute(self, id: str) -> DataField | None:
        """What a criterion may name: a field, or one of those that can only be filtered by."""
        return self.fields.get(id) or self.attributes.get(id)

    def with_fields(self, extra: Iterable[DataField]) -> DataModel:
        """This model with a brand's custom fields behind its own; an id that exists already is kept as it is.

        An object one of whose members is personal is personal itself.
        """
        fields = dict(self.fields)
        for one in extra:
            fields.setdefault(one.id, one)
        hidden = {(one.column, one.path) for one in fields.values() if one.personal and one.path}
        for one in fields.values() if hidden else ():
            if not one.personal and one.column and any(_holds(one, *member) for member in hidden):
                fields[one.id] = dataclasses.replace(one, personal=True)
        return dataclasses.replace(self, fields=fields)

    @property
    def all_fields(self) -> tuple[DataField, ...]:
        """What **All fields** means: every field, but not the JSON object whose members are fields (REFERENCE 1)."""
        opened = {one.column for one in self.fields.values() if one.path}
        return tuple(
            one
            for one in self.fields.values()
            if one.path or one.sql or one.type != FieldType.JSON or one.column not in opened
        )


@dataclass(frozen=True)
class ReferencedTable:
    """Where the records that a reference names stand: key and name columns; a `translated` name is text by locale."""

    id: str
    label: str
    table: str
    key: str
    name: str
    brand: str
    translated: bool = False


@dataclass(frozen=True)
class Catalogue:
    """All models, the tables their references point to, the roles of SPEC section 12, the modules and their labels.

    A role tells where a special operator finds its rows: `roles["events"]["timestamp"]` is a column. A name with a dot
    is the member of a JSONB column; what says which actions are meant is an action or a list of them. A role that the
    source cannot fill is absent.
    """

    models: Mapping[str, DataModel]
    references: Mapping[str, ReferencedTable]
    roles: Mapping[str, Mapping[str, Any]]
    modules: Mapping[str, str] = field(default_factory=dict)
    _of_modules: dict[frozenset[str], dict[str, DataModel]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """What was asked for before: every request asks several times, and each time took 2 ms."""

    def for_brand(self, modules: Iterable[str], custom: Mapping[str, Iterable[DataField]]) -> Catalogue:
        """The catalogue as one brand sees it: models and special operators of its modules, with its custom fields."""
        from exports.special.attributes import of_modules  # it is about these classes: a circle otherwise

        enabled = frozenset(modules)
        if enabled not in self._of_modules:
            self._of_modules[enabled] = {
                id: of_modules(model, enabled).with_fields(())
                for id, model in self.models.items()
                if model.module is None or model.module in enabled
            }
        models = {
            id: model.with_fields(custom[id]) if id in custom else model
            for id, model in self._of_modules[enabled].items()
        }
        return dataclasses.replace(self, models=models)


@cache
def builtin() -> Catalogue:
    """The catalogue that comes with the program, read once per process.

    Raises:
        CatalogueError: naming the file and the key.
    """
    from exports.catalogue_files import load  # reading a file needs these classes: the import must not be circular

    return load()


def fields_of(catalogue: Catalogue) -> Iterator[tuple[DataModel, DataField]]:
    """Every field of every model."""
    for model in catalogue.models.values():
        for one in model.fields.values():
            yield model, one
