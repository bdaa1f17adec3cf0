"""Opening, reading, writing, retrying; troubles of the disk come out as clear errors."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ledger.base import Ledger
from ledger.chain import DeploymentRow
from ledger.errors import LedgerBusy, LedgerError, LedgerFull, LedgerNotUpgraded, LedgerReadOnly, LedgerUnreachable
from ledger.people import AddressRow, ParticipantRow
from ledger.upgrading import upgrade


@pytest.fixture
def sqlite_ledger(sqlite_url: str) -> Iterator[Ledger]:
    opened = Ledger(sqlite_url)
    yield opened
    opened.close()


def participant(name: str) -> ParticipantRow:
    return ParticipantRow(address=name, created_ns=1)


def names(ledger: Ledger) -> list[str]:
    with ledger.read() as session:
        return list(session.scalars(select(ParticipantRow.address).order_by(ParticipantRow.address)))


def test_write__ends_well__is_kept(ledger: Ledger) -> None:
    with ledger.write() as session:
        session.add(participant("a"))
    assert names(ledger) == ["a"]


def test_write__raises__keeps_nothing(ledger: Ledger) -> None:
    def fail(session: Session) -> None:
        session.add(participant("a"))
        session.flush()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        ledger.transact(fail)
    assert names(ledger) == []


def test_write__foreign_key_broken__is_refused(ledger: Ledger) -> None:
    with pytest.raises(IntegrityError), ledger.write() as session:
        session.add(AddressRow(address="a", participant="nobody", proved_ns=1, proof="", linked_ns=1))


def test_read__tries_to_write__is_refused(ledger: Ledger) -> None:
    statement = insert(ParticipantRow).values(address="a", created_ns=1)
    with pytest.raises(LedgerReadOnly), ledger.read() as session:
        session.execute(statement)


def test_read__while_another_writes__sees_one_state(ledger: Ledger) -> None:
    with ledger.read() as session:
        before = list(session.scalars(select(ParticipantRow.address)))
        with ledger.write() as other:
            other.add(participant("a"))
        assert list(session.scalars(select(ParticipantRow.address))) == before == []
    assert names(ledger) == ["a"]


@pytest.mark.parametrize(("durable", "level"), [(False, 1), (True, 2)], ids=["normal", "durable"])
def test_write__durable__sets_synchronous_full(sqlite_ledger: Ledger, durable: bool, level: int) -> None:
    with sqlite_ledger.write(durable=durable) as session:
        assert session.scalar(text("PRAGMA synchronous")) == level
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"


def test_transact__many_writers__lose_no_step(ledger: Ledger) -> None:
    with ledger.write() as session:
        session.add(participant("a"))

    def step(session: Session) -> None:
        row = session.get_one(ParticipantRow, "a")
        row.created_ns += 1

    threads = [threading.Thread(target=lambda: [ledger.transact(step) for _ in range(10)]) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with ledger.read() as session:
        assert session.get_one(ParticipantRow, "a").created_ns == 61


def test_transact__busy_twice__runs_the_whole_work_again(ledger: Ledger) -> None:
    tries = []

    def work(session: Session) -> str:
        session.add(participant("a"))
        session.flush()
        tries.append(1)
        if len(tries) < 3:
            raise LedgerBusy
        return "done"

    assert ledger.transact(work) == "done"
    assert names(ledger) == ["a"]


def test_write__disk_is_full__says_so_and_keeps_what_was_there(sqlite_ledger: Ledger) -> None:
    with sqlite_ledger.write() as session:
        session.add(participant("a"))
    with sqlite_ledger.write() as session:
        pages = session.scalar(text("PRAGMA page_count"))

    def grow(session: Session) -> None:
        session.execute(text(f"PRAGMA max_page_count={pages}"))
        session.add_all(participant("x" * 500 + str(number)) for number in range(2000))

    with pytest.raises(LedgerFull, match="disk of the database is full"):
        sqlite_ledger.transact(grow)
    assert names(sqlite_ledger) == ["a"]


def test_write__another_holds_the_database__is_busy(tmp_path: Path, sqlite_url: str) -> None:
    other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    busy = Ledger(sqlite_url)
    event.listen(busy._writer, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=20"))
    with pytest.raises(LedgerBusy), busy.write():
        pass
    other.execute("ROLLBACK")
    other.close()
    with busy.write() as session:
        session.add(participant("a"))
    busy.close()


@pytest.mark.parametrize(
    "bad", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "nonsense", "oracle://"], ids=lambda text: text
)
def test_ledger__url_of_another_kind__is_refused(bad: str) -> None:
    with pytest.raises(LedgerError):
        Ledger(bad)


def test_ledger__no_such_folder__is_unreachable(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/nowhere/ledger.db")
    with pytest.raises(LedgerUnreachable, match="WAYMARK_DATABASE_URL"), ledger.read():
        pass
    with pytest.raises(LedgerUnreachable):
        upgrade(f"sqlite:///{tmp_path}/nowhere/ledger.db")


def test_ledger__not_upgraded__says_how(tmp_path: Path) -> None:
    ledger = Ledger(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(LedgerNotUpgraded, match="db upgrade"), ledger.read() as session:
        session.scalars(select(ParticipantRow)).all()
    ledger.close()


@pytest.mark.parametrize("dseq", [0, 1, 2**63 - 1, 2**63, 2**64 - 1])
def test_dseq__any_uint64__comes_back_as_it_was(ledger: Ledger, dseq: int) -> None:
    with ledger.write() as session:
        session.add(
            DeploymentRow(
                chain_id="c", owner="o", dseq=dseq, state="active", hash="", created_at=1, closed_at=None,
                gpu_units=0, gpu_models=[], read_height=1,
            )
        )  # fmt: skip
    with ledger.read() as session:
        assert session.scalars(select(DeploymentRow).where(DeploymentRow.dseq == dseq)).one().dseq == dseq
