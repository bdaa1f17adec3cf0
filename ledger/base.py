"""The database: how it is opened, read, written and retried; the base of all tables.

SQLite (WAL, one writer at a time, begun IMMEDIATE) and PostgreSQL (writes SERIALIZABLE, reads from one snapshot).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Connection,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    TypeDecorator,
    create_engine,
    event,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry

from ledger.errors import LedgerBusy, LedgerError, ledger_error

Result = TypeVar("Result")

BUSY_TIMEOUT_MS = 10_000
TRIES = 8

Json = JSON(none_as_null=True)
BigInt = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits on both; SQLite counts up an INTEGER primary key only."""


class Uint64(TypeDecorator[int]):
    """An unsigned 64-bit number in a signed column: a dseq is any uint64 that the tenant likes.

    Numbers from 2**63 up are stored as negative ones: equality holds, order does not, and nothing orders by them.
    """

    impl = BigInt
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To the column."""
        return value - 2**64 if value is not None and value >= 2**63 else value

    def process_result_value(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """From the column."""
        return value + 2**64 if value is not None and value < 0 else value


class Base(DeclarativeBase):
    """The base of all tables: named constraints, 64-bit integers, text of any length."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BigInt, str: Text(), bytes: LargeBinary(), bool: Boolean()}  # noqa: RUF012


def database_url(text: str) -> URL:
    """The URL as SQLAlchemy wants it; PostgreSQL is spoken through psycopg 3.

    Raises LedgerError for anything that is neither a PostgreSQL database nor an SQLite file.
    """
    try:
        url = make_url(text)
    except ArgumentError as error:
        raise LedgerError(f"the database URL cannot be read: {error}") from error
    if url.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return url.set(drivername="postgresql+psycopg")
    if url.drivername in {"sqlite", "sqlite+pysqlite"} and url.database not in {None, "", ":memory:"}:
        return url.set(drivername="sqlite+pysqlite")
    raise LedgerError("the database must be sqlite:///FILE or postgresql://USER@HOST/NAME")


class Ledger:
    """One database: `read()` and `write()` give a Session, `transact()` repeats a write that lost a race.

    A Session never spans a network call; `write()` commits at its end and rolls back on any exception.
    Every trouble of the database comes out as a LedgerError that says what to do.
    """

    def __init__(self, url: str) -> None:
        """Raises LedgerError for a URL of another kind; opens nothing yet."""
        self.url = database_url(url)
        self.on_sqlite = self.url.get_backend_name() == "sqlite"
        self._reader = self._engine(writes=False)
        self._writer = self._engine(writes=True)

    def _engine(self, *, writes: bool) -> Engine:
        if not self.on_sqlite:
            level = "SERIALIZABLE" if writes else "REPEATABLE READ"
            return create_engine(self.url, isolation_level=level, pool_pre_ping=True)
        engine = create_engine(self.url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
        event.listen(engine, "connect", _on_connect_writer if writes else _on_connect_reader)
        event.listen(engine, "begin", _on_begin_writer if writes else _on_begin_reader)
        return engine

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A Session that sees one state of the database and can write nothing."""
        options = {} if self.on_sqlite else {"postgresql_readonly": True}
        with self._session(self._reader.execution_options(**options)) as session:
            yield session

    @contextmanager
    def write(self, *, durable: bool = False) -> Iterator[Session]:
        """A Session whose work is committed at the end, or not at all.

        `durable`: the commit is on the disk when this returns (awards, payouts); on PostgreSQL it always is.
        Raises LedgerBusy where another writer won: `transact` repeats such work.
        """
        with self._session(self._writer.execution_options(durable=durable)) as session:
            yield session
            with _translated():
                session.commit()

    @contextmanager
    def _session(self, engine: Engine) -> Iterator[Session]:
        with Session(engine, expire_on_commit=False) as session, _translated():
            session.connection()
            yield session

    def transact(self, work: Callable[[Session], Result], *, durable: bool = False) -> Result:
        """Run `work` in one writing transaction; where another writer was in the way, run it again as a whole.

        `work` must have no effect outside its Session. Raises LedgerBusy after the last try.
        """
        for attempt in range(TRIES):
            try:
                with self.write(durable=durable) as session:
                    return work(session)
            except LedgerBusy:
                if attempt == TRIES - 1:
                    raise
                time.sleep(random.uniform(0.5, 1.0) * 0.02 * 2**attempt)  # noqa: S311  # spreads the rivals
        raise AssertionError

    def close(self) -> None:
        """Close all connections: before a fork, and at the end."""
        self._reader.dispose()
        self._writer.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        translated = ledger_error(error)
        if translated is None:
            raise
        raise translated from error


def _on_connect(connection: DBAPIConnection, *pragmas: str) -> None:
    connection.isolation_level = None  # the driver would begin by itself, and too late
    cursor = connection.cursor()
    for pragma in (f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON", *pragmas):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_connect_reader(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    _on_connect(connection, "query_only=ON")


def _on_connect_writer(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    _on_connect(connection, "journal_mode=WAL")


def _on_begin_reader(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _on_begin_writer(connection: Connection) -> None:
    durable = connection.get_execution_options().get("durable", False)
    connection.exec_driver_sql(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
