"""Killed before any step of a delivery or of a test of a connection, no process leaves half a file, or two (P3, P4).

Besides what the database says, the folder of a real server is looked at: when the process is dead, and in the end.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import asyncssh
import pytest

from tests.campaigns import drill, is_long
from tests.delivery.servers import USER, FtpServer, SftpServer
from tests.faults.ground import Facts, Ground, who
from tests.faults.test_crash_points import die_everywhere
from tests.fix_app import stores
from webapp.extensions import db
from webapp.models import Connection, ConnectionTest, Run
from webapp.services import connections, deliveries
from webapp.services.connections import Server, credentials, testing
from webapp.services.connections.testing import Subject

YESTERDAY = b"yesterday"
QUICKER = b"quicker"


class Rival(asyncssh.SFTPServer):
    """Somebody takes the number 2 as soon as something was uploaded."""

    def close(self, file_obj: object) -> None:
        """See asyncssh: a file is whole."""
        super().close(file_obj)
        folder = Path(self.map_path(b"/in").decode())
        if next(folder.glob(".*.part"), None) is not None:
            (folder / "x-2.csv").write_bytes(QUICKER)


class Partner:
    """An upload server, with the file of yesterday, and the connection to it."""

    def __init__(self, ground: Ground, server: SftpServer | FtpServer) -> None:
        self.ground, self.server = ground, server
        self.file = server.folder / "in/x.csv"

    def begin(self) -> str:
        """Everything as it was yesterday; the id of the connection, which is made anew."""
        shutil.rmtree(self.server.folder)
        self.file.parent.mkdir(parents=True)
        self.file.write_bytes(YESTERDAY)
        at = self.server.at()
        with self.ground.shop.people.exporter.at_work() as user:
            made = Connection(
                id=uuid.uuid4(), brand_id=user.brand_id, created_by_id=user.id, name="Partner", type=at.type,
                host=at.host, port=at.port, username=USER, accepted_key=at.trust, shared_with_exporters=True,
            )  # fmt: skip
            credentials.put(made, connections.Credential("password", at.password))
            db.session.add(made)
            db.session.commit()
            return str(made.id)

    def there(self) -> dict[str, bytes]:
        """All files of the server."""
        folder = self.server.folder
        return {str(one.relative_to(folder)): one.read_bytes() for one in folder.rglob("*") if one.is_file()}

    # --- what there is before

    def a_run_waits(self, _ground: Ground) -> Facts:
        """A run that is to be uploaded in place of yesterday's file."""
        target = {"type": self.server.at().type, "connection": self.begin(), "path": "/in/x"}
        self.ground.shop.create(stores(target=target))
        return {}

    def a_run_waits_that_gets_a_number(self, _ground: Ground) -> Facts:
        """A run that is to leave yesterday's file alone, and whose number somebody takes while it is uploaded."""
        target = {"type": self.server.at().type, "connection": self.begin(), "path": "/in/x", "if_exists": "number"}
        self.ground.shop.create(stores(target=target))
        return {}

    def a_run_is_delivered(self, ground: Ground) -> Facts:
        """A run whose file was uploaded; since then somebody has put another one there."""
        self.a_run_waits(ground)
        ground.recover()
        self.file.write_bytes(YESTERDAY)
        [(run,)] = ground.rows("SELECT id FROM runs WHERE state = 'success'")
        return {**who(ground.shop.people.exporter), "run": run, "token": uuid.uuid4()}

    def it_is_to_be_uploaded_again(self, ground: Ground) -> Facts:
        """The same, and **Upload again** was pressed."""
        facts = self.a_run_is_delivered(ground)
        with ground.shop.people.exporter.at_work() as user:
            deliveries.request_again(user, db.session.get_one(Run, facts["run"]), facts["token"])
        return {}

    def a_test_waits(self, ground: Ground) -> Facts:
        """Somebody waits for a test of the connection."""
        return {"test": self.ask(uuid.UUID(self.begin()))}

    def ask(self, id_: uuid.UUID) -> uuid.UUID:
        """**Test connection**; the id of the test."""
        with self.ground.shop.people.exporter.at_work() as user:
            connection = db.session.get_one(Connection, id_)
            sealed = connections.sealed_of(connection)
            subject = Subject(id_, Server.of(connection), sealed, connection.accepted_key or "", "/in/x.csv", {})
            return testing.ask(user, subject).id

    # --- what there is when the process is dead, and in the end

    def no_half_file(self) -> None:
        """Under the name stands yesterday's file or the whole new one."""
        found = self.there().get("in/x.csv", b"")
        wanted = self.ground.rows("SELECT sha256 FROM runs WHERE sha256 IS NOT NULL")
        assert found == YESTERDAY or hashlib.sha256(found).hexdigest() in {sha256 for (sha256,) in wanted}

    def untouched(self) -> None:
        """Yesterday's file, whatever a test has done."""
        assert self.there()["in/x.csv"] == YESTERDAY

    def one_whole_file(self, ground: Ground, _facts: Facts) -> None:
        """The run's file, nothing beside it, and each delivery says so once."""
        [(sha256, size, attempt)] = ground.rows("SELECT sha256, bytes, attempt FROM runs WHERE state = 'success'")
        assert list(self.there()) == ["in/x.csv"]
        assert hashlib.sha256(self.file.read_bytes()).hexdigest() == sha256
        told = ground.rows("SELECT state, sha256, size FROM deliveries")
        assert set(told) == {("delivered", sha256, size)}
        assert attempt in (1, 2)
        events = "SELECT FROM run_events WHERE kind IN ('delivered', 'delivered_again')"
        assert len(ground.rows(events)) == len(told)

    def one_whole_file_with_a_number(self, ground: Ground, _facts: Facts) -> None:
        """The run's file under the next number that was free, once; nobody else's is touched, and nothing is beside."""
        [(sha256, path)] = ground.rows("SELECT sha256, path FROM deliveries WHERE state = 'delivered'")
        there = self.there()
        assert path == "/in/x-3.csv"
        assert hashlib.sha256(there.pop("in/x-3.csv")).hexdigest() == sha256
        assert there == {"in/x.csv": YESTERDAY, "in/x-2.csv": QUICKER}

    def uploaded_once_more(self, ground: Ground, facts: Facts) -> None:
        """Whoever presses again, for a lost answer, makes no second one of it."""
        ground.processes.do("upload_again", **facts)
        ground.recover()
        self.one_whole_file(ground, facts)
        assert ground.rows("SELECT count(*) FROM deliveries") == [(2,)]

    def tested_anew(self, ground: Ground, facts: Facts) -> None:
        """Nobody waits for the dead test any more; the next one goes well."""
        ground.shop.clock.forward(timedelta(seconds=testing.UNTAKEN_S + 60))
        with ground.shop.people.exporter.at_work():
            assert testing.is_over(db.session.get_one(ConnectionTest, facts["test"]))
            [connection] = db.session.scalars(db.select(Connection.id))
        test = self.ask(connection)
        ground.processes.do("try_connection", test=test)
        assert ground.rows("SELECT id, error_code, credential FROM connection_tests") == [(test, None, None)]
        beside = {name: data for name, data in self.there().items() if name != "in/x.csv"}
        assert len(beside) <= 1, "a file of a few bytes, which says that it can be deleted"
        assert all(name.startswith("in/.") for name in beside)


def with_rival(folder: Path) -> SftpServer:
    """An SFTP server at which somebody is quicker."""
    return SftpServer(folder, files=lambda channel: Rival(channel, chroot=str(folder).encode()))


@pytest.fixture
def partner(ground: Ground, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Partner]:
    """A server of the kind that is asked for."""
    folder = tmp_path / "there"
    folder.mkdir()
    kinds = {"sftp": SftpServer, "ftp": FtpServer, "sftp with a rival": with_rival}
    server = kinds[request.param](folder)
    yield Partner(ground, server)
    server.stop()


def around_the_rename(steps: list[str]) -> list[int]:
    """Before the last word that gives the file its name, and after it."""
    names = ("target extended", "target rename", "target RNTO")
    found = [number for number, name in enumerate(steps) if name in names]
    assert found, steps
    return [found[0], found[0] + 1]


Before = Callable[[Partner, Ground], Facts]
After = Callable[[Partner, Ground, Facts], None]
SCENARIOS: list[tuple[str, Before, After]] = [
    ("execute", Partner.a_run_waits, Partner.one_whole_file),
    ("deliver_again", Partner.it_is_to_be_uploaded_again, Partner.one_whole_file),
    ("upload_again", Partner.a_run_is_delivered, Partner.uploaded_once_more),
    ("try_connection", Partner.a_test_waits, Partner.tested_anew),
]


SFTP, FTP = ([(kind, *one) for one in SCENARIOS] for kind in ("sftp", "ftp"))
NUMBERED = (
    "sftp with a rival",
    "execute",
    Partner.a_run_waits_that_gets_a_number,
    Partner.one_whole_file_with_a_number,
)
CASES = [*SFTP, *(FTP if is_long() else FTP[:1]), NUMBERED]
POINTS = 2
"""Besides the two around the rename: each costs a delivery or two. `script/soak` takes every step."""


@drill("faults")
@pytest.mark.parametrize(
    ("partner", "deed", "before", "after"), CASES, ids=[f"{one[0]} {one[1]}" for one in CASES], indirect=["partner"]
)
def test_a_process_killed_before_any_step_of_a_delivery_leaves_one_whole_file(
    ground: Ground, partner: Partner, request: pytest.FixtureRequest, deed: str, before: Before, after: After
) -> None:
    die_everywhere(
        ground,
        request,
        deed,
        lambda ground: before(partner, ground),
        lambda ground, facts: after(partner, ground, facts),
        partner.untouched if deed == "try_connection" else partner.no_half_file,
        around_the_rename if deed in ("execute", "deliver_again") else lambda _steps: [],
        POINTS,
    )
