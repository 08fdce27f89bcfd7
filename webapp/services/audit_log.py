"""**Audit log**: what was written down, found again by who, what and when; and the same as a file (SPEC section 10)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Text, cast, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from webapp.extensions import db
from webapp.models import AuditEntry, User, brand_scope, clock
from webapp.services import audit

PER_PAGE: Final = 50
AT_ONCE: Final = 1_000
LATELY: Final = timedelta(hours=1)
"""How long an entry of having looked stands for the further pages of the same."""
COLUMNS: Final = (
    "at (UTC)", "who", "from", "what", "result", "kind of thing", "id of it", "facts", "request", "place", "seal",
)  # fmt: skip
RISKY: Final = ("=", "+", "-", "@", "\t", "\r")
"""How a cell begins that a spreadsheet would take for a formula (ASVS 1.2.10)."""


@dataclass(frozen=True)
class LogQuery:
    """What is looked for. `from_` and `to` are days in the person's time zone, both included."""

    search: str = ""
    kind: str = ""
    from_: date | None = None
    to: date | None = None

    def facts(self) -> dict[str, Any]:
        """What was asked, as the log itself keeps it."""
        return {name.strip("_"): str(value) for name, value in asdict(self).items() if value}


@dataclass(frozen=True)
class LogPage:
    """Rows, newest first; `before` is the number that the next page begins after, None on the last one."""

    rows: Sequence[AuditEntry]
    before: int | None


def page(user: User, asked: LogQuery, before: int | None = None) -> LogPage:
    """A page of the log; that it was looked at is written down once, not with every further page. Commits."""
    wanted = _wanted(user, asked)
    if before is None or not _is_further(user, asked, before):
        audit.record("audit.viewed", user, asked=asked.facts())
        db.session.commit()
    if before is not None:
        wanted = wanted.where(AuditEntry.number < before)
    rows = db.session.scalars(wanted.limit(PER_PAGE + 1)).all()
    return LogPage(rows[:PER_PAGE], rows[PER_PAGE - 1].number if len(rows) > PER_PAGE else None)


def _is_further(user: User, asked: LogQuery, before: int) -> bool:
    """Whether all that may be on a page is older than the person's own entry of having asked for just this, lately."""
    entry = select(AuditEntry.number).where(
        AuditEntry.actor_id == user.id,
        AuditEntry.action == "audit.viewed",
        AuditEntry.facts["asked"] == cast(asked.facts(), JSONB),
        AuditEntry.number >= before,
        AuditEntry.at > clock() - LATELY,
    )
    return bool(db.session.scalar(select(entry.exists())))


def export(user: User, asked: LogQuery) -> Iterator[str]:
    """The rows as CSV, line by line; that it was exported is written down first. Commits."""
    audit.record("audit.exported", user, asked=asked.facts())
    db.session.commit()
    return _lines(user.brand_id, _wanted(user, asked))


def _lines(brand_id: UUID, wanted: Select[AuditEntry]) -> Iterator[str]:
    """In pieces, so that a log of years stays out of memory; the answer outlives the request's own scope."""
    before: int | None = None
    yield _line(COLUMNS)
    while True:
        with brand_scope(brand_id):
            asked = wanted if before is None else wanted.where(AuditEntry.number < before)
            rows = db.session.scalars(asked.limit(AT_ONCE)).all()
            told = [_line(_cells(row)) for row in rows]
            before = int(rows[-1].number) if len(rows) == AT_ONCE else None
            db.session.rollback()
        yield from told
        if before is None:
            return


def _cells(row: AuditEntry) -> tuple[object, ...]:
    facts = json.dumps(row.facts, ensure_ascii=False, sort_keys=True)
    seal = row.seal.hex() if row.seal else ""
    return (
        row.at.astimezone(UTC).isoformat(timespec="milliseconds"), row.actor, row.ip or "", row.action, row.result,
        row.object_type or "", row.object_id or "", facts, row.request or "", row.place or "", seal,
    )  # fmt: skip


def _line(cells: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_guarded(str(cell)) for cell in cells])
    return text.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if cell.startswith(RISKY) else cell


def _wanted(user: User, asked: LogQuery) -> Select[AuditEntry]:
    zone = ZoneInfo(user.time_zone)
    wanted = select(AuditEntry).order_by(AuditEntry.number.desc())
    if asked.kind:
        wanted = wanted.where(AuditEntry.action == asked.kind)
    if asked.from_:
        wanted = wanted.where(AuditEntry.at >= datetime.combine(asked.from_, time(), zone))
    if asked.to:
        wanted = wanted.where(AuditEntry.at < datetime.combine(asked.to + timedelta(days=1), time(), zone))
    if asked.search:
        text = asked.search.lower()
        anywhere = (AuditEntry.actor, AuditEntry.ip, AuditEntry.object_id, AuditEntry.request)
        found = [column.icontains(text, autoescape=True) for column in anywhere]
        wanted = wanted.where(or_(*found, cast(AuditEntry.facts, Text).icontains(text, autoescape=True)))
    return wanted


def told(facts: Mapping[str, Any]) -> str:
    """Facts in one line: "role: exporter → manager" is told as "before: …, role: …"."""
    return ", ".join(
        f"{name.replace('_', ' ')}: {_value(value)}" for name, value in facts.items() if value not in ("", None, {}, [])
    )


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
