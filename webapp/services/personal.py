"""Who may see which data: personal fields, in definitions that are to run and in files that were made (SPEC 10)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from typing import Final

from sqlalchemy import select

from exports import catalogue as catalogues
from exports.catalogue import Catalogue, DataField, DataModel
from exports.definition import Column, Criterion, Definition, parse
from exports.errors import PersonalFile, Problem, RightsLost
from webapp.extensions import db
from webapp.models import Brand, ExportVersion, Run, User
from webapp.permissions import may
from webapp.services import brands, versions

OF_ALL: Final = frozenset({"is_empty", "is_not_empty"})
"""What anybody may ask of a personal field. By any other operator its value can be found out, by trying."""
HIDDEN: Final = "(hidden)"
"""In place of a personal value that somebody asks for."""


def rights(user: User, definition: Definition, model: DataModel) -> Iterator[Problem]:
    """What is in the way of a user who lacks the grant export_pii: personal fields that are asked about or shown.

    A masked field is not shown (decisions/009 and 014).
    """
    if user.export_pii:
        return
    for at, field in _asked(definition, model):
        label = field.label
        message = f"{label} is personal: without the right to export personal fields choose is empty or is not empty"
        yield Problem(at, "rights.personal", message)
    for at, field in _shown(definition, model):
        label = field.label
        alone = f"{label} is personal: you need the right to export personal fields"
        or_mask = f"{label} is personal: you need the right to export personal fields, or mask it"
        yield Problem(at, "rights.personal", alone if definition.all_fields else or_mask)


def _asked(definition: Definition, model: DataModel) -> Iterator[tuple[str, DataField]]:
    for place, set_ in enumerate(definition.filters):
        for position, one in enumerate(set_):
            field = model.attribute(one.attribute)
            if field and field.personal and one.operator not in OF_ALL:
                yield f"filters.{place}.{position}.operator", field


def _shown(definition: Definition, model: DataModel) -> Iterator[tuple[str, DataField]]:
    if definition.all_fields:
        yield from (("all_fields", field) for field in model.all_fields if field.personal)
    for place, one in enumerate(definition.fields):
        field = model.fields.get(one.from_)
        if field and field.personal and one.mask is None:
            yield f"fields.{place}.from", field


def check_owner(owner: User, definition: Definition, catalogue: Catalogue) -> None:
    """Rights are looked at again at run time, the owner's present ones (SPEC section 10).

    Raises:
        RightsLost: the owner may not run it any more.
    """
    if not owner.is_active:
        raise RightsLost(owner=owner.name, reason="the account is disabled.")
    if not may(owner, "exports.create"):
        raise RightsLost(owner=owner.name, reason=f"a {owner.role} makes no exports.")
    model = catalogue.models.get(definition.model)
    problem = next(rights(owner, definition, model), None) if model else None
    if problem is not None:
        raise RightsLost(owner=owner.name, reason=f"{problem.message}.")


def may_see_data(user: User, run: Run) -> bool:
    """Whether a user may have the data of a run: its file, or anything that is made of it, as **Compare**."""
    return run.id in seeable(user, [run])


def authorize_data(user: User, run: Run) -> None:
    """Let pass whoever may have the data of a run.

    Raises:
        PersonalFile: with the reason.
    """
    if reason := kept_back(user, run):
        raise PersonalFile(reason=reason)


def kept_back(user: User, run: Run) -> str:
    """Why the data of a run are not for a user; nothing if they are."""
    if user.export_pii:
        return ""
    return next(_about(versions.definition_of(run), whole_catalogue(user.brand)), "")


def needs_right(brand: Brand, definition: Definition, whole: Catalogue | None = None) -> bool:
    """Whether what a definition makes is only for those who may export personal fields. `whole`: `whole_catalogue`, if
    it was read already.
    """
    return next(_about(definition, whole or whole_catalogue(brand)), None) is not None


def seeable(user: User, runs: Iterable[Run]) -> set[uuid.UUID]:
    """The ids of those of some runs whose data a user may have; one question for all of them."""
    if not may(user, "exports.download"):
        return set()
    found = {one.id: (one.export_id, one.version) for one in runs if one.brand_id == user.brand_id}
    if user.export_pii or not found:
        return set(found)
    wanted = {export_id for export_id, _number in found.values()}
    numbers = {number for _export_id, number in found.values()}
    version = (ExportVersion.export_id, ExportVersion.number, ExportVersion.definition)
    rows = db.session.execute(
        select(*version).where(ExportVersion.export_id.in_(wanted), ExportVersion.number.in_(numbers))
    )
    whole = whole_catalogue(user.brand)
    free = {
        (export_id, number)
        for export_id, number, document in rows
        if next(_about(parse(document), whole), None) is None
    }
    return {id for id, version in found.items() if version in free}


def whole_catalogue(brand: Brand) -> Catalogue:
    """With the modules that the brand does not have any more: their files are there still."""
    return brands.catalogue_of(brand, modules=catalogues.builtin().modules)


def _about(definition: Definition, whole: Catalogue) -> Iterator[str]:
    """Why this is for those alone who have the right: what cannot be looked up any more may have been personal."""
    model = whole.models.get(definition.model)
    if model is None:
        yield "its data model is gone, and so nobody knows whether its fields are personal"
        return
    for field in dict.fromkeys(field for _at, field in (*_shown(definition, model), *_asked(definition, model))):
        yield f"{field.label} is personal, and you lack the right to export personal fields"
    for one in definition.fields:
        if one.from_ not in model.fields and one.mask is None:
            yield f"the field {one.from_} is gone, and so nobody knows whether it is personal"


def shown(user: User, definition: Definition, model: DataModel | None) -> Definition:
    """A definition as a user may read it: without the grant, without the personal values that it asks for or replaces.

    What of a field that is gone cannot be looked up, and is hidden too.
    """
    if user.export_pii:
        return definition

    def read(one: Criterion) -> Criterion:
        field = model.attribute(one.attribute) if model else None
        tells = one.value is not None and (field is None or field.personal)
        return one.model_copy(update={"value": HIDDEN}) if tells else one

    return definition.model_copy(
        update={
            "filters": tuple(tuple(map(read, set_)) for set_ in definition.filters),
            "fields": tuple(_without_pairs(one, model) for one in definition.fields),
        }
    )


def _without_pairs(column: Column, model: DataModel | None) -> Column:
    field = model.fields.get(column.from_) if model else None
    if column.mask is not None or (field is not None and not field.personal):
        return column
    hidden = (one.model_copy(update={"value": f"{HIDDEN} {number}"}) for number, one in enumerate(column.replace, 1))
    return column.model_copy(update={"replace": tuple(hidden)})
