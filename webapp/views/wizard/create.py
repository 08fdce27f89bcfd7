"""**Create** and **Save changes**: the draft becomes an export or a version of one, once, however often it is sent."""

from __future__ import annotations

import uuid

from flask import Response, flash, request, url_for

from exports.errors import DefinitionRefused
from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import go
from webapp.models import Export
from webapp.security import action
from webapp.services import connections, drafts, exports
from webapp.services.drafts import ASKING, DraftChanged
from webapp.services.schedules import ExportChanged
from webapp.views.wizard import answers
from webapp.views.wizard.place import Place
from webapp.views.wizard.routes import blueprint


@blueprint.post("/drafts/<uuid:draft_id>/create")
@action("exports.create")
def create(draft_id: uuid.UUID) -> Response:
    """Make the export and go to its page. A second time: to the same page (RELIABILITY F39)."""
    place = Place.of(draft_id, "check")
    try:
        posted = Posted(request)
        posted.only(())
    except FormRefused as refused:
        return answers.refused(place, refused.input, refused.message)
    made = drafts.made_of(place.typed)
    if made is None and posted.rev != place.draft.rev:
        return answers.changed_elsewhere(place, DraftChanged(place.draft.updated_at))
    made = made or _make(place)
    return go(url_for("details.view", id=made.id)) if made else _needs_correction(place)


@blueprint.post("/drafts/<uuid:draft_id>/save")
@action("drafts.edit")
def save_changes(draft_id: uuid.UUID) -> Response:
    """Make a new version of the export that is edited, and go to its page. A second time: to the same page."""
    place = Place.of(draft_id, "check")
    try:
        posted = Posted(request)
        posted.only({"version"})
    except FormRefused as refused:
        return answers.refused(place, refused.input, refused.message)
    if place.export is None:
        return go(place.url())
    if not place.typed.saved:
        if posted.rev != place.draft.rev:
            return answers.changed_elsewhere(place, DraftChanged(place.draft.updated_at))
        if (refusal := _save(place, place.export, posted)) is not None:
            return refusal
    return go(url_for("details.view", id=place.export.id))


def _save(place: Place, export: Export, posted: Posted) -> Response | None:
    """Save; else the page that says why not."""
    text = posted.text("version")
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0
    if place.checked.definition is None:
        return _needs_correction(place)
    making = connections.of_typed(place.typed.upload)
    try:
        changed = exports.save(place.user, export, place.draft, place.checked.definition, version, making)
    except DefinitionRefused:
        return _needs_correction(place)
    except ExportChanged:
        return answers.page(Place.of(place.draft.id, "check", place.tab), status=409)
    told = f"Version {export.version} saved. It runs nothing by itself." if changed else "Nothing was different."
    flash(told, "ok")
    return None


def _make(place: Place) -> Export | None:
    if place.checked.definition is None:
        return None
    try:
        return exports.create(
            place.user,
            place.checked.definition,
            place.typed.token,
            cloned_from=place.typed.cloned_from,
            making=connections.of_typed(place.typed.upload),
        )
    except DefinitionRefused:
        return None  # a right or a segment went just now: the page says which


def _needs_correction(place: Place) -> Response:
    """Back to Check, whose summary names every problem."""
    typed = place.typed.with_submitted(*ASKING, "check")
    drafts.save(place.user, place.draft, typed, rev=None, tab=place.tab)
    return go(place.url())
