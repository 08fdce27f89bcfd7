"""**Personal data**: which files hold data about customers, until when they are kept, and who got them (SPEC 10)."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import or_, select, tuple_, update

from exports import catalogue as catalogues
from exports.catalogue import Catalogue, DataField, DataModel
from exports.definition import Definition, parse
from exports.special.attributes import CUSTOMERS
from webapp.extensions import db
from webapp.models import AuditEntry, Compare, Delivery, Export, ExportVersion, Run, User, clock
from webapp.permissions import authorize
from webapp.services import audit, brands, compares, runs
from webapp.services.progress import present

PER_PAGE: Final = 50
DOWNLOADS: Final = ("run.downloaded", "compare.downloaded")


@dataclass(frozen=True)
class Held:
    """What a file holds about people, by the labels of its columns."""

    raw: tuple[str, ...] = ()
    masked: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether nobody can be told by it."""
        return not (self.raw or self.masked or self.customers)


@dataclass(frozen=True)
class Line:
    """A run whose file is, or was, about customers."""

    run: Run
    export: Export
    held: Held
    is_alive: bool
    deliveries: Sequence[Delivery]
    downloads: Sequence[AuditEntry]


@dataclass(frozen=True)
class Report:
    """One page, newest first; `before` leads to the older ones. `models`: those about customers, by id their labels;
    `model`: the one that was asked for, or none. `at`: the moment of all of it.
    """

    lines: Sequence[Line]
    before: str
    models: Mapping[str, str]
    model: str
    at: datetime


def report(admin: User, model: str = "", before: str = "", *, alive: bool = True, per_page: int = PER_PAGE) -> Report:
    """The runs whose files are kept, or all that made one, of one data model if it is about customers, else of all that
    are. Commits, as it is written down who looked.

    Raises:
        Refused: not an admin.
    """
    authorize(admin, "personal.report")
    whole = brands.catalogue_of(admin.brand, modules=catalogues.builtin().modules)
    models = {one.id: one.label for one in whole.models.values() if _is_about_people(one)}
    model = model if model in models else ""
    about = [model] if model else list(models)
    kept = (Run.artefact.is_not(None), Run.kept_until > clock())
    wanted = select(Run, Export).join(Export, Run.export_id == Export.id).where(Export.model.in_(about))
    wanted = wanted.where(*kept) if alive else wanted.where(or_(Run.sha256.is_not(None), *kept[:1]))
    key = (Run.created_at, Run.id)
    if (place := _place(before)) is not None:
        wanted = wanted.where(tuple_(*key) < tuple_(*place))
    rows = db.session.execute(wanted.order_by(*(one.desc() for one in key)).limit(per_page + 1)).all()
    shown = [(run, export) for run, export in rows[:per_page]]
    now = present()
    lines = _lines(shown, whole, now)
    audit.record("personal.viewed", admin, model=model, alive=alive, runs=len(lines))
    db.session.commit()
    last = shown[-1][0] if len(rows) > per_page else None
    return Report(lines, f"{last.created_at.isoformat()}_{last.id}" if last else "", models, model, now)


def remove_file(admin: User, run: Run) -> None:
    """Let nobody have the file, or a comparison with it, from now on; upkeep removes them within a minute. Commits.

    A run that is to upload it still is cancelled, for as long as **Cancel** does not come too late.

    Raises:
        Refused: not an admin.
    """
    authorize(admin, "personal.remove", run)
    held = (Run.id == run.id, Run.artefact.is_not(None), Run.kept_until > clock())
    if db.session.scalar(select(Run.id).where(*held)) is None:
        return
    runs.stop_one(admin, run)  # first, as it holds the export's row before the run's
    change = update(Run).where(*held).values(kept_until=clock()).returning(Run.id)
    if db.session.scalar(change.execution_options(synchronize_session=False)) is not None:
        compares.end_with(run)
        audit.record("run.removal_requested", admin, run)
    db.session.commit()


def _lines(rows: Sequence[tuple[Run, Export]], whole: Catalogue, now: datetime) -> list[Line]:
    ids = [run.id for run, _export in rows]
    definitions = _definitions([run for run, _export in rows])
    deliveries: Mapping[uuid.UUID, list[Delivery]] = defaultdict(list)
    for one in db.session.scalars(
        select(Delivery).where(Delivery.run_id.in_(ids), Delivery.state == "delivered").order_by(Delivery.number)
    ):
        deliveries[one.run_id].append(one)
    downloads = _downloads(ids)
    return [
        Line(
            run,
            export,
            held(definitions[run.export_id, run.version], whole.models.get(export.model)),
            bool(run.artefact and run.kept_until and run.kept_until > now),
            deliveries[run.id],
            downloads[run.id],
        )
        for run, export in rows
    ]


def _downloads(ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, list[AuditEntry]]:
    """Who downloaded the files of these runs, or a comparison that holds rows of them, by run, in their order."""
    runs_of = {str(id): [id] for id in ids}
    sides = select(Compare.id, Compare.earlier_id, Compare.later_id)
    for id, *both in db.session.execute(sides.where(or_(Compare.earlier_id.in_(ids), Compare.later_id.in_(ids)))):
        runs_of[str(id)] = [one for one in both if one in ids]
    found: Mapping[uuid.UUID, list[AuditEntry]] = defaultdict(list)
    asked = (AuditEntry.action.in_(DOWNLOADS), AuditEntry.object_id.in_(runs_of))
    for entry in db.session.scalars(select(AuditEntry).where(*asked).order_by(AuditEntry.number)):
        for id in runs_of[str(entry.object_id)]:
            found[id].append(entry)
    return found


def _definitions(runs: Sequence[Run]) -> dict[tuple[uuid.UUID, int], Definition]:
    version = (ExportVersion.export_id, ExportVersion.number, ExportVersion.definition)
    wanted = select(*version).where(
        ExportVersion.export_id.in_({run.export_id for run in runs}),
        ExportVersion.number.in_({run.version for run in runs}),
    )
    return {(export_id, number): parse(document) for export_id, number, document in db.session.execute(wanted)}


def held(definition: Definition, model: DataModel | None) -> Held:
    """What the file of a definition holds about people, by today's marks."""
    if model is None:
        return Held(raw=tuple(one.header for one in definition.fields))
    if definition.all_fields:
        columns: list[tuple[DataField | None, str, bool]] = [(one, one.label, False) for one in model.all_fields]
    else:
        chosen = [(model.fields.get(one.from_), one) for one in definition.fields]
        columns = [(field, field.label if field else one.from_, one.mask is not None) for field, one in chosen]
    raw = [label for field, label, is_masked in columns if not is_masked and (field is None or field.personal)]
    masked = [label for _field, label, is_masked in columns if is_masked]
    ids = [label for field, label, _masked in columns if field is not None and _names_customers(field, model)]
    return Held(*(tuple(dict.fromkeys(one)) for one in (raw, masked, ids)))


def _is_about_people(model: DataModel) -> bool:
    return any(one.personal or _names_customers(one, model) for one in model.fields.values())


def _names_customers(field: DataField, model: DataModel) -> bool:
    return field.reference == CUSTOMERS or (model.id == CUSTOMERS and field.id == model.key)


def _place(text: str) -> tuple[datetime, uuid.UUID] | None:
    try:
        created, id_ = text.split("_")
        place = datetime.fromisoformat(created), uuid.UUID(id_)
    except ValueError:
        return None
    return place if place[0].tzinfo else None
