"""Base of all tables, and the wall between brands.

Every table but `brands` and `sessions` is `BrandOwned`: it has `brand_id not null` and, where it refers to another one,
a composite foreign key (`brand_id`, `id`), so that a reference across brands cannot be stored. Every statement of a
session gets the brand of the present scope; without a scope it is an error, not all rows (DESIGN section 3).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import DateTime, ForeignKey, ForeignKeyConstraint, UniqueConstraint, event, func
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, declared_attr, mapped_column, with_loader_criteria


def clock() -> Any:
    """The present moment as the database tells it (RELIABILITY P11): tests set it, production has now()."""
    return func.clock(type_=DateTime(timezone=True))


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


def owned_args(*more: Any) -> tuple[Any, ...]:
    """Table arguments of a brand-owned table: (brand_id, id) is unique, so that composite keys can point to it."""
    return (UniqueConstraint("brand_id", "id"), *more)


def same_brand(column: str, table: str, **options: Any) -> ForeignKeyConstraint:
    """A composite foreign key: the row referred to is of the same brand."""
    return ForeignKeyConstraint(["brand_id", column], [f"{table}.brand_id", f"{table}.id"], **options)


def _touches_brands(state: ORMExecuteState) -> bool:
    return any(issubclass(mapper.class_, BrandOwned) for mapper in state.all_mappers)


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
    state.statement = state.statement.options(
        with_loader_criteria(BrandOwned, lambda cls: cls.brand_id == scope, include_aliases=True)
    )


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
