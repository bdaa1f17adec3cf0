"""Bulk writes that meet rows which are there already: "once" is a unique key, the second writer changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ledger.base import Base


def _insert(session: Session, row: type[Base]) -> Any:
    table = row.__table__
    assert isinstance(table, Table)  # noqa: S101  # what a mapped class of ours always has
    on_sqlite = session.get_bind().dialect.name == "sqlite"
    return sqlite.insert(table) if on_sqlite else postgresql.insert(table)


def insert_new(session: Session, row: type[Base], values: Sequence[dict[str, object]]) -> int:
    """Insert rows whose key is not there yet; returns how many were new (counted for a single row only, else -1)."""
    if not values:
        return 0
    result = session.execute(_insert(session, row).on_conflict_do_nothing(), list(values))
    return cast("CursorResult[Any]", result).rowcount if len(values) == 1 else -1


def upsert(session: Session, row: type[Base], values: Sequence[dict[str, object]]) -> None:
    """Insert rows, or replace the other columns of those whose primary key is there."""
    if not values:
        return
    statement = _insert(session, row)
    keys = [column.name for column in row.__table__.primary_key]
    others = {name: statement.excluded[name] for name in values[0] if name not in keys}
    session.execute(statement.on_conflict_do_update(index_elements=keys, set_=others), list(values))
