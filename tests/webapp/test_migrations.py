"""The migrations lead down to the first one, which is left by dropping the database, and up again to equal tables."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest

from tests.fix_services import environment

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_services import Cluster

FIRST: Final = "0001"
OURS: Final = "n.nspname = 'public' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = {} AND d.deptype = 'e')"
"""What is in the schema and of no extension."""
SHAPE: Final = f"""
    SELECT 'column', c.relname, a.attname, format('%s %s %s', format_type(a.atttypid, a.atttypmod), a.attnotnull,
           (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = c.oid AND adnum = a.attnum))
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE {OURS.format("c.oid")} AND c.relkind IN ('r', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(t.oid)
      FROM pg_constraint t JOIN pg_namespace n ON n.oid = t.connamespace WHERE {OURS.format("t.oid")}
    UNION ALL
    SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'trigger', tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL
    SELECT 'function', p.proname, pg_get_function_identity_arguments(p.oid), p.prosrc
      FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {OURS.format("p.oid")}
"""


@pytest.fixture
def url(postgres: Cluster, worker_number: int) -> Iterator[str]:
    """A database in which there is nothing, for this test alone."""
    name = f"migrated_{worker_number}"
    postgres.drop(name)
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def application(postgres: Cluster, url: str, tmp_path: Path) -> Iterator[Flask]:
    """The application on it."""
    from webapp import config, create_app
    from webapp.extensions import db

    app = create_app(config.read(environment(postgres, url, redis=postgres.addresses.redis_url, folder=tmp_path)))
    with app.app_context():
        yield app
        db.engine.dispose()


def shape(url: str) -> set[tuple[Any, ...]]:
    """Everything that migrations have made."""
    with psycopg.connect(url) as connection:
        return {row for row in connection.execute(SHAPE) if "alembic_version" not in row[1]}  # type: ignore[arg-type]


@pytest.mark.usefixtures("application")
def test_the_way_down_takes_everything_back_and_the_way_up_makes_it_again(url: str) -> None:
    import flask_migrate

    flask_migrate.upgrade(revision=FIRST)
    first = shape(url)
    assert {row[0] for row in first} == {"column", "constraint", "index", "trigger", "function"}
    flask_migrate.upgrade()
    newest = shape(url)
    flask_migrate.downgrade(revision=FIRST)
    assert shape(url) == first
    flask_migrate.upgrade()
    assert shape(url) == newest
