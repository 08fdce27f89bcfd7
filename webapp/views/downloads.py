"""**Download**: the zip of a run in pieces, with Range, never in memory as a whole (SPEC section 6, RELIABILITY P9)."""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterator
from itertools import chain
from typing import Final
from urllib.parse import quote

from flask import Blueprint, Flask, Response, current_app, request, url_for
from flask_login import current_user
from werkzeug.exceptions import RequestedRangeNotSatisfiable

from exports.archive import file_name
from exports.errors import NoFile, NotMade, PersonalFile
from webapp.errors import told
from webapp.extensions import db
from webapp.filters import day
from webapp.models import Compare, Run, User, brand_scope
from webapp.security import action, sandboxed
from webapp.services import artefacts, audit, contents, personal, volume
from webapp.services.artefacts import Artefact
from webapp.views.lookups import find_run_or_404

blueprint = Blueprint("downloads", __name__)

_RANGE: Final = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def disposition(name: str, extension: str) -> str:
    """`Content-Disposition`: the Unicode name in filename*, its ASCII form for those who read only filename."""
    whole = file_name(name, extension)
    plain = unicodedata.normalize("NFKD", whole.removesuffix(f".{extension}")).encode("ascii", "ignore").decode()
    plain = file_name(plain, extension)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(whole, safe='')}"


def wanted_range(header: str, size: int) -> tuple[int, int] | None:
    """(start, end) of the one range asked for; None for none, several or nonsense: the whole file is the answer.

    Raises:
        RequestedRangeNotSatisfiable: the file has no such bytes (416).
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        start, end = max(0, size - int(found[2])), size
    else:
        start, end = int(found[1]), min(size, int(found[2]) + 1 if found[2] else size)
        if found[2] and int(found[2]) < start:
            return None
    if start >= end:
        raise RequestedRangeNotSatisfiable(size)
    return start, end


@blueprint.get("/runs/<uuid:id>/download")
@action("exports.download")
@sandboxed
def download(id: uuid.UUID) -> Response:
    """The zip of a run. It is written down when it begins, and how much of it went out when it ends."""
    _, run = find_run_or_404("exports.download", id)
    try:
        return file_of(run)
    except NoFile as why:  # in place of the file a page that says why, 410 where there was one
        status = 404 if isinstance(why, NotMade) else 410
        return told(why, status, url_for("runs.view", id=run.id), "Show the run")
    except PersonalFile as refused:
        return told(refused, 403, url_for("runs.view", id=run.id), "Show the run")


def file_of(run: Run) -> Response:
    """The zip of a run, or the part that is asked for, for a person or a program that may download it.

    Raises:
        NoFile: saying why there is none.
        PersonalFile: it holds what they may not have; that is written down.
        RequestedRangeNotSatisfiable: it has no such bytes.
    """
    try:
        personal.authorize_data(current_user, run)
    except PersonalFile:
        audit.record("access.denied", current_user, run, result="denied", path=request.path, asked="exports.download")
        db.session.commit()
        raise
    artefact = artefacts.published(run)
    if artefact is None:
        raise _none(run)
    try:
        return send(artefact, run, "run.downloaded", "run.download_ended")
    except FileNotFoundError as error:
        raise _none(run) from error


def send(artefact: Artefact, thing: Run | Compare, began: str, ended: str) -> Response:
    """A file, whole or the range asked for. `began` and `ended` are the kinds under which that is written down.

    Raises:
        FileNotFoundError: the store does not have it.
        RequestedRangeNotSatisfiable: it has no such bytes.
    """
    if request.if_none_match.contains_weak(artefact.sha256):
        unchanged = Response(status=304)
        unchanged.set_etag(artefact.sha256)
        return unchanged
    asked = _asked(artefact)
    start, end = asked or (0, artefact.size)
    response = Response(status=206 if asked else 200, content_type="application/zip")
    response.headers["Content-Length"] = str(end - start)
    response.headers["Content-Disposition"] = disposition(artefact.name.removesuffix(".zip"), "zip")
    response.headers["Accept-Ranges"] = "bytes"
    response.set_etag(artefact.sha256)
    if asked:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{artefact.size}"
    if request.method == "GET":
        _stream(response, thing, (began, ended), artefact, start, end)
    return response


def _none(run: Run) -> NoFile:
    return artefacts.why_none(run, day(run.kept_until, current_user.time_zone))


def _asked(artefact: Artefact) -> tuple[int, int] | None:
    """The range, unless it is of a file that has changed since (If-Range)."""
    since = request.if_range.etag
    if "If-Range" in request.headers and since != artefact.sha256:
        return None
    return wanted_range(request.headers.get("Range", ""), artefact.size)


def _stream(
    response: Response, thing: Run | Compare, kinds: tuple[str, str], artefact: Artefact, start: int, end: int
) -> None:
    """Let the response have the pieces. The first is read here, while an error can still be said.

    How many bytes went out is written down when the response is closed, which servers do also if nothing was asked of
    it: a client may be gone before the first piece.

    Raises:
        FileNotFoundError: the store does not have it.
    """
    pieces = artefact.pieces(start, end)
    first = next(pieces, b"")
    user: User = current_user._get_current_object()
    about = contents.of_file(thing)
    audit.record(kinds[0], user, thing, first_byte=start, bytes=end - start, size=artefact.size, **about)
    volume.taken(user, about)
    db.session.commit()
    sent = _Sent(chain([first], pieces))
    response.response = sent
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    user_id, brand_id, by = user.id, user.brand_id, audit.acting_by()
    kind, thing_id = type(thing), thing.id

    @response.call_on_close
    def write_down() -> None:
        with app.app_context(), brand_scope(brand_id):
            user, thing = db.session.get_one(User, user_id), db.session.get_one(kind, thing_id)
            audit.record(kinds[1], user, thing, bytes=sent.bytes, complete=sent.bytes == end - start, **by)
            db.session.commit()


class _Sent:
    """Passes pieces on and counts the bytes of those that the client has taken."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            yield piece
            self.bytes += len(piece)
