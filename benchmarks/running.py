"""What the benchmarks of a running `script/server` share: its application, a definition of a thousand rows, waiting."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from sqlalchemy import select

from exports.definition import Definition, parse
from webapp import config, create_app
from webapp.extensions import db
from webapp.models import Brand, Run, User, brand_scope
from webapp.services import exports

LOOK_S = 0.002


@contextmanager
def demo_user() -> Iterator[User]:
    """Inside the application of EXPORTS_HOME (default instance/), as the demo's first user."""
    app = create_app(config.read(os.environ))
    with app.app_context():
        brand = db.session.scalars(select(Brand).where(Brand.source_key == "maple")).one()
        with brand_scope(brand.id):
            yield db.session.scalars(select(User).where(User.role == "admin").order_by(User.created_at)).first()


def source_url() -> str:
    """Where the rows are."""
    return config.read(os.environ).source_database_url


def events(rows: int | None = None, *, all_fields: bool = False) -> Definition:
    """The brand's events; about the first so many of them in time, or all. Four columns, unless all are wanted."""
    criteria: list[dict[str, Any]] = [{"attribute": "action", "operator": "is_not_empty"}]
    if rows is not None:
        wanted = "SELECT timestamp AT TIME ZONE 'UTC' FROM loyalty.events WHERE brand = 'maple' ORDER BY 1 LIMIT %s"
        with psycopg.connect(source_url()) as connection:
            last = connection.execute(wanted, [rows]).fetchall()[-1]
        criteria.append({"attribute": "timestamp", "operator": "lte", "value": f"{last[0]:%Y-%m-%d %H:%M:%S}"})
    return parse(
        {
            "name": f"Benchmark {rows or 'all'}",
            "model": "events",
            "timezone": "UTC",
            "filters": [criteria],
            "all_fields": all_fields,
            "fields": [] if all_fields else [{"from": one} for one in ("_id", "action", "timestamp", "points")],
        }
    )


def create(user: User, definition: Definition) -> uuid.UUID:
    """Create an export, as the button does; the id of its run."""
    export = exports.create(user, definition, uuid.uuid4())
    return export.latest_run_id or export.id


def wait(run_id: uuid.UUID, done: Callable[[Run], bool], seconds: float = 120) -> Run:
    """Look every 2 ms until the run is as wanted."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        db.session.rollback()
        run = db.session.get_one(Run, run_id, populate_existing=True)
        if done(run):
            return run
        time.sleep(LOOK_S)
    raise TimeoutError(f"{run.state}, attempt {run.attempt}, {run.error_message}")
