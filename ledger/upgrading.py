"""Brings a database to the tables of this version, and tells whether it has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry, NullPool

from ledger.base import database_url
from ledger.errors import LedgerError, ledger_error
from ledger.tables import metadata

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
WAITS_SECONDS = 60
"""For another process that upgrades; the whole of it is one transaction."""
ADVISORY_LOCK = 0x57_41_59_4D  # "WAYM": one upgrade at a time on PostgreSQL


def upgrade(url: str, revision: str = "head") -> None:
    """Migrate up to `revision`, all or nothing; several processes may call this at once, one does the work.

    Raises LedgerError where the database cannot be opened or written, or comes from a later version.
    """
    with _connected(url) as (connection, config):
        try:
            command.upgrade(config, revision)
        except CommandError as error:
            raise LedgerError(f"the database is of a later version than this program: {error}") from error
        connection.commit()


def downgrade(url: str, revision: str = "base") -> None:
    """Migrate down to `revision`. What only later versions could hold is lost."""
    with _connected(url) as (connection, config):
        command.downgrade(config, revision)
        connection.commit()


def current_revision(url: str) -> str | None:
    """The migration the database stands at; `None` where it holds none of our tables."""
    with _connected(url) as (connection, _config):
        return MigrationContext.configure(connection).get_current_revision()


def newest_revision() -> str:
    """The last migration of this program."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    if newest is None:
        raise LedgerError(f"no migrations in {MIGRATIONS}: the program is not installed whole")
    return newest


def drift(url: str) -> list[object]:
    """What a new migration would have to change for the database to match the tables in code; empty when nothing."""
    with _connected(url) as (connection, _config):
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata()))


@contextmanager
def _connected(url: str) -> Iterator[tuple[Connection, Config]]:
    parsed = database_url(url)
    on_sqlite = parsed.get_backend_name() == "sqlite"
    arguments = {"timeout": WAITS_SECONDS} if on_sqlite else {}
    engine = create_engine(parsed, poolclass=NullPool, connect_args=arguments)
    if on_sqlite:
        event.listen(engine, "connect", _on_connect)
        event.listen(engine, "begin", _on_begin)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    try:
        with engine.connect() as connection:
            # from here on one transaction: left to itself, Alembic commits each migration on SQLite, and processes
            # that begin at once would run the same one
            connection.begin()
            if not on_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": ADVISORY_LOCK})
            config.attributes["connection"] = connection
            config.attributes["metadata"] = metadata()
            yield connection, config
    except DBAPIError as error:
        translated = ledger_error(error)
        if translated is None:
            raise
        raise translated from error


def _on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
