"""Awards follow verdicts by difference: nothing is edited, each line says why it is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from ledger.awards import AwardLineRow, ProvisionalLineRow
from ledger.claims import ClaimRow, VerdictRow
from ledger.people import ParticipantRow, RegistrationRow
from ledger.verdicts import claim_id
from services import campaigns
from services.award_lines import corrections, read_kept, wanted
from services.completions import read_worked
from services.house import House
from services.payouts import owed, owed_csv
from services.rewards import compute_awards, compute_if_changed
from tasks.moment import SECOND
from tests.houses import NOON, make_house

PEOPLE = [f"akash1{name * 38}" for name in "qpzry9x"]


def completed(house: House, person: str, seconds: int, outcome: str = "passed", *, holds: bool = False) -> str:
    """A claim of a registered participant with a verdict, `seconds` after the campaign's first day."""
    name = claim_id("small-test", person, "deploy", f"{person}/1")
    at = NOON - 86400 * SECOND + seconds * SECOND
    with house.ledger.write() as session:
        session.merge(ParticipantRow(address=person, created_ns=1))
        session.flush()
        session.merge(
            RegistrationRow(campaign="small-test", participant=person, rules_digest="d", received_ns=at - 9 * SECOND)
        )
        session.add(
            ClaimRow(
                id=name, campaign="small-test", participant=person, task="deploy", kind="ai_deployment",
                subject=f"{person}/1", fields={}, received_ns=at, found=True, outcome=outcome, at_ns=at,
                height=100 + seconds, tx_index=0, attributes={}, holds_place=holds, settled=not holds,
            )
        )  # fmt: skip
    decided(house, name, outcome)
    return name


def decided(house: House, claim: str, outcome: str) -> None:
    with house.ledger.write() as session:
        session.add(
            VerdictRow(
                claim=claim, outcome=outcome, judge="ai_deployment", version=1, as_of_chain="local-v2",
                as_of_height=9, as_of_time_ns=NOON, decided_ns=NOON, attributes={}, holds_place=False, missing=[],
            )
        )  # fmt: skip
        session.execute(update(ClaimRow).where(ClaimRow.id == claim).values(outcome=outcome))


def lines(house: House) -> list[tuple[str, int, str, str]]:
    with house.ledger.read() as session:
        rows = session.scalars(select(AwardLineRow).order_by(AwardLineRow.id)).all()
        return [(row.participant, row.amount_micro, row.reason, row.cause) for row in rows]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return make_house(tmp_path)


def test_compute__first_time__one_line_for_each_passed_claim(house: House) -> None:
    completed(house, PEOPLE[0], 10)
    completed(house, PEOPLE[1], 20, "failed")
    document = compute_awards(house).document()
    assert lines(house) == [(PEOPLE[0], 10_000_000, "awarded", "passed")]
    assert document["totals"] == {PEOPLE[0]: 10_000_000}
    assert document["budget_left_micro"] == 990_000_000


def test_compute__nothing_changed__adds_nothing(house: House) -> None:
    completed(house, PEOPLE[0], 10)
    compute_awards(house)
    assert compute_awards(house).lines_added == 0
    assert compute_if_changed(house) == "nothing new"


def test_compute__verdict_withdrawn__a_correcting_line_and_the_next_moves_up(house: House) -> None:
    first = completed(house, PEOPLE[0], 1)
    for number, person in enumerate(PEOPLE[1:6], 2):
        completed(house, person, number)
    compute_awards(house)
    assert lines(house)[-1] == (PEOPLE[5], 0, "slots_full", "passed")
    decided(house, first, "failed")
    assert "2 lines added" in compute_if_changed(house)
    assert sorted(lines(house)[-2:]) == sorted(
        [
            (PEOPLE[0], -10_000_000, "withdrawn", "new verdict"),
            (PEOPLE[5], 10_000_000, "awarded", f"new verdict of claim {first[:12]}"),
        ]
    )
    with house.ledger.read() as session:
        corrections = session.scalars(select(AwardLineRow).where(AwardLineRow.step == 1)).all()
        assert all(line.corrects is not None for line in corrections)


def test_compute__verdict_withdrawn_and_restored__the_sum_is_the_award(house: House) -> None:
    claim = completed(house, PEOPLE[0], 1)
    compute_awards(house)
    for outcome in ("failed", "passed"):
        decided(house, claim, outcome)
        compute_awards(house)
    assert [line[1] for line in lines(house)] == [10_000_000, -10_000_000, 10_000_000]


def test_compute__claim_holds_its_place__takes_part_but_is_provisional(house: House) -> None:
    completed(house, PEOPLE[0], 1, "pending", holds=True)
    for number, person in enumerate(PEOPLE[1:6], 2):
        completed(house, person, number)
    document = compute_awards(house).document()
    assert lines(house)[-1] == (PEOPLE[5], 0, "slots_full", "passed")
    assert PEOPLE[0] not in {line["participant"] for line in document["lines"]}  # type: ignore[attr-defined]
    with house.ledger.read() as session:
        held = session.scalars(select(ProvisionalLineRow)).all()
        assert [(row.participant, row.amount_micro) for row in held] == [(PEOPLE[0], 10_000_000)]


def test_compute__two_at_once__one_set_of_lines(house: House) -> None:
    completed(house, PEOPLE[0], 1)
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        stale = read_kept(session, loaded.slug, {})
        worked = read_worked(session, loaded)
    computed = compute_awards(house)
    entries = {entry.key: entry for entry in wanted(computed.awards, worked, stale, with_shares=False)}
    rows = corrections(loaded, NOON, entries, stale)
    assert len(rows) == 1
    with pytest.raises(IntegrityError), house.ledger.write() as session:
        session.execute(insert(AwardLineRow), rows)
    assert len(lines(house)) == 1


def test_owed__awards_stand__one_row_an_address_in_order(house: House) -> None:
    for number, person in enumerate(reversed(PEOPLE[:3])):
        completed(house, person, number)
    compute_awards(house)
    text = owed_csv(owed(house))
    expected = [f"{person},10000000,USD,provisional,results are not final yet" for person in sorted(PEOPLE[:3])]
    assert text.splitlines() == ["address,amount_micro,unit,state,reason", *expected]
