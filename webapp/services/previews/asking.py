"""The source on behalf of a draft: its surroundings, what of it can be read, and the one connection for both."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from exports import checking
from exports.catalogue import Catalogue
from exports.definition import Definition
from exports.errors import Overtaken, PreviewsBusy, Problem
from exports.preview import Preview
from exports.query import Query, build
from exports.source.base import Source
from exports.surroundings import Surroundings
from webapp.models import Draft, User
from webapp.services import audit, brands, contents, drafts, personal
from webapp.services.drafts import Typed
from webapp.services.previews.readable import Readable, readable

T = TypeVar("T")
AGAIN: Final = 8
"""How often a question is asked again that was stopped by another page of the same draft."""


@dataclass(frozen=True)
class Asked:
    """A draft at one moment, as far as it can be read; the source answers on one connection."""

    source: Source
    around: Surroundings
    read: Readable
    catalogue: Catalogue
    marks_changes: bool

    @property
    def query(self) -> Query:
        """The statements of what can be read.

        Raises:
            DefinitionRefused: a segment cannot be used.
        """
        if self.read.definition is None:
            raise ValueError("nothing of the draft can be read")
        return build(self.read.definition, self.catalogue, self.around)

    def to_show(self, query: Query) -> Query:
        """What the first rows are asked for by: where their cells are shown, what was changed in them is told."""
        return query.with_raws if self.marks_changes else query


MARKING: Final = frozenset({"filters", "fields"})
"""The steps that show cells; the others show the file's own bytes, or too little of it to tell what was changed."""


def ask(
    user: User, draft: Draft, typed: Typed, catalogue: Catalogue, step: str, what: Callable[[Asked], T]
) -> tuple[T, Readable]:
    """What the source says about a draft, and what of it was read.

    Asked again if it was stopped and the draft is unchanged: then another page asked the same. That one is waited for,
    not stopped in turn, so that each page ends with an answer.

    Raises:
        Overtaken: the draft was changed, or asked about anew, meanwhile.
        PreviewsBusy: all connections are in use.
        SourceError: the source cannot be read.
    """
    rev = draft.rev
    for times in range(1 + AGAIN):
        try:
            with brands.previews().lease(str(draft.id), rev, gives_way=times > 0) as source:
                asked = on(source, user, typed, catalogue, step)
                found = what(asked)
        except Overtaken:
            if drafts.rev_of(draft) != rev:
                raise
            continue
        if drafts.rev_of(draft) != rev:
            raise Overtaken
        return found, asked.read
    raise PreviewsBusy


def on(source: Source, user: User, typed: Typed, catalogue: Catalogue, step: str) -> Asked:
    """The same on any connection."""
    around = brands.surroundings(user.brand, datetime.now(UTC), source)

    def check(definition: Definition) -> list[Problem]:
        model = catalogue.models.get(definition.model)
        found = checking.problems(definition, catalogue, around, source, brands.zones())
        return [*found, *(personal.rights(user, definition, model) if model else ())]

    return Asked(source, around, readable(user, typed, catalogue, step, check), catalogue, step in MARKING)


def told(user: User, draft: Draft, typed: Typed, definition: Definition, shown: Preview) -> None:
    """Say in the audit log that rows were shown."""
    told_once(user, draft, typed, "previewed", definition, len(shown.rows))


def told_once(
    user: User,
    draft: Draft,
    typed: Typed,
    member: str,
    definition: Definition,
    rows: int,
    fields: list[str] | None = None,
) -> None:
    """Say in the audit log that data was shown: once for a draft, its model and its fields (RELIABILITY section 6).

    `member` of the draft keeps which were told of last: "previewed" or "explained". `fields`: those that are told of,
    if not the columns.
    """
    shown = contents.columns(definition) if fields is None else fields
    named = hashlib.sha256(json.dumps([definition.model, shown]).encode()).hexdigest()
    if getattr(typed, member) != named:
        audit.record("preview.shown", user, draft, rows=rows, **contents.of(user.brand, definition, shown))
        drafts.note(draft, **{member: named})
