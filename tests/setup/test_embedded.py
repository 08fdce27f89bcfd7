"""PostgreSQL and Redis for those who have none (DESIGN section 4, "Embedded services")."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from exports.errors import InstanceClosed, InstanceNewer, NoSpace
from tests.setup.commands import Command, keeper_pid, other_user, postmaster_pid, stop, until
from webapp import embedded
from webapp.embedded import place
from webapp.embedded.processes import alive, works_in


@pytest.fixture
def tmp() -> Iterator[Path]:
    """A folder whose path is short enough for sockets, and that everybody may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="exports-setup-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def home(tmp: Path) -> Iterator[Path]:
    """An instance folder that does not exist yet; its services are gone after the test."""
    folder = tmp / "instance"
    yield folder
    stop(folder)
    place.discard(folder)


@pytest.fixture(scope="module")
def _made() -> Iterator[Path]:
    """An instance folder that a command has made and left, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="exports-setup-"))
    home = folder / "instance"
    with Command(home, "at-once"):
        pass
    yield home
    place.discard(home)
    folder.rmdir()


@pytest.fixture
def made(home: Path, _made: Path) -> Path:
    """An instance folder that a command has made and left: most of a first start is making the cluster."""
    place.prepare_home(home)
    services = place.settle(home).services
    for name in ("data", "prepared"):
        subprocess.run(["cp", "-a", str(_made / "services" / name), str(services)], check=True)
    return home


def redis_pid(url: str) -> int:
    with redis.Redis.from_url(url) as client:
        return int(client.info("server")["process_id"])


def test_two_commands_side_by_side_share_one_keeper(home: Path) -> None:
    with Command(home) as first, Command(home) as second:
        assert first.addresses == second.addresses
        keeper = keeper_pid(home)
        first.end()
        with psycopg.connect(second.addresses.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert keeper_pid(home) == keeper


def test_a_second_start_finds_what_the_first_one_stored(home: Path) -> None:
    for expected in (0, 1):
        with Command(home, "at-once") as command, psycopg.connect(command.addresses.database_url) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (x int)")
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (expected,)
            connection.execute("INSERT INTO kept VALUES (1)")
            connection.commit()
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert not keeper_pid(home)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["ended", "killed"])
def test_both_stop_ten_seconds_after_the_last_command(made: Path, how: str) -> None:
    with Command(made) as command:
        postgres, server = postmaster_pid(made), redis_pid(command.addresses.redis_url)
        if how == "killed":
            os.kill(command.pid, signal.SIGKILL)
    assert 9 < until(lambda: not keeper_pid(made)) < 13
    assert not alive(postgres)
    assert not alive(server)


def test_a_forked_process_is_registered_like_its_parent(made: Path) -> None:
    with Command(made, "fork") as child:
        child.process.wait()
        with Command(made, "at-once"):
            pass  # it asks for an end at once, as if it were the last
        assert keeper_pid(made)
        with psycopg.connect(child.addresses.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_killed_keeper_is_followed_by_one_that_adopts_what_runs(made: Path) -> None:
    with Command(made) as first:
        keeper, postgres, server = keeper_pid(made), postmaster_pid(made), redis_pid(first.addresses.redis_url)
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not alive(keeper))
        with Command(made, "at-once") as second:
            assert keeper_pid(made) not in (0, keeper)
            assert (postmaster_pid(made), redis_pid(second.addresses.redis_url)) == (postgres, server)
        # The first command still needs them, though it registered with the keeper that is dead.
        assert keeper_pid(made)
        with psycopg.connect(first.addresses.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_start_after_everything_was_killed_repairs_what_it_finds(made: Path) -> None:
    with Command(made) as command:
        with psycopg.connect(command.addresses.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 42 AS x")
        pids = [keeper_pid(made), postmaster_pid(made), redis_pid(command.addresses.redis_url)]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    until(lambda: not any(map(alive, pids)))
    with Command(made) as command, psycopg.connect(command.addresses.database_url) as connection:
        assert connection.execute("SELECT x FROM kept").fetchone() == (42,)
        assert redis_pid(command.addresses.redis_url)


def test_a_process_number_that_somebody_else_has_now_stops_no_start(made: Path) -> None:
    with Command(made, "at-once"):
        pass
    with subprocess.Popen(["sleep", "60"]) as stranger:
        note = made / "services" / "data" / "postmaster.pid"
        note.write_text(f"{stranger.pid}\n{made}/services/data\n1\n5432\n{made}\n\n  1 1\nready   \n")
        with Command(made) as command, psycopg.connect(command.addresses.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
            assert postmaster_pid(made) != stranger.pid
        assert stranger.poll() is None
        stranger.kill()


def test_a_half_made_cluster_is_made_anew(made: Path) -> None:
    with Command(made, "at-once"):
        pass
    (made / "services" / "data").rename(made / "services" / "data.new")
    (made / "services" / "prepared").unlink()
    with Command(made) as command, psycopg.connect(command.addresses.source_url) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("exports_reader",)


@pytest.mark.parametrize("service", ["postgres", "redis"])
def test_a_service_that_died_is_started_again(made: Path, service: str) -> None:
    with Command(made) as command:
        url = command.addresses.redis_url
        pid = postmaster_pid(made) if service == "postgres" else redis_pid(url)
        os.kill(pid, signal.SIGKILL)

        def again() -> bool:
            try:
                with psycopg.connect(command.addresses.database_url, connect_timeout=1):
                    return redis_pid(url) != pid and postmaster_pid(made) != pid
            except (psycopg.OperationalError, redis.ConnectionError, FileNotFoundError):
                return False

        until(again)


def test_the_reader_of_the_source_can_only_read(made: Path) -> None:
    with Command(made) as command:
        with psycopg.connect(command.addresses.source_admin_url, autocommit=True) as connection:
            connection.execute("CREATE SCHEMA loyalty; CREATE TABLE loyalty.events AS SELECT 1 AS x")
        with psycopg.connect(command.addresses.source_url, autocommit=True) as reader:
            assert reader.execute("SELECT x FROM loyalty.events").fetchone() == (1,)
            reader.execute("SET default_transaction_read_only = off")
            for statement in ("DELETE FROM loyalty.events", "CREATE TABLE loyalty.y ()", "CREATE TEMP TABLE z ()"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(statement)
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(command.addresses.source_url.replace("/loyalty", "/exports"))


def modes(folder: Path) -> dict[Path, int]:
    return {parent: parent.stat().st_mode for parent in (*folder.parents, Path("/var/lib"), Path(embedded.__file__))}


def test_no_mode_of_a_folder_above_is_changed(tmp: Path) -> None:
    closed = tmp / "closed"
    closed.mkdir(mode=0o700)
    home = closed / "below" / "instance"
    home.parent.mkdir(mode=0o711)
    before = modes(home)
    try:
        with Command(home, "at-once"):
            assert modes(home) == before
    finally:
        stop(home)
        place.discard(home)


def test_no_mode_of_a_folder_above_is_changed_for_an_ordinary_user(tmp: Path) -> None:
    with other_user(tmp) as user:
        home = tmp / "instance"
        before = modes(home)
        with Command(home, "at-once", user=user):
            assert modes(home) == before
            assert not (home / "services").is_symlink()
        stop(home)


def test_root_keeps_the_data_where_the_services_user_can_reach_them(home: Path) -> None:
    if os.geteuid():
        pytest.skip("only root has a user of its own for the services; the tests beside this one run as we are")
    with Command(home) as command:
        assert (home / "services").readlink().parent == place.SHELF
        with psycopg.connect(command.addresses.superuser_url) as connection:
            assert connection.execute("SHOW data_directory").fetchone()[0].startswith(str(place.SHELF))
        assert os.stat(f"/proc/{postmaster_pid(home)}").st_uid != 0
        assert os.stat(f"/proc/{redis_pid(command.addresses.redis_url)}").st_uid != 0
    shelf = (home / "services").resolve()
    stop(home)
    place.discard(home)
    assert not shelf.exists()


def test_a_path_too_long_for_a_socket_is_no_obstacle(tmp: Path) -> None:
    home = tmp / ("long" * 40) / "instance"
    try:
        with Command(home) as command, psycopg.connect(command.addresses.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        stop(home)
        place.discard(home)


def test_a_path_too_long_for_a_socket_is_no_obstacle_for_an_ordinary_user(tmp: Path) -> None:
    with other_user(tmp) as user:
        home = tmp / ("long" * 40) / "in stance"
        with Command(home, user=user) as command:
            sockets = Path((home / "services" / "sockets").read_text())
            assert sockets.stat().st_mode & 0o777 == 0o700
            assert redis_pid(command.addresses.redis_url)
        stop(home)
        place.discard(home)
        assert not sockets.exists()


def test_an_instance_folder_of_a_newer_version_is_left_alone(home: Path) -> None:
    home.mkdir()
    (home / "version.json").write_text(json.dumps({"layout": place.LAYOUT + 1}))
    with pytest.raises(InstanceNewer) as refused:
        embedded.join(home)
    assert "newer version" in refused.value.message
    assert "EXPORTS_HOME" in refused.value.advised
    assert [path.name for path in home.iterdir()] == ["version.json"]


def test_a_cluster_of_a_newer_postgresql_is_left_alone(made: Path) -> None:
    with Command(made, "at-once"):
        pass
    (made / "services" / "data" / "PG_VERSION").write_text("19\n")
    with pytest.raises(InstanceNewer):
        embedded.join(made)


def test_data_that_are_gone_are_not_replaced_silently(made: Path) -> None:
    with Command(made, "at-once"):
        pass
    data = made / "services"
    shutil.rmtree(data.resolve())
    if not data.is_symlink():  # an ordinary user's data lie in the folder itself
        data.symlink_to(made / "elsewhere")
    assert "are gone" in Command(made).refused
    data.unlink()


def test_too_little_space_is_said_in_megabytes(tmp: Path) -> None:
    with pytest.raises(NoSpace) as refused:
        place.require_space(tmp, 10**9)
    assert "MB free, and 1000000000 MB are needed" in refused.value.message


def test_a_folder_that_cannot_be_made_is_named(tmp: Path) -> None:
    (tmp / "file").write_text("not a folder")
    with pytest.raises(InstanceClosed) as refused:
        embedded.join(tmp / "file" / "instance")
    assert str(tmp / "file" / "instance") in refused.value.message


def test_an_ordinary_user_is_told_whose_folder_it_is(tmp: Path) -> None:
    with other_user(tmp) as user:
        home = tmp / "instance"
        home.mkdir()
        (home / "version.json").write_text(json.dumps({"layout": place.LAYOUT}))
        assert "belongs to the user root. Start as root" in Command(home, user=user).refused
        (home / "version.json").unlink()
        assert "cannot be written to: Permission denied" in Command(home, user=user).refused


def test_a_deleted_instance_folder_takes_its_services_with_it(made: Path) -> None:
    with Command(made) as command:
        postgres, server = postmaster_pid(made), redis_pid(command.addresses.redis_url)
        data = (made / "services").resolve()
        shutil.rmtree(made)
        until(lambda: not alive(postgres) and not alive(server))
    shutil.rmtree(data, ignore_errors=True)


def test_a_throwaway_instance_is_gone_with_its_last_user(home: Path) -> None:
    embedded.join(home, throwaway=True)
    data = (home / "services").resolve()
    embedded.leave(home, at_once=True)
    assert not home.exists()
    assert not data.exists()


def test_a_process_is_known_by_what_it_runs(tmp: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        # A process that has just begun its program has an empty command line for an instant.
        until(lambda: works_in(process.pid, Path("60"), "sleep"))
        assert not works_in(process.pid, tmp, "postgres")
        process.kill()
    assert not alive(process.pid)
