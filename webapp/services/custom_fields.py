"""**Custom fields** of a brand: members of JSONB columns of its data models, beside the built-in ones (SPEC 12)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from exports import catalogue
from exports.catalogue import DataModel, FieldType
from webapp.extensions import db
from webapp.models import Brand, CustomField, User, clock
from webapp.permissions import authorize
from webapp.services import audit, brands

TYPES: Final = ("string", "text", "integer", "float", "boolean", "date", "datetime", "enum", "list")
"""References and JSON as a whole are built in alone."""
PROPERTIES: Final = "properties"
"""The column that every table of the reference schema has for them."""
WITH_CHOICES: Final = ("enum", "list")
ID: Final = re.compile(r"[a-z][a-z0-9_]{0,62}(\.[a-z0-9_]{1,63}){0,3}")
MAX_LABEL: Final = 100
MAX_DESCRIPTION: Final = 500
MAX_CHOICES: Final = 1_000


class FieldTaken(ValueError):
    """Somebody made a field of this id after it was looked for; says so as `problems` does."""


@dataclass(frozen=True)
class Wanted:
    """What was typed. `choices`: one a line, "value" or "value = label"; `path`: with dots, empty for the id."""

    model: str
    field: str = ""
    label: str = ""
    type: str = "string"
    description: str = ""
    choices: str = ""
    column: str = ""
    path: str = ""
    personal: bool = False
    mandatory: bool = False

    @property
    def chosen(self) -> dict[str, str]:
        """The choices, value to label, in their order."""
        lines = [line.strip() for line in self.choices.splitlines() if line.strip()]
        pairs = [[part.strip() for part in line.partition("=")[::2]] for line in lines]
        return {value: label or value for value, label in pairs}


def listed() -> Sequence[CustomField]:
    """The custom fields of the present brand, by model."""
    return db.session.scalars(select(CustomField).order_by(CustomField.model, CustomField.position)).all()


def of(row: CustomField) -> Wanted:
    """What a field is now."""
    choices = "\n".join(value if value == label else f"{value} = {label}" for value, label in row.choices.items())
    return Wanted(
        row.model, row.field, row.label, row.type, row.description, choices, row.column, ".".join(row.path),
        row.personal, row.mandatory,
    )  # fmt: skip


def columns(model: DataModel) -> list[str]:
    """The JSONB columns of a model that fields can be members of."""
    if model.table is None:
        return []
    found = {one.column for one in model.fields.values() if one.path or one.type == FieldType.JSON}
    return sorted({PROPERTIES, *filter(None, found)})


def problems(brand: Brand, wanted: Wanted, row: CustomField | None = None) -> Iterator[tuple[str, str]]:
    """What is wrong: input and sentence. `row`: the field that is changed."""
    model = brands.catalogue_of(brand).models.get(wanted.model)
    if model is None:
        yield "model", "Choose a data model"
        return
    if row is None:
        if not ID.fullmatch(wanted.field):
            yield "field", "The id: small letters, digits and _, beginning with a letter, such as shoe_size"
        elif wanted.field in model.fields or model.attribute(wanted.field) is not None:
            yield "field", _taken(model, wanted.field)
        if wanted.column not in columns(model):
            held = ", ".join(columns(model))
            yield "column", f"Choose the column that holds it: {held}" if held else "This model has no column for it"
        if wanted.path and not all(part and part.isprintable() for part in wanted.path.split(".")):
            yield "path", "The path: names with a dot between, such as shoe.size"
    if not wanted.label.strip() or len(wanted.label) > MAX_LABEL or not wanted.label.isprintable():
        yield "label", f"The label needs 1 to {MAX_LABEL} printable characters"
    if wanted.type not in TYPES:
        yield "type", "Choose a type"
    if len(wanted.description) > MAX_DESCRIPTION:
        yield "description", f"At most {MAX_DESCRIPTION} characters"
    if wanted.type == "enum" and not wanted.chosen:
        yield "choices", "Write the values that can be chosen, one a line"
    elif wanted.chosen and wanted.type not in WITH_CHOICES:
        yield "choices", f"A field of type {wanted.type} has no choices: empty this"
    elif len(wanted.chosen) > MAX_CHOICES:
        yield "choices", f"At most {MAX_CHOICES:,} choices"


def _taken(model: DataModel, field: str) -> str:
    return f"{model.label} has a field {field} already"


def create(admin: User, wanted: Wanted) -> CustomField:
    """Make a field without problems; every page has it from now on. Commits.

    Raises:
        FieldTaken: another one was made meanwhile.
    """
    authorize(admin, "fields.change")
    return _add(admin, wanted)


def make(operator: str, wanted: Wanted) -> CustomField:
    """The same, by the operator at the command line."""
    return _add(operator, wanted)


def _add(actor: User | str, wanted: Wanted) -> CustomField:
    last = select(func.max(CustomField.position)).where(CustomField.model == wanted.model)
    row = CustomField(
        model=wanted.model, field=wanted.field, column=wanted.column, path=(wanted.path or wanted.field).split("."),
        position=(db.session.scalar(last) or 0) + 1,
    )  # fmt: skip
    _set(row, wanted)
    db.session.add(row)
    try:
        db.session.flush()
    except IntegrityError as error:  # no other rule is left to the database alone
        db.session.rollback()
        raise FieldTaken(_taken(catalogue.builtin().models[wanted.model], wanted.field)) from error
    audit.record("field.created", actor, row, **_facts(wanted))
    db.session.commit()
    return row


def change(admin: User, row: CustomField, wanted: Wanted) -> None:
    """Change label, type, choices and marks of a field; what it is a member of stays. Commits."""
    authorize(admin, "fields.change", row)
    before = _facts(of(row))
    _set(row, wanted)
    row.updated_at = clock()
    after = _facts(wanted)
    changed = {name: value for name, value in after.items() if before[name] != value}
    if changed:
        audit.record("field.changed", admin, row, before={name: before[name] for name in changed}, after=changed)
    db.session.commit()


def models(brand: Brand) -> list[tuple[str, str]]:
    """The models that can have custom fields, id and label."""
    known = catalogue.builtin().models
    found = [one for one in brands.catalogue_of(brand).models.values() if columns(known[one.id])]
    return sorted(((one.id, one.label) for one in found), key=lambda pair: pair[1])


def _set(row: CustomField, wanted: Wanted) -> None:
    row.label, row.type, row.description = wanted.label.strip(), wanted.type, wanted.description.strip()
    row.choices, row.personal, row.mandatory = wanted.chosen, wanted.personal, wanted.mandatory


def _facts(wanted: Wanted) -> dict[str, Any]:
    return {**asdict(wanted), "choices": len(wanted.chosen)}
