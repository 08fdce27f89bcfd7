"""What was typed in the wizard, valid or not: the document of a draft, immutable like the definition it becomes."""

from __future__ import annotations

import uuid
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field

from exports.catalogue import DataModel
from exports.definition import JSON_ONLY_MODELS, OWNER
from webapp.services.connections.typed import TypedUpload
from webapp.services.schedules.typed import TypedSchedule


class _Typed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    def with_(self, **changes: Any) -> Self:
        """A copy with some members changed."""
        return self.model_copy(update=changes)


class TypedCriterion(_Typed):
    """One row of a set. Which of the inputs count depends on the operator; the others are kept, not used.

    `values`: what was ticked or chosen; `low`, `high`: from and to; `least`: how often at least; `when`: which kind of
    anniversary; `find`: what is looked for and not chosen yet. `fresh`: it was just added, so that its emptiness is not
    a mistake yet. `original`: the JSON of the criterion that the inputs were filled from, if they were (`filling`).
    """

    attribute: str = ""
    operator: str = ""
    value: str = ""
    values: tuple[str, ...] = ()
    low: str = ""
    high: str = ""
    least: str = ""
    when: str = ""
    find: str = ""
    fresh: bool = False
    original: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was chosen."""
        return not self.attribute


class TypedReplacement(_Typed):
    """*Value to replace → new value*."""

    value: str = ""
    new: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed; such a row is not in the definition."""
        return not self.value and not self.new


class TypedColumn(_Typed):
    """One column of the file. `open`: its Replace values are unfolded. `aggregation` counts while Aggregation is on.

    `mask`: what becomes of a personal field's values; empty: they stay.
    """

    from_: str
    to: str = ""
    default: str = ""
    replace: tuple[TypedReplacement, ...] = ()
    aggregation: str = ""
    mask: str = ""
    open: bool = False

    @property
    def replaced(self) -> int:
        """How many replacements were typed."""
        return sum(not one.is_blank for one in self.replace)


class TypedFile(_Typed):
    """The format of the file, in the words of the form's inputs."""

    extension: str = "csv"
    delimiter: str = "comma"
    delimiter_other: str = ""
    enclosure: str = "double"
    newline: str = "lf"
    no_header: bool = False
    bom: bool = False
    protect: bool = True
    times: str = "local"


class TypedNotify(_Typed):
    """Who gets mails: what is ticked (OWNER, addresses), and addresses that are typed, separated by commas."""

    success: tuple[str, ...] = (OWNER,)
    failure: tuple[str, ...] = (OWNER,)
    success_others: str = ""
    failure_others: str = ""


TypedSet = tuple[TypedCriterion, ...]


class Typed(_Typed):
    """The whole draft.

    `submitted`: the steps that were left by Next, whose problems are shown. `tab`: the page that saved last. `token`:
    what makes **Create** answer the same export twice. `previewed`: model and fields of the last preview in the audit,
    `explained` those of the last Why?.
    `counted`: how many rows matched when all could be counted last. `cloned_from`: the export that this is a copy of.
    `version`: the one that was there when Edit began; `saved`: what was typed has become a version.
    """

    model: str = ""
    name: str = ""
    timezone: str = ""
    sets: tuple[TypedSet, ...] = ((TypedCriterion(),),)
    aggregation: bool = False
    all_fields: bool = False
    columns: tuple[TypedColumn, ...] = ()
    file: TypedFile = TypedFile()
    scheduling: TypedSchedule = TypedSchedule()
    upload: TypedUpload = Field(default_factory=TypedUpload)
    if_empty: str = "header"
    notify: TypedNotify = TypedNotify()
    submitted: tuple[str, ...] = ()
    tab: str = ""
    token: uuid.UUID = Field(default_factory=uuid.uuid4)
    previewed: str = ""
    explained: str = ""
    counted: int | None = None
    cloned_from: uuid.UUID | None = None
    version: int | None = None
    saved: bool = False

    @property
    def criteria(self) -> int:
        """How many criteria have an attribute."""
        return sum(not one.is_blank for set_ in self.sets for one in set_)

    def with_submitted(self, *steps: str) -> Typed:
        """The draft with these steps among those left by Next."""
        new = tuple(one for one in steps if one not in self.submitted)
        return self.with_(submitted=(*self.submitted, *new))

    def with_model(self, model: DataModel) -> Typed:
        """The draft for a data model: criteria and fields of another one go."""
        if model.id == self.model:
            return self
        extension = "json" if model.id in JSON_ONLY_MODELS else "csv"
        return self.with_(
            model=model.id,
            sets=Typed.model_fields["sets"].default,
            aggregation=False,
            columns=(),
            all_fields=False,
            file=self.file.with_(extension=extension),
            submitted=tuple(one for one in self.submitted if one not in ("filters", "fields", "file")),
            previewed="",
            explained="",
            counted=None,
        )
