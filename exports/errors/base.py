"""What every error of ours is: a code, a sentence, advice, and whether trying again can help."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

RETRIED: Final = "The run is tried again by itself."
TRY_AGAIN: Final = "Try again in a moment."
RUN_AGAIN: Final = "It was tried several times. Press Run again."
UPLOAD_AGAIN: Final = "It was tried several times. Press Upload again."
RUN_NOW: Final = "Then press Run now."


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
    """Root of all errors of ours. `facts` fill the placeholders of sentence and advice; `detail` is for engineers.

    `in_definition`: the remedy is to change the export. **Run now** goes by what it is then; **Run again** and
    **Upload again** go by the definition of that time.
    """

    code: ClassVar[str] = ""
    sentence: ClassVar[str] = ""
    advice: ClassVar[str] = ""
    permanent: ClassVar[bool] = True
    in_definition: ClassVar[bool] = False

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

    @classmethod
    def last_advice(cls, press: str) -> str:
        """The advice, with its placeholders, once nothing is tried by itself any more: `press` says what to press."""
        return f"{cls.advice} {RUN_NOW}" if cls.in_definition else cls.advice.replace(RETRIED, press)

    def advised_at_last(self, press: str) -> str:
        """What to do about it after the last try; `press` is RUN_AGAIN or UPLOAD_AGAIN."""
        return self.last_advice(press).format(**self.facts)

    @property
    def told_now(self) -> str:
        """Sentence and advice for somebody who waits for the answer: there nothing is tried again by itself."""
        return f"{self.message} {self.advised.replace(RETRIED, TRY_AGAIN)}"


class RunError(ExportsError):
    """A run cannot go on."""
