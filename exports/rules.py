"""Every rule that needs the data model, one small function each, with its own code and sentence.

Form, command line, API and run ask the same functions and show the same words (SPEC section 3). What can be said
without a catalogue (types, unknown members, lengths) `definition.parse` has said before.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from exports import aggregation, masks, recipients, schedule, target
from exports.addresses import Guard
from exports.catalogue import Catalogue, DataModel
from exports.criteria import CriterionRefused, Test, read
from exports.definition import (
    DEFAULTS_BY_EXTENSION,
    JSON_ONLY_MODELS,
    MAX_CRITERIA,
    MAX_REPLACEMENTS_IN_ALL,
    MAX_VALUES_BYTES,
    Column,
    Definition,
)
from exports.errors import DefinitionRefused, Problem
from exports.operators import Input
from exports.segments import Segments, chosen_segments, shown_segments
from exports.special.attributes import CUSTOMERS
from exports.special.reading import NOUNS
from exports.zones import names

Known = Mapping[Input, Collection[str]]
"""Ids that the brand has, of those that were chosen. What is not listed was not looked at."""

ILLEGAL_DELIMITERS: Final = frozenset("\"'\\.+-")
"""With these, or a letter or digit, COPY writes a file that nobody can read back (RELIABILITY section 0)."""
INVISIBLE: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp", "Zs", "Mn", "Me"})
"""Unicode categories that show nothing by themselves."""


def problems(
    definition: Definition,
    catalogue: Catalogue,
    zones: Collection[str] | None = None,
    segments: Segments | None = None,
    known: Known | None = None,
    guard: Guard | None = None,
) -> list[Problem]:
    """Every rule that a definition breaks, warnings included, in the order of the wizard's steps.

    `catalogue` is the brand's (its modules and custom fields), `zones` what can be chosen, by default all that there
    are, `segments` the ids of the brand's segments, if they are to be looked at, `known` those of the records that
    were chosen which the brand has (`surroundings.known_ids`), `guard` what says which servers may be reached.
    """
    found = [*name(definition), *timezone(definition, zones if zones is not None else names())]
    model = catalogue.models.get(definition.model)
    if model is None:
        return [*model_known(definition), *found]
    return [
        *found,
        *criteria(definition, catalogue, segments, known),
        *values_size(definition),
        *fields(definition, model),
        *shown_segments(definition, model, segments),
        *aggregation.problems(definition, model),
        *masks.problems(definition, model),
        *headers(definition, model),
        *replacements(definition),
        *file_for_model(definition, model),
        *file_options(definition),
        *headers_without_enclosure(definition),
        *one_column_without_enclosure(definition),
        *schedule.problems(definition.schedule),
        *upload(definition, guard),
        *recipients.problems(definition),
    ]


def refuse(found: list[Problem]) -> None:
    """Refuse a definition that breaks a rule; warnings stop nothing.

    Raises:
        DefinitionRefused: with every problem that is no warning.
    """
    errors = [one for one in found if not one.warning]
    if errors:
        raise DefinitionRefused(errors)


# --- Data model, Localization


def model_known(definition: Definition) -> Iterator[Problem]:
    """The model exists and its module is on for the brand."""
    yield Problem("model", "model.unknown", f"There is no data model {definition.model}: choose one from the list")


def name(definition: Definition) -> Iterator[Problem]:
    """A name that a person can see, on one line."""
    categories = {unicodedata.category(character) for character in definition.name}
    if "Cc" in categories or categories & {"Zl", "Zp"}:
        yield Problem("name", "name.control", "The name must not hold line breaks or other control characters")
    elif categories <= INVISIBLE:
        yield Problem("name", "name.empty", "Enter a name")


def timezone(definition: Definition, zones: Collection[str]) -> Iterator[Problem]:
    """A time zone of the closed list."""
    if definition.timezone not in zones:
        yield zone_unknown()


def zone_unknown() -> Problem:
    """What is said of a time zone that we do not know, or the database that rows come from does not."""
    return Problem("timezone", "timezone.unknown", "Choose a time zone from the list")


# --- Filters


def criteria(
    definition: Definition, catalogue: Catalogue, segments: Segments | None, known: Known | None
) -> Iterator[Problem]:
    """At least one criterion, not too many, none in error."""
    model = catalogue.models[definition.model]
    number = sum(len(set_) for set_ in definition.filters)
    if number == 0:
        yield Problem("filters", "filters.none", "Add at least one criterion")
        return
    if number > MAX_CRITERIA or len(definition.filters) > MAX_CRITERIA:
        yield Problem("filters", "filters.too_many", f"At most {MAX_CRITERIA} criteria")
        return
    for place, set_ in enumerate(definition.filters):
        if not set_:
            yield Problem(f"filters.{place}", "filters.empty_set", "Add a criterion to this set, or remove the set")
        for position, one in enumerate(set_):
            try:
                test = read(one, model)
            except CriterionRefused as error:
                yield from (replace(one, at=f"filters.{place}.{position}.{one.at}") for one in error.problems)
            else:
                at = f"filters.{place}.{position}.value.ids"
                about = catalogue.models[CUSTOMERS] if test.field.through else model
                yield from chosen_segments(test, at, segments, about)
                yield from records_known(test, at, known or {})


def records_known(test: Test, at: str, known: Known) -> Iterator[Problem]:
    """Groups, rewards and challenges of the brand; another brand's are unknown."""
    ids = known.get(test.operator.input)
    if ids is not None:
        for place, id in enumerate(test.value.ids):
            if id not in ids:
                noun = NOUNS[test.operator.input][1]
                message = f"There is no {noun} {id}"
                yield Problem(f"{at}.{place}", "record.unknown", message)


def values_size(definition: Definition) -> Iterator[Problem]:
    """All that was typed as values, together (SPEC section 5)."""
    typed = [*(one.value for set_ in definition.filters for one in set_), *(one.default for one in definition.fields)]
    typed += [text for one in definition.fields for each in one.replace for text in (each.value, each.new)]
    if sum(map(_size, typed)) > MAX_VALUES_BYTES:
        yield Problem("definition", "values.too_large", f"All values together have at most {MAX_VALUES_BYTES:,} bytes")


def _size(value: Any) -> int:
    """The bytes of a value: of its texts as they are, of everything else as it is written."""
    if isinstance(value, dict):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    return len(value.encode()) if isinstance(value, str) else 0 if value is None else len(str(value))


# --- Field settings


def fields(definition: Definition, model: DataModel) -> Iterator[Problem]:
    """Fields were chosen, or all; each exists."""
    if definition.all_fields and definition.fields:
        yield Problem("fields", "fields.both", "All fields stands for every field: leave the list of fields out")
    if not definition.all_fields and not definition.fields:
        message = "Choose at least one field" if definition.aggregation else "Choose at least one field, or All fields"
        yield Problem("fields", "fields.none", message)
    for place, one in enumerate(definition.fields):
        if one.from_ not in model.fields:
            model_label = model.label
            yield Problem(f"fields.{place}.from", "field.unknown", f"{model_label} has no field {one.from_}")


def headers(definition: Definition, model: DataModel) -> Iterator[Problem]:
    """Two columns of one name: csv can hold them, an object of json cannot."""
    shown = [one.header for one in definition.fields] or [one.id for one in model.all_fields]
    objects = definition.file.extension in ("json", "jsonl")
    twice = {header for header, number in Counter(shown).items() if number > 1}
    for place, one in enumerate(definition.fields):
        if one.header in twice:
            twice.remove(one.header)
            said = f"Two columns are called {one.header}"
            message = f"{said}: rename one" if objects else f"{said}: the file will have both"
            last = max(position for position, header in enumerate(shown) if header == one.header)
            yield Problem(f"fields.{last if last > place else place}.to", "header.twice", message, warning=not objects)


def replacements(definition: Definition) -> Iterator[Problem]:
    """Each value to replace stands once and is not the empty one."""
    number = 0
    for place, one in enumerate(definition.fields):
        number += len(one.replace)
        yield from _replacements_of(one, f"fields.{place}.replace")
    if number > MAX_REPLACEMENTS_IN_ALL:
        yield Problem(
            "fields", "replace.too_many", f"At most {MAX_REPLACEMENTS_IN_ALL:,} values to replace in all fields"
        )


def _replacements_of(column: Column, at: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for place, one in enumerate(column.replace):
        if not one.value:
            yield Problem(f"{at}.{place}.value", "replace.empty", "An empty value cannot be replaced: use Default")
        elif one.value in seen:
            yield Problem(f"{at}.{place}.value", "replace.twice", f"{one.value} is replaced twice: keep one of them")
        seen.add(one.value)


# --- File


def file_for_model(definition: Definition, model: DataModel) -> Iterator[Problem]:
    """Models whose records are nested come as .json only (SPEC section 3.5)."""
    if model.id in JSON_ONLY_MODELS and definition.file.extension != "json":
        model_label = model.label
        yield Problem("file.extension", "file.json_only", f"{model_label} can only be exported as .json")


def file_options(definition: Definition) -> Iterator[Problem]:
    """Options that do not apply to the extension have the value that they would have (SPEC section 11)."""
    file = definition.file
    if file.extension == "csv":
        yield from delimiter(file.delimiter)
        return
    fixed = dict(DEFAULTS_BY_EXTENSION[file.extension])
    if file.extension in ("json", "jsonl"):
        fixed |= {"header": True, "bom": False, "protect_spreadsheets": False}
    for option, value in fixed.items():
        if getattr(file, option) != value:
            label = option.replace("_", " ")
            yield Problem(f"file.{option}", "file.option", f"A .{file.extension} file has no {label}: leave it out")


def delimiter(value: str | None) -> Iterator[Problem]:
    """Comma, semicolon, tab, pipe, space, or another printable ASCII character that is no part of numbers or words."""
    legal = value is not None and len(value) == 1 and (value == "\t" or (value.isascii() and value.isprintable()))
    if not legal or value is None or value.isalnum() or value in ILLEGAL_DELIMITERS:
        yield Problem(
            "file.delimiter",
            "file.delimiter",
            "The delimiter is a comma, semicolon, tab, pipe, space, or one other printable ASCII character that is no "
            "letter, no digit and none of \" ' \\ . + -",
        )


def headers_without_enclosure(definition: Definition) -> Iterator[Problem]:
    """Without enclosure a header can hold neither delimiter nor line end."""
    file = definition.file
    if file.extension != "csv" or file.enclosure is not None or not file.header:
        return
    for place, one in enumerate(definition.fields):
        if any(character in one.header for character in (file.delimiter or ",", "\r", "\n")):
            message = f"The header {one.header} holds the delimiter or a line end: choose an enclosure"
            yield Problem(f"fields.{place}.to", "header.enclosure", message)


def one_column_without_enclosure(definition: Definition) -> Iterator[Problem]:
    """An empty cell that is alone in its row would be an empty line: it needs its enclosures (SPEC section 6)."""
    if definition.file.extension == "csv" and definition.file.enclosure is None and len(definition.fields) == 1:
        message = "With one field and no enclosure the run stops if a value is empty"
        yield Problem("file.enclosure", "file.one_column", message, warning=True)


# --- Upload target


def upload(definition: Definition, guard: Guard | None) -> Iterator[Problem]:
    """Where the file is uploaded: a connection or a server typed by hand, and a path that can be used at any moment."""
    repeats = definition.schedule.type == "repeated"
    yield from target.problems(definition.target, definition.file.extension, repeats=repeats)
    if guard is not None:
        yield from target.blocked(definition.target, guard)
