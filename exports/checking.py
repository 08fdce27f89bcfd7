"""A definition against its surroundings: every rule that it breaks, or the statements that it stands for.

The one place where form, command line, previews and runs check a definition, so that none of them knows a rule that
another does not (SPEC section 11).
"""

from __future__ import annotations

from collections.abc import Collection

from exports import rules
from exports.addresses import Guard
from exports.catalogue import Catalogue
from exports.definition import Definition
from exports.errors import Problem
from exports.query import Query, build
from exports.source.base import Source
from exports.surroundings import Surroundings, known_ids


def problems(
    definition: Definition,
    catalogue: Catalogue,
    surroundings: Surroundings,
    source: Source,
    zones: Collection[str] | None = None,
    guard: Guard | None = None,
) -> list[Problem]:
    """Every rule that a definition breaks, warnings included, in the order of the wizard's steps.

    `zones`: what can be chosen, by default all that there are; the source refuses those that it does not know.
    `guard`: says whether a server that is typed by hand may be reached; without it nobody asks.

    Raises:
        SourceError: the source cannot be read.
    """
    known = known_ids(definition, source, catalogue, surroundings.brand)
    return rules.problems(definition, catalogue, zones, surroundings.segments, known, guard)


def query_of(definition: Definition, catalogue: Catalogue, surroundings: Surroundings, source: Source) -> Query:
    """The statements of a definition, if it keeps to the rules.

    Raises:
        DefinitionRefused: with every problem that is no warning.
        SourceError: the source cannot be read.
    """
    rules.refuse(problems(definition, catalogue, surroundings, source))
    return build(definition, catalogue, surroundings)
