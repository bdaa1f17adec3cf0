"""Many rows written in one go."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast

from sqlalchemy import ColumnElement, CursorResult, Table
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import Session
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from ledger.base import Base

Item = TypeVar("Item")

Columns = ReadOnlyColumnCollection[str, Any]
AT_ONCE = 500
"""Values in one IN list: below SQLite's and PostgreSQL's bounds, and some hundred rows of a transaction."""


def insert_rows(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> None:
    """Insert all rows past the unit of work; one whose key is there is left alone. Each names the same columns."""
    if rows:
        session.execute(_insert(session, table).on_conflict_do_nothing(), list(rows))


def insert_once(session: Session, table: type[Base], row: Mapping[str, object]) -> bool:
    """Insert one row; False where its key is there already: someone else was first."""
    result = session.execute(_insert(session, table).on_conflict_do_nothing(), dict(row))
    return bool(cast("CursorResult[Any]", result).rowcount)


def replace_rows(
    session: Session,
    table: type[Base],
    rows: Sequence[Mapping[str, object]],
    *,
    where: Callable[[Columns, Columns], ColumnElement[bool]] | None = None,
    keep: frozenset[str] = frozenset(),
) -> None:
    """Insert all rows; one whose primary key is there takes the new values where `where(new, old)` holds.

    Columns named in `keep` are set at the first insertion only.
    """
    if not rows:
        return
    target = cast("Table", table.__table__)
    statement = _insert(session, table)
    key = [column.name for column in target.primary_key.columns]
    values = {name: statement.excluded[name] for name in rows[0] if name not in key and name not in keep}
    condition = where(statement.excluded, target.c) if where is not None else None
    session.execute(statement.on_conflict_do_update(index_elements=key, set_=values, where=condition), list(rows))


def _insert(session: Session, table: type[Base]) -> Any:
    insert = sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert
    return insert(cast("Table", table.__table__))


def in_parts(items: Sequence[Item]) -> list[Sequence[Item]]:
    """The items in parts that fit into one IN list."""
    return [items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE)]
