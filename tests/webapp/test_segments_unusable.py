"""A segment that cannot be used is named where an export leans on it: by form, check and run alike."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.fix_app import People, stores
from webapp.cli.export import export

if TYPE_CHECKING:
    from flask import Flask

    from tests.fix_services import Cluster
    from tests.fix_wizard import Tab

ROWS = """
    INSERT INTO loyalty.brands VALUES ('maple', 'M', 'UTC'), ('alpine', 'A', 'UTC');
    INSERT INTO loyalty.customers (brand, _id, status, created_at) VALUES ('maple', 'C1', 'active', now());
    INSERT INTO loyalty.segments VALUES
        ('maple', 'lapsed', 'Lapsed', 'active', '[[{"attribute": "shoe_size", "operator": "is_empty"}]]'),
        ('maple', 'all', 'Everybody', 'active', '[[{"attribute": "_id", "operator": "is_not_empty"}]]'),
        ('maple', 'old', 'Old', 'archived', '[[{"attribute": "shoe_size", "operator": "is_empty"}]]');
"""
SAID = "The segment Lapsed has a filter that cannot be used: Customers has no attribute shoe_size. "
CHOSEN = SAID + "Have the segment corrected, or choose another one."
SHOWN = SAID + "Have the segment corrected or archived, or leave Segments out."
ALL_SHOWN = SAID + "Have the segment corrected or archived, or choose fields in place of All fields."
IN_LAPSED = {"attribute": "segments", "operator": "in_segment", "value": {"ids": ["all", "lapsed"]}}


@pytest.fixture(scope="module")
def source(postgres: Cluster, worker_number: int) -> str:
    """A source of which one active segment cannot be used, and an archived one that does not matter."""
    name = f"segments_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((Path(__file__).parents[2] / "demo/schema.sql").read_bytes())
        connection.execute(ROWS)
    return url


@pytest.fixture(autouse=True)
def installation(app: Flask, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The application reads its rows from there."""
    settings = dataclasses.replace(app.config["SETTINGS"], source_database_url=source)
    monkeypatch.setitem(app.config, "SETTINGS", settings)


CASES = [
    ({"fields": [{"from": "_id"}, {"from": "segments"}]}, "fields.1.from", SHOWN),
    ({"fields": [], "all_fields": True}, "all_fields", ALL_SHOWN),
    ({"fields": [{"from": "_id"}], "filters": [[IN_LAPSED]]}, "filters.0.0.value.ids.1", CHOSEN),
]


@pytest.mark.parametrize(("changes", "at", "said"), CASES, ids=[one[1] for one in CASES])
def test_the_check_and_the_run_say_the_same_of_it(
    people: People, tmp_path: Path, changes: dict[str, Any], at: str, said: str
) -> None:
    customers = {"model": "customers", "filters": [[{"attribute": "_id", "operator": "is_not_empty"}]]}
    file = tmp_path / "definition.json"
    file.write_text(json.dumps({**stores().as_json(), **customers, **changes}))
    app = people.admin.app
    with app.app_context():
        checked = app.test_cli_runner().invoke(export, ["check", str(file)])
        ran = app.test_cli_runner().invoke(export, ["run", str(file), "--out", str(tmp_path / "out.csv")])
    assert (checked.exit_code, ran.exit_code) == (2, 2)
    assert json.loads(checked.stdout) == {"at": at, "code": "segment.unusable", "message": said}
    assert ran.stderr == f"{at}: {said}\n"
    assert not (tmp_path / "out.csv").exists()


def test_the_form_says_it_beside_the_field(wizard: Tab, people: People) -> None:
    someone = wizard(people.exporter)
    someone.begin("customers")
    someone.open("fields")
    someone.fill(pick="segments")
    someone.press("add")
    someone.press("next")
    assert someone.problems == [("fields-1-to", SHOWN)]
    someone.fill(all_fields="1")
    someone.press("next")
    assert someone.problems == [("all_fields", ALL_SHOWN)]


def test_who_asks_neither_for_the_segment_nor_for_the_field_is_not_stopped(people: People, tmp_path: Path) -> None:
    everybody = {**IN_LAPSED, "value": {"ids": ["all"]}}
    wanted = {"model": "customers", "filters": [[everybody]], "fields": [{"from": "_id", "to": "id"}]}
    file = tmp_path / "definition.json"
    file.write_text(json.dumps({**stores().as_json(), **wanted}))
    with people.admin.app.app_context():
        ran = people.admin.app.test_cli_runner().invoke(export, ["run", str(file), "--out", "-"])
    assert ran.stdout == "id\nC1\n"
