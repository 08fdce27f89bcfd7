"""The fixtures keep what they promise."""

from __future__ import annotations

import os
import signal
import socket

import psutil
import psycopg
import pytest
import redis
from playwright.sync_api import Page

from tests.fix_guard import Outside
from tests.fix_services import Cluster, PrivateServices
from tests.nursery import NoBirth, Nursery


def test_nothing_of_the_callers_environment_reaches_a_test() -> None:
    assert "DATABASE_URL" not in os.environ
    assert not [name for name in os.environ if name.startswith(("PG", "FLASK_"))]


def test_only_this_machine_can_be_reached() -> None:
    with socket.socket() as outside, pytest.raises(Outside):
        outside.connect(("192.0.2.1", 80))


def test_a_nursery_that_forks_nothing_says_so_in_time() -> None:
    """One that dies of its imports, and one that hangs in them."""
    dead = Nursery("tests.nowhere")
    dead.process.wait()
    held = Nursery(patience_s=0.1)
    psutil.Process(held.process.pid).suspend()
    for one, status in ((dead, "1"), (held, "None")):
        with open(os.devnull, "wb") as log, pytest.raises(NoBirth, match=f"exit status of the nursery: {status}$"):
            one.start(["jobs.worker"], {}, log)
        one.close()
    assert held.process.returncode == -signal.SIGKILL


def test_text_sorts_by_bytes_and_lower_knows_all_letters(postgres: Cluster) -> None:
    with psycopg.connect(postgres.admin_dsn()) as connection:
        rows = connection.execute("SELECT x FROM unnest(ARRAY['b', 'ä', 'Z', 'a']) x ORDER BY x").fetchall()
        assert [row[0] for row in rows] == ["Z", "a", "b", "ä"]
        assert connection.execute("SELECT lower('ŐÄ'), current_setting('fsync')").fetchone() == ("őä", "off")


def test_a_copy_of_the_application_database_has_its_tables(postgres: Cluster, app_database: str) -> None:
    with psycopg.connect(app_database) as connection:
        found = connection.execute("SELECT count(*) FROM information_schema.tables WHERE table_name = 'runs'")
        assert found.fetchone() == (1,)
        assert connection.execute("SELECT current_user").fetchone() == ("exports",)


def test_redis_is_empty_at_first(redis_url: str, worker_number: int) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", "behind")
        assert client.connection_pool.connection_kwargs["db"] == worker_number


def test_redis_is_empty_again_afterwards(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0


def test_private_services_are_nobody_elses(private_services: PrivateServices, app_database: str) -> None:
    with redis.Redis.from_url(private_services.redis_url) as client:
        assert client.info("clients")["connected_clients"] == 1
    with psycopg.connect(private_services.database_url) as connection:
        assert connection.execute("SELECT count(*) FROM brands").fetchone() == (0,)
    assert private_services.database_url != app_database


@pytest.mark.browser
def test_the_browser_shows_a_page(page: Page) -> None:
    page.set_content("<title>Exports</title><h1>Ready</h1>")
    assert page.title() == "Exports"
    assert page.locator("h1").inner_text() == "Ready"
