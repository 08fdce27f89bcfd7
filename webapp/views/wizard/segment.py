"""**Export** on a segment's page of the platform leads here with the segment filled in (REFERENCE section 8, line 30).

`/exports/new?segment=ID`, and `&model=events` for what its customers did; nothing is stored before **Next**.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exports import choices as records
from exports.catalogue import Catalogue, DataModel, Special
from webapp.models import User
from webapp.services import choices
from webapp.services.drafts import TypedCriterion

DEFAULT: Final = "customers"
LONGEST: Final = 200
OPERATOR: Final = "in_segment"


@dataclass(frozen=True)
class Segment:
    """A segment that an export is wanted of. `name` is None for one that is not there."""

    id: str
    name: str | None


def asked_for(user: User, catalogue: Catalogue, id: str) -> Segment | None:
    """The segment that an address names; None if it names none."""
    id = id.strip()[:LONGEST].replace("\x00", "").encode(errors="ignore").decode()
    if not id:
        return None
    for model in catalogue.models.values():
        field = model.attribute(attribute_of(model))
        table = records.table_of(field, catalogue) if field else None
        if field is not None and table is not None:
            found = choices.named(user, catalogue, {field: {id}}).get(table.id, {}).get(id)
            return Segment(id, found.title if found else None)
    return Segment(id, None)


def attribute_of(model: DataModel) -> str:
    """The attribute that segments are tested by: the customers' own, elsewhere that of the referenced customer."""
    own = Special.SEGMENTS.value
    return own if model.attribute(own) else f"customer.{own}"


def criterion(model: DataModel, segment: Segment) -> TypedCriterion | None:
    """The first criterion of a draft; none for a segment that is not there, or records that have no customer."""
    attribute = attribute_of(model)
    if segment.name is None or model.attribute(attribute) is None:
        return None
    return TypedCriterion(attribute=attribute, operator=OPERATOR, values=(segment.id,))
