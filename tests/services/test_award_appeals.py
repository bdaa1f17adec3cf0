"""Appeals that are won: worked in their place before results are final, made up for by a grant after."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from ledger.audit import check_log
from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow
from ledger.payouts import PayoutBatchLineRow, PayoutBatchRow, PayoutRow
from ledger.people import RoleRow
from ledger.reviews import ReviewStepRow
from services import appeals
from services.appeals import AWARD, LOST, RESULT, WON, Ruling
from services.eligibility import Entered, set_eligibility
from services.ending import finalize, publish_results
from services.errors import Conflict, Refused
from services.grants import Grant, grant
from services.house import House
from services.payouts import owed
from services.rewards import compute_awards
from tasks.moment import SECOND, Moment
from tests.endings import (
    ANN,
    BOB,
    CAMPAIGN,
    CID,
    DOT,
    EVE,
    OPENS,
    amounts,
    at,
    claimed,
    decide,
    make_house,
    newest_lines,
)
from verifiers.reviewing import Act, Done

ACTOR = "an organizer"
TEXT = "I was there before all of them, see the block."
PUBLISHED, LATER, OVER, MUCH_LATER = (
    "2026-12-03T00:00:00Z", "2026-12-04T00:00:00Z", "2026-12-05T00:00:00Z", "2026-12-07T00:00:01Z",
)  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = at(make_house(tmp_path), PUBLISHED)
    with house.ledger.write() as session:
        session.add(RoleRow(address=EVE, role="organizer"))
    return house


def judged(house: House, claim: str, seconds: int) -> None:
    """What a look at the claim does after an appeal moved it: a new verdict with the time that the ruling says."""
    with house.ledger.write() as session:
        values = {"at_ns": OPENS + seconds * SECOND, "height": 100 + seconds}
        session.execute(update(ClaimRow).where(ClaimRow.id == claim).values(values))
    decide(house, claim, "passed")


def published(house: House) -> tuple[str, str, str]:
    """Two places of deploy: ANN and BOB have them, CID came third. Provisional."""
    claims = tuple(claimed(house, person, "deploy", 10 + n) for n, person in enumerate((ANN, BOB, CID)))
    publish_results(house, ACTOR, "deploy")
    return claims  # type: ignore[return-value]


def made(house: House, participant: str, claim: str, about: str = AWARD) -> str:
    return appeals.make(house, participant, claim, about, TEXT)[0].row.id


def test_won__about_an_award_before_final__is_worked_in_its_place(house: House) -> None:
    ann, bob, cid = published(house)
    later = at(house, LATER)
    appeal = made(later, CID, cid)
    done = Done(Moment(OPENS + 5 * SECOND), 105, 0)
    decided = appeals.rule(later, EVE, appeal, Ruling(WON, "Right: it was block 105.", (), done))
    assert not appeals.needs_grant(later, decided)
    with house.ledger.read() as session:
        step = session.scalars(select(ReviewStepRow)).one()
        assert (step.act, step.claim, step.observation) == (Act.APPEAL_WON, cid, decided.ruling.observation)  # type: ignore[union-attr]
        assert session.get_one(ClaimRow, cid).due_ns == later.clock.now()
        assert check_log(session) == []
    judged(later, cid, 5)
    compute_awards(later)
    assert [amounts(later)[claim] for claim in (ann, bob, cid)] == [10, 0, 10]
    assert sorted(newest_lines(later, 2)) == sorted(
        [(cid, 10, "awarded", "appeal"), (bob, -10, "slots_full", f"appeal of claim {cid[:12]}")]
    )


def test_won__about_an_award_and_the_time_stays__moves_nothing(house: House) -> None:
    _, _, cid = published(house)
    later, before = at(house, LATER), amounts(house)
    decided = appeals.rule(later, EVE, made(later, CID, cid), Ruling(WON, "A revision gives a third place."))
    assert decided.outcome == WON
    with house.ledger.read() as session:
        assert session.scalars(select(ReviewStepRow)).all() == []
    assert compute_awards(later).lines_added == 0
    assert amounts(later) == before


def test_won__after_final__is_a_grant_and_nobody_loses(house: House) -> None:
    late = claimed(house, DOT, "deploy", 1, "failed")
    published(house)
    later = at(house, OVER)
    finalize(later, ACTOR, "deploy")
    decide(later, late, "passed")
    compute_awards(later)
    before = amounts(later)
    assert before[late] == 0
    appeal = made(later, DOT, late)
    done = Done(Moment(OPENS + SECOND), 101, 0)
    with pytest.raises(Refused, match="final") as refusal:
        appeals.rule(later, EVE, appeal, Ruling(WON, "It was the first of all.", (), done))
    assert refusal.value.field == "done_at"
    decided = appeals.rule(later, EVE, appeal, Ruling(WON, "It was the first of all."))
    assert appeals.needs_grant(later, decided)
    key = grant(later, Grant(DOT, 10_000_000, "appeal won", ("one", "two"), late)).key
    compute_awards(later)
    assert amounts(later) == before | {key: 10}
    assert newest_lines(later, 1) == [(key, 10, "grant", "grant")]
    assert [row.state for row in owed(later) if row.address == DOT] == ["payable"]


def test_make__decided_after_the_publication__is_taken_for_as_long_from_then(house: House) -> None:
    held = claimed(house, DOT, "deploy", 1, "pending", holds=True)
    before = claimed(house, CID, "deploy", 2, "failed")
    publish_results(house, ACTOR, "deploy", {held: "its node is away"})
    over = at(house, OVER)
    finalize(over, ACTOR, "deploy")
    decide(over, held, "failed")
    with pytest.raises(Conflict, match="final"):
        made(over, CID, before, RESULT)
    assert appeals.windows(over, before)[RESULT].is_open is False
    assert appeals.windows(over, held)[RESULT].until == at(house, "2026-12-07T00:00:00Z").clock.now()
    with pytest.raises(Conflict, match="final"):
        made(at(house, MUCH_LATER), DOT, held, RESULT)
    decided = appeals.rule(over, EVE, made(over, DOT, held, RESULT), Ruling(WON, "The node was there."))
    assert not appeals.needs_grant(over, decided)
    decide(over, held, "passed")
    compute_awards(over)
    assert amounts(over)[held] == 10


def test_won__the_final_award_had_fallen__it_comes_back_by_the_result(house: House) -> None:
    ann, bob, _ = published(house)
    over = at(house, OVER)
    finalize(over, ACTOR, "deploy")
    before = amounts(over)
    decide(over, ann, "failed")
    compute_awards(over)
    assert newest_lines(over, 1) == [(ann, -10, "withdrawn", "new verdict")]
    decided = appeals.rule(over, EVE, made(over, ANN, ann, RESULT), Ruling(WON, "It was up, we misread it."))
    assert not appeals.needs_grant(over, decided)
    decide(over, ann, "passed")
    compute_awards(over)
    assert newest_lines(over, 1) == [(ann, 10, "awarded", "appeal")]
    assert amounts(over) == before
    assert amounts(over)[bob] == 10


def test_needs_grant__failed_when_final__only_a_grant_helps(house: House) -> None:
    late = claimed(house, DOT, "deploy", 1, "failed")
    published(house)
    near = at(house, "2026-12-04T23:59:59Z")
    appeal = made(near, DOT, late, RESULT)
    over = at(house, OVER)
    with pytest.raises(Conflict, match=appeal):
        finalize(over, ACTOR, "deploy")
    appeals.rule(over, EVE, appeal, Ruling(LOST, "We saw no lease of yours."))
    finalize(over, ACTOR, "deploy")
    with over.ledger.read() as session:
        verdict = session.get_one(ClaimRow, late).verdict_id
    decide(over, late, "failed")
    again = appeals.rule(over, EVE, made(over, DOT, late, RESULT), Ruling(WON, "Now we see the lease."))
    assert (again.row.verdict_id != verdict, appeals.needs_grant(over, again)) == (True, True)


def paid(house: House, claims: list[str]) -> None:
    """What a payout leaves that was confirmed on the chain: every line of these claims is held by a paid batch."""
    with house.ledger.write() as session:
        lines = session.scalars(select(AwardLineRow).where(AwardLineRow.claim.in_(claims))).all()
        payout = PayoutRow(
            campaign="ending-test", number=1, task=None, unit="USD", rate="0.5", rate_source="a test", rate_at_ns=1,
            minimum_micro=0, payer="akash1payer", chain_id="local-v2", has_ledger=False, as_sends=False,
            third_above_uakt=None, nonce="n", attempt=1, digest="d", total_micro=0, total_uakt=0, unpaid=[],
            actor=ACTOR, drafted_ns=1,
        )  # fmt: skip
        session.add(payout)
        session.flush()
        batch = PayoutBatchRow(
            payout=payout.id, campaign="ending-test", name="p1-1", number=1, attempt=1, first_place=1,
            size=len(lines), total_micro=0, total_uakt=0, rows_hash="h", memo="m", state="paid", changed_ns=1,
            is_over=True,
        )  # fmt: skip
        session.add(batch)
        session.flush()
        for place, line in enumerate(lines, 1):
            session.add(PayoutBatchLineRow(batch=batch.id, line=line.id, place=place, freed_ns=None))


@pytest.mark.parametrize("how", ["ineligible", "withdrawn"])
def test_corrected__after_it_was_final_and_paid__is_overpaid_and_set_against_later_awards(
    tmp_path: Path, how: str
) -> None:
    """Nothing that was paid is asked back, nor is a line of it changed: the next award makes up for it."""
    two_tasks = CAMPAIGN[: CAMPAIGN.index("  - slug: both")]
    house = at(make_house(tmp_path, campaign=two_tasks), PUBLISHED)
    for person in (ANN, BOB):
        claimed(house, person, "video", 5)
    claims = [claimed(house, person, "deploy", 10 + n) for n, person in enumerate((ANN, BOB))]
    publish_results(house, ACTOR, "deploy")
    over = at(house, OVER)
    finalize(over, ACTOR, "deploy")
    paid(over, claims)
    assert [(row.address, row.amount_micro, row.state) for row in owed(over)] == [
        (BOB, 20_000_000, "provisional"), (ANN, 20_000_000, "provisional"),
    ]  # fmt: skip
    if how == "withdrawn":
        decide(over, claims[0], "failed")
    else:
        starts = Moment(OPENS + 10 * SECOND)
        set_eligibility(over, ACTOR, Entered(ANN, "ineligible", "not their own work", starts))
    before = kept_lines(over)
    compute_awards(over)
    assert kept_lines(over)[: len(before)] == before
    assert amounts(over)[claims[0]] == 0
    rows = {(row.address, row.state): row.amount_micro for row in owed(over)}
    assert rows == {
        (ANN, "overpaid"): -10_000_000, (ANN, "provisional"): 20_000_000, (BOB, "provisional"): 20_000_000,
    }  # fmt: skip
    publish_results(over, ACTOR, "video")
    last = at(house, MUCH_LATER)
    finalize(last, ACTOR, "video")
    rows = {(row.address, row.state): row.amount_micro for row in owed(last)}
    assert rows == {(ANN, "payable"): 10_000_000, (BOB, "payable"): 20_000_000}


def kept_lines(house: House) -> list[tuple[str, int, int, str]]:
    with house.ledger.read() as session:
        rows = session.scalars(select(AwardLineRow).order_by(AwardLineRow.id))
        return [(row.key, row.step, row.amount_micro, row.reason) for row in rows]
