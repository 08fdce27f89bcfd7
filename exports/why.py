"""**Why?**: whether one record is in the file, criterion by criterion, and what the record itself has there.

One statement, made of the very conditions that the export's filter is made of, so that the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import sqlalchemy as sa

from exports import choices
from exports.catalogue import Catalogue, DataModel
from exports.columns import Context, Expression, literal
from exports.conditions import meant
from exports.criteria import Test, read
from exports.definition import Definition
from exports.errors import SourceTimeout
from exports.operators import Input
from exports.query import Query, build
from exports.render import as_text
from exports.source.base import Source
from exports.special import told
from exports.special.attributes import REFERENCES
from exports.surroundings import Surroundings

WITHIN_S: Final = 5.0
HIDDEN: Final = "is hidden: you need the right to export personal fields"


@dataclass(frozen=True)
class Judged:
    """A criterion: whether it `holds` for the record, and `own`, what the record has there, as "is 14"."""

    holds: bool
    own: str


@dataclass(frozen=True)
class Verdict:
    """Whether a record is in the file, and every criterion by set."""

    in_file: bool
    sets: tuple[tuple[Judged, ...], ...]

    @property
    def holding(self) -> tuple[int, ...]:
        """The places of the sets that hold completely."""
        return tuple(place for place, set_ in enumerate(self.sets) if all(one.holds for one in set_))


def sentence(verdict: Verdict, letters: Sequence[str], unread: Sequence[str] = ()) -> tuple[str, str]:
    """The verdict in words, its beginning and the rest; `unread` are sets beside these that cannot be read yet."""
    holding = [letters[place] for place in verdict.holding]
    if holding:
        which_sets = _sets(holding)
        one, several = f"{which_sets} holds completely.", f"{which_sets} hold completely."
        return "In the file:", one if len(holding) == 1 else several
    if unread:
        which_sets = _sets(unread)
        return "Not known yet:", f"no other set holds completely, and {which_sets} cannot be read."
    return "Not in the file:", "no set holds completely."


def _sets(letters: Sequence[str]) -> str:
    """set A; sets A and B; sets A, B and C."""
    if len(letters) == 1:
        return f"set {letters[0]}"
    return f"sets {', '.join(letters[:-1])} and {letters[-1]}"


def nobody(model: DataModel, brand: str) -> str:
    """What is said of an id that no record has."""
    return f"No {model.record} has this ID in {brand}."


def why(
    definition: Definition,
    catalogue: Catalogue,
    surroundings: Surroundings,
    source: Source,
    id: str,
    *,
    personal: bool,
) -> Verdict | None:
    """Why the record with this id is in the file or not; None if the brand has no such record.

    The definition keeps to the rules. `personal`: values of personal fields may be shown.

    Raises:
        DefinitionRefused: a segment that it names cannot be used.
        SourceError: the source cannot be read, or takes longer than `WITHIN_S`.
    """
    query = build(definition, catalogue, surroundings)
    model = catalogue.models[definition.model]
    context = Context(catalogue, model, query.relation, definition.timezone, surroundings)
    tests = [[meant(read(one, model), context) for one in set_] for set_ in definition.filters if set_]
    rows = source.select(_statement(query, tests, context, id), seconds=WITHIN_S, timezone=definition.timezone)
    if not rows:
        return None
    in_file, *found = rows[0]
    values = iter(found)
    answers = [[(test, next(values), next(values)) for test in set_] for set_ in tests]
    nameable = [one for set_ in answers for one in set_ if personal or not _is_personal(one[0], catalogue)]
    names = _names(nameable, context, source)
    sets = tuple(
        tuple(Judged(holds, _own(test, own, names, context, personal)) for test, holds, own in set_) for set_ in answers
    )
    return Verdict(in_file, sets)


def _statement(query: Query, tests: list[list[Test]], context: Context, id: str) -> sa.Select[Any]:
    columns: list[Expression] = [_certain(query.where)]
    for set_, conditions in zip(tests, query.criteria, strict=True):
        for test, condition in zip(set_, conditions, strict=True):
            columns += [_certain(condition), _told(test, context)]
    shown = [one.label(f"c{place}") for place, one in enumerate(columns)]
    return sa.select(*shown).select_from(query.relation).where(query.brand, query.key == literal(id))


def _certain(condition: Expression) -> Expression:
    """What cannot be told does not hold, as in a WHERE."""
    return condition.is_(sa.true())


def _told(test: Test, context: Context) -> Expression:
    return told.told(test, context) if test.operator.input.members else as_text(test.field, context)


# --- in words


def _own(test: Test, found: Any, names: Mapping[tuple[str, str], str], context: Context, personal: bool) -> str:
    if test.field.personal and not personal:
        return HIDDEN
    if test.operator.input.members:
        kind = _reference(test)
        return told.words(test, found, lambda id: names.get((kind, id), id), context.zone)
    if found is None or found == "":
        return "is empty"
    if test.operator.input is Input.AGES:
        return f"is {found}{_years(found, context.today)}"
    return f"is {found}"


def _years(day: str, today: date) -> str:
    """`: 47 years`, completed as the operator counts them; nothing for what is no day."""
    try:
        born = date.fromisoformat(day[:10])
    except ValueError:
        return ""
    years = today.year - born.year - ((today.month, today.day) < (born.month, born.day))
    return f": {years} {'year' if years == 1 else 'years'}"


def _reference(test: Test) -> str:
    return REFERENCES.get(test.field.asks, "") if test.field.asks else ""


def _is_personal(test: Test, catalogue: Catalogue) -> bool:
    reference = catalogue.references.get(_reference(test))
    return reference is not None and choices.personal(test.field, reference, catalogue)


def _names(answers: list[tuple[Test, bool, Any]], context: Context, source: Source) -> Mapping[tuple[str, str], str]:
    """What the ids are called that will be told, by reference and id; without it they are told as they are."""
    wanted: dict[str, set[str]] = {}
    for test, _holds, found in answers:
        if test.operator.input.members and found is not None:
            wanted.setdefault(_reference(test), set()).update(told.ids(test, found))
    names = {}
    for kind, ids in wanted.items():
        reference = context.catalogue.references.get(kind)
        if reference is None or not ids:
            continue
        try:
            called = choices.names(ids, reference, context.catalogue, source, context.surroundings.brand)
        except SourceTimeout:
            continue
        names.update({(kind, id): one.title for id, one in called.items()})
    return names
