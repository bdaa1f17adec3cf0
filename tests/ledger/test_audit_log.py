"""The log of who did what: each entry follows the one before, and every tampering is named."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, text, update

from ledger.audit import FIRST_HASH, AuditRow, append_act, check_log, hash_of, head_hash
from ledger.base import Ledger
from tasks.moment import Moment


def filled(ledger: Ledger, count: int = 5) -> list[str]:
    """The hashes of `count` acts."""
    made = []
    for number in range(count):
        detail = {"number": number, "words": "ä – 不\n"}
        with ledger.write() as session:
            made.append(append_act(session, Moment(number), f"akash1{number}", "claim.accept", "c1", detail).hash)
    return made


def test_append__acts__follow_each_other(ledger: Ledger) -> None:
    hashes = filled(ledger)
    with ledger.read() as session:
        rows = session.query(AuditRow).order_by(AuditRow.id).all()
        assert [row.previous_hash for row in rows] == [FIRST_HASH, *hashes[:-1]]
        assert head_hash(session) == hashes[-1]
        assert check_log(session, hashes[-1]) == []
        assert check_log(session, hashes[1]) == []


def test_check__empty_log__is_whole(ledger: Ledger) -> None:
    with ledger.read() as session:
        assert check_log(session) == []
        assert head_hash(session) == FIRST_HASH


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        (update(AuditRow).where(AuditRow.id == 3).values(actor="akash1other"), [3]),
        (update(AuditRow).where(AuditRow.id == 3).values(at_ns=99), [3]),
        (update(AuditRow).where(AuditRow.id == 3).values(act="claim.reject"), [3]),
        (update(AuditRow).where(AuditRow.id == 3).values(subject="c2"), [3]),
        (update(AuditRow).where(AuditRow.id == 3).values(detail={"number": 7}), [3]),
        (update(AuditRow).where(AuditRow.id == 3).values(hash="f" * 64), [3, 4]),
        (delete(AuditRow).where(AuditRow.id == 3), [4]),
        (delete(AuditRow).where(AuditRow.id == 1), [2]),
        (delete(AuditRow).where(AuditRow.id == 5), [None]),
        (text("UPDATE audit_log SET id = CASE id WHEN 3 THEN 100 ELSE 3 END WHERE id IN (3)"), [4, 100]),
    ],
    ids=["actor", "time", "act", "subject", "detail", "hash", "one out", "first out", "last out", "moved"],
)
def test_check__one_row_tampered_with__names_it(ledger: Ledger, statement: object, broken: list[int | None]) -> None:
    head = filled(ledger)[-1]
    with ledger.write() as session:
        session.execute(statement)  # type: ignore[call-overload]
    with ledger.read() as session:
        found = check_log(session, head)
    assert {each.id for each in found} == set(broken)


def test_check__row_rewritten_with_a_fitting_hash__breaks_at_the_next(ledger: Ledger) -> None:
    head = filled(ledger)[-1]
    with ledger.write() as session:
        row = session.get_one(AuditRow, 3)
        row.actor = "akash1other"
        row.hash = hash_of(row)
    with ledger.read() as session:
        assert [each.id for each in check_log(session, head)] == [4]
