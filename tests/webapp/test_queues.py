"""Tickets are sent by name after the commit, hold ids only, and never cost a request much."""

from __future__ import annotations

import uuid

import pytest
import redis
from flask import Flask
from rq import Queue
from rq.serializers import JSONSerializer

from tests.fix_app import People
from webapp.extensions import db
from webapp.models import Draft
from webapp.queues import enqueue_after_commit, top_up

EXECUTE = "jobs.runs.execute"


def waiting(app_settings: dict[str, str]) -> list[str]:
    """The runs that tickets in Redis name."""
    with redis.Redis.from_url(app_settings["REDIS_URL"]) as connection:
        return [job.kwargs["run"] for job in Queue("exports", connection=connection, serializer=JSONSerializer).jobs]


def test_a_ticket_waits_for_the_commit(people: People, app_settings: dict[str, str]) -> None:
    run_id = uuid.uuid4()
    with people.exporter.at_work() as user:
        db.session.add(Draft(owner_id=user.id, document={}))
        enqueue_after_commit(EXECUTE, run_id)
        db.session.flush()
        assert waiting(app_settings) == []
        db.session.commit()
        assert waiting(app_settings) == [str(run_id)]
        db.session.add(Draft(owner_id=user.id, document={}))
        db.session.commit()
        assert waiting(app_settings) == [str(run_id)], "once"


def test_what_is_rolled_back_sends_nothing(people: People, app_settings: dict[str, str]) -> None:
    with people.exporter.at_work() as user:
        db.session.add(Draft(owner_id=user.id, document={}))
        enqueue_after_commit(EXECUTE, uuid.uuid4())
        db.session.rollback()
        db.session.add(Draft(owner_id=user.id, document={}))
        db.session.commit()
    assert waiting(app_settings) == []


def test_a_savepoint_sends_nothing_yet(people: People, app_settings: dict[str, str]) -> None:
    with people.exporter.at_work() as user:
        with db.session.begin_nested():
            db.session.add(Draft(owner_id=user.id, document={}))
            enqueue_after_commit(EXECUTE, uuid.uuid4())
        assert waiting(app_settings) == []
        db.session.commit()
    assert len(waiting(app_settings)) == 1


def test_a_request_that_ends_without_a_commit_sends_nothing(people: People, app_settings: dict[str, str]) -> None:
    with people.exporter.at_work():
        enqueue_after_commit(EXECUTE, uuid.uuid4())
    with people.exporter.at_work() as user:
        db.session.add(Draft(owner_id=user.id, document={}))
        db.session.commit()
    assert waiting(app_settings) == []


def test_only_functions_of_the_list_can_be_asked_for(people: People) -> None:
    with people.exporter.at_work(), pytest.raises(KeyError):
        enqueue_after_commit("os.system", uuid.uuid4())


def test_tickets_are_given_until_there_are_enough(app: Flask, app_settings: dict[str, str]) -> None:
    ids = [uuid.uuid4() for _ in range(3)]
    with app.app_context():
        assert top_up(EXECUTE, ids) == 3
        assert top_up(EXECUTE, ids) == 0
        with redis.Redis.from_url(app_settings["REDIS_URL"]) as connection:
            connection.lpop("rq:queue:exports")
        assert top_up(EXECUTE, ids) == 1
    assert len(waiting(app_settings)) == 3
