"""**Create**: an export, its first version, its run, their audit entries and a ticket: all of it once, or nothing."""

from __future__ import annotations

import threading
import uuid

import pytest
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from exports.errors import DefinitionRefused
from tests.fix_app import People, Person, stores
from webapp.extensions import db
from webapp.models import AuditEntry, Export, ExportVersion, Run, RunEvent, brand_scope
from webapp.permissions import Refused
from webapp.queues import connection
from webapp.services import exports, runs


def counts(person: Person) -> dict[str, int]:
    """How many rows of each kind the person's brand has."""
    with person.at_work():
        return {
            model.__tablename__: db.session.scalar(select(func.count()).select_from(model)) or 0
            for model in (Export, ExportVersion, Run, RunEvent, AuditEntry)
        }


def tickets(url: str) -> list[dict[str, str]]:
    """What waits in Redis."""
    queue = Queue("exports", connection=connection(url), serializer=JSONSerializer)
    return [job.kwargs for job in queue.jobs]


def test_create_makes_everything_in_one_transaction(people: People, app_settings: dict[str, str]) -> None:
    with people.exporter.at_work() as user:
        export = exports.find(exports.create(user, stores(name="Our stores"), uuid.uuid4()).id)
        assert export is not None
        assert export.status == "Pending"
        assert (export.name, export.model, export.target, export.schedule) == ("Our stores", "stores", "none", "now")
        assert (export.owner_id, export.created_by_id, export.version) == (user.id, user.id, 1)
        assert export.latest_run is not None
        run = export.latest_run
        assert (run.state, run.attempt, run.version, run.kind) == ("queued", 0, 1, "manual")
        assert run.base_moment == run.scheduled_for
        actions = list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.number)))
        assert actions == ["export.created", "run.requested"]
        assert [event.kind for event in runs.events_of(run)] == ["queued"]
        run_id = run.id
    assert counts(people.exporter) == {
        "exports": 1, "export_versions": 1, "runs": 1, "run_events": 1, "audit": 2
    }  # fmt: skip
    assert tickets(app_settings["REDIS_URL"]) == [{"run": str(run_id)}]


def test_the_definition_that_comes_back_is_the_one_that_was_saved(people: People) -> None:
    definition = stores(fields=[{"from": "id", "replace": [{"value": "1", "new": "one"}]}])
    with people.exporter.at_work() as user:
        export = exports.create(user, definition, uuid.uuid4())
        assert exports.definition_of(export) == definition
        assert [version.number for version in exports.versions(export)] == [1]


def test_a_second_click_on_create_finds_the_same_export(people: People, app_settings: dict[str, str]) -> None:
    token = uuid.uuid4()
    with people.exporter.at_work() as user:
        first = exports.create(user, stores(), token).id
    with people.exporter.at_work() as user:
        assert exports.create(user, stores(), token).id == first
    assert counts(people.exporter)["runs"] == 1
    assert len(tickets(app_settings["REDIS_URL"])) == 1


def test_clicks_at_the_same_moment_make_one_export(people: People) -> None:
    token, made, start = uuid.uuid4(), [], threading.Barrier(4)

    def click() -> None:
        with people.exporter.at_work() as user:
            start.wait()
            made.append(exports.create(user, stores(), token).id)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    assert counts(people.exporter)["exports"] == 1


def test_the_same_token_in_another_brand_is_another_export(people: People) -> None:
    token = uuid.uuid4()
    with people.exporter.at_work() as user:
        ours = exports.create(user, stores(), token).id
    with people.stranger.at_work() as user:
        assert exports.create(user, stores(), token).id != ours


def test_a_viewer_creates_nothing(people: People) -> None:
    with people.viewer.at_work() as user, pytest.raises(Refused):
        exports.create(user, stores(), uuid.uuid4())
    assert not any(counts(people.viewer).values())


def test_a_definition_that_breaks_a_rule_leaves_nothing(people: People, app_settings: dict[str, str]) -> None:
    with people.exporter.at_work() as user, pytest.raises(DefinitionRefused) as refused:
        exports.create(user, stores(filters=[]), uuid.uuid4())
    assert refused.value.problems[0].at == "filters"
    assert not any(counts(people.exporter).values())
    assert tickets(app_settings["REDIS_URL"]) == []


def test_personal_fields_need_the_grant(people: People) -> None:
    customers = stores(
        model="customers", filters=[[{"attribute": "_id", "operator": "is_not_empty"}]], fields=[{"from": "email"}]
    )
    with people.exporter.at_work() as user:
        exports.create(user, customers, uuid.uuid4())
    with people.colleague.at_work() as user, pytest.raises(DefinitionRefused) as refused:
        exports.create(user, customers, uuid.uuid4())
    assert [(problem.at, problem.code) for problem in refused.value.problems] == [("fields.0.from", "rights.personal")]


@pytest.mark.parametrize(
    ("operator", "value", "is_refused"),
    [("is_not_empty", None, False), ("is_empty", None, False), ("starts_with", "a", True), ("in", ["a"], True)],
)
def test_without_the_grant_a_personal_field_is_asked_only_whether_it_is_empty(
    people: People, operator: str, value: object, is_refused: bool
) -> None:
    criterion = {"attribute": "email", "operator": operator} | ({"value": value} if value else {})
    key = {"attribute": "_id", "operator": "equals", "value": "1"}
    customers = stores(model="customers", filters=[[key, criterion]], fields=[{"from": "_id"}])
    with people.exporter.at_work() as user:
        exports.create(user, customers, uuid.uuid4())
    with people.colleague.at_work() as user:
        if not is_refused:
            exports.create(user, customers, uuid.uuid4())
            return
        with pytest.raises(DefinitionRefused) as refused:
            exports.create(user, customers, uuid.uuid4())
    [problem] = refused.value.problems
    assert (problem.at, problem.code) == ("filters.0.1.operator", "rights.personal")
    assert problem.message.endswith("personal fields choose is empty or is not empty")


def test_all_fields_of_a_model_with_personal_ones_need_the_grant_too(people: People) -> None:
    all_fields = stores(
        model="customers", filters=[[{"attribute": "_id", "operator": "is_not_empty"}]], fields=[], all_fields=True
    )
    with people.colleague.at_work() as user, pytest.raises(DefinitionRefused) as refused:
        exports.create(user, all_fields, uuid.uuid4())
    assert {problem.at for problem in refused.value.problems} == {"all_fields"}


def test_a_model_of_a_module_that_the_brand_has_not_is_refused(people: People) -> None:
    with people.stranger.at_work() as user, pytest.raises(DefinitionRefused):
        exports.create(user, stores(model="webhook_logs", fields=[{"from": "_id"}]), uuid.uuid4())


def test_a_version_is_never_changed(people: People) -> None:
    with people.exporter.at_work() as user:
        export = exports.create(user, stores(), uuid.uuid4())
        version = exports.versions(export)[0]
        version.definition = {}
        with pytest.raises(DBAPIError, match="never changed"):
            db.session.commit()


def test_an_audit_entry_is_never_changed_nor_removed(people: People) -> None:
    with people.exporter.at_work() as user:
        exports.create(user, stores(), uuid.uuid4())
        entry = db.session.scalars(select(AuditEntry).limit(1)).one()
        entry.actor = "somebody else"
        with pytest.raises(DBAPIError, match="never changed"):
            db.session.commit()
        db.session.rollback()
        db.session.delete(entry)
        with pytest.raises(DBAPIError, match="never changed"):
            db.session.commit()


def test_another_brands_export_is_not_found(people: People) -> None:
    with people.exporter.at_work() as user:
        export_id = exports.create(user, stores(), uuid.uuid4()).id
        assert exports.find(export_id) is not None
    with people.stranger.at_work():
        assert exports.find(export_id) is None
    with people.viewer.at_work() as viewer, brand_scope(viewer.brand_id):
        found = exports.find(export_id)
        assert found is not None
        assert found.owner.email == people.exporter.email
