"""What Upload target shows: the inputs of the chosen type, the path as it will be, and what a test has found."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask import url_for

from exports import paths, schedule, words
from exports.target import PORTS
from webapp.models import Connection, ConnectionTest
from webapp.permissions import authorize, may
from webapp.services import brands, connections
from webapp.services.connections import testing
from webapp.services.progress import present
from webapp.services.schedules.outlook import said
from webapp.services.schedules.typed import chosen
from webapp.views.testing import TOO_OFTEN, Panel
from webapp.views.wizard.place import Place

NONE: Final = ("none", "None", "Download here")
IF_EXISTS: Final = (("replace", "Replace it"), ("number", "Add a number"), ("fail", "Fail"))
NOT_A_CONNECTION: Final = "A connection that you may not use"
BY_HAND: Final = "New: filled in here"


def context(place: Place) -> dict[str, Any]:
    """For the templates of Upload target."""
    upload = place.typed.upload
    return {
        "upload_types": [NONE, *connections.kinds(place.user.brand, upload.type)],
        "upload_form_url": url_for("wizard.uploading_form", draft_id=place.draft.id),
        "upload_path_url": url_for("wizard.uploading_path", draft_id=place.draft.id),
        "test_url": url_for("wizard.test_target", draft_id=place.draft.id),
        "saved_choices": _choices(place),
        "saved_connection": saved(place),
        "may_make_connections": may(place.user, "connections.create"),
        "usual_port": PORTS.get(upload.type, ""),
        "if_exists_choices": IF_EXISTS,
        "placeholders": _placeholders(place),
        "panel": panel(place) if upload.is_upload else None,
        **example(place),
    }


def _choices(place: Place) -> list[tuple[str, str]]:
    """By hand, and the saved connections of the type that the person may use."""
    upload = place.typed.upload
    found = [(str(one.id), f"{one.name} ({one.address})") for one in connections.usable(place.user)
             if one.type == upload.type]  # fmt: skip
    if upload.connection and upload.connection not in dict(found):
        found.insert(0, (upload.connection, NOT_A_CONNECTION))
    by_hand = BY_HAND if may(place.user, "connections.create") else "Choose a connection"
    return [("", by_hand), *found]


def saved(place: Place) -> Connection | None:
    """The saved connection that is chosen, if the person may use it."""
    try:
        found = connections.find(uuid.UUID(place.typed.upload.connection))
    except ValueError:
        return None
    usable = found is not None and found.type == place.typed.upload.type
    return found if usable and may(place.user, "connections.use", found) else None


def example(place: Place) -> dict[str, Any]:
    """The path as it will be at the next run, and when that is."""
    upload, at, when = place.typed.upload, *next_run(place)
    if not upload.path:
        return {"path_example": "", "path_problem": "", "path_when": when}
    try:
        found = paths.expand(upload.path, at, _zone(place), place.typed.file.extension, upload.archive)
    except paths.PathRefused as refused:
        return {"path_example": "", "path_problem": str(refused), "path_when": when}
    return {"path_example": found, "path_problem": "", "path_when": when}


def next_run(place: Place) -> tuple[datetime, str]:
    """The moment with which placeholders are filled next, and how it is called."""
    now = present()
    found = chosen(place.typed.scheduling)
    following = schedule.next_moment(found, now) if found is not None else None
    if following is None:
        return now, "A run now"
    moment = said(following, str(_zone(place)), now)
    return following, f"Run of {moment}"


def _zone(place: Place) -> ZoneInfo:
    return brands.clock(place.typed.timezone) if place.typed.timezone in brands.zones() else ZoneInfo("UTC")


def _placeholders(place: Place) -> list[tuple[str, str, str]]:
    local = next_run(place)[0].astimezone(_zone(place))
    return [(sign, meaning, text(local)) for sign, (meaning, text) in paths.PLACEHOLDERS.items()]


# --- the test


def panel(place: Place, refused: str = "", told: str = "") -> Panel:
    """What is known of the server by its newest test."""
    test, known = newest(place), saved(place)
    return Panel(
        poll_url=url_for("wizard.tested_target", draft_id=place.draft.id),
        accept_url=url_for("wizard.accept_target", draft_id=place.draft.id),
        test=test,
        connection=known,
        stale=test is not None and is_stale(test, place),
        in_form=True,
        refused=refused,
        said=told,
    )


def is_stale(test: ConnectionTest, place: Place) -> bool:
    """Whether something else is typed than was tested."""
    upload = place.typed.upload
    if (known := saved(place)) is not None:
        return connections.is_stale(test, known) or test.about["tested"].get("path", upload.path) != upload.path
    return bool(test.about["tested"] != connections.tested(upload))


def newest(place: Place) -> ConnectionTest | None:
    """The person's newest test of the server that is chosen or typed."""
    known = saved(place)
    test = connections.last_test(known.id if known else place.typed.upload.server)
    return test if test is not None and test.asked_by_id == place.user.id else None


def ask(place: Place) -> str:
    """Have it tested; else why not."""
    upload = place.typed.upload
    if not upload.is_upload:
        return "Choose a type first."
    wrong = [one for one in place.checked.errors("target") if one.input not in ("if_empty", "if_exists")]
    if wrong:
        keep_refused(place)
        return f"Not tested: {wrong[0].message}."
    known = saved(place)
    if known is None:
        authorize(place.user, "connections.create")
        server, sealed, key, id_ = upload.typed_server, upload.sealed, upload.trusted_key, upload.server
    else:
        authorize(place.user, "connections.test", known)
        server, sealed = connections.Server.of(known), connections.sealed_of(known)
        key, id_ = known.accepted_key or "", known.id
    subject = testing.Subject(id_, server, sealed, key, example(place)["path_example"], connections.tested(upload))
    try:
        testing.ask(place.user, subject)
    except testing.TooOften:
        return TOO_OFTEN
    return ""


def keep_refused(place: Place) -> None:
    """A server by hand that may not be reached is written down when somebody wants to go on with it."""
    connections.keep_refused(place.user, place.checked.errors("target"), place.typed.upload.typed_server)


# --- what Check and create says of it


@dataclass(frozen=True)
class Destination:
    """Where the file goes. `warning`: why uploads may fail; `tested_at`: when a test said that they work."""

    label: str
    address: str
    host: str
    name: str
    path: str
    if_exists: str
    warning: str
    tested_at: datetime | None


def destination(place: Place) -> Destination | None:
    """The upload in words; None for a download."""
    upload, known = place.typed.upload, saved(place)
    if not upload.is_upload:
        return None
    server = connections.Server.of(known) if known else upload.typed_server
    test = newest(place)
    fresh = test if test is not None and test.finished_at is not None and not is_stale(test, place) else None
    return Destination(
        label=connections.LABELS[upload.type],
        address=f"{server.username}@{server.host}:{server.port_or_usual}",
        host=server.host,
        name=known.name if known else "",
        path=example(place)["path_example"] or upload.path,
        if_exists=words.IF_EXISTS.get(upload.if_exists, ""),
        warning=_warning(place, known, fresh),
        tested_at=fresh.created_at if fresh is not None and fresh.is_good else None,
    )


def _warning(place: Place, known: Connection | None, fresh: ConnectionTest | None) -> str:
    """Why uploads will or may fail, the surest reason first."""
    trusted = known.accepted_key if known else place.typed.upload.trusted_key
    if known is not None and known.is_blocked:
        return "The key of the upload server has changed: nothing is uploaded until an admin accepts the new one."
    if place.typed.upload.type == "sftp" and not trusted:
        return "The key of the upload server has not been accepted: uploads fail until it is. Test the connection."
    if fresh is not None and not fresh.is_good:
        return "The newest test of the connection failed: uploads fail until that is corrected."
    if fresh is None and (known is None or known.last_success_at is None):
        return "The connection has not been tested: test it, so that you know that uploads will work."
    return ""
