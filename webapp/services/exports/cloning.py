"""**Clone**: the definition of an export again, under a name of its own (SPEC section 4)."""

from __future__ import annotations

import re
import uuid
from typing import Final

from sqlalchemy import select

from exports.definition import MAX_NAME, Definition, parse
from webapp.extensions import db
from webapp.models import Draft, Export, User
from webapp.permissions import authorize
from webapp.services import brands, connections, drafts, personal
from webapp.services.exports.saving import create, definition_of

COPY: Final = re.compile(r" \(copy(?: \d+)?\)$", re.ASCII)


def clone_as_draft(user: User, export: Export, token: uuid.UUID) -> Draft:
    """A draft of the wizard filled with the present definition, all of it editable. The same token: the same draft.

    Raises:
        Refused: the user may not clone this export.
    """
    authorize(user, "exports.clone", export)
    copy = copy_of(export)
    model = brands.catalogue_of(user.brand).models.get(copy.model)
    filled = drafts.filled(personal.shown(user, copy, model), model)
    typed = filled.with_(cloned_from=export.id, upload=connections.again(user, filled.upload))
    return drafts.add(user, typed, uuid.uuid5(user.id, f"clone of {export.id} {token}"))


def clone(owner: User, export: Export, name: str, actor: str = "", token: uuid.UUID | None = None) -> Export:
    """A new export of `owner` with the same definition, made at once: the way of command line and API. `name` may be
    empty; `actor` and `token` as in `create`.

    Raises:
        Refused: the owner may not create exports.
        DefinitionRefused: with every rule that the definition breaks by now for this owner.
    """
    return create(owner, copy_of(export, name), token or uuid.uuid4(), cloned_from=export.id, actor=actor)


def copy_of(export: Export, name: str = "") -> Definition:
    """The present definition with another name: that one, or "Stores (copy)".

    Raises:
        DefinitionRefused: the name is none.
    """
    return parse({**definition_of(export).as_json(), "name": name or _name(export.name)})


def _name(name: str) -> str:
    """Stores (copy), Stores (copy 2), …: the first that no export of the brand has, a copy's copy counted on."""
    stem = COPY.sub("", name)
    beginning = stem[: MAX_NAME // 2]  # a long name is cut below, so that more of it cannot be asked for
    taken = set(db.session.scalars(select(Export.name).where(Export.name.startswith(beginning, autoescape=True))))
    number = 1
    while True:
        ending = f" (copy{f' {number}' if number > 1 else ''})"
        made = stem[: MAX_NAME - len(ending)].rstrip(" ") + ending
        if made not in taken:
            return made
        number += 1
