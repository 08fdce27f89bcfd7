"""While a value is typed: the records that can be chosen, and what the text means; neither is stored."""

from __future__ import annotations

import uuid

from flask import Response, abort, request

from webapp.forms.wizard import FormRefused, Posted, read
from webapp.htmx import fragment
from webapp.security import action
from webapp.services import choices, drafts
from webapp.views.wizard import contexts, criteria
from webapp.views.wizard.place import Place
from webapp.views.wizard.routes import blueprint

LONGEST = 200
"""Characters that are looked for: no name is longer than what people type of it."""

PICKED_AMONG = 20
"""Fields that the picker lists at once."""


@blueprint.get("/drafts/<uuid:draft_id>/choices/<attribute>")
@action("drafts.edit")
def options(draft_id: uuid.UUID, attribute: str) -> Response:
    """The records that an attribute can name, by a part of their name or id."""
    place = Place.of(draft_id, "filters")
    field = place.model.attribute(attribute) if place.model else None
    if field is None:
        abort(404)
    text = request.args.get("q", "")[:LONGEST].replace("\x00", "")
    offer = choices.offered(place.user, place.draft, place.catalogue, field, text)
    if offer is None:
        abort(404)
    return fragment("wizard/swaps/options.html", offer=offer, wanted=text.strip())


@blueprint.get("/drafts/<uuid:draft_id>/fields/pick")
@action("drafts.edit")
def pickable(draft_id: uuid.UUID) -> Response:
    """The fields of the model, by a part of their name or id."""
    place = Place.of(draft_id, "fields")
    if place.model is None:
        abort(404)
    wanted = request.args.get("q", "")[:LONGEST].strip()
    found = drafts.named_like(wanted, place.model)
    shown, more = found[:PICKED_AMONG], max(len(found) - PICKED_AMONG, 0)
    words = contexts.TYPE_WORDS
    return fragment("wizard/swaps/pickable.html", found=shown, more=more, wanted=wanted, type_words=words)


@blueprint.post("/drafts/<uuid:draft_id>/filters/hint/<label>/<part>")
@action("drafts.edit")
def hint(draft_id: uuid.UUID, label: str, part: str) -> Response:
    """What stands beside an input: the day or time that its expression means, the name of the record."""
    place = Place.of(draft_id, "filters")
    try:
        posted = Posted(request)
        row = criteria.row(place.with_typed(read("filters", posted, place.typed, place.model)), label)
    except FormRefused:
        row = None  # saving, which comes a moment later, says why
    known = part in ("value", "low", "high")
    return fragment("wizard/_beside.html", beside=row.beside(part) if row and known else None)
