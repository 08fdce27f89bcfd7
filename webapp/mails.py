"""The words of mails: subject, text and HTML, rendered from templates/mails for whoever gets one (SPEC section 9).

A mail holds no data and no file: it says what came of a run, and links to the run's page, which asks for a login.
Only a mail by which somebody chooses a password holds a token, which is used once.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from flask import current_app
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from sqlalchemy import func, select

from exports.definition import parse
from webapp import filters
from webapp.extensions import db
from webapp.models import Brand, Delivery, Export, ExportVersion, Mail, Run, User
from webapp.services import links
from webapp.services.mail.notify import Recipient
from webapp.services.progress import began, present
from webapp.words import ENGLISH, _, language, ngettext, speaking, translated

WORDS: Final = ("word", "colour", "subject", "heading", "sentence", "advice", "facts", "button", "about_link", "footer")
"""What words.jinja says of a mail, for its text and its HTML alike."""
NARROWEST: Final = 14
"""Letters that the labels of facts take in the text, at least."""
POLICY: Final = SMTP.clone(cte_type="7bit")
"""Refuses line ends in headers; takes no server to be able to carry more than ASCII in bodies."""


@dataclass(frozen=True)
class Parts:
    """A mail as it is read."""

    subject: str
    text: str
    html: str


def rendered(mail: Mail, recipient: Recipient) -> Parts:
    """The words of a mail for its recipient, in whose language and time zone it is told; in the brand's scope."""
    user = db.session.get(User, recipient.user_id) if recipient.user_id else None
    with speaking((user and user.language) or ENGLISH):
        return _rendered(mail, user)


def _rendered(mail: Mail, user: User | None) -> Parts:
    templates = _templates()
    if mail.run_id is None:
        context, template = _of_account(mail), "accounts.jinja"
    else:
        context, template = _of_run(mail, user), "words.jinja"
    words = templates.get_template(template).make_module(context)
    told = {**context, **{name: getattr(words, name) for name in WORDS}}
    told["width"] = max([NARROWEST, *(len(label) + 2 for label, _value in told["facts"])])
    text, html = (templates.get_template(f"mail.{ending}").render(told) for ending in ("txt", "html"))
    return Parts(_on_one_line(told["subject"]), text.strip() + "\n", html.strip() + "\n")


def message(mail_id: uuid.UUID, address: str, parts: Parts) -> EmailMessage:
    """The mail as it goes out. Whoever sends it again sends the same Message-ID (RELIABILITY P15)."""
    settings = current_app.config["SETTINGS"]
    made = EmailMessage(policy=POLICY)
    made["From"] = f"Exports <{settings.mail_from}>"
    made["To"] = address
    made["Subject"] = parts.subject
    made["Date"] = format_datetime(present())
    made["Message-ID"] = f"<{mail_id}@{settings.base_host}>"
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(parts.text)
    made.add_alternative(parts.html, subtype="html")
    return made


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates" / "mails"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update({one.__name__: one for one in (*filters.SHOWN, translated)})
    environment.globals.update({one.__name__: one for one in (_, ngettext, language)})
    return environment


def _of_account(mail: Mail) -> dict[str, Any]:
    """The link to choose a password is made here, when the mail goes out: its 24 hours begin then."""
    user = db.session.get_one(User, mail.user_id)
    brand = db.session.get_one(Brand, mail.brand_id)
    return {"kind": mail.kind, "user": user, "brand": brand, "told": mail.facts, "link": _link_of_account(mail, user)}


def _link_of_account(mail: Mail, user: User) -> str:
    base = current_app.config["SETTINGS"].base_url
    if mail.kind == "volume":
        return f"{base}/audit?{urlencode({'q': mail.facts['email']})}"
    for thing, pages in (("user", "users"), ("connection", "connections"), ("webhook", "webhooks")):
        if thing in mail.facts:
            return f"{base}/{pages}/{mail.facts[thing]}"
    return f"{base}/password?token={links.made(user)}"


def _of_run(mail: Mail, user: User | None) -> dict[str, Any]:
    run = db.session.get_one(Run, mail.run_id)
    export = db.session.get_one(Export, run.export_id)
    brand = db.session.get_one(Brand, run.brand_id)
    version = (ExportVersion.export_id == export.id, ExportVersion.number == run.version)
    definition = parse(db.session.execute(select(ExportVersion.definition).where(*version)).scalar_one())
    begun = began(run)
    failed, failed_since = _failed_before(run) if mail.kind == "recovered" else (0, None)
    return {
        "kind": mail.kind,
        "run": run,
        "export": export,
        "brand": brand,
        "definition": definition,
        "zone": user.time_zone if user else brand.time_zone,
        "now": present(),
        "took": (run.finished_at - begun).total_seconds() if begun and run.finished_at else None,
        "delivery": _delivery(run),
        "failed": failed,
        "failed_since": failed_since,
        "link": f"{current_app.config['SETTINGS'].base_url}/runs/{run.id}",
    }


def _delivery(run: Run) -> Delivery | None:
    """The run's own delivery, if it has been carried out."""
    own = select(Delivery).where(Delivery.run_id == run.id, Delivery.number == 1, Delivery.state == "delivered")
    return db.session.scalars(own).one_or_none()


def _failed_before(run: Run) -> tuple[int, Any]:
    """How many runs of the export failed since its last success before this run, and when the first of them ended."""
    of_it = (Run.export_id == run.export_id, Run.created_at < run.created_at)
    success = select(func.max(Run.created_at)).where(*of_it, Run.state == "success")
    last_success = db.session.execute(success).scalar()
    failed = select(func.count(Run.id), func.min(Run.finished_at)).where(*of_it, Run.state == "failed")
    if last_success is not None:
        failed = failed.where(Run.created_at > last_success)
    count, since = db.session.execute(failed).one()
    return count, since


def _on_one_line(text: str) -> str:
    """A subject whatever the name of the export holds: nothing in it ends a header."""
    return "".join(one if one.isprintable() else " " for one in text).strip()
