"""The chain of the audit log: each row is sealed with the SHA-256 of itself and the seal before it (RELIABILITY 6).

Rows are sealed a few seconds after they were written, by the scheduler, and get their place in the chain then: the
numbers of rows are not committed in order. What is older than the brand keeps it is removed from the front; an entry
says where the chain begins from then on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Final
from uuid import UUID

from sqlalchemy import delete, func, select

from webapp.extensions import db
from webapp.models import AuditEntry, Brand, clock
from webapp.services import audit

AT_ONCE: Final = 1_000
SEALER: Final = "upkeep"
"""Who the audit log names."""


@dataclass(frozen=True)
class Verdict:
    """What was found: the last sealed place and its seal, how many rows wait for theirs, and the first wrong row."""

    place: int
    seal: str
    waiting: int
    wrong: str = ""


def seal(brand_id: UUID) -> int:
    """Seal the next rows of a brand, in its scope; returns how many. Commits."""
    if not _hold(brand_id):
        return 0  # another process is at it
    waiting = select(AuditEntry).where(AuditEntry.seal.is_(None)).order_by(AuditEntry.number).limit(AT_ONCE)
    rows = db.session.scalars(waiting).all()
    if rows:
        place, last = _head()
        for row in rows:
            place += 1
            last = _seal_of(row, place, last)
            row.place, row.seal = place, last
    db.session.commit()
    return len(rows)


def verify() -> Verdict:
    """Go through the chain of the present brand from its begin to its head."""
    before, last = _begin()
    for row in _sealed():
        if row.place != before + 1:
            return _verdict(before, last, f"rows {before + 1:,} to {(row.place or 0) - 1:,} are missing")
        found = _seal_of(row, row.place, last)
        if found != row.seal:
            told = f"row {row.place:,} ({row.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {row.action}) was changed"
            return _verdict(before, last, told)
        before, last = row.place, found
        db.session.expunge(row)
    return _verdict(before, last)


def remove_old(brand: Brand) -> int:
    """Remove what is older than the brand keeps, oldest first, in its scope; returns how many rows. Commits."""
    if not _hold(brand.id):
        return 0
    over = clock() - func.make_interval(0, 0, 0, brand.audit_days)
    first_kept = select(func.min(AuditEntry.place)).where(AuditEntry.at >= over).scalar_subquery()
    first = db.session.scalar(select(func.min(AuditEntry.place)).select_from(AuditEntry)) or 0
    old = select(AuditEntry.place, AuditEntry.seal).where(AuditEntry.at < over, AuditEntry.place < first + AT_ONCE)
    last = db.session.execute(
        old.where(AuditEntry.place < func.coalesce(first_kept, first + AT_ONCE)).order_by(AuditEntry.place.desc())
    ).first()
    if last is None:
        db.session.rollback()
        return 0
    gone = delete(AuditEntry).where(AuditEntry.place <= last.place)
    db.session.execute(gone.execution_options(synchronize_session=False))
    count = int(last.place) - first + 1
    audit.record("audit.removed", SEALER, None, count=count, place=int(last.place), seal=last.seal.hex())
    db.session.commit()
    return count


def _hold(brand_id: UUID) -> bool:
    """Keep others from the chain of this brand until the commit; False if somebody has it."""
    held = select(Brand.id).where(Brand.id == brand_id).with_for_update(key_share=True, skip_locked=True)
    if db.session.scalar(held) is None:
        db.session.rollback()
        return False
    return True


def _head() -> tuple[int, bytes]:
    newest = select(AuditEntry).where(AuditEntry.place.is_not(None)).order_by(AuditEntry.place.desc()).limit(1)
    row = db.session.scalars(newest).one_or_none()
    return (row.place or 0, row.seal or b"") if row is not None else _begin()


def _begin() -> tuple[int, bytes]:
    """What came before the first row that is kept."""
    removed = select(AuditEntry.facts).where(AuditEntry.action == "audit.removed")
    facts = db.session.execute(removed.order_by(AuditEntry.number.desc()).limit(1)).scalar()
    return (int(facts["place"]), bytes.fromhex(facts["seal"])) if facts else (0, b"")


def _sealed() -> Iterator[AuditEntry]:
    place = -1
    while rows := _after(place):
        yield from rows
        place = rows[-1].place or 0


def _after(place: int) -> Sequence[AuditEntry]:
    wanted = select(AuditEntry).where(AuditEntry.place > place).order_by(AuditEntry.place).limit(AT_ONCE)
    return db.session.scalars(wanted.execution_options(populate_existing=True)).all()


def _verdict(place: int, last: bytes, wrong: str = "") -> Verdict:
    waiting = select(func.count(AuditEntry.id)).where(AuditEntry.seal.is_(None))
    return Verdict(place, last.hex(), db.session.scalar(waiting) or 0, wrong)


def _seal_of(row: AuditEntry, place: int, before: bytes) -> bytes:
    """The seal of a row: every column but the seal, in a spelling that does not change."""
    told = {
        name: getattr(row, name)
        for name in ("number", "actor", "ip", "request", "action", "object_type", "object_id", "result", "facts")
    }
    told |= {"id": str(row.id), "brand": str(row.brand_id), "actor_id": str(row.actor_id), "place": place}
    told["at"] = row.at.astimezone(UTC).isoformat()
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(before + text.encode()).digest()
