"""**Why?** for the wizard: one record against what is typed at the moment, criterion by criterion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from exports import why, words
from exports.catalogue import Catalogue
from exports.errors import DefinitionRefused, RunError, RunStopped
from exports.why import Judged, Verdict
from webapp.models import Draft, User
from webapp.services import brands, choices, drafts
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
    if found.lines:
        shown = {one.attribute for set_ in typed.sets for one in set_ if not one.is_blank}
        told_once(user, draft, typed, "explained", typed.model, sorted(shown))
    return found


def _explained(asked: Asked, user: User, typed: Typed, catalogue: Catalogue, id: str) -> Explained:
    read = asked.read
    if read.definition is None:
        faults = [one.message for one in read.faults] or ["Add at least one criterion"]
        return Explained(id, complaint=faults[0])
    personal = user.export_pii
    verdict = why.why(read.definition, catalogue, asked.around, asked.source, id, personal=personal)
    if verdict is None:
        return Explained(id, complaint=why.nobody(catalogue.models[typed.model], user.brand.name))
    filled = [inputs.letters(place) for place, set_ in enumerate(typed.sets) if any(not one.is_blank for one in set_)]
    begins, goes_on = why.sentence(verdict, read.letters, [one for one in filled if one not in read.letters])
    model = catalogue.models.get(typed.model)
    phrases = words.filters(read.definition, model, choices.called(user, catalogue, model, read.definition.filters))
    return Explained(id, begins, goes_on, _lines(read.labels, phrases, verdict))


def _lines(
    labels: tuple[tuple[str, ...], ...], phrases: list[list[words.Phrase]], verdict: Verdict
) -> tuple[Line, ...]:
    return tuple(
        Line(label, phrase, judged)
        for set_ in zip(labels, phrases, verdict.sets, strict=True)
        for label, phrase, judged in zip(*set_, strict=True)
    )
