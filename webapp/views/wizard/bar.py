"""The step bar: where somebody is, what was answered, what needs correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from webapp.services.drafts import STEPS, Step
from webapp.views.wizard.place import Place
from webapp.views.wizard.wording import answer

State = Literal["here", "done", "bad", "todo"]


@dataclass(frozen=True)
class Stop:
    """One step in the bar; `url` is empty for what is still to come."""

    step: Step
    number: int
    state: State
    answer: str
    url: str


def stops(place: Place) -> list[Stop]:
    """All eight."""
    return [_stop(one, number, place) for number, one in enumerate(STEPS, 1)]


def _stop(step: Step, number: int, place: Place) -> Stop:
    if step.id == place.step.id:
        return Stop(step, number, "here", "You are here", place.url(step.id))
    if step.id not in place.typed.submitted:
        return Stop(step, number, "todo", "", "")
    if step.id == "check":  # visited is not checked: a tick is for what was answered
        return Stop(step, number, "todo", "", place.url(step.id))
    bad = bool(place.checked.errors(step.id))
    said = "Needs correction" if bad else answer(step.id, place.typed, place.model)
    return Stop(step, number, "bad" if bad else "done", said, place.url(step.id))
