"""**Custom fields**: those of the brand, made and changed by its admins."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request, url_for
from flask_login import current_user
from sqlalchemy import select

from exports import catalogue
from webapp.extensions import db
from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import go, page
from webapp.models import CustomField, User
from webapp.permissions import Refused, authorize
from webapp.security import action
from webapp.services import custom_fields
from webapp.services.custom_fields import TYPES, FieldTaken, Wanted
from webapp.views.wizard.contexts import TYPE_WORDS

blueprint = Blueprint("fields", __name__)

TEXTS = ("model", "field", "label", "type", "description", "choices", "column", "path")


@blueprint.get("/fields")
@action("fields.change")
def index() -> Response:
    """The custom fields of the brand."""
    authorize(current_user, "fields.change")
    labels = dict(custom_fields.models(current_user.brand))
    return page("fields/list.html", found=custom_fields.listed(), labels=labels, type_words=TYPE_WORDS)


@blueprint.get("/fields/new")
@action("fields.change")
def new() -> Response:
    """The form of a new field."""
    authorize(current_user, "fields.change")
    return _form(Wanted(request.args.get("model", "customers"), column="properties"))


@blueprint.post("/fields")
@action("fields.change")
def create() -> Response:
    """Make it."""
    authorize(current_user, "fields.change")
    return _save(Wanted(""), None)


@blueprint.get("/fields/<uuid:id>")
@action("fields.change")
def edit(id: uuid.UUID) -> Response:
    """A field's form."""
    row = _find(id)
    return _form(custom_fields.of(row), row)


@blueprint.post("/fields/<uuid:id>")
@action("fields.change")
def change(id: uuid.UUID) -> Response:
    """Change it."""
    row = _find(id)
    return _save(custom_fields.of(row), row)


def _find(id: uuid.UUID) -> CustomField:
    row = db.session.scalars(select(CustomField).where(CustomField.id == id)).one_or_none()
    if row is None:
        raise Refused("fields.change", hidden=True)
    authorize(current_user, "fields.change", row)
    return row


def _save(former: Wanted, row: CustomField | None) -> Response:
    try:
        posted = Posted(request)
        posted.only({*TEXTS, "personal", "mandatory"})
        typed = {name: posted.text(name, getattr(former, name)) for name in TEXTS}
    except FormRefused as refused:
        return _form(former, row, [(refused.input, refused.message)])
    if row is not None:  # what it is a member of stays
        typed |= {name: getattr(former, name) for name in ("model", "field", "column", "path")}
    wanted = Wanted(**typed, personal=posted.checked("personal"), mandatory=posted.checked("mandatory"))
    if wrong := list(custom_fields.problems(current_user.brand, wanted, row)):
        return _form(wanted, row, wrong)
    me: User = current_user._get_current_object()
    try:
        if row is None:
            custom_fields.create(me, wanted)
        else:
            custom_fields.change(me, row, wanted)
    except FieldTaken as taken:
        return _form(wanted, row, [("field", str(taken))])
    label = wanted.label.strip()
    flash(f"{label} is saved.", "ok")
    return go(url_for("fields.index"))


def _form(wanted: Wanted, row: CustomField | None = None, problems: list[tuple[str, str]] | None = None) -> Response:
    known = catalogue.builtin().models
    columns = {
        one for model, _ in custom_fields.models(current_user.brand) for one in custom_fields.columns(known[model])
    }
    return page(
        "fields/edit.html",
        status=422 if problems else 200,
        wanted=wanted,
        row=row,
        models=custom_fields.models(current_user.brand),
        columns=[(one, one) for one in sorted(columns)],
        types=TYPES,
        type_words=TYPE_WORDS,
        problems=problems or [],
    )
