"""The exact numbers of a draft's file, in all and by set, and the first rows if they were not there at once."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, replace
from typing import Final

from exports import preview, words
from exports.catalogue import Catalogue
from exports.errors import DefinitionRefused, PreviewsBusy, RunError
from exports.preview import Counts, LeftOut, Preview
from exports.query import Query
from exports.source.statements import compiled
from webapp.models import Draft, User
from webapp.services import choices, drafts, sizes
from webapp.services.drafts import Typed
from webapp.services.kept import Kept
from webapp.services.previews.asking import Asked, ask, told

KEPT_S: Final = 60.0
WITHIN_S: Final = 4.4
"""Seconds for the exact numbers, and the rows if they are wanted: with what the estimate took, at most five."""
ROWS_S: Final = 1.7
"""Seconds of these for the rows."""

_counts: Kept[str, tuple[Counts, float]] = Kept(KEPT_S)
"""Numbers by the statement that asks for them: it holds brand, criteria, resolved days, zone and segments."""


@dataclass(frozen=True)
class Counted:
    """How many rows the file has; `rows` of None: counting takes longer than there is time, or not all can be read.

    `estimate` is what the planner expects, None if only some of the sets are counted; `total` about how many records
    there are in all. `records` match, in `sets` those of each set by its letters, `several` those of more than one.
    `seconds` is what counting took, `age` how many seconds ago it was. `is_busy`: ask again soon. `trouble`: the
    source's sentence.
    """

    rows: int | None
    estimate: int | None
    records: int = 0
    sets: tuple[tuple[str, int], ...] = ()
    several: int = 0
    seconds: float = 0.0
    age: float = 0.0
    total: int | None = None
    is_aggregated: bool = False
    first: Preview | None = None
    is_busy: bool = False
    trouble: str = ""


def count(
    user: User, draft: Draft, typed: Typed, catalogue: Catalogue, step: str, *, with_rows: bool = False
) -> Counted | None:
    """The exact numbers, and `with_rows` the first rows; None if the draft cannot be read.

    Raises:
        Overtaken: the draft was changed meanwhile.
    """

    def counted(asked: Asked) -> Counted | None:
        if asked.read.definition is None:
            return None
        until = time.monotonic() + WITHIN_S
        query = asked.query
        expected = asked.source.estimate(query)
        rows = None
        if with_rows and asked.read.is_whole and asked.read.has_columns:
            rows = preview.first_rows(asked.to_show(query), asked.source, expected, ROWS_S)
        found = known_count(query, asked.read.letters, expected) or _count(asked, query, expected, until)
        return replace(found if asked.read.is_whole else _of_sets_alone(found), first=rows)

    try:
        found, read = ask(user, draft, typed, catalogue, step, counted)
    except PreviewsBusy:
        return Counted(None, None, is_busy=True)
    except DefinitionRefused:
        return None  # the preview beside it says why
    except RunError as error:
        return Counted(None, None, trouble=error.told_now)
    if found is None:
        return None
    if found.first is not None and read.definition is not None:
        told(user, draft, typed, read.definition, found.first)
    if found.rows is not None and found.rows != typed.counted:
        drafts.note(draft, counted=found.rows)
    return replace(found, total=sizes.of_models(user.brand, catalogue).get(typed.model))


def _count(asked: Asked, query: Query, expected: int, until: float) -> Counted:
    began = time.monotonic()
    found = preview.count(query, asked.source, until - began)
    if found is None:
        return Counted(None, expected)
    took = time.monotonic() - began
    _counts.put(_named(query), (found, took))
    return _counted(query, asked.read.letters, expected, found, took)


def known_count(query: Query, letters: tuple[str, ...], expected: int) -> Counted | None:
    """What was counted a moment ago for the very same statement."""
    kept = _counts.get(_named(query))
    if kept is None:
        return None
    (found, took), age = kept
    return _counted(query, letters, expected, found, took, age)


def _counted(
    query: Query, letters: tuple[str, ...], expected: int, found: Counts, took: float, age: float = 0.0
) -> Counted:
    sets = tuple(zip(letters, found.sets, strict=True))
    is_aggregated = query.groups is not None
    return Counted(found.rows, expected, found.records, sets, found.several, took, age, is_aggregated=is_aggregated)


def _of_sets_alone(counted: Counted) -> Counted:
    """Some sets are missing: what the others match is known, what the file holds is not."""
    return replace(counted, rows=None, estimate=None, several=0)


def _named(query: Query) -> str:
    several = len(query.criteria) > 1
    statements = [query.count_sets] if several else []
    if query.groups is not None or not several:
        statements.append(query.count)
    texts = [compiled(one, folds_unicode=False) for one in statements]
    return hashlib.sha256(repr((query.timezone, texts)).encode()).hexdigest()


@dataclass(frozen=True)
class LeftOutWords:
    """A criterion in words, and how many records its set would match without it."""

    label: str
    phrase: words.Phrase
    found: LeftOut

    @property
    def letters(self) -> str:
        """The name of its set."""
        return self.label.rstrip("0123456789")


def without_each(user: User, draft: Draft, typed: Typed, catalogue: Catalogue, step: str) -> list[LeftOutWords]:
    """For every criterion what would match without it; empty if the draft cannot be read, or the source.

    Raises:
        Overtaken: the draft was changed meanwhile.
    """

    def left_out(asked: Asked) -> list[list[LeftOut]]:
        return preview.count_without_each(asked.query, asked.source, WITHIN_S) if asked.read.definition else []

    try:
        found, read = ask(user, draft, typed, catalogue, step, left_out)
    except (DefinitionRefused, RunError):
        return []
    definition = read.definition
    if definition is None:
        return []
    model = catalogue.models.get(definition.model)
    phrases = words.filters(definition, model, choices.called(user, catalogue, model, definition.filters))
    return [
        LeftOutWords(label, phrase, one)
        for labels, said, numbers in zip(read.labels, phrases, found, strict=True)
        for label, phrase, one in zip(labels, said, numbers, strict=True)
    ]
