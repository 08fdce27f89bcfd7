"""How much of an unfinished draft can be asked about: all of it, or the sets of criteria without a mistake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from exports.catalogue import Catalogue
from exports.definition import Definition, parse
from exports.errors import DefinitionRefused, Problem
from webapp.models import User
from webapp.services import brands, drafts
from webapp.services.drafts import Fault, Typed, inputs

Check = Callable[[Definition], list[Problem]]

OF_RECORDS: Final = frozenset({"model", "timezone", "filters", "definition", "name"})
"""The parts of a definition that say which records match; the others say what the file makes of them."""


@dataclass(frozen=True)
class Readable:
    """`definition`: what can be asked about, None: nothing; `labels` name its criteria as the page does, by set.

    `faults`: what has to be corrected. `is_whole`: all sets are in the definition; `has_columns`: its columns are those
    of the file, and not just any.
    """

    definition: Definition | None
    labels: tuple[tuple[str, ...], ...]
    faults: tuple[Fault, ...] = ()
    is_whole: bool = True
    has_columns: bool = True

    @property
    def letters(self) -> tuple[str, ...]:
        """The names of the sets in the definition."""
        return tuple(set_[0].rstrip("0123456789") for set_ in self.labels)


def readable(user: User, typed: Typed, catalogue: Catalogue, step: str, check: Check) -> Readable:
    """What of a draft can be asked about. Criteria without an attribute are not there yet."""
    labels, filled = _filled(typed)
    document = _document(user, filled, catalogue, step)
    definition, problems = _checked(document, check)
    if definition is not None:
        return Readable(definition, labels)
    faults = tuple(one for one in drafts.placed(problems, filled, catalogue) if not one.warning)
    places = [one.at.split(".") for one in problems]
    bad = {int(parts[1]) for parts in places if parts[0] == "filters" and len(parts) > 1}
    good = [place for place in range(len(document["filters"])) if place not in bad]
    if not good or any(parts[0] in OF_RECORDS and not (parts[0] == "filters" and len(parts) > 1) for parts in places):
        return Readable(None, (), faults, is_whole=False, has_columns=False)
    has_columns = all(parts[0] in OF_RECORDS for parts in places)
    if not has_columns:
        document |= _of_keys_alone(typed, catalogue)
    document["filters"] = [document["filters"][place] for place in good]
    definition, _more = _checked(document, check)
    return Readable(definition, tuple(labels[place] for place in good), faults, not bad, has_columns)


def _filled(typed: Typed) -> tuple[tuple[tuple[str, ...], ...], Typed]:
    """The sets that have a criterion, with their names, without the criteria whose attribute is not chosen yet."""
    named = [
        [(inputs.label(place, position), one) for position, one in enumerate(set_) if not one.is_blank]
        for place, set_ in enumerate(typed.sets)
    ]
    filled = [set_ for set_ in named if set_]
    labels = tuple(tuple(label for label, _ in set_) for set_ in filled)
    return labels, typed.with_(sets=tuple(tuple(one for _, one in set_) for set_ in filled))


def _document(user: User, typed: Typed, catalogue: Catalogue, step: str) -> dict[str, Any]:
    """The definition of an unfinished draft: what is not chosen yet or comes in a later step has what it would have.

    When it runs and where it goes changes no row: a mistake there keeps nobody from counting.
    """
    document = drafts.document(typed, catalogue)
    document |= {"name": "Preview", "schedule": {"type": "now"}, "target": {"type": "none"}, "notify": {}}
    if document["timezone"] not in brands.zones():
        document["timezone"] = user.brand.time_zone
    if step in ("filters", "fields"):
        guard = {"protect_spreadsheets": typed.file.protect} if typed.file.extension in ("csv", "psv") else {}
        document["file"] = {"extension": typed.file.extension, "times": typed.file.times, **guard}
    model = catalogue.models.get(typed.model)
    if model and not (document["fields"] or document["all_fields"] or document["aggregation"]):
        shown = [one for one in model.all_fields if user.export_pii or not one.personal]
        document["fields"] = [{"from": one.id} for one in shown]
    return document


def _of_keys_alone(typed: Typed, catalogue: Catalogue) -> dict[str, Any]:
    """In place of columns with mistakes, so that records can be counted all the same."""
    key = catalogue.models[typed.model].key
    return {
        "fields": [{"from": key}],
        "all_fields": False,
        "aggregation": False,
        "file": {"extension": typed.file.extension},
    }


def _checked(document: dict[str, Any], check: Check) -> tuple[Definition | None, list[Problem]]:
    try:
        definition = parse(document)
    except DefinitionRefused as refused:
        return None, refused.problems
    errors = [one for one in check(definition) if not one.warning]
    return (None, errors) if errors else (definition, [])
