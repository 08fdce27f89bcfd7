"""Segments: who is in one is told by the segment's own filters at the moment of the run (REFERENCE 2.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array

from exports.catalogue import DataModel
from exports.columns import Context, Expression, literal
from exports.conditions import all_of
from exports.criteria import CriterionRefused, Test, read
from exports.definition import Definition
from exports.errors import DefinitionRefused, Problem
from exports.operators import Input
from exports.surroundings import UNREADABLE, Segment

Segments = Mapping[str, Segment]
"""The segments of a brand that can be chosen, by id."""
Fault = tuple[str, str]
"""Why a segment cannot be used: the code of the rule and the sentence that names the segment."""


def fault(id: str, segments: Segments, model: DataModel, within: tuple[str, ...] = ()) -> Fault | None:
    """Why a segment cannot be used, if it cannot; the segments that its filter asks for must be usable as well.

    `model` is that of the customers, `within` names the segments that ask for it, the outermost first.
    """
    asking = segments[within[-1]].name if within else ""
    segment = segments.get(id)
    if segment is None and not within:
        return "segment.unknown", f"There is no segment {id}"
    if segment is None:
        return "segment.unknown", f"The segment {asking} asks for the segment {id}, which is archived, a draft or gone"
    if id in within:
        if within[-1] != id:
            return "segment.circle", f"The segment {segment.name} asks for itself, through {asking}"
        return "segment.circle", f"The segment {segment.name} asks for itself"
    of_segment = f"The segment {segment.name}" + (f", which the segment {asking} asks for," if within else "")
    if segment.filters is UNREADABLE:
        return "segment.unusable", f"{of_segment} has a filter that cannot be read"
    try:
        tests = [read(one, model) for set_ in segment.filters for one in set_]
    except CriterionRefused as error:
        return "segment.unusable", f"{of_segment} has a filter that cannot be used: {error.problems[0].message}"
    asked = [each for one in tests if one.operator.input is Input.SEGMENTS for each in one.value.ids]
    faults = (fault(one, segments, model, (*within, id)) for one in asked)
    return next((one for one in faults if one is not None), None)


def chosen_segments(test: Test, at: str, segments: Segments | None, model: DataModel) -> Iterator[Problem]:
    """A rule: the segments of a criterion are the brand's (another's are unknown), and their filters can be used."""
    if test.operator.input is Input.SEGMENTS and segments is not None:
        for place, id in enumerate(test.value.ids):
            found = fault(id, segments, model)
            if found is not None:
                advice = ". Have the segment corrected, or choose another one." if id in segments else ""
                yield Problem(f"{at}.{place}", found[0], f"{found[1]}{advice}")


def shown_segments(definition: Definition, model: DataModel, segments: Segments | None) -> Iterator[Problem]:
    """A rule: Segments as a column names every segment of a customer, so the filters of all active ones can be used."""
    chosen = [(f"fields.{place}.from", model.fields.get(one.from_)) for place, one in enumerate(definition.fields)]
    if definition.all_fields and not definition.fields:
        chosen = [("all_fields", one) for one in model.all_fields]
    for at, field in chosen:
        if field is None or field.special != "segments" or segments is None:
            continue
        way_out = "choose fields in place of All fields" if at == "all_fields" else f"leave {field.label} out"
        for id in active(segments):
            found = fault(id, segments, model)
            if found is not None:
                advice = f"Have the segment corrected or archived, or {way_out}."
                yield Problem(at, found[0], f"{found[1]}. {advice}")


def active(segments: Segments) -> list[str]:
    """The ids of the segments that stand in the field Segments of a customer, in its order."""
    return sorted(one.id for one in segments.values() if one.status == "active")


def belongs(id: str, context: Context) -> Expression:
    """Whether a customer is in the segment.

    Raises:
        DefinitionRefused: the segment cannot be used; `rules.problems` says so before.
    """
    found = fault(id, context.surroundings.segments, context.model, context.within)
    if found is not None:
        raise DefinitionRefused([Problem("filters", *found)])
    filters = context.surroundings.segments[id].filters
    inside = dataclasses.replace(context, within=(*context.within, id))
    return all_of(filters, inside) if any(filters) else sa.false()


def membership(context: Context) -> Expression:
    """The ids of all active segments that a customer is in, as a list."""
    ids = [sa.case((belongs(id, context), literal(id))) for id in active(context.surroundings.segments)]
    texts = ARRAY(sa.Text())
    return sa.func.array_remove(sa.cast(array(ids, type_=sa.Text()), texts), sa.null(), type_=texts)
