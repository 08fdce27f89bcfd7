"""The outbox: who is told what of a run, written down with the run's end, once (SPEC section 9, RELIABILITY P15)."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from exports.errors import Fenced, FieldMissing, RightsLost, SourceRefused, SourceUnreachable
from webapp.extensions import db
from webapp.models import Brand, Export, Mail, Run, User, clock, system_scope
from webapp.services import runs, schedules
from webapp.services.schedules import firing

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_app import Clock, People, Person
    from tests.fix_exports import Exports, Made

DAILY = {"type": "repeated", "every": "day", "hours": "6", "minutes": "30"}
Told = list[tuple[str, str]]


def told(person: Person, export: Made | None = None) -> Told:
    """What is in the outbox: kind and recipient, in order."""
    with person.at_work():
        wanted = select(Mail).join(Run, Run.id == Mail.run_id).order_by(Run.finished_at, Mail.recipient)
        if export is not None:
            wanted = wanted.where(Run.export_id == export.id)
        return [(mail.kind, mail.recipient) for mail in db.session.scalars(wanted)]


class Days:
    """A repeated export of the exporter, whose runs a test ends day by day."""

    def __init__(self, made: Exports, people: People, clock: Clock, **definition: Any) -> None:
        clock.set("2026-03-02T06:00:00Z")
        self.made, self.people, self.clock = made, people, clock
        with people.exporter.at_work() as user:
            from tests.fix_app import stores
            from webapp.services import exports

            export = exports.create(user, stores(schedule=DAILY, **definition), uuid.uuid4())
            self.export = _Export(export.id)

    def ends(self, error: Any = None) -> Told:
        """The next day's run ends, with an error or a file; what was added to the outbox."""
        before = told(self.people.exporter)
        self.clock.forward(timedelta(days=1))
        with self.made.app.app_context(), system_scope():
            assert firing.fire_due().queued == 1
        mine = self.made.claim()
        self.clock.forward(timedelta(seconds=3))
        if error is None:
            self.made.publish(mine)
        else:
            with self.made.app.app_context():
                runs.fail(mine, error)
        return told(self.people.exporter)[len(before) :]


class _Export:
    def __init__(self, id: uuid.UUID) -> None:
        self.id = id


def test_by_default_the_owner_is_told_of_success_and_of_failure(people: People, made: Exports) -> None:
    made.finished(people.exporter)
    made.create(people.colleague)
    made.fail(made.claim())
    assert told(people.admin) == [("finished", people.exporter.email), ("failed", people.colleague.email)]


def test_whoever_owns_the_export_when_its_run_ends_is_told(people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    with people.exporter.at_work():
        db.session.get_one(Export, export.id).owner_id = people.manager.id
        db.session.commit()
    made.publish(made.claim())
    assert told(people.admin) == [("finished", people.manager.email)]


def test_each_list_has_its_own_recipients_and_nobody_gets_two_mails(people: People, made: Exports) -> None:
    both = {"success": ["owner", people.exporter.email, people.viewer.email], "failure": [people.manager.email]}
    made.finished(people.exporter, notify=both)
    assert told(people.admin) == [("finished", people.exporter.email), ("finished", people.viewer.email)]
    export = made.create(people.exporter, notify=both)
    made.fail(made.claim())
    assert told(people.admin, export) == [("failed", people.manager.email)]


def test_nobody_is_told_if_nobody_is_to_be(people: People, made: Exports) -> None:
    made.finished(people.exporter, notify={"success": [], "failure": []})
    assert told(people.admin) == []


def test_a_cancelled_run_tells_nobody(people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    with people.exporter.at_work() as user:
        runs.cancel(user, db.session.get_one(Run, export.run_id))
    assert told(people.admin) == []


def test_a_disabled_user_gets_nothing(people: People, made: Exports) -> None:
    made.create(people.exporter, notify={"success": ["owner", people.viewer.email], "failure": []})
    with people.admin.at_work():
        db.session.get_one(User, people.viewer.id).disabled_at = clock()
        db.session.commit()
    made.publish(made.claim())
    assert told(people.admin) == [("finished", people.exporter.email)]


def test_an_address_whose_domain_is_allowed_no_more_gets_nothing_and_the_run_says_so(
    people: People, made: Exports
) -> None:
    _allow(people, ["partner.example"])
    export = made.create(people.exporter, notify={"success": ["ann@partner.example"], "failure": []})
    _allow(people, [])
    made.publish(made.claim())
    with people.admin.at_work():
        mail = db.session.scalars(select(Mail)).one()
        assert mail.state == "given_up"
        assert mail.error == "The address ann@partner.example is no user's, and mails to its domain are not allowed."
        assert db.session.get_one(Run, export.run_id).state == "success"


def test_a_user_of_another_brand_is_nobody_here_whoever_ends_the_run(
    app: Flask, people: People, made: Exports, clock: Clock
) -> None:
    _allow(people, ["alpine.example"])
    made.create(people.exporter, notify={"success": [], "failure": [people.stranger.email]})
    for _ in range(3):  # the sweep, which sees all brands, is who says that it failed
        made.claim()
        clock.forward(timedelta(minutes=5))
        with app.app_context(), system_scope():
            runs.sweep()
    with people.admin.at_work():
        mail = db.session.scalars(select(Mail)).one()
        assert (mail.kind, mail.recipient, mail.user_id) == ("failed", people.stranger.email, None)
    with people.stranger.at_work():
        assert db.session.scalars(select(Mail)).all() == []


def test_runs_of_several_brands_that_die_together_are_all_told(
    app: Flask, people: People, made: Exports, clock: Clock
) -> None:
    exports = [made.create(person) for person in (people.exporter, people.stranger, people.colleague)]
    for _ in range(3):
        for _ in exports:
            made.claim()
        clock.forward(timedelta(minutes=5))
        with app.app_context(), system_scope():
            assert runs.sweep().taken_back == 3
    assert told(people.admin) == [("failed", people.colleague.email), ("failed", people.exporter.email)]
    assert told(people.stranger) == [("failed", people.stranger.email)]


def test_a_run_that_is_tried_again_tells_nobody_yet(people: People, made: Exports) -> None:
    made.create(people.exporter)
    with made.app.app_context():
        runs.fail(made.claim(), SourceUnreachable())
    assert told(people.admin) == []


def test_an_attempt_that_was_overtaken_tells_nobody(people: People, made: Exports, clock: Clock) -> None:
    made.create(people.exporter)
    first = made.claim()
    clock.forward(timedelta(minutes=5))
    with made.app.app_context(), system_scope():
        runs.sweep()
    second = made.claim()
    with made.app.app_context(), pytest.raises(Fenced):
        runs.fail(first, FieldMissing(name="name"))
    assert told(people.admin) == []
    made.publish(second)
    made.publish(second)  # its answer was lost, so it asks again
    assert told(people.admin) == [("finished", people.exporter.email)]


def test_of_a_streak_of_the_same_failure_only_the_first_is_told_and_then_that_it_works_again(
    people: People, made: Exports, clock: Clock
) -> None:
    days = Days(made, people, clock, notify={"success": ["owner"], "failure": ["owner", people.manager.email]})
    missing, again = FieldMissing(name="name"), FieldMissing(name="address")
    both = [people.exporter.email, people.manager.email]
    assert days.ends() == [("finished", people.exporter.email)]
    assert days.ends(missing) == [("failed", one) for one in both]
    assert days.ends(again) == []
    assert days.ends(missing) == []
    assert days.ends(SourceRefused()) == [("failed", one) for one in both]
    assert days.ends(missing) == [("failed", one) for one in both]
    assert days.ends() == [("recovered", one) for one in both]
    assert days.ends() == [("finished", people.exporter.email)]


def test_each_failure_of_a_one_off_is_told(people: People, made: Exports) -> None:
    export = made.create(people.exporter)
    made.fail(made.claim())
    with people.exporter.at_work() as user:
        runs.request_again(user, db.session.get_one(Run, export.run_id), uuid.uuid4())
    made.fail(made.claim())
    assert told(people.admin) == [("failed", people.exporter.email)] * 2


def test_admins_are_told_when_an_owner_may_no_longer_run_an_export(people: People, made: Exports) -> None:
    made.create(people.exporter)
    mine = made.claim()
    with people.admin.at_work():
        db.session.get_one(User, people.exporter.id).disabled_at = clock()
        db.session.commit()
    with made.app.app_context():
        runs.fail(mine, RightsLost(owner="Exporter", reason="the account is disabled."))
    assert told(people.admin) == [("failed", people.admin.email)]


def test_a_date_that_passed_without_a_run_is_told(people: People, made: Exports, clock: Clock) -> None:
    from tests.fix_app import stores
    from webapp.services import exports

    clock.set("2026-03-02T06:00:00Z")
    with people.exporter.at_work() as user:
        exports.create(user, stores(schedule={"type": "on_date", "at": "2026-03-03T06:00:00Z"}), uuid.uuid4())
    Days(made, people, clock)
    clock.set("2026-03-06T06:00:00Z")
    with made.app.app_context(), system_scope():
        assert firing.fire_due().passed > 2
    assert told(people.admin) == [("missed", people.exporter.email)]
    with people.admin.at_work():
        assert schedules.coming(5)


def _allow(people: People, domains: list[str]) -> None:
    with people.admin.at_work():
        db.session.get_one(Brand, people.admin.brand_id).mail_domains = domains
        db.session.commit()
