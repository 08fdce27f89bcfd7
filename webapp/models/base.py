"""Base of all tables, and the wall between brands.

Every table but `brands` and `sessions` is `BrandOwned`: it has `brand_id not null` and, where it refers to another one,
a composite foreign key (`brand_id`, `id`), so that a reference across brands cannot be stored. Every statement of a
session gets the brand of the present scope; without a scope it is an error, not all rows (DESIGN section 3). What comes
back is looked at once more: a row that the session knows already is not asked for again, so no condition holds it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    ColumnElement,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Table,
    UniqueConstraint,
    Update,
    Uuid,
    any_,
    bindparam,
    event,
    func,
)  # fmt: skip
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import (
    LoaderCriteriaOption,
    Mapped,
    ORMExecuteState,
    Session,
    declared_attr,
    mapped_column,
    with_loader_criteria,
)
from sqlalchemy.sql import visitors


def clock() -> Any:
    """The present moment as the database tells it (RELIABILITY P11): tests set it, production has now()."""
    return func.clock(type_=DateTime(timezone=True))


def among(id: Any) -> ColumnElement[bool]:
    """Whether it is one of the parameter `ids`: a statement that is made once, however many rows a page has."""
    held: ColumnElement[bool] = id == any_(bindparam("ids", type_=ARRAY(Uuid())))
    return held


class NoBrand(RuntimeError):
    """A statement on brand-owned rows outside any scope: a programming error, answered before the database is asked."""


class WrongBrand(RuntimeError):
    """A row of another brand was to be written inside a brand's scope."""


_SYSTEM = object()
_scope: ContextVar[uuid.UUID | object | None] = ContextVar("brand_scope", default=None)


@contextmanager
def brand_scope(brand_id: uuid.UUID) -> Iterator[None]:
    """All statements inside see and change this brand's rows only."""
    token = _scope.set(brand_id)
    try:
        yield
    finally:
        _scope.reset(token)


@contextmanager
def system_scope() -> Iterator[None]:
    """Statements inside see every brand. Allowed places: DESIGN section 3; a test lists each use."""
    token = _scope.set(_SYSTEM)
    try:
        yield
    finally:
        _scope.reset(token)


def current_brand() -> uuid.UUID | None:
    """The brand of the present scope; None in the system scope.

    Raises:
        NoBrand: outside any scope.
    """
    scope = _scope.get()
    if scope is None:
        raise NoBrand("no brand is set: use brand_scope(), or system_scope() where it is allowed")
    return None if scope is _SYSTEM else scope  # type: ignore[return-value]


class BrandOwned:
    """Mixin of every table that belongs to brands: the id, the brand, and the pair that others refer to."""

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)

    @declared_attr
    def brand_id(cls) -> Mapped[uuid.UUID]:
        """The brand that the row belongs to."""
        return mapped_column(ForeignKey("brands.id", ondelete="RESTRICT"), default=current_brand)

    @property
    def is_visible(self) -> bool:
        """Whether the present scope may see this row; asked by the session's lookups by id."""
        return self.brand_id == (current_brand() or self.brand_id)


def owned_args(*more: Any) -> tuple[Any, ...]:
    """Table arguments of a brand-owned table: (brand_id, id) is unique, so that composite keys can point to it."""
    return (UniqueConstraint("brand_id", "id"), *more)


def same_brand(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    """A composite foreign key: the row referred to is of the same brand."""
    return ForeignKeyConstraint(["brand_id", column], [f"{table}.brand_id", f"{table}.id"], **options)


def _touches_brands(state: ORMExecuteState) -> bool:
    """Whether a brand-owned table stands anywhere in the statement; the mappers alone miss counts and subqueries."""
    if any(issubclass(mapper.class_, BrandOwned) for mapper in state.all_mappers):
        return True
    parts = visitors.iterate(state.statement)  # type: ignore[arg-type]  # every statement is made of parts
    return any(isinstance(part, Table) and "brand_id" in part.c for part in parts)


def _names_brand(statement: Update) -> bool:
    # What an UPDATE sets can be seen nowhere but here; a test fails if that changes.
    return any(getattr(name, "key", name) == "brand_id" for name in statement._values or ())


_known: WeakKeyDictionary[Any, tuple[Any, Any]] = WeakKeyDictionary()
"""By statement: the brand that it was last held to, and the statement with that condition. One that is made once keeps
so what SQLAlchemy has found out about it; one that is made for a request goes with it.
"""


def _held(statement: Any, brand: Any) -> Any:
    known = _known.get(statement)
    if known is None or known[0] != brand:
        known = _known[statement] = brand, statement.options(_condition(brand))
    return known[1]


@lru_cache
def _condition(brand: Any) -> LoaderCriteriaOption:
    """Kept, as to make it takes as long as to add it."""
    return with_loader_criteria(BrandOwned, lambda cls: cls.brand_id == brand, include_aliases=True)


@event.listens_for(Session, "do_orm_execute")
def _add_brand(state: ORMExecuteState) -> None:
    """Every statement gets the brand's condition; one that we cannot see into is refused."""
    scope = _scope.get()
    if scope is _SYSTEM:
        return
    if not state.is_orm_statement:
        if state.execution_options.get("touches_no_brand"):
            return
        raise NoBrand("only statements on entities can be held to a brand; use them, or system_scope() where allowed")
    if scope is None:
        if _touches_brands(state):
            current_brand()
        return
    if state.is_insert:
        raise NoBrand("an INSERT has no condition that could hold it to a brand: add() the rows to the session")
    if isinstance(state.statement, Update) and _names_brand(state.statement):
        raise WrongBrand("a row stays with its brand")
    state.statement = _held(state.statement, scope)


@event.listens_for(BrandOwned, "load", propagate=True)
@event.listens_for(BrandOwned, "refresh", propagate=True)
def _look_at_row(row: BrandOwned, *_more: Any) -> None:
    """A row that came although it is another brand's does not get any further."""
    scope = _scope.get()
    if scope is _SYSTEM:
        return
    if row.__dict__.get("brand_id", scope) != scope:
        raise WrongBrand(f"{type(row).__name__} of another brand")


@event.listens_for(Session, "before_flush")
def _hold_writes(session: Session, _context: Any, _instances: Any) -> None:
    """New and changed rows must be of the present brand."""
    if _scope.get() is _SYSTEM:
        return
    for row in (*session.new, *session.dirty, *session.deleted):
        if isinstance(row, BrandOwned):
            brand = current_brand()
            if row.brand_id is None:
                row.brand_id = brand
            if row.brand_id != brand:
                raise WrongBrand(f"{type(row).__name__} of another brand")
