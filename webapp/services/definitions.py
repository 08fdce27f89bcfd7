"""What a definition must keep to for one user of one brand: the rules of exports/rules.py and the own rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from exports import rules, schedule
from exports.catalogue import Catalogue, DataModel
from exports.definition import Definition
from exports.errors import DefinitionRefused, Problem, SourceError
from exports.schedule.clock import ANY_SCHEDULE
from exports.segments import Segments
from exports.surroundings import known_ids
from webapp.models import User
from webapp.services import brands
from webapp.services.progress import present

MODEL_KEPT: Final = "An export keeps its data model. For another one, create a new export."
SEGMENT_OPERATORS: Final = frozenset({"in_segment", "not_in_segment"})


def problems(user: User, definition: Definition, saved: Definition | None = None) -> list[Problem]:
    """Every rule that a definition breaks for this user, warnings included, in the order of the wizard's steps.

    `saved` is the version that it will follow, if it is an export's: its model and the type of its schedule stay, and
    a date that was to come when it was saved may have come.
    """
    catalogue = brands.catalogue_of(user.brand)
    segments, known = _segments(user, definition, catalogue), _known(user, definition, catalogue)
    found = rules.problems(definition, catalogue, brands.zones(), segments, known)
    found += _of_schedule(user, definition, saved)
    model = catalogue.models.get(definition.model)
    return found if model is None else [*found, *rights(user, definition, model)]


def schedule_problems(user: User, chosen: ANY_SCHEDULE) -> list[Problem]:
    """Every rule that a schedule breaks that this user wants to save."""
    return schedule.problems(chosen) or _when_saved(user, chosen)


def _when_saved(user: User, chosen: ANY_SCHEDULE) -> list[Problem]:
    return schedule.problems_when_saved(chosen, present(), user.brand.minimum_minutes)


def _of_schedule(user: User, definition: Definition, saved: Definition | None) -> list[Problem]:
    if saved is None:
        return _when_saved(user, definition.schedule)
    if saved.model != definition.model:
        return [Problem("model", "model.kept", MODEL_KEPT)]
    if saved.schedule == definition.schedule:
        return []
    return [*schedule.type_kept(saved.schedule, definition.schedule)] or _when_saved(user, definition.schedule)


def _segments(user: User, definition: Definition, catalogue: Catalogue) -> Segments | None:
    """The brand's segments, asked of the source only if a criterion or a column is about segments."""
    model = catalogue.models.get(definition.model)
    shown = model.all_fields if model and definition.all_fields else ()
    if model:
        shown = (*shown, *(model.fields[one.from_] for one in definition.fields if one.from_ in model.fields))
    asked = any(one.operator in SEGMENT_OPERATORS for set_ in definition.filters for one in set_)
    if not asked and not any(one.special == "segments" for one in shown):
        return None
    try:
        return brands.surroundings(user.brand, present()).segments
    except SourceError:
        return None  # the run asks again, and says that the source cannot be read


def _known(user: User, definition: Definition, catalogue: Catalogue) -> rules.Known | None:
    """The chosen groups, rewards and challenges that the brand has."""
    try:
        return known_ids(definition, brands.source(), catalogue, user.brand.source_key)
    except SourceError:
        return None  # the run asks again, and says that the source cannot be read


def check(user: User, definition: Definition, saved: Definition | None = None) -> None:
    """Let pass what this user may export. `saved`: see `problems`.

    Raises:
        DefinitionRefused: with every problem that is no warning.
    """
    errors = [one for one in problems(user, definition, saved) if not one.warning]
    if errors:
        raise DefinitionRefused(errors)


def rights(user: User, definition: Definition, model: DataModel) -> Iterator[Problem]:
    """Personal fields are for users with the grant export_pii (SPEC section 10)."""
    if user.export_pii:
        return
    if definition.all_fields:
        named = [("all_fields", field) for field in model.all_fields]
    else:
        columns = enumerate(definition.fields)
        named = [(f"fields.{place}.from", model.fields[c.from_]) for place, c in columns if c.from_ in model.fields]
    for at, field in named:
        if field.personal:
            message = f"{field.label} is personal: you need the right to export personal fields"
            yield Problem(at, "rights.personal", message)
