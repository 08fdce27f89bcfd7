"""**Webhooks**: other programs that are told what came of runs, kept by the admins of the brand (docs/webhooks.md)."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, request, url_for
from flask_login import current_user

from webapp.extensions import db
from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import go, page, stop_polling
from webapp.models import User, Webhook, WebhookMessage
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import webhooks
from webapp.services.progress import present
from webapp.services.webhooks import Wanted
from webapp.services.webhooks.keeping import host_of

blueprint = Blueprint("webhooks", __name__)

Problems = list[tuple[str, str]]


@blueprint.get("/webhooks")
@action("webhooks.change")
def index() -> Response:
    """The webhooks of the brand."""
    authorize(current_user, "webhooks.change")
    found = [(one, host_of(one)) for one in webhooks.listed()]
    return page("webhooks/list.html", found=found, most=webhooks.MAX_WEBHOOKS, now=present())


@blueprint.get("/webhooks/new")
@action("webhooks.change")
def new() -> Response:
    """The form of a new webhook. It has its id already: a form that is sent twice makes one."""
    authorize(current_user, "webhooks.change")
    return _form(Wanted(), id=uuid.uuid4())


@blueprint.post("/webhooks")
@action("webhooks.change")
def create() -> Response:
    """Make it; the answer is the one page that shows its secret."""
    authorize(current_user, "webhooks.change")
    id = _id_of_form()
    wanted, wrong = _typed(Wanted())
    if db.session.get(Webhook, id) is not None:
        return go(url_for("webhooks.view", id=id))
    if wrong := wrong or list(webhooks.problems(wanted)):
        webhooks.keep_blocked(_me(), wanted)
        return _form(wanted, wrong, id=id)
    webhook, secret = webhooks.create(_me(), id, wanted)
    if not secret:
        return go(url_for("webhooks.view", id=id))
    return _secret(webhook, secret, 201)


@blueprint.get("/webhooks/<uuid:id>")
@action("webhooks.change")
def view(id: uuid.UUID) -> Response:
    """A webhook and what it was told lately; asked again and again as long as something goes out now."""
    webhook = webhooks.find(current_user, id)
    messages = webhooks.newest(webhook)
    goes_on = any(one.state == "waiting" and (one.tries == 0 or one.error is None) for one in messages)
    response = page(
        "webhooks/view.html", fragments={"messages"}, webhook=webhook, host=host_of(webhook), messages=messages,
        goes_on=goes_on, now=present(),
    )  # fmt: skip
    polled = request.headers.get("HX-Target") == "messages"
    return response if goes_on or not polled else stop_polling(response)


@blueprint.get("/webhooks/<uuid:id>/edit")
@action("webhooks.change")
def edit(id: uuid.UUID) -> Response:
    """A webhook's form."""
    webhook = webhooks.find(current_user, id)
    return _form(webhooks.wanted_of(webhook), webhook=webhook)


@blueprint.post("/webhooks/<uuid:id>")
@action("webhooks.change")
def change(id: uuid.UUID) -> Response:
    """Change it."""
    webhook = webhooks.find(current_user, id)
    wanted, wrong = _typed(webhooks.wanted_of(webhook))
    if wrong := wrong or list(webhooks.problems(wanted, webhook)):
        webhooks.keep_blocked(_me(), wanted, webhook)
        return _form(wanted, wrong, webhook=webhook)
    webhooks.change(_me(), webhook, wanted)
    flash("The webhook is saved.", "ok")
    return go(url_for("webhooks.view", id=id))


@blueprint.post("/webhooks/<uuid:id>/secret")
@action("webhooks.change")
def replace_secret(id: uuid.UUID) -> Response:
    """Sign with a new secret from now on; the answer is the one page that shows it."""
    webhook = webhooks.find(current_user, id)
    return _secret(webhook, webhooks.replace_secret(_me(), webhook), 200)


@blueprint.post("/webhooks/<uuid:id>/test")
@action("webhooks.change")
def test(id: uuid.UUID) -> Response:
    """Send a test."""
    webhook = webhooks.find(current_user, id)
    try:
        webhooks.send_test(_me(), webhook)
    except webhooks.NotNow as why:
        flash(str(why), "")
    return go(url_for("webhooks.view", id=id))


@blueprint.post("/webhooks/<uuid:id>/messages/<uuid:message_id>")
@action("webhooks.change")
def send_again(id: uuid.UUID, message_id: uuid.UUID) -> Response:
    """Send a message once more."""
    webhook = webhooks.find(current_user, id)
    message: WebhookMessage = webhooks.find_message(webhook, message_id)
    try:
        webhooks.send_again(_me(), message)
    except webhooks.NotNow as why:
        flash(str(why), "")
    return go(url_for("webhooks.view", id=id))


@blueprint.post("/webhooks/<uuid:id>/delete")
@action("webhooks.change")
def delete(id: uuid.UUID) -> Response:
    """Delete it; without `sure` ask first."""
    webhook = webhooks.find(current_user, id)
    host = host_of(webhook)
    if request.form.get("sure") != "1":
        return page("webhooks/delete.html", webhook=webhook, host=host)
    webhooks.delete(_me(), webhook)
    flash(f"The webhook at {host} is deleted.", "ok")
    return go(url_for("webhooks.index"))


def _me() -> User:
    user: User = current_user._get_current_object()
    return user


def _id_of_form() -> uuid.UUID:
    try:
        return uuid.UUID(request.form.get("id", ""))
    except ValueError:
        return uuid.uuid4()


def _typed(former: Wanted) -> tuple[Wanted, Problems]:
    try:
        posted = Posted(request)
        posted.only({"id", "url", "events", "on", "switched"}, many="events")
    except FormRefused as refused:
        return former, [(refused.input, refused.message)]
    is_on = posted.checked("on") if posted.checked("switched") else former.is_on
    return Wanted(posted.text("url", former.url), posted.many("events"), is_on), []


def _form(
    wanted: Wanted, problems: Problems | None = None, webhook: Webhook | None = None, id: uuid.UUID | None = None
) -> Response:
    host = host_of(webhook) if webhook else ""
    told = {"wanted": wanted, "webhook": webhook, "host": host, "id": id, "problems": problems or []}
    return page("webhooks/edit.html", (), 422 if problems else 200, **told)


def _secret(webhook: Webhook, secret: str, status: int) -> Response:
    return page("webhooks/secret.html", status=status, webhook=webhook, host=host_of(webhook), secret=secret)
