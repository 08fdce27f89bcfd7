"""The week of demo data that all tests read, and the package's own files as the other side of every comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
import psycopg
import pytest

from demo import retailer

if TYPE_CHECKING:
    from tests.fix_services import Cluster

MODELS = (
    "challenges", "changes", "content_approval", "coupons", "coupon_pools", "customers", "events", "products",
    "rewards", "stores", "webhook_logs",
)  # fmt: skip
"""The tables that are data models; Customer fields has none."""


@pytest.fixture(scope="session")
def _reader(source_dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(source_dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def rows(_reader: psycopg.Connection) -> Callable[..., list[Any]]:
    """`rows("SELECT …")`: what the shared source answers."""
    return lambda statement, *values: _reader.execute(statement, values or None).fetchall()


@pytest.fixture
def one(rows: Callable[..., list[Any]]) -> Callable[..., Any]:
    """`one("SELECT …")`: the single value of a single row."""
    return lambda statement, *values: rows(statement, *values)[0][0]


@pytest.fixture
def owner(postgres: Cluster, source_dsn: str) -> Iterator[psycopg.Connection]:
    """The shared source as its owner, in a transaction that is rolled back."""
    with psycopg.connect(postgres.addresses.source_admin_url) as connection:
        yield connection
        connection.rollback()


@pytest.fixture(scope="session")
def package() -> Callable[[str], pd.DataFrame]:
    """`package("coupons")`: one of the package's files."""
    return lambda name: pd.read_parquet(retailer.folder() / f"{name}.parquet")


@pytest.fixture(scope="session")
def week(package: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """The transaction lines before 8 January 2017."""
    lines = package("transactions")
    return lines[lines["transaction_timestamp"] < "2017-01-08"]
