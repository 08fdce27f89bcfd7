"""What can be chosen as the value of a criterion, and what the chosen is called: for a user, of the own brand alone."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from exports import choices, words
from exports.catalogue import Catalogue, DataField, DataModel, ReferencedTable
from exports.choices import Choice, Found
from exports.definition import Criterion
from exports.errors import Overtaken, SourceError
from webapp.models import Draft, User
from webapp.services import brands
from webapp.services.kept import Kept

log = logging.getLogger(__name__)

KEPT_S: Final = 60.0
"""Names change rarely; and while the source hangs, a page that shows them waits for it once a minute."""
NOT_YOURS = "You need the right to export personal fields to see these. Type the ID."

ELSEWHERE: Final = "Something else was looked for meanwhile: type again."


@dataclass(frozen=True)
class Offer:
    """What a search found; `trouble` says why nothing could be looked for, `kind` what is searched ("Store").

    `as_typed`: nothing in the list fits, but other values occur, so that what is typed can be chosen itself.
    """

    kind: str
    found: Found = field(default_factory=Found)
    trouble: str = ""
    as_typed: bool = False


def offered(user: User, draft: Draft, catalogue: Catalogue, field: DataField, text: str) -> Offer | None:
    """The choices of an attribute that hold a text; None for an attribute that has none.

    On one of the few connections for previews: what is looked for anew in the same draft stops what was before.
    Personal ones are shown to users with the grant export_pii (SPEC section 10).
    """
    if field.choices:
        return _of_the_list(field, text)
    table = choices.table_of(field, catalogue)
    if table is None:
        return None
    if not _may_see(user, catalogue, field, table):
        return Offer(table.label, trouble=NOT_YOURS)
    try:
        with brands.previews().lease(f"choices-{draft.id}", draft.rev) as source:
            found = choices.find(text, table, catalogue, source, user.brand.source_key)
    except Overtaken:
        return Offer(table.label, trouble=ELSEWHERE)
    except SourceError as error:
        log.warning("nothing can be chosen: %s", error)
        return Offer(table.label, trouble=error.told_now)
    return Offer(table.label, found)


def _of_the_list(field: DataField, text: str) -> Offer:
    found, wanted = choices.among(field, text), text.strip()
    if field.open and wanted and not found.choices:
        return Offer(field.label, Found((Choice(wanted, wanted),)), as_typed=True)
    return Offer(field.label, found)


Names = dict[str, dict[str, Choice]]
"""Records by their ids, by the id of their reference."""


def named(user: User, catalogue: Catalogue, chosen: Mapping[DataField, Collection[str]]) -> Names:
    """What the ids chosen of each attribute are called; those that are not there are left out.

    A reference that cannot be looked up, or not by this user, is left out altogether. One question for each table,
    whatever the number of criteria.
    """
    wanted: dict[str, set[str]] = {}
    for one, ids in chosen.items():
        table = choices.table_of(one, catalogue)
        if ids and table is not None and _may_see(user, catalogue, one, table):
            wanted.setdefault(table.id, set()).update(ids)
    found: Names = {}
    for id, ids in wanted.items():
        try:
            table = catalogue.references[id]
            found[id] = dict(choices.names(ids, table, catalogue, brands.source(), user.brand.source_key))
        except SourceError as error:
            log.warning("the chosen are shown without their names: %s", error)
    return found


_known: Kept[tuple[Any, ...], Names] = Kept(KEPT_S)


def called(
    user: User, catalogue: Catalogue, model: DataModel | None, filters: tuple[tuple[Criterion, ...], ...]
) -> words.Called:
    """What the records are called that the criteria of an export name, as this user may know it."""
    chosen: dict[DataField, set[str]] = {}
    for one in (one for set_ in filters for one in set_):
        field = model.attribute(one.attribute) if model else None
        if field is not None:
            chosen.setdefault(field, set()).update(_ids(one)[: words.SHOWN])
    wanted = frozenset((field.id, frozenset(ids)) for field, ids in chosen.items())
    key = (user.brand.source_key, model and model.id, user.export_pii, wanted)
    kept = _known.get(key)
    if kept is None:
        kept = (named(user, catalogue, chosen), 0.0)
        _known.put(key, kept[0])

    def title(field: DataField, id: str) -> str:
        table = choices.table_of(field, catalogue)
        found = kept[0].get(table.id, {}).get(id) if table else None
        return found.title if found else id

    return title


def _ids(criterion: Criterion) -> list[str]:
    value = criterion.value
    ids = value.get("ids") if isinstance(value, dict) else value
    return [one for one in (ids if isinstance(ids, list) else [ids]) if isinstance(one, str)]


def _may_see(user: User, catalogue: Catalogue, field: DataField, table: ReferencedTable) -> bool:
    return user.export_pii or not choices.personal(field, table, catalogue)
