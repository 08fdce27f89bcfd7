"""The life of a run is one table: each event is tried in each state, the allowed ones and the forbidden ones."""

from __future__ import annotations

import uuid
from typing import get_args

import pytest
from sqlalchemy import update

from tests.fix_app import People, stores
from webapp.extensions import db
from webapp.models import Run, clock
from webapp.models.runs import STATES
from webapp.services import exports
from webapp.services.runs.events import SENTENCES
from webapp.services.runs.states import ENDED, SOURCE, TABLE, Event, moved

EVENTS = get_args(Event)
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
    assert {state for state, _ in TABLE} | set(TABLE.values()) | ENDED == set(STATES)
    assert sorted(event for _, event in TABLE) == sorted(EVENTS)
    assert set(SOURCE) == set(EVENTS)


def test_what_has_ended_stays_ended() -> None:
    assert not ENDED & {state for state, _ in TABLE}


def test_every_event_can_be_told() -> None:
    assert set(EVENTS) <= set(SENTENCES)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", EVENTS)
def test_an_event_moves_a_run_as_the_table_says_or_not_at_all(people: People, state: str, event: Event) -> None:
    with people.exporter.at_work() as user:
        run_id = exports.create(user, stores(), uuid.uuid4()).latest_run_id
        db.session.execute(update(Run).where(Run.id == run_id).values(state=state, **OF_STATE.get(state, {})))
        db.session.commit()
        db.session.execute(moved(event, by=Run.id == run_id, **NEEDED.get(event, {})))
        db.session.commit()
        run = db.session.get_one(Run, run_id)
        assert run.state == TABLE.get((state, event), state)
        if (state, event) in TABLE and run.state != "processing":
            assert (run.lease_until, run.worker, run.phase) == (None, None, None)
