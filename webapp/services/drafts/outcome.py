"""What an operation on a draft gives: the draft after it, and where the page goes on."""

from __future__ import annotations

from dataclasses import dataclass

from webapp.services.drafts.typed import Typed


class UnknownOperation(ValueError):
    """A button that the step does not have, or one about something that is not there."""


@dataclass(frozen=True)
class Outcome:
    """`anchor` is the element that a plain page scrolls to, `focus` the id that takes the focus, `said` what is said
    to screen readers; `complaint` says why nothing was done.
    """

    typed: Typed
    anchor: str = ""
    focus: str = ""
    said: str = ""
    complaint: str = ""
