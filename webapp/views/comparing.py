"""**Compare**: two runs chosen, how far it is, and what is different (SPEC section 4, UX section 3.10)."""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

from flask import Blueprint, Response, abort, request, url_for
from flask_login import current_user

from exports.catalogue import Catalogue
from exports.compare import KINDS, Layout
from exports.errors.compare import CompareError, FileNotKept, PersonalColumns
from webapp.errors import told
from webapp.extensions import db
from webapp.filters import day
from webapp.htmx import fragment, go, instead, nothing_new, page, stop_polling
from webapp.models import Compare, Export, Run, User
from webapp.permissions import may
from webapp.security import action, sandboxed
from webapp.services import audit, compares, contents, personal
from webapp.services.compares import Choices
from webapp.views.details import tabs_of
from webapp.views.downloads import send
from webapp.views.lookups import find_compare_or_404, find_export_or_404, find_runs_or_404

blueprint = Blueprint("comparing", __name__)

COLUMNS: Final = 25
"""Columns that are shown: of more, those in which something has changed come first."""


@dataclass(frozen=True)
class Result:
    """A comparison as its page shows it. `show`: which kind of differences, "all" or one of KINDS. `about`: what the
    audit log says of the columns, if that is known already.
    """

    found: Compare
    earlier: Run
    later: Run
    show: str
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def percent(self) -> int | None:
        """How far it is."""
        return compares.progress(self.found, self.earlier, self.later)

    @property
    def rows(self) -> int:
        """Rows of both files."""
        return self.earlier.rows + self.later.rows

    @property
    def version(self) -> str:
        """Changes with everything that is shown of it while it goes on."""
        one = self.found
        parts = (one.state, one.attempt, one.rows, one.doing, one.cancel_requested_at)
        return f"{zlib.crc32(repr(parts).encode()):08x}"

    @property
    def may_cancel(self) -> bool:
        """Whether the person may stop it."""
        return may(current_user, "exports.cancel_compare", self.found)

    @property
    def chips(self) -> list[tuple[str, str, int]]:
        """Kind, word and number of each choice above the table."""
        one = self.found
        numbers = ((kind, kind.capitalize(), getattr(one, kind) or 0) for kind in KINDS)
        return [("all", "All", one.differences), *((kind, word, count) for kind, word, count in numbers if count)]

    @property
    def asked(self) -> dict[str, Any]:
        """What the addresses of this page say."""
        return {"id": str(self.later.export_id), "a": str(self.earlier.id), "b": str(self.later.id)}

    @cached_property
    def table(self) -> Table | None:
        """The first differences; None if they are kept no longer."""
        first = compares.first_rows(self.found, self.show)
        return Table(first[0], first[1], self.found.key) if first else None


@dataclass(frozen=True)
class Table:
    """The first differences of a kind: `rows` have a kind and cells, in a changed row a pair where they differ."""

    headers: list[str]
    rows: list[dict[str, Any]]
    key: list[str]

    @cached_property
    def places(self) -> list[int]:
        """The columns that are shown, in the order of the file."""
        whole = range(len(self.headers))
        if len(self.headers) <= COLUMNS:
            return list(whole)
        changed = {place for row in self.rows for place, cell in enumerate(row["cells"]) if isinstance(cell, list)}
        by_use = sorted(whole, key=lambda place: (self.headers[place] not in self.key, place not in changed, place))
        return sorted(by_use[:COLUMNS])


@blueprint.get("/exports/<uuid:id>/compare")
@action("exports.compare")
def view(id: uuid.UUID) -> Response:
    """Two runs to choose; if two are named, what is known of them. It can be passed on as an address."""
    export = find_export_or_404("exports.compare", id)
    named = [_uuid(request.args[name]) for name in ("a", "b") if request.args.get(name)]
    chosen = find_runs_or_404("exports.compare", named)
    answer = _page(export, chosen)
    result = answer.result
    if result is not None:
        _note_shown(result)
    return answer.response


def _note_shown(result: Result) -> None:
    """Write down who saw rows, on a page or in a part of one."""
    if result.found.state == "done" and result.table:
        about = {**(result.about or contents.of_file(result.later)), "rows": len(result.table.rows)}
        audit.record("compare.shown", _user(), result.found, shown=result.show, **about)
        db.session.commit()


@dataclass(frozen=True)
class Answer:
    """The page, and what it shows."""

    response: Response
    result: Result | None


def _known(chosen: Sequence[Run], catalogue: Catalogue) -> tuple[Result | None, str, Layout | None]:
    """What there is to see of a pair, why there is nothing, and the columns of the later file."""
    earlier, later = compares.in_time(*chosen)
    found = compares.of_pair(earlier, later)
    result = Result(found, earlier, later, _show()) if found else None
    try:
        sides = compares.check(_user(), earlier, later, _day, catalogue)
    except FileNotKept as error:  # the counts of what was compared before can still be seen
        return (result if found and found.state == "done" else None), error.told_now, None
    except CompareError as error:
        return None, error.told_now, None
    if result is not None:
        about = contents.of(_user().brand, sides[1].definition, whole=catalogue)
        result = replace(result, about={**about, "version": later.version})
    return result, "", sides[1].layout


def _page(export: Export, chosen: Sequence[Run], problem: str = "") -> Answer:
    catalogue = personal.whole_catalogue(_user().brand)
    result, refused, layout = None, "", None
    if len(chosen) == 2 and chosen[0].id != chosen[1].id and not problem:
        result, refused, layout = _known(chosen, catalogue)
    choices = compares.choices(export, chosen, catalogue, layout)
    response = page(
        "compare/view.html",
        fragments={"compare_result"},
        status=422 if problem else 200,
        export=export,
        tabs=tabs_of(export),
        tab="runs.logs",
        choices=choices,
        picked=_picked(choices, chosen),
        result=result,
        refused=refused,
        problems=[("a", problem)] if problem else [],
    )
    return Answer(response, result)


def _picked(choices: Choices, chosen: Sequence[Run]) -> tuple[str, str]:
    """What the two inputs say: the chosen ones, filled up with the newest others."""
    ids = [run.id for run in compares.in_time(*chosen)] if len(chosen) == 2 else [run.id for run in chosen]
    for kept in (*choices.own, *choices.others):
        if len(ids) < 2 and kept.id not in ids:
            ids.insert(0, kept.id)
    return (str(ids[0]) if len(ids) > 1 else "", str(ids[-1]) if ids else "")


@blueprint.post("/exports/<uuid:id>/compare")
@action("exports.compare")
def start(id: uuid.UUID) -> Response:
    """**Compare** of the two runs chosen, here or in Logs: the same two give the same comparison."""
    export = find_export_or_404("exports.compare", id)
    named = request.form.getlist("run") or [request.form.get(name, "") for name in ("a", "b")]
    chosen = find_runs_or_404("exports.compare", [_uuid(one) for one in dict.fromkeys(named) if one])
    if len(chosen) != 2:
        return _page(export, chosen[:2], compares.TWO).response
    try:
        found = compares.ask(_user(), chosen[0], chosen[1], _day)
    except CompareError as error:
        if isinstance(error, PersonalColumns):
            _note_denied(chosen[0])
        return _page(export, chosen, error.message).response
    return go(url_for("comparing.view", id=id, a=found.earlier_id, b=found.later_id))


@blueprint.get("/compares/<uuid:id>")
@action("exports.compare")
def status(id: uuid.UUID) -> Response:
    """How far it is: 204 if nothing has changed, 286 with the whole result at the end."""
    result = _result(id)
    if isinstance(result, Response):
        return result
    if not result.found.is_live:
        _note_shown(result)
        return stop_polling(instead(fragment("compare/_ended.html", result=result), "#compare-result"))
    if result.version == request.args.get("v"):
        return nothing_new()
    return fragment("compare/_progress.html", result=result)


@blueprint.post("/compares/<uuid:id>/cancel")
@action("exports.cancel_compare")
def cancel(id: uuid.UUID) -> Response:
    """**Cancel**."""
    found, earlier, later = find_compare_or_404("exports.compare", id, also="exports.cancel_compare")
    compares.cancel(_user(), found)
    return go(url_for("comparing.view", id=later.export_id, a=earlier.id, b=later.id))


@blueprint.get("/compares/<uuid:id>/download")
@action("exports.compare")
@sandboxed
def download(id: uuid.UUID) -> Response:
    """The file of the differences, as a zip."""
    result = _result(id)
    if isinstance(result, Response):
        return result
    back = url_for("comparing.view", **result.asked)
    artefact = compares.differences(result.found, find_export_or_404("exports.see", result.later.export_id).name)
    if artefact is None:
        return told(FileNotKept(day=_day(result.later)), 410, back, "Back to the comparison")
    try:
        return send(artefact, result.found, "compare.downloaded", "compare.download_ended")
    except FileNotFoundError:
        return told(FileNotKept(day=_day(result.later)), 410, back, "Back to the comparison")


def _result(id: uuid.UUID) -> Result | Response:
    """A comparison whose cells the person may see; else a page that says why not."""
    found, earlier, later = find_compare_or_404("exports.compare", id)
    try:
        compares.check_rights(_user(), earlier, later)
    except CompareError as error:
        _note_denied(later)
        return told(error, 403, url_for("runs.logs", id=later.export_id), "Logs")
    return Result(found, earlier, later, _show())


def _note_denied(run: Run) -> None:
    """Write down who wanted to see what only others may."""
    db.session.rollback()
    audit.record("access.denied", _user(), run, result="denied", path=request.path, asked="exports.compare")
    db.session.commit()


def _show() -> str:
    show = request.args.get("show", "all")
    return show if show in KINDS else "all"


def _day(run: Run) -> str:
    return day(run.started_at or run.created_at, current_user.time_zone)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        abort(404)


def _user() -> User:
    user: User = current_user._get_current_object()
    return user
