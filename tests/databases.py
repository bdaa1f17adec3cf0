"""A PostgreSQL database of its own for one test, where a server is given."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import create_engine, text

from ledger.base import database_url

SERVER = "WAYMARK_TEST_POSTGRESQL"


@contextmanager
def postgresql_database() -> Iterator[str]:
    """The URL of an empty database; skips the test where no server is given."""
    server = os.environ.get(SERVER)
    if server is None:
        pytest.skip(f"{SERVER} names no PostgreSQL server")
    name = f"waymark_{secrets.token_hex(6)}"
    engine = create_engine(database_url(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield database_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()
