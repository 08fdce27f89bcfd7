"""The database that rows come from breaks off, refuses, is full of errors or is away (F11, F12, F14, F16-F18)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psutil
import psycopg
import pytest

from tests.fix_app import stores
from tests.fix_services import Cluster
from tests.fix_workshop import ROOT, ROWS, SOURCE, Workshop, until
from webapp import embedded

SLOW_S = 0.02
COPYING = """
    SELECT pid FROM pg_stat_activity
    WHERE query LIKE 'COPY%' AND state = 'active' AND datname = current_database()
"""


def change(url: str, *statements: str) -> None:
    """Change the source."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)  # type: ignore[arg-type]


def told(run: dict[str, Any]) -> tuple[str, str, str]:
    """What a person is told: code, sentence and advice, the last two whole sentences."""
    for text in (run["error_message"], run["error_advice"]):
        assert text[0].isupper() or text[0] == "“"
        assert text.endswith(".")
    return run["error_code"], run["error_message"], run["error_advice"]


def again_now(workshop: Workshop, run_id: object) -> None:
    """The time until the next try goes by."""
    with psycopg.connect(workshop.services.database_url, autocommit=True) as connection:
        connection.execute("UPDATE runs SET not_before = clock() WHERE id = %s", [run_id])


@pytest.mark.parametrize("how", ["pg_terminate_backend", "pg_cancel_backend"])
def test_a_query_that_somebody_ends_is_tried_again_from_its_start(workshop: Workshop, how: str) -> None:
    workshop.pace(SLOW_S)
    workshop.worker()
    run_id = workshop.create(stores())
    workshop.working(run_id)
    workshop.pace(0)
    with psycopg.connect(workshop.source_url, autocommit=True) as connection:
        [(pid,)] = until(lambda: connection.execute(COPYING).fetchall(), "the COPY runs")
        connection.execute(f"SELECT {how}(%s)", [pid])  # type: ignore[arg-type]
    run = workshop.until(run_id, lambda run: run["failures"], "it is put off")
    code, sentence, advice = told(run)
    assert code == {"pg_terminate_backend": "source.unreachable", "pg_cancel_backend": "source.conflict"}[how]
    assert "tried again by itself" in advice, sentence
    assert (run["state"], workshop.files()) == ("queued", [])
    again_now(workshop, run_id)
    run = workshop.ended(run_id)
    assert (run["state"], run["rows"], run["attempt"], run["deaths"]) == ("success", ROWS, 2, 0)
    assert run["error_code"] is None


@pytest.fixture
def own_source() -> Iterator[embedded.Addresses]:
    """A PostgreSQL of the test's own, that may be killed."""
    home = Path(tempfile.mkdtemp(prefix="exports-source-")) / "instance"
    addresses = embedded.join(home, throwaway=True)
    try:
        with psycopg.connect(addresses.superuser_url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE killed OWNER exports")
        yield addresses
    finally:
        embedded.leave(home, at_once=True)
        shutil.rmtree(home.parent, ignore_errors=True)


def at(addresses: embedded.Addresses) -> str:
    """The address of the source in it."""
    return urlunsplit(urlsplit(addresses.superuser_url)._replace(netloc="exports@", path="/killed"))


@pytest.mark.slow
def test_a_database_whose_process_is_killed_restarts_and_the_run_is_tried_again(
    workshop: Workshop, own_source: embedded.Addresses
) -> None:
    url = at(own_source)
    change(url, (ROOT / "demo/schema.sql").read_text(), (ROOT / "demo/indexes.sql").read_text(), SOURCE)
    change(url, f"UPDATE loyalty.pace SET seconds = {SLOW_S}")
    workshop.worker(SOURCE_DATABASE_URL=url)
    run_id = workshop.create(stores())
    workshop.working(run_id)
    with psycopg.connect(url, autocommit=True) as connection:
        [(pid,)] = until(lambda: connection.execute(COPYING).fetchall(), "the COPY runs")
    psutil.Process(pid).kill()  # the server ends all of its connections and recovers
    run = workshop.until(run_id, lambda run: run["failures"], "it is put off")
    assert told(run)[0] == "source.unreachable"

    def is_back() -> bool:
        try:
            change(url, "UPDATE loyalty.pace SET seconds = 0")
        except psycopg.OperationalError:
            return False
        return True

    until(is_back, "the database is back")
    again_now(workshop, run_id)
    run = workshop.ended(run_id)
    assert (run["state"], run["rows"], run["published_attempt"]) == ("success", ROWS, run["attempt"])


def test_a_query_that_takes_too_long_says_how_long_it_may(workshop: Workshop) -> None:
    workshop.pace(SLOW_S)
    workshop.worker(SOURCE_STATEMENT_TIMEOUT="1")
    run = workshop.ended(workshop.create(stores()))
    assert (run["state"], run["attempt"], workshop.files()) == ("failed", 1, [])
    code, sentence, advice = told(run)
    assert (code, sentence) == ("source.timeout", "The query took longer than 1 s.")
    assert "Add a filter" in advice


def test_an_error_late_in_the_rows_fails_the_run_and_names_the_place(workshop: Workshop) -> None:
    broken = """
        CREATE OR REPLACE VIEW loyalty.stores AS
        SELECT brand, id, (name || repeat(' ', 2000)) || (1000 / (900 - id::int))::text AS name
        FROM loyalty.stores_of_all
    """
    change(workshop.source_url, broken)
    workshop.worker()
    run = workshop.ended(workshop.create(stores()))
    assert (run["state"], run["attempt"], workshop.files()) == ("failed", 1, [])
    code, sentence, _advice = told(run)
    assert code == "source.row_unreadable"
    assert sentence == "A record holds a value that cannot be exported: division by zero (after row 899 of the file)."


def test_a_column_that_has_gone_fails_the_exports_that_need_it_and_no_other(workshop: Workshop) -> None:
    change(
        workshop.source_url,
        "DROP VIEW loyalty.stores",
        "CREATE VIEW loyalty.stores AS SELECT brand, id FROM loyalty.stores_of_all",
    )
    workshop.worker()
    needs, needs_not = workshop.create(stores()), workshop.create(stores(fields=[{"from": "id"}]))
    run = workshop.ended(needs)
    assert (run["state"], run["attempt"]) == ("failed", 1)
    code, sentence, advice = told(run)
    assert (code, "name" in sentence) == ("source.field_missing", True)
    assert "Edit the export" in advice
    assert workshop.ended(needs_not)["state"] == "success"


def test_a_database_without_a_free_connection_is_waited_for(workshop: Workshop, postgres: Cluster) -> None:
    role = "without_connections"
    change(
        postgres.admin_dsn(),
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0 IN ROLE exports",
    )
    name = urlsplit(workshop.source_url).path.removeprefix("/")
    workshop.worker(SOURCE_DATABASE_URL=postgres.url(name, role))
    run_id = workshop.create(stores())
    run = workshop.until(run_id, lambda run: run["failures"], "it is put off")
    assert (run["state"], told(run)[0]) == ("queued", "source.busy")
    change(postgres.admin_dsn(), f"ALTER ROLE {role} CONNECTION LIMIT 10")
    again_now(workshop, run_id)
    assert workshop.ended(run_id)["state"] == "success"


def test_our_own_database_without_a_free_connection_costs_no_attempt(workshop: Workshop, postgres: Cluster) -> None:
    role = "worker_without_connections"
    change(
        postgres.admin_dsn(),
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0 IN ROLE exports",
    )
    name = urlsplit(workshop.services.database_url).path.removeprefix("/")
    run_id = workshop.create(stores())
    worker = workshop.worker(DATABASE_URL=postgres.url(name, role))
    until(lambda: "the horse fell over" in workshop.said(worker), "it tries")
    change(postgres.admin_dsn(), f"ALTER ROLE {role} CONNECTION LIMIT 10")
    run = workshop.ended(run_id)
    assert (run["state"], run["attempt"], run["failures"], run["deaths"]) == ("success", 1, 0, 0)
    assert worker.is_running()
