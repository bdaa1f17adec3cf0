"""A fresh ledger for each test: an SQLite file, and a PostgreSQL database where a server is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.base import Ledger
from ledger.upgrading import upgrade
from tests.databases import postgresql_database


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    made = f"sqlite:///{tmp_path}/ledger.db"
    upgrade(made)
    return made


@pytest.fixture
def empty_postgresql_url() -> Iterator[str]:
    with postgresql_database() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    made = str(request.getfixturevalue("empty_postgresql_url"))
    upgrade(made)
    return made


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    opened = Ledger(url)
    yield opened
    opened.close()
