"""The wall between brands: nobody ever sees or changes another brand's rows (SPEC section 1, DESIGN section 3)."""

from __future__ import annotations

import ast
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, func, insert, literal_column, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased, joinedload

from tests.fix_app import People
from webapp.extensions import db
from webapp.models import (
    Brand,
    Connection,
    Export,
    ExportVersion,
    NoBrand,
    Run,
    RunEvent,
    User,
    WrongBrand,
    brand_scope,
    clock,
    system_scope,
)
from webapp.models.base import BrandOwned

ROOT = Path(__file__).parents[2]

SYSTEM_SCOPES = {
    # Which run, which delivery and which comparison are next, a rehearsal; a test of a connection; which moments have
    # come, which comes next, all to come; mails and messages that are due, whether any is.
    "jobs/scheduler.py": 12,
    # sweep, take_back, holds, old drafts, messages and tests, expired files and differences, deleted exports, orphans
    "jobs/upkeep.py": 9,
    "webapp/cli/user.py": 1,  # the operator's command line
    "webapp/services/accounts.py": 1,  # is there an account with this email, in whatever brand?
    "webapp/services/health/numbers.py": 1,  # how much goes on, whosever it is
    "webapp/services/links.py": 1,  # whose link is this?
    # Login, its second step, and a forgotten password: whose email, whose half of a login, whose link is this?
    "webapp/services/logins.py": 6,
    "webapp/services/once.py": 1,  # requests to the API that were answered long ago
    "webapp/services/tokens.py": 1,  # who a program acts as
    "webapp/models/sessions.py": 1,  # who the session belongs to
}
"""Every place that sees all brands, and how often (DESIGN section 3). A new one needs its reason here."""


def _last_word(node: ast.AST) -> str:
    """The name, attribute or text that a node is."""
    match node:
        case ast.Name(id=word) | ast.Attribute(attr=word) | ast.Constant(value=str(word)):
            return word
        case _:
            return ""


def test_every_use_of_the_system_scope_is_on_the_list() -> None:
    found: dict[str, int] = {}
    for folder in ("exports", "webapp", "jobs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            calls = [
                node
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call) and _last_word(node.func) == "system_scope"
            ]
            if calls:
                found[str(path.relative_to(ROOT))] = len(calls)
    assert found == SYSTEM_SCOPES


def test_nothing_reaches_behind_the_wall() -> None:
    behind = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for folder in ("exports", "webapp", "jobs")
        for path in (ROOT / folder).rglob("*.py")
        if path != ROOT / "webapp/models/base.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if (
            isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).rpartition(".")[2] in ("_scope", "_SYSTEM")
        )
        or (isinstance(node, ast.Constant) and node.value == "touches_no_brand")
    ]
    assert not behind


def test_every_table_but_two_belongs_to_brands() -> None:
    tables = {mapper.class_.__tablename__: mapper.class_ for mapper in db.Model.registry.mappers}
    free = {name for name, class_ in tables.items() if not issubclass(class_, BrandOwned)}
    assert free == {"brands", "sessions"}
    assert not [name for name in set(tables) - free if db.metadata.tables[name].c.brand_id.nullable]


def test_every_reference_between_brand_owned_tables_names_the_brand() -> None:
    owned = {
        mapper.class_.__tablename__ for mapper in db.Model.registry.mappers if issubclass(mapper.class_, BrandOwned)
    }
    loose = [
        constraint.name
        for name in owned
        for constraint in db.metadata.tables[name].foreign_key_constraints
        if constraint.referred_table.name in owned and "brand_id" not in constraint.column_keys
    ]
    assert not loose


def test_every_id_of_another_row_is_such_a_reference() -> None:
    tables = [
        db.metadata.tables[mapper.class_.__tablename__]
        for mapper in db.Model.registry.mappers
        if issubclass(mapper.class_, BrandOwned)
    ]
    loose = [
        f"{table.name}.{column.name}"
        for table in tables
        for column in table.c
        if column.name.endswith("_id") and column.name not in ("brand_id", "object_id") and not column.foreign_keys
    ]
    assert not loose


@pytest.fixture
def two(app: Flask, people: People) -> Iterator[tuple[uuid.UUID, uuid.UUID]]:
    """An export of maple and one of alpine; inside the application, in no brand's scope."""
    with app.app_context(), system_scope():
        made = [_export(brand_id=person.brand_id, owner=person.id) for person in (people.exporter, people.stranger)]
        db.session.add_all(made)
        db.session.commit()
        ids = made[0].id, made[1].id
    with app.app_context():
        yield ids


def _export(*, brand_id: uuid.UUID, owner: uuid.UUID) -> Export:
    id_ = uuid.uuid4()
    return Export(id=id_, brand_id=brand_id, name=f"Export {id_}", model="events", owner_id=owner, created_by_id=owner)


@pytest.mark.parametrize(
    "statement",
    [
        select(Export),
        select(Export.name),
        select(func.count()).select_from(Export),
        select(aliased(Export)),
        select(Run).join(Export, Export.id == Run.export_id),
        update(Export).values(name="x"),
        delete(Export),
        select(Brand).where(Brand.id.in_(select(User.brand_id))),
    ],
    ids=str,
)
def test_a_statement_without_a_brand_is_an_error(two: object, statement: object) -> None:
    with pytest.raises(NoBrand):
        db.session.execute(statement)  # type: ignore[call-overload]


def test_a_lookup_without_a_brand_is_an_error(two: tuple[uuid.UUID, uuid.UUID]) -> None:
    with pytest.raises(NoBrand):
        db.session.get(Export, two[0])
    with pytest.raises(NoBrand):
        db.session.query(Export).all()


def test_a_new_row_without_a_brand_is_an_error(two: object, people: People) -> None:
    db.session.add(_export(brand_id=people.exporter.brand_id, owner=people.exporter.id))
    with pytest.raises(NoBrand):
        db.session.commit()


@pytest.mark.parametrize(
    "raw",
    [
        text("SELECT * FROM exports"),
        select(literal_column("1")),
        select(literal_column("name")).select_from(text("exports")),
        Export.__table__.select(),
        Export.__table__.update().values(name="x"),
        Export.__table__.delete(),
    ],
    ids=["text", "literal", "from text", "select of a table", "update of a table", "delete of a table"],
)
def test_statements_that_cannot_be_looked_into_are_refused(two: object, people: People, raw: object) -> None:
    with brand_scope(people.exporter.brand_id), pytest.raises(NoBrand):
        db.session.execute(raw)  # type: ignore[call-overload]


def test_each_kind_of_select_sees_its_own_brand_only(two: tuple[uuid.UUID, uuid.UUID], people: People) -> None:
    other = aliased(Export)
    with brand_scope(people.exporter.brand_id):
        assert [export.id for export in db.session.scalars(select(Export))] == [two[0]]
        assert list(db.session.scalars(select(Export.id))) == [two[0]]
        assert list(db.session.scalars(select(other.id))) == [two[0]]
        assert db.session.scalar(select(func.count()).select_from(Export)) == 1
        assert db.session.scalars(select(Export).where(Export.id == two[1])).one_or_none() is None
        assert list(db.session.scalars(select(User.email).join(Export, Export.owner_id == User.id))) == [
            people.exporter.email
        ]
        assert db.session.scalar(select(select(Export.id).where(Export.id == two[1]).exists())) is False
        in_subquery = select(Brand.name).where(Brand.id.in_(select(Export.brand_id)))
        assert list(db.session.scalars(in_subquery)) == ["Maple Grocers"]
        both = select(Export.id).union_all(select(other.id))
        assert set(db.session.scalars(both)) == {two[0]}
        cte = select(Export.id).cte()
        assert set(db.session.scalars(select(cte.c.id))) == {two[0]}


def test_a_lookup_by_id_does_not_find_another_brands_row(two: tuple[uuid.UUID, uuid.UUID], people: People) -> None:
    with brand_scope(people.exporter.brand_id):
        assert db.session.get(Export, two[0]) is not None
        assert db.session.get(Export, two[1]) is None


def test_a_row_that_is_known_already_is_not_handed_to_another_brand(
    two: tuple[uuid.UUID, uuid.UUID], people: People
) -> None:
    with system_scope():
        known = db.session.get(Export, two[1])
    with brand_scope(people.exporter.brand_id):
        assert known is not None
        assert db.session.get(Export, two[1]) is None


def test_loading_what_is_related_stays_in_the_brand(two: tuple[uuid.UUID, uuid.UUID], people: People) -> None:
    with brand_scope(people.stranger.brand_id):
        export = db.session.scalars(select(Export).options(joinedload(Export.owner))).one()
        assert export.owner.email == people.stranger.email
        db.session.expire(export)
    with brand_scope(people.exporter.brand_id), pytest.raises(WrongBrand):
        assert export.name


def test_updates_and_deletes_touch_the_own_brand_only(two: tuple[uuid.UUID, uuid.UUID], people: People) -> None:
    with brand_scope(people.exporter.brand_id):
        assert db.session.execute(update(Export).values(name="renamed")).rowcount == 1  # type: ignore[attr-defined]
        assert db.session.execute(delete(Export).where(Export.id == two[1])).rowcount == 0  # type: ignore[attr-defined]
        db.session.commit()
    with system_scope():
        names = dict(db.session.execute(select(Export.id, Export.name)).all())  # type: ignore[arg-type]
    assert names[two[0]] == "renamed"
    assert names[two[1]] != "renamed"


def test_a_row_of_another_brand_cannot_be_added(two: object, people: People) -> None:
    with brand_scope(people.exporter.brand_id):
        db.session.add(_export(brand_id=people.stranger.brand_id, owner=people.stranger.id))
        with pytest.raises(WrongBrand):
            db.session.commit()


def test_a_row_of_another_brand_cannot_be_inserted_by_a_statement(two: object, people: People) -> None:
    values = {"name": "x", "model": "events", "owner_id": people.stranger.id, "created_by_id": people.stranger.id}
    with brand_scope(people.exporter.brand_id), pytest.raises(NoBrand):
        db.session.execute(insert(Export).values(brand_id=people.stranger.brand_id, **values))


def test_a_row_cannot_be_moved_to_another_brand(two: tuple[uuid.UUID, uuid.UUID], people: People) -> None:
    with brand_scope(people.exporter.brand_id):
        export = db.session.get_one(Export, two[0])
        export.brand_id = people.stranger.brand_id
        with pytest.raises(WrongBrand):
            db.session.commit()
        db.session.rollback()
        with pytest.raises(WrongBrand):
            db.session.execute(update(User).values(brand_id=people.stranger.brand_id))


def test_the_brand_of_a_new_row_is_that_of_the_scope(two: object, people: People) -> None:
    with brand_scope(people.exporter.brand_id):
        connection = Connection(
            name="Head office", type="sftp", host="h", port=22, username="u", created_by_id=people.exporter.id
        )
        db.session.add(connection)
        db.session.commit()
        assert connection.brand_id == people.exporter.brand_id


def _another_brands(kind: str, people: People, ours: uuid.UUID, theirs: uuid.UUID) -> object:
    """A row of maple that refers to one of alpine."""
    maple, owner, stranger = people.exporter.brand_id, people.exporter.id, people.stranger.id
    rows: dict[str, object] = {
        "owner": _export(brand_id=maple, owner=stranger),
        "version": ExportVersion(brand_id=maple, export_id=theirs, number=1, definition={}, author_id=owner),
        "author": ExportVersion(brand_id=maple, export_id=ours, number=1, definition={}, author_id=stranger),
        "run": Run(
            brand_id=maple, export_id=theirs, version=1, kind="manual", scheduled_for=clock(), base_moment=clock()
        ),
        "event": RunEvent(brand_id=maple, run_id=uuid.uuid4(), attempt=0, kind="queued"),
    }
    return rows[kind]


@pytest.mark.parametrize("kind", ["owner", "version", "author", "run", "event"])
def test_the_database_itself_refuses_a_reference_to_another_brands_row(
    two: tuple[uuid.UUID, uuid.UUID], people: People, kind: str
) -> None:
    with system_scope():
        db.session.add(_another_brands(kind, people, *two))
        with pytest.raises(IntegrityError, match="foreign key"):
            db.session.commit()


def test_the_newest_run_of_an_export_cannot_be_another_brands(two: tuple[uuid.UUID, uuid.UUID], people: People) -> None:
    with system_scope():
        brand, author = people.stranger.brand_id, people.stranger.id
        db.session.add(ExportVersion(brand_id=brand, export_id=two[1], number=1, definition={}, author_id=author))
        db.session.flush()
        theirs = Run(
            brand_id=brand, export_id=two[1], version=1, kind="manual",
            scheduled_for=clock(), base_moment=clock(),
        )  # fmt: skip
        db.session.add(theirs)
        db.session.commit()
        db.session.execute(update(Export).where(Export.id == two[0]).values(latest_run_id=theirs.id))
        with pytest.raises(IntegrityError, match="foreign key"):
            db.session.commit()


def test_the_wall_stands_in_every_session(two: object) -> None:
    with Session(db.engine) as session, pytest.raises(NoBrand):
        session.scalars(select(Export)).all()
