"""Segments: who is in one is told by the segment's own filters at the moment of the run (REFERENCE 2.3)."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array

from exports.columns import Context, Expression, literal
from exports.conditions import all_of
from exports.criteria import CriterionRefused
from exports.errors import DefinitionRefused, Problem


def belongs(id: str, context: Context) -> Expression:
    """Whether a customer is in the segment.

    Raises:
        DefinitionRefused: there is no such segment, its own filter cannot be used, or segments ask for each other.
    """
    segment = context.surroundings.segments.get(id)
    if segment is None:
        raise _refused("segment.unknown", f"There is no segment {id}")
    if id in context.within:
        raise _refused("segment.circle", f"The segment {segment.name} asks for itself")
    inside = dataclasses.replace(context, within=(*context.within, id))
    try:
        return all_of(segment.filters, inside) if any(segment.filters) else sa.false()
    except CriterionRefused as error:
        raise _refused("segment.unusable", f"The filter of the segment {segment.name}: {error.message}") from error


def membership(context: Context) -> Expression:
    """The ids of all active segments that a customer is in, as a list."""
    active = sorted(one.id for one in context.surroundings.segments.values() if one.status == "active")
    ids = [sa.case((belongs(id, context), literal(id))) for id in active]
    texts = ARRAY(sa.Text())
    return sa.func.array_remove(sa.cast(array(ids, type_=sa.Text()), texts), sa.null(), type_=texts)


def _refused(code: str, message: str) -> DefinitionRefused:
    return DefinitionRefused([Problem("filters", code, message)])
