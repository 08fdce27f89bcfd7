"""`script/bench firing`: how late a schedule's run is made and claimed, under `script/server` (SPEC section 7).

First one moment at a time, 2 s apart; then a hundred exports at one moment. The bars: claimed within 2 s of the moment
(p99), and all of the hundred rows made within 2 s.
"""

from __future__ import annotations

import statistics
import sys
import time
import uuid
from datetime import datetime, timedelta

from sqlalchemy import select

from benchmarks.running import demo_user
from exports.definition import parse
from webapp.extensions import db
from webapp.models import Run, User
from webapp.services import exports
from webapp.services.progress import present

FIRINGS = 200
APART = timedelta(seconds=2)
TOGETHER = 100
BAR_S = 2.0


def at(user: User, moment: datetime) -> uuid.UUID:
    """An export of ten stores, On-date."""
    document = {
        "name": "Benchmark of the clock",
        "model": "stores",
        "timezone": "UTC",
        "filters": [[{"attribute": "id", "operator": "is_not_empty"}]],
        "fields": [{"from": "id"}],
        "schedule": {"type": "on_date", "at": f"{moment:%Y-%m-%dT%H:%M:%S}Z"},
    }
    return exports.create(user, parse(document), uuid.uuid4()).id


def ended(export_ids: list[uuid.UUID], seconds: float) -> list[Run]:
    """The runs of these exports, when all of them have ended."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        db.session.rollback()
        runs = list(db.session.scalars(select(Run).where(Run.export_id.in_(export_ids))))
        if len(runs) == len(export_ids) and all(run.finished_at for run in runs):
            return runs
        time.sleep(0.5)
    raise TimeoutError(f"{len(runs)} of {len(export_ids)} runs are there")


def late(runs: list[Run], column: str) -> list[float]:
    """Seconds between the moment and what came of it, in order."""
    return sorted((getattr(run, column) - run.scheduled_for).total_seconds() for run in runs)


def told(what: str, seconds: list[float]) -> None:
    """Median, p99 and the worst."""
    median, worst = statistics.median(seconds), seconds[-1]
    print(f"{what}: {len(seconds)}; median {median:.2f} s, p99 {p99(seconds):.2f} s, max {worst:.2f} s", flush=True)


def p99(seconds: list[float]) -> float:
    """All but a hundredth of them are not above it."""
    return seconds[max(0, round(len(seconds) * 0.99) - 1)]


def main(arguments: list[str]) -> int:
    """Print how late; exit status 1 over a bar. An argument is the number of single firings."""
    count = int(arguments[0]) if arguments else FIRINGS
    with demo_user() as user:
        begin = present() + timedelta(seconds=15 + count / 10)
        singles = [at(user, begin + number * APART) for number in range(count)]
        runs = ended(singles, 60 + count * (APART.total_seconds() + 1))
        claimed = late(runs, "started_at")
        told("one at a time, rows made", late(runs, "created_at"))
        told("one at a time, claimed", claimed)
        many = [at(user, begin) for begin in [present() + timedelta(seconds=40)] for _ in range(TOGETHER)]
        made = late(ended(many, 300), "created_at")
        told(f"{TOGETHER} at one moment, rows made", made)
    return int(p99(claimed) > BAR_S or made[-1] > BAR_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
