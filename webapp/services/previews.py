"""What the file of a draft would be: asked of the source within limits of time, and written to the audit log."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from exports import preview
from exports.catalogue import Catalogue
from exports.definition import Definition, parse
from exports.errors import DefinitionRefused, ExportsError
from exports.preview import Preview
from webapp.models import Draft, User
from webapp.services import audit, brands, definitions, drafts, sizes
from webapp.services.drafts import Fault, Typed

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Look:
    """What can be shown of a draft's file. `faults`: why nothing can; `trouble`: the source's sentence.

    `all_shown`: no field is chosen yet, so that all of them are shown.
    """

    estimate: int | None = None
    rows: Preview | None = None
    faults: tuple[Fault, ...] = ()
    trouble: str = ""
    all_shown: bool = False

    @property
    def timed_out(self) -> bool:
        """Whether the first rows could not be had in time."""
        return self.estimate is not None and self.rows is None


@dataclass(frozen=True)
class Counted:
    """How many records match, in how many seconds; `rows` of None: it would have taken too long.

    `estimate` is what the planner expects, `total` about how many records there are in all, None if that is not known.
    """

    rows: int | None
    estimate: int
    seconds: float = 0.0
    total: int | None = None


def look(user: User, draft: Draft, typed: Typed, catalogue: Catalogue, step: str) -> Look:
    """The estimate and the first rows of a draft, as far as it can be read, for the step that shows them."""
    try:
        definition = provisional(user, typed, catalogue, step)
        around = brands.surroundings(user.brand, datetime.now(UTC))
        estimate = preview.estimate(definition, catalogue, around, brands.source())
        rows = preview.first_rows(definition, catalogue, around, brands.source())
    except DefinitionRefused as refused:
        faults = drafts.placed(refused.problems, typed, catalogue)
        return Look(faults=tuple(one for one in faults if not one.warning))
    except ExportsError as error:
        return Look(trouble=f"{error.message} {error.advised}")
    _record(user, draft, typed, definition)
    return Look(estimate, rows, all_shown=not typed.all_fields and not typed.columns)


def count(user: User, typed: Typed, catalogue: Catalogue, step: str) -> Counted | None:
    """The exact number of matching records; None if the draft cannot be read, or the source."""
    started = time.monotonic()
    try:
        definition = provisional(user, typed, catalogue, step)
        around = brands.surroundings(user.brand, datetime.now(UTC))
        estimate = preview.estimate(definition, catalogue, around, brands.source())
        found = preview.count(definition, catalogue, around, brands.source())
    except ExportsError as error:
        log.info("nothing is counted: %s", error)
        return None
    total = sizes.of_models(user.brand, catalogue).get(typed.model)
    return Counted(found, estimate, time.monotonic() - started, total)


def provisional(user: User, typed: Typed, catalogue: Catalogue, step: str) -> Definition:
    """The definition of an unfinished draft: what is not chosen yet, or comes in a later step, has what it would have.

    Raises:
        DefinitionRefused: what is chosen breaks a rule.
    """
    document = drafts.document(typed, catalogue)
    document["name"] = "Preview"
    if document["timezone"] not in brands.zones():
        document["timezone"] = user.brand.time_zone
    if step in ("filters", "fields"):
        document["file"] = {"extension": typed.file.extension}
    if step == "filters":
        document["aggregation"] = False
        document["fields"] = [{**one, "aggregation": None} for one in document["fields"]]
    model = catalogue.models.get(typed.model)
    if model and not (document["fields"] or document["all_fields"] or document["aggregation"]):
        shown = [one for one in model.all_fields if user.export_pii or not one.personal]
        document["fields"] = [{"from": one.id} for one in shown]
    definition = parse(document)
    definitions.check(user, definition)
    return definition


def _record(user: User, draft: Draft, typed: Typed, definition: Definition) -> None:
    """Once for a draft, its model and its fields (RELIABILITY section 6)."""
    fields = [one.from_ for one in definition.fields] or ["all fields"]
    named = hashlib.sha256(json.dumps([definition.model, fields]).encode()).hexdigest()
    if typed.previewed == named:
        return
    audit.record("preview.shown", user, draft, model=definition.model, fields=fields)
    drafts.note_preview(draft, named)
