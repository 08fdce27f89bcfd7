"""What the wizard answers: the page of a step, or what is swapped into the page that is there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from webapp.htmx import fragment, instead, is_htmx
from webapp.htmx import page as whole_page
from webapp.services.drafts import NOT_CHOSEN, STEPS, DraftChanged, Fault, inputs, number_of
from webapp.views.wizard import bar, contexts
from webapp.views.wizard.place import Place


def page(place: Place, *, status: int = 200, problems: Iterable[tuple[str, str]] = (), **more: Any) -> Response:
    """The whole page of a step. `problems` stand in place of those of the draft."""
    return whole_page("wizard/step.html", status=status, **{**around(place, list(problems)), **more})


def swap(place: Place, template: str, problems: Iterable[tuple[str, str]] = (), **more: Any) -> Response:
    """A part of the page, with what goes with it out of band: the mark of saving, the summary, what is said."""
    return fragment(f"wizard/swaps/{template}.html", **{**around(place, list(problems)), **more})


def refused(place: Place, input: str, message: str) -> Response:
    """A form that cannot be stored: 422, and the former draft stays (RELIABILITY section 5)."""
    problems = [(input, message)]
    if not is_htmx():
        return page(place, status=422, problems=problems)
    return instead(fragment("wizard/swaps/summary.html", status=422, problems=problems), "#summary")


def changed_elsewhere(place: Place, conflict: DraftChanged) -> Response:
    """Another tab saved in between: 409, with what was typed here still on the page."""
    at = conflict.at.astimezone(ZoneInfo(place.user.time_zone)).strftime("%H:%M")
    if not is_htmx():
        return page(place, status=409, conflict_at=at)
    text = fragment("wizard/swaps/conflict.html", status=409, place=place, step=place.step, conflict_at=at)
    return instead(text, "#conflict")


def around(place: Place, problems: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    """What every template of the wizard is given."""
    faults = shown(place)
    saved_at = place.draft.updated_at.astimezone(ZoneInfo(place.user.time_zone))
    return {
        "place": place,
        "step": place.step,
        "number": number_of(place.step.id),
        "count": len(STEPS),
        "stops": bar.stops(place),
        "typed": place.typed,
        "model": place.model,
        "problems": problems or _once((_link(one, place), one.message) for one in faults),
        "problem_at": {**_first(marked(place)), **dict(problems or [])},
        "warning_at": _first(place.checked.warnings(place.step.id)),
        "saved_at": saved_at.strftime("%H:%M:%S"),
        "focus": "",
        **contexts.of(place),
    }


def _link(fault: Fault, place: Place) -> str:
    """What the summary links to: the input, or on Check and create the line of the step that it belongs to."""
    return f"row-{fault.step}" if place.step.id == "check" else fault.input


def shown(place: Place) -> tuple[Fault, ...]:
    """The problems that a step shows: once it was submitted, and not of a criterion that was just added."""
    if place.step.id == "check":
        return place.checked.errors() if place.is_submitted else ()
    if not place.is_submitted:
        return ()
    return tuple(one for one in place.checked.errors(place.step.id) if not _fresh(one, place))


def marked(place: Place) -> tuple[Fault, ...]:
    """The problems that stand beside their inputs: those of the summary, and before that, in the filters, those of a
    value that was typed. A criterion is read as soon as it is there, and the others go on working.
    """
    if place.step.id != "filters":
        return shown(place)
    told = shown(place)
    return tuple(one for one in place.checked.errors("filters") if one in told or _typed_in(one, place))


def _typed_in(fault: Fault, place: Place) -> bool:
    """Whether there is something in the input; looking for a record is no mistake before Next."""
    found = inputs.part_of(fault.input)
    if found is None or fault.code == NOT_CHOSEN:
        return False
    set_, position, part = found
    if part == "find":
        return len(place.typed.sets[set_][position].values) > 0
    return bool(getattr(place.typed.sets[set_][position], part))


def told(place: Place) -> set[str]:
    """The inputs beside which something stands, be it a problem or a warning."""
    return {one.input for one in (*marked(place), *place.checked.warnings(place.step.id))}


def _fresh(fault: Fault, place: Place) -> bool:
    parts = fault.at.split(".")
    if parts[0] != "filters" or len(parts) < 3:
        return False
    return place.typed.sets[int(parts[1])][int(parts[2])].fresh


def _once(problems: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(dict.fromkeys(problems))


def _first(faults: Iterable[Fault]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in faults:
        found.setdefault(one.input, one.message)
    return found
