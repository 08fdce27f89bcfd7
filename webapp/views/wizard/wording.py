"""What was chosen in each step, in a few words: under the step bar, and in full on Check and create.

The words are those of `exports.words`, said of a draft, which need not be a whole definition yet.
"""

from __future__ import annotations

from pydantic import ValidationError

from exports import schedule, words
from exports.catalogue import DataModel
from exports.definition import Criterion, Definition, File
from webapp.services import choices, connections
from webapp.services.drafts import Typed, TypedFile, document, file_document
from webapp.services.schedules.typed import TypedSchedule, chosen
from webapp.views.wizard.place import Place


def counted(number: int, one: str, many: str = "") -> str:
    """1 set, 2 sets; 1 criterion, 4 criteria."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def answer(step: str, typed: Typed, model: DataModel | None) -> str:
    """The answer of a step, for the step bar."""
    match step:
        case "model":
            return model.label if model else ""
        case "localization":
            return typed.name.strip()
        case "filters":
            return _filters(typed)
        case "fields":
            return _fields(typed)
        case "file":
            return ", ".join(_short(typed.file))
        case "schedule":
            return _scheduling(typed.scheduling)
        case "target":
            return connections.LABELS.get(typed.upload.type, "")
        case _:
            return ""


def _filters(typed: Typed) -> str:
    sets = sum(any(not one.is_blank for one in set_) for set_ in typed.sets)
    return f"{counted(sets, 'set')}, {counted(typed.criteria, 'criterion', 'criteria')}"


def _fields(typed: Typed) -> str:
    fields = "All fields" if typed.all_fields else counted(len(typed.columns), "field")
    return f"{fields}, aggregated" if typed.aggregation else fields


def _scheduling(typed: TypedSchedule) -> str:
    found = chosen(typed)
    return schedule.shortest(found) if found else ""


def _short(typed: TypedFile) -> list[str]:
    """.csv, comma, LF; for formats without these choices the extension alone."""
    said = file(typed)
    return [said[0], said[1], said[3]] if typed.extension == "csv" and len(said) > 3 else said[:1]


def file(typed: TypedFile) -> list[str]:
    """.csv, comma, enclosure ", LF, header, UTF-8; the extension alone if the rest cannot be read."""
    try:
        return words.file(File.model_validate(file_document(typed)))
    except ValidationError:
        return [f".{typed.extension}"]


def notify(place: Place) -> dict[str, str]:
    """Who gets mails: on success and on failure."""
    chosen = document(place.typed, place.catalogue)["notify"]
    return {member: words.recipients(chosen[member]) for member in ("success", "failure")}


def phrases(place: Place) -> list[list[words.Phrase]]:
    """The sets of criteria; rows without an attribute are left out."""
    typed = document(place.typed, place.catalogue)["filters"]
    sets = tuple(tuple(Criterion(**one) for one in set_ if one["attribute"]) for set_ in typed)
    unchecked = Definition.model_construct(name="", model="", timezone="", filters=tuple(filter(None, sets)))
    called = choices.called(place.user, place.catalogue, place.model, unchecked.filters)
    return words.filters(unchecked, place.model, called)
