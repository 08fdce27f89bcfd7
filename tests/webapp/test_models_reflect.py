"""`flask models reflect`: drafts that the catalogue takes and exports run on, and custom fields from JSONB members."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from exports import catalogue_files, pipeline
from exports.definition import parse
from exports.reflecting.guesses import field_id, is_personal, label
from exports.sinks import StreamSink
from exports.source.postgresql import PostgresSource
from exports.surroundings import Surroundings
from webapp.cli.models import models
from webapp.extensions import db
from webapp.models import AuditEntry, CustomField

if TYPE_CHECKING:
    from pathlib import Path

    from exports.catalogue import Catalogue
    from tests.fix_app import People
    from tests.fix_services import Cluster

Ask = Callable[..., Result]
READABLE: Final = """
    CREATE TABLE shop.orders (
        brand text NOT NULL, id text NOT NULL, buyer_email varchar(200), status text NOT NULL, total numeric(10,2),
        weight double precision, pieces integer NOT NULL, paid boolean, ordered_at timestamptz(3), day date,
        tags text[], extra jsonb, PRIMARY KEY (brand, id));
    COMMENT ON TABLE shop.orders IS 'What was ordered in the "shop".';
    COMMENT ON COLUMN shop.orders.total IS 'With tax,
        without shipping.';
    INSERT INTO shop.orders VALUES
        ('maple', 'b', 'bo@x.example', 'open', 12.50, 0.1, 3, true, '2026-01-02 03:04:05.678Z', '2026-01-02',
         '{a,b}', '{"size": 4, "shippedOn": "2026-01-03", "phone": "1"}'),
        ('maple', 'a', NULL, 'paid', NULL, NULL, 1, NULL, NULL, NULL, NULL, '{"size": 5.5, "list": ["x"], "odd": 1}'),
        ('other', 'a', NULL, 'paid', NULL, NULL, 1, NULL, NULL, NULL, NULL, '{"theirs": 1, "odd": "one"}');
"""
UNREADABLE: Final = """
    CREATE TYPE shop.size AS ENUM ('s', 'm');
    CREATE TABLE shop."Customer List" (
        "customerNo" bigint PRIMARY KEY, "E-Mail" text, token uuid, seen timestamp, size shop.size, scores integer[],
        picture bytea, ratio real);
    INSERT INTO shop."Customer List" VALUES
        (12, 'bo@x.example', '11111111-2222-3333-4444-555555555555', '2026-01-02 03:04:05', 'm', '{1,2}', 'x', 0.5);
"""


@pytest.fixture(scope="module")
def shop(postgres: Cluster, worker_number: int) -> str:
    """A database with tables of one's own."""
    name = f"shop_{worker_number}"
    postgres.drop(name)
    url = postgres.create(name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(b"CREATE SCHEMA shop")
        connection.execute(READABLE.encode())
        connection.execute(UNREADABLE.encode())
        connection.execute(
            b"CREATE TABLE shop.loose (a integer, b integer); CREATE VIEW shop.seen AS TABLE shop.orders"
        )
    return url


@pytest.fixture
def ask(app: Flask, shop: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Run the command on that database."""
    monkeypatch.setitem(app.config, "SETTINGS", replace(app.config["SETTINGS"], source_database_url=shop))
    with app.app_context():
        yield lambda *arguments: app.test_cli_runner().invoke(models, ["reflect", *arguments])


def kept(folder: Path, text: str, id: str) -> Catalogue:
    """The catalogue with the draft as its only file."""
    (folder / f"{id}.toml").write_text(text)
    shared = f'models = ["{id}"]\n[modules]\n[references]\n[roles]\n'
    (folder / "_shared.toml").write_text(shared)
    return catalogue_files.load(folder)


def exported(catalogue: Catalogue, id: str, shop: str) -> list[list[str]]:
    """All fields of all records."""
    key = catalogue.models[id].key
    wanted = parse({
        "name": "All", "model": id, "timezone": "UTC", "all_fields": True,
        "filters": [[{"attribute": key, "operator": "is_not_empty"}]],
    })  # fmt: skip
    out = io.BytesIO()
    pipeline.run(wanted, catalogue, Surroundings("maple", datetime.now(UTC)), PostgresSource(shop), StreamSink(out))
    return list(csv.reader(io.StringIO(out.getvalue().decode(), newline="")))


def test_a_draft_is_taken_as_it_is_and_an_export_runs_on_it(ask: Ask, shop: str, tmp_path: Path) -> None:
    result = ask("shop.orders")
    assert result.exit_code == 0, result.output
    assert 'Keep it as exports/catalogue/orders.toml, and add "orders" to models in _shared.toml.' in result.stderr
    found = kept(tmp_path, result.stdout, "orders")
    model = found.models["orders"]
    assert (model.label, model.description) == ("Orders", 'What was ordered in the "shop".')
    assert (model.table, model.key, model.brand) == ("shop.orders", "id", "brand")
    assert {one.id for one in model.fields.values() if one.personal} == {"buyer_email"}
    assert {one.id for one in model.fields.values() if one.mandatory} == {"id", "status", "pieces"}
    assert [(one.id, one.type.value, one.stored) for one in model.fields.values()] == [
        ("id", "string", ""), ("buyer_email", "string", ""), ("status", "string", ""), ("total", "float", ""),
        ("weight", "float", "double precision"), ("pieces", "integer", ""), ("paid", "boolean", ""),
        ("ordered_at", "datetime", ""), ("day", "date", ""), ("tags", "list", ""), ("extra", "json", ""),
    ]  # fmt: skip
    assert model.fields["total"].description == "With tax, without shipping."
    head, *rows = exported(found, "orders", shop)
    assert head[:3] == ["id", "buyer_email", "status"]
    assert rows == [
        ["a", "", "paid", "", "", "1", "", "", "", "", '{"odd":1,"list":["x"],"size":5.5}'],
        ["b", "bo@x.example", "open", "12.50", "0.1", "3", "true", "2026-01-02 03:04:05", "2026-01-02", '["a","b"]',
         '{"size":4,"phone":"1","shippedOn":"2026-01-03"}'],
    ]  # fmt: skip


def test_what_cannot_be_read_as_it_is_is_made_readable_by_a_view(ask: Ask, shop: str, tmp_path: Path) -> None:
    result = ask('shop."Customer List"')
    assert result.exit_code == 0, result.output
    assert "First run the CREATE VIEW" in result.stderr
    assert "Left out, since no cell of a file can hold them: picture (bytea)" in result.stdout
    assert '# brand = "all": every brand' in result.stdout
    view = "\n".join(line[4:] for line in result.stdout.splitlines() if line.startswith("#   "))
    with psycopg.connect(shop, autocommit=True) as connection:
        connection.execute(b"DROP VIEW IF EXISTS shop.customer_list_for_exports")
        connection.execute(view.encode())
    found = kept(tmp_path, result.stdout, "customer_list")
    assert found.models["customer_list"].fields["e_mail"].personal
    head, row = exported(found, "customer_list", shop)
    told = dict(zip(head, row, strict=True))
    assert told == {
        "customerNo": "12", "e_mail": "bo@x.example", "token": "11111111-2222-3333-4444-555555555555",
        "seen": "2026-01-02 03:04:05", "size": "m", "scores": '["1","2"]', "ratio": "0.5",
    }  # fmt: skip


def test_every_table_of_the_reference_schema_makes_a_draft(
    ask: Ask, app: Flask, source_dsn: str, tmp_path: Path
) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], source_database_url=source_dsn)
    for table in ("customers", "events", "stores", "products", "webhook_logs"):
        result = ask(f"loyalty.{table}")
        assert result.exit_code == 0, result.output
        folder = tmp_path / table
        folder.mkdir()
        assert kept(folder, result.stdout, table).models[table].brand == "brand"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("shop.nothing",), "There is no table shop.nothing"),
        (("no such; drop table x",), "There is no table"),
        (('"',), "There is no table"),
        (("shop.loose",), "no column of loose tells its records apart: name one with --key"),
        (("shop.loose", "--key", "c"), "loose has no column c"),
        (("shop.seen",), "no column of seen tells its records apart"),
        (("shop.orders", "--brand-column", "owner"), "orders has no column owner"),
        (("shop.orders", "--make"), "--make goes with --custom"),
        (("shop.orders", "--custom"), "No data model of Maple Grocers reads the table shop.orders"),
        (("customers", "--custom", "email", "--brand", "maple"), "Customers has no JSONB column email"),
    ],
)
def test_what_cannot_be_drafted_is_told(ask: Ask, people: People, arguments: tuple[str, ...], sentence: str) -> None:
    result = ask(*arguments)
    assert result.exit_code == 2
    assert sentence in re.sub(r"\s+", " ", result.stderr)


def test_a_key_can_be_named_where_there_is_none(ask: Ask, tmp_path: Path) -> None:
    result = ask("shop.seen", "--key", "id", "--brand-column", "brand")
    assert result.exit_code == 0, result.output
    assert kept(tmp_path, result.stdout, "seen").models["seen"].key == "id"


def test_members_of_an_object_are_proposed_and_made(ask: Ask, app: Flask, people: People, source_dsn: str) -> None:
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], source_database_url=source_dsn)
    proposed = ask("loyalty.customers", "--custom", "--brand", "maple")
    assert proposed.exit_code == 0, proposed.output
    lines = [line.split("\t") for line in proposed.stdout.splitlines()]
    assert lines
    assert all(line[3].endswith("% of the rows") for line in lines)
    with people.admin.at_work():
        assert db.session.scalars(select(CustomField)).all() == []
    made = ask("loyalty.customers", "--custom", "--make", "--brand", "maple")
    assert made.exit_code == 0, made.output
    with people.admin.at_work():
        fields = db.session.scalars(select(CustomField).order_by(CustomField.position)).all()
        assert [one.path for one in fields] == [[line[0]] for line in lines]
        assert [one.type for one in fields] == [line[1] for line in lines]
        kinds = db.session.scalars(select(AuditEntry.actor).where(AuditEntry.action == "field.created")).all()
        assert set(kinds) == {"operator (command line)"}
        assert len(kinds) == len(fields)
    again = ask("loyalty.customers", "--custom", "--make", "--brand", "maple")
    assert again.stdout == ""
    assert "No member is missing" in again.stderr


@pytest.mark.parametrize(
    ("name", "called", "personal"),
    [
        ("birth_date", "Birth date", True), ("firstName", "First name", True), ("product_name", "Product name", False),
        ("ip_address", "IP address", True), ("email", "Email", True), ("orderId", "Order ID", False),
        ("mobile_phone", "Mobile phone", True), ("shipping", "Shipping", False), ("---", "Column", False),
    ],
)  # fmt: skip
def test_names_are_read_as_people_do(name: str, called: str, personal: bool) -> None:
    assert (label(name), is_personal(name)) == (called, personal)


def test_ids_of_fields_are_words_and_nobody_elses() -> None:
    assert field_id("E-Mail", set()) == "e_mail"
    assert field_id("E-Mail", {"e_mail"}) == "e_mail_2"
    assert field_id("2nd", set()) == "c_2nd"
    assert field_id("plain_1", set()) == "plain_1"


def test_a_draft_is_read_by_any_reader_of_toml(ask: Ask) -> None:
    assert tomllib.loads(ask("shop.orders").stdout)["fields"][0]["identifier"] is True
