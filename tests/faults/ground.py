"""An installation that is made anew again and again, and the processes that die in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
from redis import Redis

from tests.faults.crashing import Doomed, doomed
from tests.fix_app import TOUCHED, Person
from tests.fix_services import own_services
from tests.fix_workshop import Workshop, opened

if TYPE_CHECKING:
    from tests.fix_services import Cluster
    from tests.nursery import Nursery

NINE = "2026-11-23 09:30+00"
TEN = "2026-11-23 10:00:01+00"
BIG_ROWS = 300
BIG = f"""
    INSERT INTO loyalty.stores_of_all (brand, id, name, status)
        SELECT 'alpine', to_char(n, 'FM00000'), (SELECT string_agg(md5((n * 100 + k)::text), '') FROM
            generate_series(1, 50) k), 'active' FROM generate_series(1, {BIG_ROWS}) n
"""
"""Half a megabyte that is hard to compress: its zip has about ten parts of tests.faults.crashing.PART."""

REACHABLE = {"EXPORTS_ALLOWED_NETWORKS": "127.0.0.0/8"}
UNDISTURBED = {"RUN_SWEEP": "60"}
"""Else a worker on a slow machine would sweep while its horse runs, and count more steps."""
OPEN = """
    SELECT id FROM runs WHERE state IN ('queued', 'processing')
    UNION ALL SELECT id FROM deliveries WHERE state NOT IN ('delivered', 'failed')
"""
"""What somebody still has to do something about."""

KEPT = ("brands", "users")
"""The cast stays; everything else goes, by TRUNCATE: the order of the steps is that of the rows in their tables."""

Facts = dict[str, Any]


def who(person: Person) -> Facts:
    """A person as a deed is told of."""
    return {"brand": person.brand_id, "user": person.id}


@dataclass(frozen=True)
class Ground:
    """An installation that is made anew for each death, and the processes that die in it."""

    shop: Workshop
    processes: Doomed
    connection: psycopg.Connection[Any]

    def clear(self) -> None:
        """As if nothing had ever been made, half an hour before ten."""
        if touched := [name for (name,) in self.rows(TOUCHED) if name not in KEPT]:
            self.connection.execute(f"TRUNCATE {', '.join(touched)} CASCADE")  # type: ignore[arg-type]
        self.connection.execute("UPDATE users SET role = 'exporter' WHERE id = %s", [self.shop.people.exporter.id])
        shutil.rmtree(self.shop.store_folder, ignore_errors=True)
        self.shop.store_folder.mkdir()
        with Redis.from_url(self.shop.services.redis_url) as redis:
            redis.flushall()
        self.shop.clock.set(NINE)

    def rows(self, wanted: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of the database."""
        return self.connection.execute(wanted, values).fetchall()  # type: ignore[arg-type]

    def recover(self) -> None:
        """What other processes do afterwards: they sweep, ring, fire and carry out what waits, while time goes by."""
        from jobs import delivery, runs, scheduler, upkeep

        with self.shop.app.app_context():
            for wait in (0, 46, 46, 900, 900):
                self.shop.clock.forward(timedelta(seconds=wait))
                upkeep.sweep()
                scheduler.Clock().tick()
                scheduler.Clock().reconcile()
                runs.execute()
                delivery.execute()
                if not self.rows(OPEN):
                    break
            upkeep.orphans()


@contextmanager
def prepared(postgres: Cluster, template: str, nursery: Nursery, files: Path) -> Iterator[Ground]:
    """One, for many examples; finished files go below `files`."""
    with own_services(postgres, template, files) as services, opened(services, postgres, nursery, **REACHABLE) as shop:
        with psycopg.connect(shop.source_url, autocommit=True) as connection:
            connection.execute(BIG)
        with (
            doomed({**services.environment, **UNDISTURBED}, services.folder / "doomed.log") as processes,
            psycopg.connect(services.database_url, autocommit=True) as connection,
        ):
            yield Ground(shop, processes, connection)
