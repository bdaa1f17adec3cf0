"""Four eyes on a plan: who may sign as what, by which proof, once; nothing else makes a plan approved."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from ledger.audit import AuditRow
from ledger.people import AddressRow, ParticipantRow
from services.eligibility import Entered, set_eligibility
from services.errors import Conflict, NotAllowed, Refused, SignInRefused, UseCaseError
from services.house import House
from services.payout_planning import discard
from services.payout_records import payout
from services.payout_signing import make_challenge, sign, sign_by_file, to_sign
from services.proofs import CommandLineProof
from services.roles import add_role
from tasks.payout.sealing import Part
from tests.houses import later
from tests.payout_houses import (
    APPROVER,
    STRANGER,
    THIRD,
    TREASURER,
    approved,
    drafted,
    earn,
    make_house,
    proof,
    state,
)
from tests.payout_lines import person
from tests.services_signing import BROWSER, wallet_proof
from tests.wallets import Keyholder

PLANNER, APPROVING = Part.PLANNER, Part.APPROVER


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = make_house(tmp_path)
    drafted(made)
    return made


def signs(house: House, part: Part, holder: Keyholder) -> str:
    return str(sign_by_file(house, 1, proof(payout(house, 1), part, holder)).state)


def signs_on_page(house: House, part: Part, holder: Keyholder) -> str:
    challenge = make_challenge(house, holder.address, 1, part, BROWSER)
    shown = wallet_proof(holder, challenge.text)
    return str(sign(house, holder.address, 1, part, challenge.challenge_id, shown, BROWSER).state)


@pytest.mark.parametrize("way", [signs, signs_on_page])
def test_sign__planner_then_another__approved(house: House, way: Callable[[House, Part, Keyholder], str]) -> None:
    assert way(house, PLANNER, TREASURER) == "planned"
    assert way(house, APPROVING, APPROVER) == "approved"
    view = payout(house, 1)
    assert [(each.address, str(each.part)) for each in view.approvals] == [
        (TREASURER.address, "planner"),
        (APPROVER.address, "approver"),
    ]
    with house.ledger.read() as session:
        log = session.execute(select(AuditRow.act, AuditRow.actor, AuditRow.detail).order_by(AuditRow.id)).all()
    assert [(act, actor) for act, actor, _ in log[-2:]] == [
        ("payout.sign_plan", TREASURER.address),
        ("payout.approve", APPROVER.address),
    ]
    assert log[-1].detail["digest"] == view.digest


def link(house: House, *addresses: str) -> None:
    """All are addresses of one participant, the first registered."""
    with house.ledger.write() as session:
        session.add(ParticipantRow(address=addresses[0], created_ns=1))
        session.flush()
        for each in addresses:
            session.add(AddressRow(address=each, participant=addresses[0], proved_ns=1, proof="wallet", linked_ns=1))


def linked_approver(house: House) -> None:
    link(house, TREASURER.address, APPROVER.address)
    signs(house, PLANNER, TREASURER)


def linked_afterwards(house: House) -> None:
    signs(house, PLANNER, TREASURER)
    link(house, APPROVER.address, TREASURER.address)


def both_roles(house: House) -> None:
    add_role(house, TREASURER.address, "approver")
    signs(house, PLANNER, TREASURER)


def approved_once(house: House) -> None:
    signs(house, PLANNER, TREASURER)


@pytest.mark.parametrize(
    ("before", "part", "holder", "error", "text"),
    [
        pytest.param(None, PLANNER, STRANGER, NotAllowed, "no role treasurer", id="stranger plans"),
        pytest.param(None, PLANNER, APPROVER, NotAllowed, "no role treasurer", id="approver plans"),
        pytest.param(None, APPROVING, APPROVER, Conflict, "planner of payout 1 signs it first", id="no planner yet"),
        pytest.param(approved_once, APPROVING, STRANGER, NotAllowed, "no role approver", id="stranger approves"),
        pytest.param(approved_once, APPROVING, TREASURER, NotAllowed, "no role approver", id="treasurer approves"),
        pytest.param(approved_once, PLANNER, TREASURER, Conflict, "signed by its planner already", id="plans twice"),
        pytest.param(both_roles, APPROVING, TREASURER, NotAllowed, "can't approve it", id="one person, both roles"),
        pytest.param(linked_approver, APPROVING, APPROVER, NotAllowed, "can't approve it", id="linked address"),
        pytest.param(linked_afterwards, APPROVING, APPROVER, NotAllowed, "can't approve it", id="linked afterwards"),
    ],
)
@pytest.mark.parametrize("way", [signs, signs_on_page])
def test_sign__whoever_may_not__refused_and_nothing_kept(
    house: House,
    way: Callable[[House, Part, Keyholder], str],
    before: Callable[[House], None] | None,
    part: Part,
    holder: Keyholder,
    error: type[UseCaseError],
    text: str,
) -> None:
    if before is not None:
        before(house)
    kept = payout(house, 1).approvals
    with pytest.raises(error, match=text):
        way(house, part, holder)
    assert payout(house, 1).approvals == kept
    assert state(house) == "planned"


def test_sign__above_the_amount__two_others_who_are_two_people(tmp_path: Path) -> None:
    house = make_house(tmp_path, payout_third_above_uakt=119_999_999)
    view = drafted(house)
    assert (view.total_uakt, view.needed) == (120_000_000, 2)
    signs(house, PLANNER, TREASURER)
    assert signs(house, APPROVING, APPROVER) == "planned"
    with pytest.raises(NotAllowed, match="approved this payout already"):
        signs(house, APPROVING, APPROVER)
    assert signs(house, APPROVING, THIRD) == "approved"


def test_sign__third_is_the_approvers_other_address__refused(tmp_path: Path) -> None:
    house = make_house(tmp_path, payout_third_above_uakt=1)
    drafted(house)
    link(house, APPROVER.address, THIRD.address)
    signs(house, PLANNER, TREASURER)
    signs(house, APPROVING, APPROVER)
    with pytest.raises(NotAllowed, match="approved this payout already"):
        signs(house, APPROVING, THIRD)


def test_sign__at_the_amount_exactly__one_other_is_enough(tmp_path: Path) -> None:
    house = make_house(tmp_path, payout_third_above_uakt=120_000_000)
    assert drafted(house).needed == 1


def altered(signed: dict[str, object], **body: object) -> dict[str, object]:
    copy: dict[str, object] = json.loads(json.dumps(signed))
    copy["body"] |= body  # type: ignore[operator]
    return copy


def of_another_payout(house: House) -> object:
    earn(house, [(0, 1)])
    return proof(drafted(house), PLANNER, TREASURER)


def by_another_key(house: House) -> object:
    theirs, mine = (proof(payout(house, 1), PLANNER, holder) for holder in (STRANGER, TREASURER))
    return mine | {"signatures": theirs["signatures"]}


def of_an_earlier_digest(house: House) -> object:
    view = payout(house, 1)
    return proof(replace(view, digest="0" * 64), PLANNER, TREASURER)


def not_signed(house: House) -> object:
    return to_sign(payout(house, 1), PLANNER, TREASURER.address).unsigned_tx


@pytest.mark.parametrize(
    "make", [of_another_payout, by_another_key, of_an_earlier_digest, not_signed, lambda _: "{", lambda _: "[]",
             lambda _: '{"body": {"messages": []}}', lambda _: "{" * 70_000]
)  # fmt: skip
def test_sign_by_file__no_signature_over_this_plan__refused(house: House, make: Callable[[House], object]) -> None:
    with pytest.raises(Refused) as refused:
        sign_by_file(house, 1, make(house))  # type: ignore[arg-type]
    assert refused.value.field == "proof"
    assert payout(house, 1).approvals == ()


def test_sign_by_file__planners_file_as_approval__is_the_planners(house: House) -> None:
    add_role(house, APPROVER.address, "treasurer")
    signs(house, PLANNER, TREASURER)
    with pytest.raises(Conflict, match="signed by its planner already"):
        sign_by_file(house, 1, proof(payout(house, 1), PLANNER, APPROVER))


def test_sign__challenge_for_another_part_or_used_or_late__refused(house: House) -> None:
    signs(house, PLANNER, TREASURER)
    add_role(house, APPROVER.address, "treasurer")
    challenge = make_challenge(house, APPROVER.address, 1, APPROVING, BROWSER)
    shown = wallet_proof(APPROVER, challenge.text)
    for part, browser, at in ((PLANNER, BROWSER, 0), (APPROVING, "another browser", 0), (APPROVING, BROWSER, 400)):
        with pytest.raises(SignInRefused):
            sign(later(house, at), APPROVER.address, 1, part, challenge.challenge_id, shown, browser)
    sign(house, APPROVER.address, 1, APPROVING, challenge.challenge_id, shown, BROWSER)
    with pytest.raises(SignInRefused):
        sign(house, APPROVER.address, 1, APPROVING, challenge.challenge_id, shown, BROWSER)


def test_sign__challenge_of_another_payout__refused(house: House) -> None:
    earn(house, [(0, 1)])
    drafted(house)
    challenge = make_challenge(house, TREASURER.address, 2, PLANNER, BROWSER)
    shown = wallet_proof(TREASURER, challenge.text)
    with pytest.raises(SignInRefused):
        sign(house, TREASURER.address, 1, PLANNER, challenge.challenge_id, shown, BROWSER)


def test_sign__challenge_answered_with_the_file_of_the_command_line__refused(house: House) -> None:
    challenge = make_challenge(house, TREASURER.address, 1, PLANNER, BROWSER)
    view = payout(house, 1)
    assert challenge.memo.startswith(f"waymark-payout plan ending-test/1 {view.digest} ")
    assert view.digest in challenge.text
    bare = CommandLineProof(proof(view, PLANNER, TREASURER))
    with pytest.raises(SignInRefused):
        sign(house, TREASURER.address, 1, PLANNER, challenge.challenge_id, bare, BROWSER)


@pytest.mark.parametrize("change", ["withheld", "corrected"])
def test_sign__owed_changed_since_the_plan__refused_until_planned_anew(house: House, change: str) -> None:
    signs(house, PLANNER, TREASURER)
    if change == "withheld":
        set_eligibility(house, "organizer", Entered(person(0), "withheld", "asks for papers"))
    else:
        earn(house, [(0, -3)])
    with pytest.raises(Conflict, match="plan anew"):
        signs(house, APPROVING, APPROVER)
    discard(house, "operator", 1)
    drafted(house)
    view = approved(house, payout(house, 2))
    assert (str(view.state), view.total_micro) == ("approved", 50_000_000 if change == "withheld" else 57_000_000)


def test_sign__discarded__refused(house: House) -> None:
    made = proof(payout(house, 1), PLANNER, TREASURER)
    discard(house, "operator", 1)
    with pytest.raises(Conflict, match="waits for no signature"):
        sign_by_file(house, 1, made)
