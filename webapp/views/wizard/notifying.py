"""What the inputs of **Notify** need: the people of the brand, and the domains that it allows besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from exports.definition import OWNER
from webapp.services.mail import notify
from webapp.views.wizard.place import Place


@dataclass(frozen=True)
class Row:
    """Somebody who can be ticked: `value` is what the definition holds."""

    value: str
    name: str
    about: str

    @property
    def is_owner(self) -> bool:
        """Whether it stands for whoever owns the export, and its words are ours."""
        return self.value == OWNER


def context(place: Place) -> dict[str, Any]:
    """The rows of the table: the owner, the people by name, and whoever is ticked and is none of them."""
    owner = place.export.owner if place.export else place.user
    people = notify.people()
    rows = [Row(OWNER, "Owner", f"whoever owns the export then, now {owner.name}")]
    rows += [Row(one.email, one.name, one.email) for one in people]
    known = {row.value for row in rows}
    ticked = dict.fromkeys((*place.typed.notify.success, *place.typed.notify.failure))
    rows += [Row(one, one, "") for one in ticked if one not in known]
    return {"notify_rows": rows, "mail_domains": place.user.brand.mail_domains}
