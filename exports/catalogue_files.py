"""Reads `catalogue/*.toml` and refuses every mistake with the file and the key at which it stands.

A model is one file of the shape `ModelFile`; `_shared.toml`, of the shape `SharedFile`, holds what is the same for all:
the modules, the tables that references point to, and the roles that special operators use (SPEC section 12).
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic import Field as Limits

from exports.catalogue import Catalogue, DataField, DataModel, FieldType, ReferencedTable
from exports.errors import CatalogueError
from exports.special.attributes import NO_COLUMNS, with_attributes

FOLDER = Path(__file__).with_name("catalogue")
SHARED = "_shared.toml"

SPECIALS = frozenset({"segments"})
"""Computed fields that the query builder makes: `segments` compiles the filters of the brand's segments."""
BINDS = frozenset({"today", "moment", "brand"})
_BIND = re.compile(r"(?<![:\w\\]):(\w+)")
_CAST_BIND = re.compile(r":\w+::")  # SQLAlchemy does not see a bind in `:today::date`
_LABELS = re.compile(r"\{labels:(\w+)\}")

Name = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,62}$")]
FieldId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.]{0,119}$")]
TableName = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldFile(_Strict):
    """One `[[fields]]` table of a model's file."""

    id: FieldId
    label: Name
    type: FieldType
    description: str = ""
    choices: list[str] | dict[str, str] = []
    mandatory: bool = False
    identifier: bool = False
    computed: bool = False
    personal: bool = False
    translated: bool = False
    open: bool = False
    items: FieldType = FieldType.STRING
    reference: str | None = None
    column: Identifier | None = None
    path: list[Name] = []
    sql: str | None = None
    special: str | None = None
    stored: Literal["", "double precision"] = ""


class ModelFile(_Strict):
    """A model's file."""

    id: Identifier
    label: Name
    description: Name
    record: Name
    table: TableName | None = None
    key: Identifier
    brand: Identifier
    module: str | None = None
    fields: list[FieldFile] = Limits(min_length=1)


class ReferenceFile(_Strict):
    """One `[references.<id>]` table of `_shared.toml`."""

    label: Name
    table: TableName
    key: Identifier
    name: Identifier
    brand: Identifier
    translated: bool = False


class _Role(_Strict):
    table: TableName
    brand: Identifier

    @property
    def columns(self) -> dict[str, str]:
        """What names a column, or the member of one, by key."""
        return {key: getattr(self, key) for key in type(self).model_fields if key not in NO_COLUMNS | {"brand"}}


class GroupMembershipRole(_Role):
    """Which groups a customer is in: `groups` is a list of ids."""

    customer: FieldId
    groups: FieldId


class GroupParentRole(_Role):
    """Which group a group is part of."""

    group: FieldId
    parent: FieldId


class SegmentsRole(_Role):
    """The segments; `filter` is what a definition calls `filters`."""

    id: FieldId
    name: FieldId
    status: FieldId
    filter: FieldId


class RewardsRole(_Role):
    """Which rewards a customer has claimed: `rewards` is an object of counts by reward id."""

    customer: FieldId
    rewards: FieldId


class ChallengesRole(_Role):
    """Which challenges a customer has completed: `challenges` is an object of Unix times by challenge id."""

    customer: FieldId
    challenges: FieldId


class EventsRole(_Role):
    """What happened: to whom, when, with which product, reward or transaction.

    `purchase` is the action of one bought item, `claim` that of a claimed reward. An item is taken back if its
    transaction has one of the actions `taken_back`, or one of `item_taken_back` that names the same product.
    """

    customer: FieldId
    action: FieldId
    timestamp: FieldId
    product: FieldId
    reward: FieldId
    transaction: FieldId
    purchase: Name = "checkout_item"
    claim: Name = "reward"
    taken_back: list[Name] = ["checkout_reject", "refund"]
    item_taken_back: list[Name] = ["refund_item"]


class RolesFile(_Strict):
    """The `[roles.<id>]` tables of `_shared.toml`."""

    group_membership: GroupMembershipRole | None = None
    group_parent: GroupParentRole | None = None
    segments: SegmentsRole | None = None
    rewards: RewardsRole | None = None
    challenges: ChallengesRole | None = None
    events: EventsRole | None = None


class SharedFile(_Strict):
    """`_shared.toml`; `models` are the files beside it, in the order in which the screen shows them."""

    models: list[Identifier] = Limits(min_length=1)
    modules: dict[Identifier, Name]
    references: dict[Identifier, ReferenceFile]
    roles: RolesFile


Shape = TypeVar("Shape", bound=_Strict)


def load(folder: Path = FOLDER) -> Catalogue:
    """Read and check every file of a folder.

    Raises:
        CatalogueError: naming the file and the key.
    """
    shared = _read(folder / SHARED, SharedFile)
    found = {path.stem for path in folder.glob("*.toml")} - {Path(SHARED).stem}
    if found != set(shared.models) or len(found) < len(shared.models):
        amiss = sorted(found.symmetric_difference(shared.models)) or shared.models
        raise CatalogueError(file=SHARED, key="models", reason=f"list and files differ: {', '.join(amiss)}")
    models = {id: _model(folder / f"{id}.toml", shared) for id in shared.models}
    _check_shared(shared, models)
    references = {id: ReferencedTable(id=id, **one.model_dump()) for id, one in shared.references.items()}
    roles = shared.roles.model_dump(exclude_none=True)
    return with_attributes(Catalogue(models, references, roles, shared.modules))


def _read(path: Path, shape: type[Shape]) -> Shape:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogueError(file=path.name, key="the file", reason=f"it cannot be read ({error.strerror})") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogueError(file=path.name, key="the text", reason=str(error)) from error
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        raise CatalogueError(file=path.name, key=_key(raw, first["loc"]), reason=first["msg"]) from error


def _key(raw: Mapping[str, Any], at: tuple[int | str, ...]) -> str:
    """`fields.email.label` rather than `fields.2.label`: people count by names."""
    if len(at) > 1 and at[0] == "fields" and isinstance(at[1], int):
        name = raw["fields"][at[1]].get("id") if isinstance(raw["fields"][at[1]], dict) else None
        at = ("fields", name if isinstance(name, str) and name else at[1], *at[2:])
    return ".".join(str(part) for part in at)


def _model(path: Path, shared: SharedFile) -> DataModel:
    raw = _read(path, ModelFile)
    if raw.id != path.stem:
        raise CatalogueError(file=path.name, key="id", reason=f'"{raw.id}" must be the name of the file')
    if raw.module is not None and raw.module not in shared.modules:
        raise CatalogueError(file=path.name, key="module", reason=f'"{raw.module}" is not in [modules] of {SHARED}')
    if raw.table is None and raw.brand != "all":
        raise CatalogueError(file=path.name, key="brand", reason='without a table it must be "all"')
    fields: dict[str, DataField] = {}
    for one in raw.fields:
        wrong = ("id", "it stands twice") if one.id in fields else _mistake(one, raw, shared)
        if wrong:
            raise CatalogueError(file=path.name, key=f"fields.{one.id}.{wrong[0]}", reason=wrong[1])
        fields[one.id] = _field(one, raw)
    key = fields.get(raw.key)
    if key is None or key.sql or key.path or not (key.identifier and key.mandatory):
        reason = f'"{raw.key}" is not a field that is stored, an identifier and mandatory'
        raise CatalogueError(file=path.name, key="key", reason=reason)
    return DataModel(**{**raw.model_dump(exclude={"fields"}), "fields": fields})


def _mistake(one: FieldFile, model: ModelFile, shared: SharedFile) -> tuple[str, str] | None:
    """The first rule that a field breaks: its key and what is wrong."""
    listed = one.type == FieldType.LIST
    refers = FieldType.REFERENCE in (one.type, one.items)
    made = one.sql or one.special
    rules = (
        ("items", "items" in one.model_fields_set and not listed, "only a list has items"),
        ("items", one.items in (FieldType.LIST, FieldType.JSON), "a list's items are single values"),
        ("reference", refers and one.reference is None, "a reference names what it refers to"),
        ("reference", one.reference is not None and not refers, "the field is no reference"),
        ("reference", refers and one.reference not in shared.references, f'"{one.reference}" is not in {SHARED}'),
        ("choices", one.type == FieldType.ENUM and not one.choices, "an enum needs its choices"),
        (
            "choices",
            bool(one.choices) and one.type != FieldType.ENUM and not listed,
            "only an enum or a list has choices",
        ),
        ("choices", len(set(one.choices)) < len(one.choices), "a choice stands twice"),
        ("open", one.open and not one.choices, "only choices can be open"),
        (
            "translated",
            one.translated and one.type not in (FieldType.STRING, FieldType.TEXT),
            "only texts are translated",
        ),
        ("stored", bool(one.stored) and one.type != FieldType.FLOAT, "only a float can be stored as double precision"),
        ("sql", bool(one.sql) and bool(one.column or one.path or one.special), "a field has sql or a column, not both"),
        ("special", one.special is not None and one.special not in SPECIALS, f"it must be one of {sorted(SPECIALS)}"),
        ("special", one.special == "segments" and shared.roles.segments is None, f"{SHARED} has no role segments"),
        ("computed", bool(made) and not one.computed, "a field with sql or special is computed"),
        ("computed", one.computed and not made and model.table is not None, "a computed field needs sql or special"),
        ("sql", bool(one.sql) and model.table is None, "a model without a table has nothing to compute from"),
        ("path", bool(one.path) and one.column is None, "a path needs the column it is in"),
        ("column", "." in one.id and not (one.column or made), "an id with a dot needs the column it is in"),
    )
    return next(((key, reason) for key, broken, reason in rules if broken), None) or _sql_mistake(one, model)


def _sql_mistake(one: FieldFile, model: ModelFile) -> tuple[str, str] | None:
    if not one.sql:
        return None
    strange = set(_BIND.findall(one.sql)) - BINDS
    if strange:
        return "sql", f'":{min(strange)}" is not one of {sorted(BINDS)}'
    if _CAST_BIND.search(one.sql):
        return "sql", "a bind is cast as in cast(:today as date), not with two colons"
    enums = {field.id for field in model.fields if field.choices}
    unknown = set(_LABELS.findall(one.sql)) - enums
    return ("sql", f'"{min(unknown)}" is not a field with choices') if unknown else None


def _field(raw: FieldFile, model: ModelFile) -> DataField:
    values = raw.model_dump(exclude={"choices", "column", "path", "sql"})
    sql = raw.sql and _LABELS.sub(lambda found: _labels(found[1], model), raw.sql)
    column = "" if raw.sql or raw.special else raw.column or raw.id
    return DataField(**values, choices=tuple(_choices(raw).items()), column=column, path=tuple(raw.path), sql=sql)


def _choices(raw: FieldFile) -> dict[str, str]:
    return raw.choices if isinstance(raw.choices, dict) else {value: value for value in raw.choices}


def _labels(field: str, model: ModelFile) -> str:
    """The labels of a field's choices as one JSONB constant: the fastest look-up there is (DESIGN section 2).

    A colon inside a label is written as an escape, or it would be taken for the beginning of a bind.
    """
    choices = next(_choices(one) for one in model.fields if one.id == field)
    texts = [
        [json.dumps(part, ensure_ascii=False).replace(":", "\\u003a") for part in pair] for pair in choices.items()
    ]
    constant = ", ".join(f"{value}: {label}" for value, label in texts).replace("'", "''")
    return f"'{{{constant}}}'::jsonb"


def _check_shared(shared: SharedFile, models: Mapping[str, DataModel]) -> None:
    """Where `_shared.toml` speaks of a model's table, it must name that model's fields and its brand column."""
    by_table = {model.table: model for model in models.values() if model.table}
    roles: dict[str, _Role] = {id: role for id, role in shared.roles if role is not None}
    parts: dict[str, tuple[_Role | ReferenceFile, set[str]]] = {
        **{f"references.{id}": (one, {"key", "name"}) for id, one in shared.references.items()},
        **{f"roles.{id}": (one, set(one.columns)) for id, one in roles.items()},
    }
    for at, (part, keys) in parts.items():
        model = by_table.get(part.table)
        if model is None:
            continue
        columns = set(model.fields) | {one.column for one in model.fields.values() if not one.path}
        wrong = next((key for key in sorted(keys) if getattr(part, key) not in columns), None)
        if model.brand not in (part.brand, "all"):
            wrong = "brand"
        if wrong:
            reason = f'"{getattr(part, wrong)}" is not a column of {part.table} in {model.id}.toml'
            raise CatalogueError(file=SHARED, key=f"{at}.{wrong}", reason=reason)
