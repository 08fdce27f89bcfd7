"""What every error of ours is: a code, a sentence, advice, and whether trying again can help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

RETRIED: Final = "The run is tried again by itself."
TRY_AGAIN: Final = "Try again in a moment."


@dataclass(frozen=True)
class Problem:
    """One rule that a definition breaks.

    `at` is the dotted path in the definition's JSON ("filters.0.1.value"), `code` names the rule, `message` is the
    sentence that form, command line and API show alike. A warning does not stop anything.
    """

    at: str
    code: str
    message: str
    warning: bool = False

    def as_dict(self) -> dict[str, str]:
        """The shape that `flask export check` prints (SPEC section 11)."""
        return {"at": self.at, "code": self.code, "message": self.message}


class ExportsError(Exception):
    """Root of all errors of ours. `facts` fill the placeholders of sentence and advice; `detail` is for engineers."""

    code: ClassVar[str] = ""
    sentence: ClassVar[str] = ""
    advice: ClassVar[str] = ""
    permanent: ClassVar[bool] = True

    def __init__(self, detail: str = "", **facts: Any) -> None:
        self.detail = detail
        self.facts = facts
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """What happened, in one sentence."""
        return self.sentence.format(**self.facts)

    @property
    def advised(self) -> str:
        """What to do about it, in one sentence."""
        return self.advice.format(**self.facts)

    @property
    def told_now(self) -> str:
        """Sentence and advice for somebody who waits for the answer: there nothing is tried again by itself."""
        return f"{self.message} {self.advised.replace(RETRIED, TRY_AGAIN)}"


class RunError(ExportsError):
    """A run cannot go on."""
