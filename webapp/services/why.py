"""**Why?**: one record against what is typed in the wizard, or against a saved export, criterion by criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from exports import checking, rules, why, words
from exports.catalogue import Catalogue
from exports.definition import Definition
from exports.errors import DefinitionRefused, RunError, RunStopped
from exports.source.base import Source
from exports.why import Judged, Verdict
from webapp.extensions import db
from webapp.models import Draft, Export, User
from webapp.services import audit, brands, choices, contents, drafts, personal
from webapp.services.drafts import Typed, inputs
from webapp.services.previews.asking import Asked, on, told_once

LONGEST: Final = 200
"""Characters of an id; no key that people type is longer."""
NOTHING_TYPED: Final = "Enter the ID of a record"


@dataclass(frozen=True)
class Line:
    """A criterion by its label, A2, in words, and what of the record it says."""

    label: str
    phrase: words.Phrase
    judged: Judged


@dataclass(frozen=True)
class Explained:
    """The answer: `begins` and `goes_on` are the verdict in one sentence; `complaint` stands in its place."""

    id: str
    begins: str = ""
    goes_on: str = ""
    lines: tuple[Line, ...] = ()
    complaint: str = ""

    @property
    def said(self) -> str:
        """The answer in one sentence."""
        return self.complaint or f"{self.begins} {self.goes_on}"


def explain(user: User, draft: Draft, typed: Typed, catalogue: Catalogue, id: str) -> Explained:
    """Why the record with this id is in the file of what is typed, or not; with whatever of it can be read."""
    id = id.strip()
    if not id or len(id) > LONGEST:
        return Explained(id[:LONGEST], complaint=NOTHING_TYPED)
    try:
        # Under a name of its own: asking why must not stop the counting.
        with brands.previews().lease(f"why-{draft.id}", draft.rev) as source:
            asked = on(source, user, typed, catalogue, "filters")
            found = _explained(asked, user, typed, catalogue, id)
    except DefinitionRefused as refused:
        faults = drafts.placed(refused.problems, typed, catalogue)
        return Explained(id, complaint=faults[0].message)
    except RunError as error:
        return Explained(id, complaint=error.told_now)
    except RunStopped:
        return Explained(id, complaint="Checked again elsewhere: press Check once more.")
    if found.lines and asked.read.definition is not None:
        shown = {one.attribute for set_ in typed.sets for one in set_ if not one.is_blank}
        told_once(user, draft, typed, "explained", asked.read.definition, 1, sorted(shown))
    return found


def _explained(asked: Asked, user: User, typed: Typed, catalogue: Catalogue, id: str) -> Explained:
    read = asked.read
    if read.definition is None:
        faults = [one.message for one in read.faults] or ["Add at least one criterion"]
        return Explained(id, complaint=faults[0])
    verdict = why.why(read.definition, catalogue, asked.around, asked.source, id, personal=user.export_pii)
    filled = [inputs.letters(place) for place, set_ in enumerate(typed.sets) if any(not one.is_blank for one in set_)]
    unread = [one for one in filled if one not in read.letters]
    return _told(user, catalogue, read.definition, id, verdict, read.letters, read.labels, unread)


def explain_saved(user: User, export: Export, definition: Definition, id: str) -> Explained:
    """Why the record with this id is in the file that a saved definition would make now, or not.

    By the rights of whoever asks, also where the export is another one's.
    """
    id = id.replace("\x00", "").strip()
    if not id or len(id) > LONGEST:
        return Explained(id[:LONGEST], complaint=NOTHING_TYPED)
    try:
        with brands.previews().lease(f"why-{export.id}-{user.id}", 0) as source:
            found = _saved(user, definition, source, id)
    except DefinitionRefused as refused:
        return Explained(id, complaint=refused.problems[0].message)
    except RunError as error:
        return Explained(id, complaint=error.told_now)
    except RunStopped:
        return Explained(id, complaint="Checked again elsewhere: press Check once more.")
    if found.lines:
        fields = sorted({one.attribute for set_ in definition.filters for one in set_})
        audit.record("preview.shown", user, export, rows=1, **contents.of(user.brand, definition, fields))
        db.session.commit()
    return found


def _saved(user: User, definition: Definition, source: Source, id: str) -> Explained:
    catalogue = brands.catalogue_of(user.brand)
    around = brands.surroundings(user.brand, datetime.now(UTC), source, about=definition)
    model = catalogue.models.get(definition.model)
    found = checking.problems(definition, catalogue, around, source, brands.zones())
    rules.refuse([*found, *(personal.rights(user, definition, model) if model else ())])
    verdict = why.why(definition, catalogue, around, source, id, personal=user.export_pii)
    letters = tuple(inputs.letters(place) for place in range(len(definition.filters)))
    labels = tuple(
        tuple(inputs.label(place, position) for position in range(len(set_)))
        for place, set_ in enumerate(definition.filters)
    )
    return _told(user, catalogue, definition, id, verdict, letters, labels)


def _told(
    user: User,
    catalogue: Catalogue,
    definition: Definition,
    id: str,
    verdict: Verdict | None,
    letters: Sequence[str],
    labels: tuple[tuple[str, ...], ...],
    unread: Sequence[str] = (),
) -> Explained:
    """A verdict in words."""
    model = catalogue.models[definition.model]
    if verdict is None:
        return Explained(id, complaint=why.nobody(model, user.brand.name))
    begins, goes_on = why.sentence(verdict, letters, unread)
    phrases = words.filters(definition, model, choices.called(user, catalogue, model, definition.filters))
    return Explained(id, begins, goes_on, _lines(labels, phrases, verdict))


def _lines(
    labels: tuple[tuple[str, ...], ...], phrases: list[list[words.Phrase]], verdict: Verdict
) -> tuple[Line, ...]:
    return tuple(
        Line(label, phrase, judged)
        for set_ in zip(labels, phrases, verdict.sets, strict=True)
        for label, phrase, judged in zip(*set_, strict=True)
    )
