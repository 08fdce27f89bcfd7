"""The life of runs and of exports is one table: each event is tried in each state, allowed or forbidden."""

from __future__ import annotations

import uuid
from typing import get_args

import pytest
from sqlalchemy import update

from tests.fix_app import People, stores
from webapp.extensions import db
from webapp.models import Export, Run, clock
from webapp.models.states import (
    ENDED,
    EVEN_ARCHIVED,
    EXPORT_STATES,
    EXPORTS,
    LIVE,
    RUNS,
    SHOWN_ON_EXPORT,
    SOURCE,
    STATES,
    ExportEvent,
    RunEvent,
)
from webapp.services import exports
from webapp.services.moves import allows, move, moved
from webapp.services.runs.events import SENTENCES

EVENTS = get_args(RunEvent)
EXPORT_EVENTS = get_args(ExportEvent)
NEEDED = {
    "claimed": {"lease_until": clock(), "attempt": Run.attempt + 1},
    "published": {"published_attempt": Run.attempt},
    "failed": {"error_code": "system.unexpected"},
    "died": {"error_code": "system.worker_died"},
}
"""What a state demands of its row (the constraints of the table)."""
OF_STATE = {
    "processing": {"lease_until": clock(), "attempt": 1},
    "success": {"published_attempt": 1},
    "failed": {"error_code": "system.unexpected"},
}


def test_the_table_speaks_of_known_states_and_every_event_has_one_source() -> None:
    assert {state for state, _ in RUNS} | set(RUNS.values()) | ENDED == set(STATES)
    assert sorted(event for _, event in RUNS) == sorted(EVENTS)
    assert set(SOURCE) == set(EVENTS)
    assert set(STATES) == LIVE | ENDED == set(SHOWN_ON_EXPORT)


def test_what_has_ended_stays_ended() -> None:
    assert not ENDED & {state for state, _ in RUNS}


def test_every_event_can_be_told() -> None:
    assert set(EVENTS) <= set(SENTENCES)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_moves_a_run_as_the_table_says_or_not_at_all(people: People, state: str, event: RunEvent) -> None:
    with people.exporter.at_work() as user:
        export = exports.create(user, stores(), uuid.uuid4())
        run_id = export.latest_run_id
        db.session.execute(update(Run).where(Run.id == run_id).values(state=state, **OF_STATE.get(state, {})))
        db.session.commit()
        db.session.execute(moved(event, by=Run.id == run_id, **NEEDED.get(event, {})))
        db.session.commit()
        run = db.session.get_one(Run, run_id)
        assert run.state == RUNS.get((state, event), state)
        assert (export.latest_state, export.status) == (run.state, SHOWN_ON_EXPORT[run.state])
        if (state, event) in RUNS and run.state != "processing":
            assert (run.lease_until, run.worker, run.phase) == (None, None, None)


DATE = {"type": "on_date", "at": "2099-12-01T08:00:00Z"}
DAILY = {"type": "repeated", "every": "day", "hours": "8"}
MADE_WITH = {"idle": {"type": "now"}, "waiting": DATE, "active": DAILY, "inactive": DAILY}
"""How an export of each state begins."""


def in_state(people: People, state: str, *, archived: bool) -> Export:
    """An export in this state, stored."""
    with people.exporter.at_work() as user:
        export = exports.create(user, stores(schedule=MADE_WITH[state]), uuid.uuid4())
        if state == "inactive":
            export.active, export.next_run_at = False, None
        if archived:
            export.archived_at = clock()
        db.session.commit()
        assert export.state == state
        return export


def test_the_table_of_exports_speaks_of_known_states_and_events() -> None:
    assert {state for state, _ in EXPORTS} == set(EXPORT_STATES) - {"deleted"}
    assert set(EXPORTS.values()) == set(EXPORT_STATES)
    assert {event for _, event in EXPORTS} == set(EXPORT_EVENTS)


def test_what_is_repeated_stays_repeated_and_a_one_off_a_one_off() -> None:
    repeated = {"active", "inactive"}
    for (state, _), after in EXPORTS.items():
        assert after == "deleted" or (state in repeated) == (after in repeated)


@pytest.mark.parametrize("event", EXPORT_EVENTS)
@pytest.mark.parametrize("state", MADE_WITH)
def test_an_event_moves_an_export_as_the_table_says_or_not_at_all(
    people: People, state: str, event: ExportEvent
) -> None:
    with people.exporter.at_work():
        export = db.session.merge(in_state(people, state, archived=False))
        before = (export.active, export.next_run_at, export.archived_at)
        target = EXPORTS.get((state, event))
        possible = target is not None and event != "restored"
        assert allows(export, event) is possible
        assert move(export, event) is possible
        db.session.flush()
        if not possible:
            assert (export.active, export.next_run_at, export.archived_at) == before
        elif target in ("idle", "inactive"):
            assert (export.state, export.next_run_at) == (target, None)
        assert (export.archived_at is not None) is (event == "archived")
        db.session.rollback()


@pytest.mark.parametrize("event", EXPORT_EVENTS)
@pytest.mark.parametrize("state", ["idle", "inactive"])
def test_an_archived_export_can_be_restored_or_deleted_and_nothing_else(
    people: People, state: str, event: ExportEvent
) -> None:
    with people.exporter.at_work():
        export = db.session.merge(in_state(people, state, archived=True))
        assert move(export, event) is (event in EVEN_ARCHIVED)
        assert (export.archived_at is None) is (event == "restored")
        assert (export.state, export.next_run_at) == (state, None)
        db.session.rollback()
