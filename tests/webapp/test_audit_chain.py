"""The chain of the audit log: whatever is changed or taken out behind our back is found (RELIABILITY section 6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy import select

from jobs import upkeep
from webapp.cli.audit import audit as command
from webapp.extensions import db
from webapp.models import AuditEntry
from webapp.services import audit, sealing

if TYPE_CHECKING:
    from click.testing import Result
    from flask import Flask

    from tests.fix_app import Clock, People, Person

TRIGGERS_OFF = "ALTER TABLE audit DISABLE TRIGGER USER"
TRIGGERS_ON = "ALTER TABLE audit ENABLE TRIGGER USER"


def note(person: Person, *paths: str) -> None:
    """Write down that the person was refused something."""
    with person.at_work() as user:
        for path in paths:
            audit.record("access.denied", user, user, result="denied", path=path, score=1.50)
            db.session.commit()


@pytest.fixture
def verify(app: Flask) -> Callable[..., Result]:
    """`flask audit verify`."""

    def ask(brand: str = "Maple Grocers") -> Result:
        with app.app_context():
            return app.test_cli_runner().invoke(command, ["verify", "--brand", brand])

    return ask


@pytest.fixture
def sealed(app: Flask, people: People) -> People:
    """Three rows of maple and one of alpine, sealed."""
    note(people.admin, "/one", "/two", "/three")
    note(people.stranger, "/other")
    with app.app_context():
        upkeep.seal_audit()
    return people


def behind_our_back(url: str, *statements: str) -> None:
    """What somebody does who may do everything in the database."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in (TRIGGERS_OFF, *statements, TRIGGERS_ON):
            connection.execute(statement)  # type: ignore[arg-type]


def test_each_brand_has_a_chain_of_its_own_and_new_rows_wait(sealed: People, verify: Callable[..., Result]) -> None:
    note(sealed.admin, "/four")
    told = verify()
    assert told.exit_code == 0, told.output
    assert told.output.startswith("Maple Grocers: sealed up to row 3, seal ")
    assert told.output.endswith(" 1 newer row is not sealed yet.\n")
    assert verify("Alpine Sports").output.startswith("Alpine Sports: sealed up to row 1, seal ")


def test_what_is_sealed_later_goes_on_where_the_chain_ended(
    app: Flask, sealed: People, verify: Callable[..., Result]
) -> None:
    note(sealed.admin, "/four")
    with app.app_context():
        upkeep.seal_audit()
        upkeep.seal_audit()
    assert verify().output.startswith("Maple Grocers: sealed up to row 4, seal ")


@pytest.mark.parametrize(
    "change",
    [
        "actor = 'somebody'", "ip = '10.0.0.1'", "action = 'login.ok'", "result = 'ok'", "at = at - interval '1 s'",
        "facts = facts || '{\"path\": \"/else\"}'", "object_id = NULL", "seal = '\\x00'", "actor_id = NULL",
    ],
)  # fmt: skip
def test_a_changed_row_is_found(sealed: People, verify: Callable[..., Result], app_database: str, change: str) -> None:
    behind_our_back(app_database, f"UPDATE audit SET {change} WHERE facts->>'path' = '/two'")
    told = verify()
    assert told.exit_code == 1
    assert "row 2 (" in told.output
    assert "was changed. Up to row 1 the log is as it was written." in told.output
    assert verify("Alpine Sports").exit_code == 0


def test_a_row_that_was_taken_out_is_found(sealed: People, verify: Callable[..., Result], app_database: str) -> None:
    behind_our_back(app_database, "DELETE FROM audit WHERE facts->>'path' = '/two'")
    told = verify()
    assert (told.exit_code, "rows 2 to 2 are missing" in told.output) == (1, True)


def test_the_first_row_cannot_be_taken_out_either(
    sealed: People, verify: Callable[..., Result], app_database: str
) -> None:
    behind_our_back(app_database, "DELETE FROM audit WHERE facts->>'path' = '/one'")
    assert "rows 1 to 1 are missing" in verify().output


@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit SET result = 'ok'", "UPDATE audit SET seal = NULL, place = NULL", "DELETE FROM audit"],
)
def test_the_database_refuses_to_change_what_is_written(sealed: People, app_database: str, statement: str) -> None:
    with psycopg.connect(app_database) as connection, pytest.raises(psycopg.errors.RaiseException, match="never"):
        connection.execute(statement)  # type: ignore[arg-type]


def test_what_is_kept_no_longer_goes_and_the_chain_still_holds(
    app: Flask, sealed: People, verify: Callable[..., Result], clock: Clock
) -> None:
    clock.forward(timedelta(days=400))
    note(sealed.admin, "/four")
    clock.forward(timedelta(days=331))
    with app.app_context():
        upkeep.seal_audit()
        assert upkeep.old_audit_rows() == 4, "three of maple, one of alpine"
        upkeep.seal_audit()
        assert upkeep.old_audit_rows() == 0
    with sealed.admin.at_work():
        kept = db.session.scalars(select(AuditEntry).order_by(AuditEntry.number)).all()
        assert [one.action for one in kept] == ["access.denied", "audit.removed"]
        assert kept[1].facts["count"] == 3
    assert verify().output.startswith("Maple Grocers: sealed up to row 5, seal ")
    assert verify("Alpine Sports").exit_code == 0


def test_a_chain_longer_than_one_bite_is_verified(
    app: Flask, sealed: People, verify: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "AT_ONCE", 2)
    note(sealed.admin, "/four", "/five", "/six")
    with app.app_context():
        upkeep.seal_audit()
    assert verify().output.startswith("Maple Grocers: sealed up to row 6, seal ")
