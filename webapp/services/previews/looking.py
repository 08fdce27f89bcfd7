"""The first answer about a draft's file: at once an estimate, and the first rows if they can be had at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from exports import preview
from exports.catalogue import Catalogue
from exports.errors import DefinitionRefused, PreviewsBusy, RunError
from exports.preview import Preview
from webapp.models import Draft, User
from webapp.services import brands, drafts
from webapp.services.drafts import Fault, Typed
from webapp.services.previews.asking import Asked, ask, on, told
from webapp.services.previews.counting import Counted, known_count

QUICK_S: Final = 0.18
"""Seconds for the first rows beside the estimate; what takes longer is asked for by itself."""


@dataclass(frozen=True)
class Look:
    """What can be shown of a draft's file at once. `faults`: why not all can; `trouble`: the source's sentence.

    `counted`: exact, from a moment ago; else `before` is what matched when all could be counted last. `all_shown`: no
    field is chosen yet, so that all of them are shown. `is_busy`: too much is being looked at; ask again soon.
    `can_show`: there can be first rows. `can_count`: something can be counted, be it only some of the sets.
    """

    estimate: int | None = None
    rows: Preview | None = None
    counted: Counted | None = None
    before: int | None = None
    faults: tuple[Fault, ...] = ()
    trouble: str = ""
    all_shown: bool = False
    is_busy: bool = False
    can_show: bool = False
    can_count: bool = False

    @property
    def wants_rows(self) -> bool:
        """Whether the first rows are still to be asked for."""
        return self.can_show and self.rows is None and not self.is_busy

    @property
    def is_to_go_on(self) -> bool:
        """Whether there is more to ask for: the exact numbers, or the first rows."""
        return not self.is_busy and ((self.can_count and self.counted is None) or self.wants_rows)


def look(user: User, draft: Draft, typed: Typed, catalogue: Catalogue, step: str) -> Look:
    """The estimate and the first rows of a draft, as far as it can be read, for the step that shows them.

    Raises:
        Overtaken: the draft was changed meanwhile.
    """
    shown = Look(before=typed.counted, all_shown=not typed.all_fields and not typed.columns)
    try:
        return _asked_or_estimated(user, draft, typed, catalogue, step, shown)
    except DefinitionRefused as refused:
        faults = drafts.placed(refused.problems, typed, catalogue)
        return replace(shown, faults=tuple(one for one in faults if not one.warning))
    except RunError as error:
        return replace(shown, trouble=error.told_now)


def _asked_or_estimated(user: User, draft: Draft, typed: Typed, catalogue: Catalogue, step: str, shown: Look) -> Look:
    """What the source says, be it the estimate alone while all connections are in use."""
    try:
        found, read = ask(user, draft, typed, catalogue, step, lambda asked: _looked(asked, shown))
    except PreviewsBusy:
        return _estimated(user, typed, catalogue, step, shown)
    if found.rows is not None and read.definition is not None:
        told(user, draft, typed, read.definition, found.rows)
    return found


def _looked(asked: Asked, shown: Look) -> Look:
    read = asked.read
    shown = replace(shown, faults=read.faults, can_count=read.definition is not None)
    if read.definition is None or not read.is_whole:
        return shown
    query = asked.query
    expected = asked.source.estimate(query)
    counted = known_count(query, read.letters, expected)
    if not read.has_columns:
        return replace(shown, estimate=expected, counted=counted)
    rows = preview.quick_rows(asked.to_show(query), asked.source, expected, QUICK_S)
    return replace(shown, estimate=expected, counted=counted, rows=rows, can_show=True)


def _estimated(user: User, typed: Typed, catalogue: Catalogue, step: str, shown: Look) -> Look:
    """The estimate alone, which needs no connection of the pool for longer than a moment."""
    asked = on(brands.source(), user, typed, catalogue, step)
    expected = asked.source.estimate(asked.query) if asked.read.definition and asked.read.is_whole else None
    return replace(shown, faults=asked.read.faults, estimate=expected, is_busy=expected is not None)
