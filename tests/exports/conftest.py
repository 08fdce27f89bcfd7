"""An empty reference schema, in which a test writes the records it speaks of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, text

from exports.source.postgresql import PostgresSource
from tests.exports.zoo import TABLE, Zoo

if TYPE_CHECKING:
    from tests.fix_services import Cluster

DEMO = Path(__file__).parents[2] / "demo"


@pytest.fixture(scope="session")
def loyalty_schema(postgres: Cluster, worker_number: int) -> str:
    """A database of this worker with the reference schema, its indexes and two brands, and nothing else."""
    name = f"schema_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((DEMO / "schema.sql").read_bytes())
        connection.execute(
            "insert into loyalty.brands values ('maple', 'M', 'UTC', 'en'), ('alpine', 'A', 'UTC', 'de')"
        )
        connection.execute((DEMO / "indexes.sql").read_bytes())
    return url


@pytest.fixture
def loyalty(loyalty_schema: str) -> Iterator[Connection]:
    """The empty reference schema in a transaction that is rolled back."""
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(loyalty_schema))
    with engine.connect() as connection:
        connection.execute(text("set local timezone to 'UTC'"))
        yield connection
        connection.rollback()
    engine.dispose()


@pytest.fixture(scope="session")
def zoo(postgres: Cluster, worker_number: int) -> Zoo:
    """A database of this worker with the table of things (zoo.py); each test fills it."""
    name = f"zoo_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(TABLE.encode())
    return Zoo(url, PostgresSource(url))
