"""Migrations go up and down, match the tables in code, run twice without harm and know nothing of the code."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect

from ledger import upgrading
from ledger.base import Ledger
from ledger.people import ParticipantRow


def tables(url: str) -> set[str]:
    engine = create_engine(url)
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names - {"alembic_version"}


def test_upgrade__empty_database__has_every_table_and_no_drift(url: str) -> None:
    assert tables(url) == set(upgrading.metadata().tables)
    assert upgrading.drift(url) == []
    assert upgrading.current_revision(url) == upgrading.newest_revision()


def test_downgrade__to_base__leaves_nothing_and_up_again_works(url: str) -> None:
    upgrading.downgrade(url)
    assert tables(url) == set()
    assert upgrading.current_revision(url) is None
    upgrading.upgrade(url)
    assert upgrading.drift(url) == []


def test_upgrade__again__keeps_what_is_there(url: str, ledger: Ledger) -> None:
    with ledger.write() as session:
        session.add(ParticipantRow(address="a", created_ns=1))
    upgrading.upgrade(url)
    with ledger.read() as session:
        assert session.get(ParticipantRow, "a") is not None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_upgrade__three_processes_at_once__all_end_well(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path}/raced.db"
    if kind == "postgresql":
        url = request.getfixturevalue("empty_postgresql_url")
    program = "import sys; from ledger.upgrading import upgrade; upgrade(sys.argv[1])"
    started = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(3)]
    assert [one.wait(60) for one in started] == [0, 0, 0]
    assert upgrading.drift(url) == []


def test_migrations__every_file__imports_only_alembic_and_sqlalchemy() -> None:
    files = sorted(upgrading.MIGRATIONS.rglob("*.py"))
    assert files
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                assert name is not None
                assert name.split(".")[0] in {"__future__", "alembic", "sqlalchemy", "collections"}, file
