"""Grants that one organizer proposes and another agrees to."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.audit import AuditRow, check_log
from ledger.people import AddressRow
from ledger.reviews import ReviewerRow
from services.errors import Conflict, NotAllowed, NotFound, Refused, UseCaseError
from services.grant_proposals import AGREED, REFUSED, Proposed, decide, one, proposals, propose, propose_to_take_back
from services.grants import all_grants
from services.house import House
from services.payouts import owed
from tests.endings import ANN, BOB, CID, DOT, claimed, make_house

FIRST, SECOND = f"akash1{'l' * 38}", f"akash1{'m' * 38}"
WHY = "The faucet was empty for a day."


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def proposed(house: House, amount: int = 10_000_000, claim: str | None = None) -> int:
    return propose(house, FIRST, Proposed(ANN, amount, WHY, claim)).row.id


def test_propose__another_agrees__the_grant_has_both_names(house: House) -> None:
    claim = claimed(house, ANN, "video", 1, "failed")
    number = proposed(house, claim=claim)
    assert all_grants(house).given == []
    decided = decide(house, SECOND, number, AGREED)
    assert (decided.outcome, decided.ruling and decided.ruling.key) == ("agreed", f"grant/1/{ANN}")
    found = all_grants(house)
    assert (found.budget_micro, found.left_micro) == (50_000_000, 40_000_000)
    row = found.given[0].row
    assert (row.claim, row.task, row.working["reason"]) == (claim, "video", WHY)
    with house.ledger.read() as session:
        ids = {each.person: each.name for each in session.scalars(select(ReviewerRow))}
    assert row.working["names"] == [ids[FIRST], ids[SECOND]]
    assert FIRST not in str(row.working)
    assert [(each.amount_micro, each.state) for each in owed(house)] == [(10_000_000, "payable")]
    with house.ledger.read() as session:
        acts = list(session.scalars(select(AuditRow.act).order_by(AuditRow.id)))
        assert acts[-3:] == ["grant.propose", "grant.agreed", "grant"]
        assert check_log(session) == []


def test_take_back__proposed_and_agreed__a_new_line_undoes_it(house: House) -> None:
    decide(house, SECOND, proposed(house), AGREED)
    key = f"grant/1/{ANN}"
    number = propose_to_take_back(house, SECOND, key, "It was for somebody else.").row.id
    assert all_grants(house).left_micro == 40_000_000
    decide(house, FIRST, number, AGREED)
    found = all_grants(house)
    assert found.left_micro == 50_000_000
    assert found.given[0].undone is not None
    with pytest.raises(Conflict, match="already"):
        propose_to_take_back(house, SECOND, key, "Once more, please.")
    assert owed(house) == []


@pytest.mark.parametrize(
    ("actor", "outcome", "reason", "error"),
    [
        (FIRST, AGREED, "", NotAllowed),
        (ANN, AGREED, "", NotAllowed),
        (SECOND, REFUSED, "no", Refused),
        (SECOND, "perhaps", WHY, Refused),
    ],
    ids=["the one who proposed", "the one it is for", "no reason", "no such outcome"],
)
def test_decide__not_by_another_or_not_whole__is_refused_and_open(
    house: House, actor: str, outcome: str, reason: str, error: type[UseCaseError]
) -> None:
    number = proposed(house)
    with pytest.raises(error):
        decide(house, actor, number, outcome, reason)
    assert one(house, number).outcome == "open"
    assert all_grants(house).given == []


def test_decide__another_address_of_the_one_who_proposed__is_refused(house: House) -> None:
    with house.ledger.write() as session:
        for address in (FIRST, SECOND):
            session.add(AddressRow(address=address, participant=DOT, proved_ns=1, proof="text", linked_ns=1))
    with pytest.raises(NotAllowed):
        decide(house, SECOND, proposed(house), AGREED)


@pytest.mark.parametrize(("actor", "outcome"), [(FIRST, "withdrawn"), (SECOND, "refused")])
def test_decide__no__is_withdrawn_by_oneself_refused_by_others_and_once(
    house: House, actor: str, outcome: str
) -> None:
    number = proposed(house)
    assert decide(house, actor, number, REFUSED, "It is not our fault.").outcome == outcome
    with pytest.raises(Conflict, match="decided already"):
        decide(house, SECOND, number, AGREED)
    assert all_grants(house).given == []


def test_propose__wrong__is_refused_with_its_field(house: House) -> None:
    other = claimed(house, BOB, "video", 1)
    for given, field in (
        (Proposed(ANN, 0, WHY), "amount"),
        (Proposed(ANN, 51_000_000, WHY), "amount"),
        (Proposed(ANN, 1, "no"), "reason"),
        (Proposed(ANN, 1, WHY, other), "claim"),
    ):
        with pytest.raises((Refused, Conflict)) as refusal:
            propose(house, FIRST, given)
        assert refusal.value.field == field
    with pytest.raises(NotFound):
        propose(house, FIRST, Proposed(FIRST, 1, WHY))
    with pytest.raises(NotAllowed):
        propose(house, ANN, Proposed(ANN, 1, WHY))
    with pytest.raises(NotFound):
        decide(house, SECOND, 7, AGREED)
    assert proposals(house) == []


def test_propose__twice__waits_once(house: House) -> None:
    proposed(house)
    with pytest.raises(Conflict, match="already"):
        proposed(house)
    assert len(proposals(house)) == 1


def test_decide__the_budget_was_spent_in_between__is_refused_and_stays_open(house: House) -> None:
    small = proposed(house, 30_000_000)
    large = propose(house, FIRST, Proposed(CID, 40_000_000, WHY)).row.id
    decide(house, SECOND, large, AGREED)
    with pytest.raises(Conflict, match="10 USD are left"):
        decide(house, SECOND, small, AGREED)
    assert one(house, small).outcome == "open"
