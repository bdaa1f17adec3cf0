"""Where each award line's payment is, and what everybody may read of a payout at each step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from services.errors import NotFound
from services.house import House
from services.payments import Payment, payments_of
from services.payout_export import export
from services.payout_moves import move
from services.payout_planning import discard, plan_again
from services.payout_report import report, reports, rows
from tasks.payout.lifecycle import Act
from tests.payout_houses import CAMPAIGN, FACTS, NOW, approved, drafted, earn, make_house
from tests.payout_lines import person
from web.payout_words import public_words

SEEN = {"tx_hash": "A" * 64, "tx_height": 1_200, "tx_time_ns": NOW, "found": "included", "found_detail": ""}


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = make_house(tmp_path)
    earn(made, [(0, 5)])
    return made


def payments(house: House, *numbers: int) -> dict[int, Payment]:
    with house.ledger.read() as session:
        return payments_of(session, CAMPAIGN, [person(number) for number in numbers])


def found(house: House, act: Act, **values: object) -> None:
    """What a look at the chain would write."""
    house.ledger.transact(lambda session: move(session, NOW, 1, act, "tests", values=values))


def drafts(house: House) -> None:
    drafted(house)


def approves(house: House) -> None:
    approved(house, drafted(house))


def exports(house: House) -> None:
    approves(house)
    export(house, "treasurer", 1, FACTS)


def asks(house: House) -> None:
    exports(house)
    found(house, Act.FIND_QUESTION, **SEEN | {"found": "looks paid without its memo"})


def pays(house: House) -> None:
    exports(house)
    found(house, Act.FIND_PAID, **SEEN)


def dies(house: House) -> None:
    exports(house)
    found(house, Act.FIND_DEAD, found="expired", found_detail="", is_over=True)


def dies_and_is_planned_again(house: House) -> None:
    dies(house)
    plan_again(house, "treasurer", 1)


def gives_up(house: House) -> None:
    approves(house)
    discard(house, "treasurer", 1)


@pytest.mark.parametrize(
    ("happens", "words", "is_public", "tx_hash"),
    [
        (drafts, "planned, waits for approval", False, None),
        (approves, "approved", True, None),
        (exports, "on the way: waits for its signatures", True, None),
        (asks, "the organizers look at its transaction", True, None),
        (pays, "paid", True, "A" * 64),
        (dies, None, True, None),
        (dies_and_is_planned_again, "planned, waits for approval", True, None),
        (gives_up, None, False, None),
    ],
)
def test_payment__at_each_step__is_told_and_its_transaction_only_once_it_paid(
    house: House, happens: Callable[[House], None], words: str | None, is_public: bool, tx_hash: str | None
) -> None:
    happens(house)
    made = payments(house, 0)
    assert {public_words(each.state) for each in made.values()} == ({words} if words else set())
    assert {(each.amount_micro, each.amount_uakt) for each in made.values()} == (
        {(15_000_000, 30_000_000)} if words else set()
    ), "both lines are in the one row"
    assert len(made) == (2 if words else 0)
    assert {each.tx_hash for each in made.values()} == ({tx_hash} if words else set())
    assert [each.number for each in reports(house, 1, 50).items] == ([1] if is_public else [])
    if not is_public:
        with pytest.raises(NotFound):
            report(house, 1)
        return
    summary = report(house, 1).summary
    told = {row.state for row in rows(house, 1).items}
    assert {public_words(state) if state else None for state in told} == {words}
    assert summary.paid_uakt == (130_000_000 if tx_hash else 0)
    assert summary.waiting_uakt == (130_000_000 if words and not tx_hash else 0)


def test_payments__of_others__are_not_among_them(house: House) -> None:
    pays(house)
    assert {each.recipient for each in payments(house, 1).values()} == {person(1)}
    assert payments(house) == {}
    assert payments(house, 9) == {}


def test_rows__paged__are_in_order_and_whole(house: House) -> None:
    exports(house)
    whole = rows(house, 1)
    pages = [rows(house, 1, page, 2) for page in (1, 2)]
    assert [row.place for row in whole.items] == [0, 1, 2]
    assert [row for page in pages for row in page.items] == list(whole.items)
    assert [(page.total, page.pages) for page in pages] == [(3, 2), (3, 2)]
