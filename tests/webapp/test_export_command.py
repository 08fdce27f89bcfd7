"""`flask export`: the same pipeline and the same words as everywhere, with the exit status of SPEC section 11."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import Result

from exports.definition import json_schema
from tests.fix_app import People, stores
from tests.fix_services import SECRET, Cluster
from webapp.cli.export import export

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[..., Result]


@pytest.fixture
def ask(people: People, source_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Run a command of the group in an empty folder, in an application with the cast; brands are maple and alpine."""
    monkeypatch.chdir(tmp_path)
    with people.admin.app.app_context():
        runner = people.admin.app.test_cli_runner()
        yield lambda *arguments: runner.invoke(export, [str(one) for one in arguments])


def write(tmp_path: Path, **changes: Any) -> Path:
    """A definition in a file."""
    file = tmp_path / "definition.json"
    file.write_text(json.dumps({**stores().as_json(), **changes}))
    return file


def number_of_stores(source_dsn: str, brand: str = "maple") -> int:
    """By other means."""
    with psycopg.connect(source_dsn) as connection:
        found = connection.execute("SELECT count(*) FROM loyalty.stores WHERE brand = %s", [brand]).fetchone()
        return int(found[0])  # type: ignore[index]


def test_run_writes_a_file_with_the_exports_name_into_the_present_folder(
    ask: Ask, tmp_path: Path, source_dsn: str
) -> None:
    result = ask("run", write(tmp_path, name="Our stores: all"))
    assert result.exit_code == 0, result.output
    data = (tmp_path / "Our stores_ all.csv").read_bytes()
    rows, told = number_of_stores(source_dsn), result.stderr.splitlines()
    assert data.count(b"\n") == rows + 1
    assert told[-1].startswith(f"{rows} rows, {len(data)} bytes, ")
    assert told[-1].endswith(" s")
    assert result.stdout == ""
    assert sorted(os.listdir(tmp_path)) == ["Our stores_ all.csv", "definition.json"]


def test_run_reports_in_json_and_writes_where_it_is_told(ask: Ask, tmp_path: Path) -> None:
    result = ask("run", write(tmp_path), "--out", tmp_path / "x", "--report", "json", "--brand", "Alpine Sports")
    told = json.loads(result.stderr.splitlines()[-1])
    data = (tmp_path / "x").read_bytes()
    assert set(told) == {"rows", "bytes", "seconds", "sha256"}
    assert told["bytes"] == len(data)
    assert told["sha256"] == hashlib.sha256(data).hexdigest()


def test_run_writes_to_standard_output(ask: Ask, tmp_path: Path) -> None:
    result = ask("run", write(tmp_path), "--out", "-")
    assert result.stdout.startswith("Store,name\n")
    assert os.listdir(tmp_path) == ["definition.json"]


def test_run_makes_the_zip_of_a_download(ask: Ask, tmp_path: Path) -> None:
    assert ask("run", write(tmp_path), "--zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "Stores.csv.zip") as archive:
        assert archive.namelist() == ["Stores.csv"]


def test_run_takes_the_base_moment(ask: Ask, tmp_path: Path) -> None:
    file = write(
        tmp_path, model="customers", timezone="UTC", fields=[{"from": "_id"}, {"from": "age"}],
        filters=[[{"attribute": "birth_date", "operator": "is_not_empty"}]],
    )  # fmt: skip
    ages = []
    for moment in ("2017-01-01T00:00:00Z", "2027-01-01T00:00:00Z"):
        rows = ask("run", file, "--out", "-", "--moment", moment).stdout.splitlines()[1:]
        ages.append([int(row.split(",")[1]) for row in rows])
    assert [old + 10 for old in ages[0]] == ages[1]


def test_run_aggregates_real_events(ask: Ask, tmp_path: Path, source_dsn: str) -> None:
    methods = {
        "properties.store": "group", "_id": "count", "properties.total": "sum", "properties.discount": "average",
        "timestamp": "max",
    }  # fmt: skip
    file = write(
        tmp_path, model="events", timezone="UTC", aggregation=True,
        filters=[[{"attribute": "action", "operator": "equals", "value": "checkout_item"}]],
        fields=[{"from": field, "aggregation": method} for field, method in methods.items()],
    )  # fmt: skip
    result = ask("run", file, "--out", "-")
    assert result.exit_code == 0, result.output
    told = result.stdout.splitlines()
    with psycopg.connect(source_dsn) as connection:
        wanted = connection.execute(
            "WITH e AS (SELECT properties ->> 'store' AS store, (properties -> 'total')::numeric AS total, "
            "(properties -> 'discount')::numeric AS discount, timestamp AT TIME ZONE 'UTC' AS at "
            "FROM loyalty.events WHERE brand = 'maple' AND action = 'checkout_item') "
            "SELECT store, count(*), sum(total), trim_scale(round(sum(discount) / count(discount), 10)), "
            "to_char(max(at), 'YYYY-MM-DD HH24:MI:SS') FROM e GROUP BY store ORDER BY coalesce(store, '') COLLATE \"C\""
        ).fetchall()
    assert len(wanted) > 50
    assert told[0] == ",".join(methods)
    assert told[1:] == [",".join("" if one is None else str(one) for one in row) for row in wanted]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"model": "nothing"}, "model: There is no data model nothing: choose one from the list"),
        ({"filters": []}, "filters: Add at least one criterion"),
        ({"nothing": 1}, "nothing: nothing is not known here: take it out"),
    ],
)
def test_run_ends_with_2_if_the_definition_is_refused(
    ask: Ask, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    result = ask("run", write(tmp_path, **changes))
    assert result.exit_code == 2
    assert said in result.stderr
    assert os.listdir(tmp_path) == ["definition.json"]


@pytest.mark.parametrize(
    "arguments",
    [["nowhere.json"], ["definition.json", "--brand", "Nobody"], ["definition.json", "--moment", "2017-01-01"],
     ["definition.json", "--out", "no/folder/x"], ["definition.json", "--nothing"], []],
)  # fmt: skip
def test_run_ends_with_1_for_anything_else(ask: Ask, tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path)
    result = ask("run", *arguments)
    assert result.exit_code == 1
    assert result.stderr
    assert "Traceback" not in result.output


def test_run_is_written_to_the_audit_log(ask: Ask, tmp_path: Path, app_database: str) -> None:
    ask("run", write(tmp_path))
    with psycopg.connect(app_database) as connection:
        [row] = connection.execute("SELECT actor, action, facts FROM audit").fetchall()
    assert row[:2] == ("operator (command line)", "command.run")
    assert row[2].pop("definition")
    assert row[2] == {"name": "Stores", "model": "stores", "fields": ["id", "name"], "personal": False}


def test_why_is_written_to_the_audit_log_before_it_is_answered(
    ask: Ask, tmp_path: Path, source_dsn: str, app_database: str
) -> None:
    with psycopg.connect(source_dsn) as connection:
        [(id,)] = connection.execute("SELECT id FROM loyalty.stores WHERE brand = 'maple' LIMIT 1").fetchall()
    filters = [
        [{"attribute": "name", "operator": "is_not_empty"}],
        [{"attribute": "id", "operator": "equals", "value": id}],
    ]
    result = ask("why", write(tmp_path, filters=filters), id)
    assert result.exit_code == 0, result.output
    with psycopg.connect(app_database) as connection:
        [row] = connection.execute("SELECT actor, action, facts FROM audit").fetchall()
    assert row[:2] == ("operator (command line)", "command.why")
    assert row[2].pop("definition")
    assert row[2] == {"name": "Stores", "model": "stores", "fields": ["id", "name"], "personal": False}


def test_check_prints_nothing_when_all_is_well(ask: Ask, tmp_path: Path) -> None:
    result = ask("check", write(tmp_path, fields=[{"from": "id"}, {"from": "name", "to": "id"}]))
    assert (result.exit_code, result.output) == (0, "")


def test_check_prints_every_problem_as_a_line_of_json(ask: Ask, tmp_path: Path) -> None:
    filters = [[{"attribute": "lat", "operator": "gte", "value": "x"}, {"attribute": "nothing", "operator": "equals"}]]
    result = ask("check", write(tmp_path, filters=filters, timezone="Mars"))
    assert result.exit_code == 2
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"at": "timezone", "code": "timezone.unknown", "message": "Choose a time zone from the list"},
        {"at": "filters.0.0.value", "code": "value.unreadable",
         "message": "Enter a number for Latitude, such as 12 or 12.50"},
        {"at": "filters.0.1.attribute", "code": "attribute.unknown", "message": "Stores has no attribute nothing"},
    ]  # fmt: skip


def test_check_tells_what_is_wrong_with_the_shape(ask: Ask, tmp_path: Path) -> None:
    for text in ("{", "[]", '{"name": 5}'):
        (tmp_path / "definition.json").write_text(text)
        result = ask("check", tmp_path / "definition.json")
        assert result.exit_code == 2
        assert all(set(json.loads(line)) == {"at", "code", "message"} for line in result.stdout.splitlines())


def test_modules_and_segments_of_the_brand_count(ask: Ask, tmp_path: Path) -> None:
    filters = [[{"attribute": "id", "operator": "is_not_empty"}]]
    file = write(tmp_path, model="rewards", filters=filters, fields=[{"from": "id"}])
    assert ask("check", file, "--brand", "Maple Grocers").exit_code == 0
    assert ask("check", file, "--brand", "Alpine Sports").exit_code == 2
    for segment, brand, said in (
        ("lapsed", "Maple Grocers", ""),
        ("lapsed", "Alpine Sports", ""),
        ("freeriders", "Maple Grocers", "There is no segment freeriders"),
    ):
        in_segment = [[{"attribute": "segments", "operator": "in_segment", "value": {"ids": [segment]}}]]
        file = write(tmp_path, model="customers", filters=in_segment, fields=[{"from": "_id"}])
        checked = ask("check", file, "--brand", brand)
        assert (checked.exit_code, bool(checked.stdout)) == ((2, True) if said else (0, False))
        assert said in checked.stdout


def test_exports_are_listed_shown_and_given_back_as_definitions(ask: Ask, people: People, tmp_path: Path) -> None:
    import uuid

    from webapp.services import exports as service

    with people.exporter.at_work() as user:
        made = str(service.create(user, stores(name="Weekly stores"), uuid.uuid4()).id)
    [line] = ask("list", "--json").stdout.splitlines()
    told = json.loads(line)
    assert (told["id"], told["name"], told["status"], told["model"]) == (made, "Weekly stores", "Pending", "stores")
    assert told["created_by"] == people.exporter.email
    assert "Weekly stores" in ask("list").stdout
    for name in ("Weekly stores", made):
        shown = ask("show", name)
        assert f"id: {made}" in shown.stdout
        assert "Queued" in shown.stdout
        assert json.loads(ask("definition", name).stdout) == stores(name="Weekly stores").as_json()
    assert ask("show", "Nothing").exit_code == 1
    assert ask("definition", made, "--version", "7").exit_code == 1
    assert ask("list", "--brand", "Alpine Sports").stdout == ""
    assert ask("show", made, "--brand", "Alpine Sports").exit_code == 1


def test_the_published_schema_is_the_one_of_the_program() -> None:
    published = (ROOT / "docs" / "definition.schema.json").read_text(encoding="utf-8")
    assert json.loads(published) == json_schema(), "docs/definition.schema.json: script/flask export schema makes it"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_ended_leaves_no_half_file_and_no_query(
    people: People,
    app_settings: dict[str, str],
    source_dsn: str,
    postgres: Cluster,
    tmp_path: Path,
    how: signal.Signals,
) -> None:
    file = write(tmp_path, model="events", fields=[{"from": "_id"}, {"from": "label"}, *[
        {"from": "properties", "to": str(number)} for number in range(200)]])  # fmt: skip
    document = json.loads(file.read_text())
    document["filters"] = [[{"attribute": "_id", "operator": "is_not_empty"}]]
    file.write_text(json.dumps(document))
    program = subprocess.Popen(
        [sys.executable, "-m", "webapp", "export", "run", str(file), "--brand", "maple", "--out", "out"],
        cwd=tmp_path, env={**app_settings, "PYTHONPATH": str(ROOT), "SECRET_KEY": SECRET}, stderr=subprocess.PIPE,
    )  # fmt: skip
    deadline = time.monotonic() + 60
    while not any(one.stat().st_size for one in tmp_path.glob(".*.part")):
        assert program.poll() is None, program.stderr and program.stderr.read().decode()
        assert time.monotonic() < deadline, "the file did not begin"
        time.sleep(0.02)
    program.send_signal(how)
    _, told = program.communicate(timeout=30)
    assert program.returncode == 1, told
    assert os.listdir(tmp_path) == ["definition.json"]
    copying = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'exports' AND query LIKE 'COPY%%'"
    with psycopg.connect(postgres.admin_dsn(), autocommit=True) as connection:
        while connection.execute(f"{copying} AND state = 'active'".replace("%%", "%").encode()).fetchone() != (0,):
            assert time.monotonic() < deadline + 30


def test_why_says_of_a_record_whether_it_is_in_the_file(ask: Ask, tmp_path: Path, source_dsn: str) -> None:
    with psycopg.connect(source_dsn) as connection:
        wanted = "SELECT id, name FROM loyalty.stores WHERE brand = 'maple' ORDER BY id LIMIT 1"
        row = connection.execute(wanted).fetchone()
    assert row is not None
    first = [{"attribute": "id", "operator": "is_empty"}]
    second = [{"attribute": "name", "operator": "equals", "value": row[1]}]
    file = write(tmp_path, filters=[first, second])
    told = ask("why", file, row[0])
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "In the file: set B holds completely.",
        f"A1  Store identifier is empty  does not hold: is {row[0]}",
        f"B1  Name equals {row[1]}  holds: is {row[1]}",
    ]
    nobody = ask("why", file, "nobody")
    assert (nobody.exit_code, nobody.stdout) == (1, "")
    assert "No store has this ID in Maple Grocers." in nobody.stderr
    bad = [[{"attribute": "no such", "operator": "is_empty"}]]
    assert ask("why", write(tmp_path, filters=bad), row[0]).exit_code == 2
