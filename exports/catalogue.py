"""The data models, their fields and what they mean: read from `catalogue/*.toml`, checked once at start.

A model is one file; `_shared.toml` holds the tables that references point to and the roles that special operators use.
The shape of a file is that of `ModelFile`; every mistake is a `CatalogueError` that names file and key.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field as Limits, StringConstraints, ValidationError

from exports.errors import CatalogueError

FOLDER = Path(__file__).with_name("catalogue")
SHARED = "_shared.toml"


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


@dataclass(frozen=True)
class DataField:
    """One column of a data model, built in or custom.

    Its value is `sql` (a computed expression over the table's columns; `:today`, `:moment` and `:brand` may be used), or
    the member `path` of the JSONB column `column`, or that column. `items` is the type of a list's elements.
    `translated` marks an object of texts by locale (REFERENCE 5.3).
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


@dataclass(frozen=True)
class DataModel:
    """One kind of exportable record (SPEC section 3.1). `brand` is the column that holds the brand, or "all"."""

    id: str
    label: str
    description: str
    record: str
    table: str | None
    key: str
    brand: str
    module: str | None
    fields: Mapping[str, DataField] = field(repr=False)

    def with_fields(self, extra: Iterable[DataField]) -> DataModel:
        """This model with a brand's custom fields behind its own; an id that exists already is kept as it is."""
        fields = dict(self.fields)
        for one in extra:
            fields.setdefault(one.id, one)
        return dataclasses.replace(self, fields=fields)

    @property
    def all_fields(self) -> tuple[DataField, ...]:
        """What **All fields** means: every field, but not the JSON object whose members are fields (REFERENCE 1)."""
        opened = {one.column for one in self.fields.values() if one.path}
        return tuple(
            one for one in self.fields.values() if one.path or one.sql or one.type != FieldType.JSON or one.column not in opened
        )


@dataclass(frozen=True)
class ReferencedTable:
    """Where the names of a reference's ids stand; `table` of None: the ids are those of a constant list."""

    id: str
    label: str
    table: str
    key: str
    name: str
    brand: str


@dataclass(frozen=True)
class Catalogue:
    """All models, the tables their references point to, and the roles of SPEC section 12."""

    models: Mapping[str, DataModel]
    references: Mapping[str, ReferencedTable]
    roles: Mapping[str, Mapping[str, str]]

    def for_brand(self, modules: Iterable[str], custom: Mapping[str, Iterable[DataField]]) -> Catalogue:
        """The catalogue as one brand sees it: models of its modules, with its custom fields."""
        enabled = set(modules)
        models = {
            id: model.with_fields(custom.get(id, ()))
            for id, model in self.models.items()
            if model.module is None or model.module in enabled
        }
        return dataclasses.replace(self, models=models)


# --- the files ---------------------------------------------------------------------------------------------------------

Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
FieldId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,119}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldFile(_Strict):
    """One `[[fields]]` table of a model's file."""

    id: FieldId
    label: str = Limits(min_length=1)
    type: FieldType
    description: str = ""
    choices: list[str] | dict[str, str] = []
    mandatory: bool = False
    identifier: bool = False
    computed: bool = False
    personal: bool = False
    translated: bool = False
    items: FieldType = FieldType.STRING
    reference: str | None = None
    column: Identifier | None = None
    path: list[str] = []
    sql: str | None = None
    special: str | None = None


class ModelFile(_Strict):
    """A model's file."""

    id: Identifier
    label: str
    description: str
    record: str
    table: TableName | None = None
    key: Identifier
    brand: Identifier
    module: str | None = None
    fields: list[FieldFile] = Limits(min_length=1)


class ReferenceFile(_Strict):
    """One `[references.<id>]` table of `_shared.toml`."""

    label: str
    table: TableName
    key: Identifier
    name: Identifier
    brand: Identifier


class SharedFile(_Strict):
    """`_shared.toml`."""

    references: dict[str, ReferenceFile]
    roles: dict[str, dict[str, str]]


def _read(path: Path, shape: type[_Strict]) -> Any:
    try:
        return shape.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(file=path.name, key="the text", reason=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CatalogueError(file=path.name, key=key, reason=first["msg"]) from error


def _field(raw: FieldFile) -> DataField:
    choices = raw.choices if isinstance(raw.choices, dict) else {value: value for value in raw.choices}
    values = raw.model_dump(exclude={"choices", "column", "path"})
    column = raw.column or raw.id
    return DataField(**values, choices=tuple(choices.items()), column=column, path=tuple(raw.path))


def _model(path: Path, shared: SharedFile) -> DataModel:
    raw: ModelFile = _read(path, ModelFile)

    def refuse(key: str, reason: str) -> CatalogueError:
        return CatalogueError(file=path.name, key=key, reason=reason)

    if raw.id != path.stem:
        raise refuse("id", f'"{raw.id}" must be the name of the file')
    fields: dict[str, DataField] = {}
    for number, one in enumerate(raw.fields):
        at = f"fields.{number}"
        if one.id in fields:
            raise refuse(f"{at}.id", f'"{one.id}" stands twice')
        if one.type == FieldType.REFERENCE or one.items == FieldType.REFERENCE:
            if one.reference not in shared.references:
                raise refuse(f"{at}.reference", f'"{one.reference}" is not in {SHARED}')
        elif one.reference:
            raise refuse(f"{at}.reference", f'"{one.id}" is no reference')
        if one.type == FieldType.ENUM and not one.choices:
            raise refuse(f"{at}.choices", f'"{one.id}" is an enum without choices')
        if one.sql and (one.column or one.path):
            raise refuse(f"{at}.sql", "a field has either sql or a column")
        if "." in one.id and not (one.column or one.sql):
            raise refuse(f"{at}.column", f'"{one.id}" needs the column it is a part of')
        fields[one.id] = _field(one)
    if raw.key not in fields:
        raise refuse("key", f'"{raw.key}" is not among the fields')
    return DataModel(**{**raw.model_dump(exclude={"fields"}), "fields": fields})


def load(folder: Path = FOLDER) -> Catalogue:
    """Read and check every file of a folder.

    Raises:
        CatalogueError: naming the file and the key.
    """
    shared: SharedFile = _read(folder / SHARED, SharedFile)
    models = [_model(path, shared) for path in sorted(folder.glob("*.toml")) if path.name != SHARED]
    references = {id: ReferencedTable(id=id, **one.model_dump()) for id, one in shared.references.items()}
    return Catalogue({one.id: one for one in models}, references, shared.roles)


@cache
def builtin() -> Catalogue:
    """The catalogue that comes with the program, read once per process."""
    return load()


def fields_of(catalogue: Catalogue) -> Iterator[tuple[DataModel, DataField]]:
    """Every field of every model."""
    for model in catalogue.models.values():
        for one in model.fields.values():
            yield model, one
