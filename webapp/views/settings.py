"""**Settings**: what admins set for their brand."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, request, url_for
from flask_login import current_user

from webapp.forms.wizard import FormRefused, Posted
from webapp.htmx import go, page
from webapp.permissions import authorize
from webapp.security import action
from webapp.services import connections, settings
from webapp.services.settings import LIMITS, Settings

blueprint = Blueprint("settings", __name__)


@blueprint.get("/settings")
@action("settings.change")
def index() -> Response:
    """The settings of the brand."""
    authorize(current_user, "settings.change")
    return _form(settings.of(current_user.brand))


@blueprint.post("/settings")
@action("settings.change")
def change() -> Response:
    """Save them; they count at once."""
    authorize(current_user, "settings.change")
    wanted = settings.of(current_user.brand)
    try:
        posted = Posted(request)
        posted.only({*LIMITS, "mail_domains", "modules", "plain_ftp"}, many="modules")
        wanted = Settings(
            posted.many("modules"),
            mail_domains=posted.text("mail_domains"),
            plain_ftp=posted.checked("plain_ftp"),
            **{name: posted.text(name, getattr(wanted, name)) for name in LIMITS},
        )
    except FormRefused as refused:
        return _form(wanted, [(refused.input, refused.message)])
    if wrong := list(settings.problems(wanted)):
        return _form(wanted, wrong)
    changed = settings.change(current_user._get_current_object(), wanted)
    flash("The settings are saved." if changed else "Nothing was changed.", "ok")
    return go(url_for("settings.index"))


def _form(wanted: Settings, problems: list[tuple[str, str]] | None = None) -> Response:
    installed = current_app.config["SETTINGS"]
    return page(
        "settings/edit.html",
        status=422 if problems else 200,
        wanted=wanted,
        modules=settings.modules(),
        by_plain_ftp=connections.plain.uses(),
        networks=[str(one) for one in installed.allowed_networks],
        problems=problems or [],
    )
