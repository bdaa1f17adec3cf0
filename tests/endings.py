"""A small campaign that closes, claims decided by hand, and the ledger in short, for tests of its end."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select, update

from ledger.awards import AwardLineRow
from ledger.claims import ClaimRow, VerdictRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow
from ledger.verdicts import claim_id
from services.clock import StoppedClock
from services.house import House
from tasks.moment import SECOND, Moment, parse_moment
from tests import houses

DAY = 86_400
PEOPLE = [f"akash1{name * 38}" for name in "qpzry9x8"]
OPENS = parse_moment("2026-11-01T00:00:00Z")
CLOSED = parse_moment("2026-12-01T00:00:01Z")
ANN, BOB, CID, DOT, EVE = PEOPLE[:5]

CAMPAIGN = """\
campaign: ending-test
revision: 1
title: A test of the end
summary: A campaign for tests.
terms: Be kind.
chain_id: local-v2
opens: 2026-11-01T00:00:00Z
closes: 2026-12-01T00:00:00Z
results_by: 2026-12-02T00:00:00Z
appeals: 2d
reward: {unit: USD, denom: uakt, rate: "0.5", budget: 1000}
grants: {budget: 50}
tasks:
  - slug: deploy
    kind: ai_deployment
    title: Deploy an AI app
    summary: Deploy one.
    closes: 2026-11-20T00:00:00Z
    params: {group_by: deployment, providers: 1}
    reward: {amount: 10, slots: [{max: 2}]}
  - slug: video
    kind: reviewed
    title: Make a video
    summary: Show it.
    params: {fields: [{name: url, label: Link, type: url, required: true, hosts: [video.example]}]}
    reward: {amount: 20, slots: [{max: 5}]}
  - slug: both
    kind: all_of
    title: Both
    summary: Both of them.
    params: {tasks: [deploy, video]}
    reward: {amount: 5, slots: [{max: 5}]}
pools:
  - {slug: shared, amount: 100, among: {tasks: [video]}, split: equal}
"""


def make_house(folder: Path, at: Moment = CLOSED, campaign: str = CAMPAIGN) -> House:
    """The campaign with everybody registered before it opened, at a moment (by default after its close)."""
    house = houses.make_house(folder, campaign=campaign).at(StoppedClock(at))
    with house.ledger.write() as session:
        for person in PEOPLE:
            session.add(ParticipantRow(address=person, created_ns=1))
            session.flush()
            session.add(AddressRow(address=person, participant=person, proved_ns=1, proof="text", linked_ns=1))
            session.add(
                RegistrationRow(campaign="ending-test", participant=person, rules_digest="d", received_ns=OPENS)
            )
    return house


def at(house: House, text: str) -> House:
    """The same house at a moment."""
    return house.at(StoppedClock(parse_moment(text)))


def claimed(
    house: House, person: str, task: str, seconds: int, outcome: str = "passed", *, holds: bool = False
) -> str:
    """A claim of a participant with a verdict, done `seconds` after the opening."""
    name = claim_id("ending-test", person, task, f"{person}/{task}")
    moment = OPENS + seconds * SECOND
    with house.ledger.write() as session:
        session.add(
            ClaimRow(
                id=name, campaign="ending-test", participant=person, task=task, kind="reviewed",
                subject=f"{person}/{task}", fields={}, received_ns=moment, found=True, outcome="pending",
                at_ns=moment, height=100 + seconds, tx_index=0, attributes={}, holds_place=False, settled=not holds,
            )
        )  # fmt: skip
    decide(house, name, outcome, holds=holds)
    return name


def decide(house: House, claim: str, outcome: str, *, holds: bool = False) -> None:
    """A new verdict of a claim; the rest of it stays."""
    with house.ledger.write() as session:
        row = session.get_one(ClaimRow, claim)
        verdict = VerdictRow(
            claim=claim, outcome=outcome, judge="test", version=1, as_of_chain="local-v2", as_of_height=9,
            as_of_time_ns=houses.NOON, decided_ns=house.clock.now(), attributes={}, holds_place=holds, missing=[],
            at_ns=row.at_ns, height=row.height, tx_index=row.tx_index,
        )  # fmt: skip
        session.add(verdict)
        session.flush()
        session.execute(
            update(ClaimRow)
            .where(ClaimRow.id == claim)
            .values(outcome=outcome, holds_place=holds, verdict_id=verdict.id)
        )


def amounts(house: House) -> dict[str, int]:
    """What the ledger holds, by key, in whole units."""
    sums: dict[str, int] = {}
    with house.ledger.read() as session:
        for row in session.scalars(select(AwardLineRow).order_by(AwardLineRow.id)):
            sums[row.key] = sums.get(row.key, 0) + row.amount_micro
    return {key: micro // 1_000_000 for key, micro in sums.items()}


def newest_lines(house: House, count: int) -> list[tuple[str, int, str, str]]:
    """The newest lines as (key, whole units, reason, cause), the oldest first."""
    with house.ledger.read() as session:
        rows = session.scalars(select(AwardLineRow).order_by(AwardLineRow.id.desc()).limit(count)).all()
        return [(row.key, row.amount_micro // 1_000_000, row.reason, row.cause) for row in reversed(rows)]
