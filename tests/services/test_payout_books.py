"""The books balance through the life of payouts, and say where they don't; what is owed at each step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update

from ledger.awards import AwardLineRow
from ledger.payouts import PayoutBatchRow, PayoutRecipientRow, PayoutRow
from services.eligibility import Entered, set_eligibility
from services.errors import Conflict, NotFound
from services.house import House
from services.payout_books import balance
from services.payout_export import export
from services.payout_moves import free_lines, move
from services.payout_planning import discard, plan_again
from services.payout_records import batch, payments, payout
from services.payouts import owed
from tasks.payout.double_entry import Book, PayoutBook
from tasks.payout.lifecycle import Act
from tests.payout_houses import FACTS, approved, drafted, earn, make_house, register
from tests.payout_lines import person

UNIT = 1_000_000


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def on_the_way(house: House, number: int = 1) -> None:
    approved(house, payout(house, number))
    export(house, "operator", number, FACTS)


def moved(house: House, name: str, act: Act) -> None:
    found = batch(house, name).id
    house.ledger.transact(lambda session: move(session, house.clock.now(), found, act, "reconcile"))


def book(house: House, **parts: int) -> bool:
    found = balance(house)
    assert found.is_balanced, found.troubles
    total = found.total
    wanted = dict.fromkeys(("paid", "open", "withheld", "overpaid"), 0) | parts
    return {name: getattr(total, name) // UNIT for name in wanted} == wanted


def paid(house: House) -> None:
    drafted(house)
    on_the_way(house)
    moved(house, "p1-0001", Act.FIND_PAID)


def test_balance__at_every_step__balances_and_names_where_the_money_is(house: House) -> None:
    assert book(house, open=60)
    drafted(house)
    assert book(house, open=60)
    assert balance(house).payouts == {1: PayoutBook(120 * UNIT, 0, 120 * UNIT, 0)}
    on_the_way(house)
    assert book(house, open=60)
    moved(house, "p1-0001", Act.FIND_PAID)
    assert book(house, paid=60)
    assert balance(house).payouts == {1: PayoutBook(120 * UNIT, 120 * UNIT, 0, 0)}
    assert owed(house) == []


def test_balance__corrected_after_payment__overpaid_then_set_off_by_the_next_payout(house: House) -> None:
    paid(house)
    earn(house, [(0, -4)])
    assert book(house, paid=60, overpaid=4)
    assert balance(house).books[person(0)] == Book(6 * UNIT, 10 * UNIT, 0, 0, 4 * UNIT)
    with pytest.raises(Conflict, match="set off against what was overpaid"):
        drafted(house)
    earn(house, [(0, 9)])
    view = drafted(house)
    assert (view.total_micro, book(house, paid=60, open=5)) == (5 * UNIT, True)
    on_the_way(house, 2)
    moved(house, "p2-0001", Act.FIND_PAID)
    assert book(house, paid=65)


def test_balance__withheld__beside_what_is_open(house: House) -> None:
    register(house, [3])
    earn(house, [(3, 7)])
    set_eligibility(house, "organizer", Entered(person(3), "withheld", "asks for papers"))
    drafted(house)
    assert book(house, open=60, withheld=7)


def test_balance__discarded_and_dead_and_planned_again__nothing_lost(house: House) -> None:
    drafted(house)
    discard(house, "operator", 1)
    drafted(house)
    on_the_way(house, 2)
    moved(house, "p2-0001", Act.FIND_DEAD)
    assert book(house, open=60)
    assert balance(house).payouts[2] == PayoutBook(120 * UNIT, 0, 0, 120 * UNIT)
    plan_again(house, "operator", 2)
    assert balance(house).payouts[2] == PayoutBook(120 * UNIT, 0, 120 * UNIT, 0)
    on_the_way(house, 2)
    moved(house, "p2-0001.2", Act.FIND_PAID)
    assert book(house, paid=60)
    assert balance(house).payouts == {
        1: PayoutBook(120 * UNIT, 0, 0, 120 * UNIT),
        2: PayoutBook(120 * UNIT, 120 * UNIT, 0, 0),
    }


def test_balance__partly_paid__the_rest_is_owed_again(house: House) -> None:
    drafted(house)
    on_the_way(house)
    moved(house, "p1-0001", Act.FIND_QUESTION)
    assert book(house, open=60)

    def said(session: Any) -> None:
        found = payout(house, 1).batches[0].id
        move(session, house.clock.now(), found, Act.SAY_PARTLY, "treasurer")
        unpaid = [row.place for row in session.query(PayoutRecipientRow) if row.participant != person(1)]
        assert free_lines(session, found, house.clock.now(), unpaid) == 2

    house.ledger.transact(said)
    assert book(house, paid=20, open=40)
    assert balance(house).payouts == {1: PayoutBook(120 * UNIT, 40 * UNIT, 0, 80 * UNIT)}
    assert drafted(house).total_micro == 40 * UNIT


def test_payments__held_lines__say_how_far_they_are(house: House) -> None:
    with house.ledger.read() as session:
        assert payments(session, [1, 2, 3]) == {}
    paid(house)
    with house.ledger.read() as session:
        found = payments(session, [1, 2, 3])
    assert {(each.payout, each.batch, each.is_paid) for each in found.values()} == {(1, "p1-0001", True)}


def other_amount(session: Any) -> None:
    session.execute(update(AwardLineRow).where(AwardLineRow.id == 1).values(amount_micro=11 * UNIT))


def other_row(session: Any) -> None:
    session.execute(update(PayoutRecipientRow).where(PayoutRecipientRow.place == 0).values(amount_uakt=1))


def other_rate(session: Any) -> None:
    session.execute(update(PayoutRow).values(rate="0.25"))


def other_payer(session: Any) -> None:
    session.execute(update(PayoutRow).values(payer=person(9)))


def other_hash(session: Any) -> None:
    session.execute(update(PayoutBatchRow).values(rows_hash="0" * 64))


def no_row(session: Any) -> None:
    session.execute(delete(PayoutRecipientRow).where(PayoutRecipientRow.place == 2))


@pytest.mark.parametrize("change", [other_amount, other_row, other_rate, other_payer, other_hash, no_row])
def test_balance__tables_altered__named_as_trouble(house: House, change: Callable[[Any], None]) -> None:
    paid(house)
    with house.ledger.write() as session:
        change(session)
    found = balance(house)
    assert not found.is_balanced
    assert found.document()["balanced"] is False


def test_owed__in_a_payout__named_with_its_state(house: House) -> None:
    drafted(house)
    rows = {row.address: (row.amount_micro, row.state, row.reason) for row in owed(house)}
    assert rows[person(0)] == (10 * UNIT, "in payout", "payout 1: planned")
    moved(house, "p1-0001", Act.APPROVE)
    assert {row.reason for row in owed(house)} == {"payout 1: approved"}


@pytest.mark.parametrize("act", [Act.FIND_PAID, Act.FIND_DEAD, Act.STORE_SIGNED, Act.SAY_PAID, Act.EXPORT])
def test_move__not_allowed_in_this_state__conflict_and_nothing_changes(house: House, act: Act) -> None:
    drafted(house)
    with pytest.raises(Conflict, match="can't be asked"):
        moved(house, "p1-0001", act)
    assert str(payout(house, 1).state) == "planned"
    with pytest.raises(NotFound):
        house.ledger.transact(lambda session: move(session, house.clock.now(), 99, act, "reconcile"))
