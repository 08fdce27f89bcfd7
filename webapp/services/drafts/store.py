"""The rows of drafts: everybody sees their own alone; a save names the revision it was typed on (UX section 2)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from sqlalchemy import Select, bindparam, cast, delete, exists, select, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import IntegrityError

from exports.catalogue import DataModel
from webapp.extensions import db
from webapp.models import Draft, Export, User, clock
from webapp.permissions import authorize
from webapp.services.drafts.steps import ASKING
from webapp.services.drafts.typed import Typed, TypedCriterion

SHOWN: Final = 10
"""How many unfinished drafts the first step offers to go on with."""


class DraftChanged(Exception):
    """Another page saved this draft after the present one read it."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        super().__init__(str(at))


def start(user: User, model: DataModel, first: TypedCriterion | None = None) -> Draft:
    """A new draft for a data model, in the brand's time zone; `first` is a criterion that it begins with.

    Raises:
        Refused: the user may not create exports.
    """
    typed = Typed(timezone=user.brand.time_zone).with_model(model).with_submitted("model")
    return add(user, typed.with_(sets=((first,),)) if first else typed, uuid.uuid4())


def add(user: User, typed: Typed, id: uuid.UUID, export: Export | None = None) -> Draft:
    """A draft in which this is typed, of a new export or of changes to one. The same id again gives the same draft.

    Raises:
        Refused: the user may not create exports.
    """
    authorize(user, "exports.create")
    draft = Draft(
        id=id, owner_id=user.id, document=typed.model_dump(mode="json"), export_id=export.id if export else None
    )
    db.session.add(draft)
    try:
        db.session.commit()
    except IntegrityError:
        db.session.rollback()
        if (known := own(user, id)) is None:
            raise
        return known
    return draft


def own(user: User, draft_id: uuid.UUID, *, locked: bool = False) -> Draft | None:
    """The user's draft with this id; None for everybody else's. `locked`: until the end of the transaction."""
    wanted = select(Draft).where(Draft.id == draft_id, Draft.owner_id == user.id)
    if locked:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(wanted).one_or_none()


def typed_of(draft: Draft) -> Typed:
    """What was typed."""
    return Typed.model_validate(draft.document)


def save(user: User, draft: Draft, typed: Typed, *, rev: int | None, tab: str) -> bool:
    """Store what was typed; returns whether anything changed.

    `rev` is the revision the page knows, None to overwrite whatever there is. The page that saved last (`tab`) may be
    behind: an answer of ours can get lost on its way.

    Raises:
        DraftChanged: another page saved in between.
    """
    authorize(user, "exports.create")
    row = own(user, draft.id, locked=True)
    if row is None:
        return False
    stored = typed_of(row)
    if rev is not None and rev != row.rev and stored.tab != tab:
        changed_at = row.updated_at
        db.session.rollback()
        raise DraftChanged(changed_at)
    if typed.with_(tab=stored.tab) == stored:
        db.session.rollback()
        return False
    row.document = typed.with_(tab=tab).model_dump(mode="json")
    row.rev += 1
    row.updated_at = clock()
    db.session.commit()
    return True


def note(draft: Draft, **members: str | int) -> None:
    """Keep what was found out about a draft (`previewed`, `counted`), and commit; no revision, as nothing was typed.

    In the database: what was read of the draft before the source was asked may be old by now.
    """
    changed = Draft.document.concat(cast(members, JSONB))
    db.session.execute(
        update(Draft).where(Draft.id == draft.id).values(document=changed).execution_options(synchronize_session=False)
    )
    db.session.commit()


def rev_of(draft: Draft) -> int | None:
    """The revision that is stored now; None if the draft is gone."""
    return db.session.scalar(select(Draft.rev).where(Draft.id == draft.id))


def close(draft: Draft) -> None:
    """What was typed is saved; commits. The row stays for a second click, whose answer it is."""
    draft.document = {**draft.document, "saved": True}
    db.session.commit()


def discard(user: User, draft: Draft) -> None:
    """Delete a draft."""
    db.session.execute(delete(Draft).where(Draft.id == draft.id, Draft.owner_id == user.id))
    db.session.commit()


def unfinished(user: User) -> Sequence[Draft]:
    """The user's drafts of new exports that were not made yet, the last touched first."""
    return db.session.scalars(_unfinished(), {"owner": user.id}).all()


@cache
def _unfinished() -> Select[Draft]:
    token = Draft.document["token"].astext.cast(Export.create_token.type)
    made = exists().where(Export.create_token == token)
    wanted = select(Draft).where(Draft.owner_id == bindparam("owner"), Draft.export_id.is_(None), ~made)
    return wanted.order_by(Draft.updated_at.desc()).limit(SHOWN)


@dataclass(frozen=True)
class Waiting:
    """An unfinished draft, what was typed in it, and the first step that nobody has left by **Next**."""

    draft: Draft
    typed: Typed
    step: str


def waiting(user: User) -> list[Waiting]:
    """The user's unfinished drafts of new exports, and where each goes on."""
    found = [(draft, typed_of(draft)) for draft in unfinished(user)]
    return [Waiting(draft, typed, next_of(typed)) for draft, typed in found]


def next_of(typed: Typed) -> str:
    """The first step that was not left by **Next**; Check if all were."""
    return next((step for step in ASKING if step not in typed.submitted), "check")


def made_of(typed: Typed) -> Export | None:
    """The export that **Create** made of a draft."""
    return db.session.scalars(select(Export).where(Export.create_token == typed.token)).one_or_none()
