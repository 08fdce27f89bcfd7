"""The eight steps of the wizard, in their order, and the inputs that each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Step:
    """One page of the wizard: `id` is the last part of its URL, `short` its name in the step bar."""

    id: str
    title: str
    short: str


STEPS: Final = (
    Step("model", "Data model", "Data model"),
    Step("localization", "Localization", "Localization"),
    Step("filters", "Filters", "Filters"),
    Step("fields", "Field settings", "Field settings"),
    Step("file", "File", "File"),
    Step("schedule", "Scheduling", "Scheduling"),
    Step("target", "Upload target", "Upload target"),
    Step("check", "Check and create", "Check"),
)
"""SPEC section 3 and UX section 3."""
BY_ID: Final = {one.id: one for one in STEPS}
ASKING: Final = tuple(one.id for one in STEPS if one.id != "check")
"""The steps that have inputs."""


def number_of(step: str) -> int:
    """1 to 8."""
    return STEPS.index(BY_ID[step]) + 1


def before(step: str) -> Step | None:
    """The step before, None before the first."""
    place = STEPS.index(BY_ID[step])
    return STEPS[place - 1] if place else None


def after(step: str) -> Step | None:
    """The step behind, None behind the last."""
    place = STEPS.index(BY_ID[step])
    return STEPS[place + 1] if place + 1 < len(STEPS) else None
