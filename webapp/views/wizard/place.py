"""Where in the wizard somebody is: the draft, what was typed in it, its catalogue and its problems, read once."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

from flask import abort, request, url_for
from flask_login import current_user

from exports.catalogue import Catalogue, DataModel
from exports.definition import Definition
from webapp.models import Draft, Export, User
from webapp.permissions import Refused, authorize
from webapp.services import brands, drafts, exports
from webapp.services.drafts import BY_ID, Checked, Step, Typed
from webapp.views.lookups import find_export_or_404

READ_ONCE: Final = ("catalogue", "export", "saved")
"""What does not depend on what was typed: read for one place, it is known to those made of it."""


def find_draft_or_404(id: uuid.UUID) -> Draft:
    """The person's own draft. Everybody else's, of whatever brand, is not there.

    Raises:
        Refused: there is no such draft (404), or the person may not make exports (403).
    """
    draft = drafts.own(current_user, id)
    if draft is None:
        raise Refused("drafts.edit", hidden=True)
    authorize(current_user, "drafts.edit", draft)
    if draft.export_id is None:
        authorize(current_user, "exports.create")
    else:
        find_export_or_404("exports.edit", draft.export_id)
    return draft


@dataclass(frozen=True)
class Place:
    """A step of a draft. `typed` may be newer than the row: what was posted and is not, or cannot be, stored.

    `tab` names the page in the browser, so that its own save is not taken for another tab's.
    """

    user: User
    draft: Draft
    step: Step
    typed: Typed
    tab: str

    @classmethod
    def of(cls, draft_id: uuid.UUID, step: str, tab: str = "") -> Place:
        """A step of a draft of the person's; 404 for what is not there."""
        draft = find_draft_or_404(draft_id)
        if step not in BY_ID:
            abort(404)
        user: User = current_user._get_current_object()
        return cls(user, draft, BY_ID[step], drafts.typed_of(draft), tab or str(uuid.uuid4()))

    def with_typed(self, typed: Typed) -> Place:
        """The same place with something else typed."""
        return self._but(typed=typed)

    def knowing(self, former: Place) -> Place:
        """The same place, which need not be checked again if nothing else was typed than in one that was."""
        around = {"tab": former.typed.tab, "previewed": former.typed.previewed}
        if "checked" in vars(former) and self.typed.with_(**around) == former.typed:
            vars(self)["checked"] = former.checked
        return self

    def from_tab(self, tab: str) -> Place:
        """The same place, seen from the page that posts."""
        return self._but(tab=tab or self.tab)

    def _but(self, **changes: Any) -> Place:
        made = replace(self, **changes)
        vars(made).update({name: value for name, value in vars(self).items() if name in READ_ONCE})
        return made

    @cached_property
    def catalogue(self) -> Catalogue:
        """What the brand sees."""
        return brands.catalogue_of(self.user.brand)

    @property
    def model(self) -> DataModel | None:
        """The chosen data model; None if it is not, or no longer, among the brand's."""
        return self.catalogue.models.get(self.typed.model)

    @cached_property
    def export(self) -> Export | None:
        """The export that is edited; None for a new one."""
        return exports.find(self.draft.export_id) if self.draft.export_id else None

    @cached_property
    def saved(self) -> Definition | None:
        """Its present version."""
        return exports.definition_of(self.export) if self.export else None

    @cached_property
    def checked(self) -> Checked:
        """The problems of the whole draft."""
        return drafts.check(self.typed, self.user, self.catalogue, self.saved)

    @property
    def is_submitted(self) -> bool:
        """Whether the problems of this step are shown."""
        return self.step.id in self.typed.submitted

    @cached_property
    def then(self) -> str:
        """`check` if the person came here by Change and goes back there."""
        return "check" if request.args.get("then") == "check" and self.step.id != "check" else ""

    def url(self, step: str | None = None, **query: str | None) -> str:
        """The address of a step, by default this one with the way it goes on."""
        wanted: dict[str, Any] = {"then": self.then or None, **query} if step is None else {**query}
        told = urlencode({name: value for name, value in wanted.items() if value is not None})
        return f"{self._address}{step or self.step.id}" + (f"?{told}" if told else "")

    @cached_property
    def _address(self) -> str:
        """What the addresses of all steps begin with: a page has dozens of them."""
        return url_for("wizard.step", draft_id=self.draft.id, step="model").removesuffix("model")

    @property
    def next(self) -> Step | None:
        """The step that **Next** leads to."""
        return BY_ID["check"] if self.then else drafts.after(self.step.id)
