"""The inputs of **Notify**, in the step Upload target: `notify-success-to` is ticked, `notify-success-others` typed."""

from __future__ import annotations

from typing import Any, Final

from webapp.forms.wizard.posted import Posted
from webapp.services.drafts import Typed

INPUTS: Final = frozenset({f"notify-{member}-{part}" for member in ("success", "failure") for part in ("to", "others")})
MANY: Final = "-to"
"""The ending of those that are groups of checkboxes."""


def read_notify(posted: Posted, typed: Typed) -> Typed:
    """The draft with the recipients that were posted; a form without these inputs leaves them as they were."""
    changes: dict[str, Any] = {}
    for member in ("success", "failure"):
        if posted.checked(f"notify-{member}-to"):
            # A group of checkboxes comes with an empty value, so that one without a check is there too.
            changes[member] = tuple(filter(None, posted.many(f"notify-{member}-to")))
        former = getattr(typed.notify, f"{member}_others")
        changes[f"{member}_others"] = posted.text(f"notify-{member}-others", former)
    return typed.with_(notify=typed.notify.with_(**changes))
