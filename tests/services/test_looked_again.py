"""A second pass over claims that still wait: nothing that is known for good is asked again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bench.again import AFTER, FULL, Asked, Size, about, looked_twice, repeated, twice
from devnet.network import Devnet, serve
from devnet.scenarios import small
from ledger.claims import ClaimRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow
from ledger.verdicts import take_due
from services import campaigns, claims, following, verification, verifying_anew
from services.clock import StoppedClock
from services.house import House
from tasks.moment import SECOND, Duration, Moment, parse_moment
from tests.houses import make_house
from verifiers.chain.client import Chain
from verifiers.chain.questions import NODE_INFO
from verifiers.evidence import Observation

ADA = small.address("ada")
START = parse_moment("2026-11-24T00:00:00Z")
CAMPAIGN = f"""\
campaign: again-test
revision: 1
title: A season
summary: A campaign for tests.
terms: Be kind.
chain_id: {small.CHAIN_ID}
opens: 2026-11-24T00:00:00Z
closes: 2026-11-25T00:00:00Z
reward: {{unit: USD, denom: uakt, rate: "0.85", budget: 5000}}
tasks:
  - slug: deploy
    kind: ai_deployment
    title: Deploy on nine providers
    summary: More than there are, so every claim waits.
    params:
      group_by: deployment
      providers: 9
      active: 1m
      apps: [{{slug: llm, title: A model, images: ["ghcr.io/example/model-server:1.1"]}}]
    reward: {{amount: 50, slots: [{{max: 5}}]}}
"""


def at(height: int) -> Moment:
    return Moment(START + (height - 1) * 6 * SECOND + SECOND // 2)


@pytest.fixture
def net() -> Iterator[Devnet]:
    with serve(small.scenario(), start=START, clock=StoppedClock(at(300)), port=0) as running:
        yield running


def test_verify__claims_that_still_wait__asks_nothing_again_that_is_known_for_good(
    tmp_path: Path, net: Devnet
) -> None:
    chain = Chain([net.rest_url], [net.rpc_url], StoppedClock(at(300)))
    house = make_house(tmp_path, campaign=CAMPAIGN, chain=chain)
    register(house, *(small.address(name) for name in small.TENANTS))
    for dseq in ("1001", "1002", "1003"):  # an SDL that a deployment may have had before
        fields = {"owner": ADA, "dseq": dseq, "sdl": small.SDLS["model-2"]}
        claims.submit(house.at(StoppedClock(at(100))), ADA, "deploy", fields)
    first, second = (looked(house, net, height) for height in (200, 210))
    assert any("/blocks/" in question for question, _ in first)
    assert any("/info" in question and height and int(height) < 100 for question, height in first)
    assert any(height for _, height in second)
    assert {height for _, height in second if height} == {"210"}, (
        "only what may have changed is asked: at the newest block"
    )
    chain.close()


AUTHORS = (
    CAMPAIGN[: CAMPAIGN.index("tasks:")]
    + """\
tasks:
  - slug: write
    kind: sdl_submission
    title: Write an SDL
    summary: Run for longer than there is, so every claim waits.
    params: {own_run: true, active: 12h}
    reward: {amount: 50, slots: [{max: 5}]}
"""
)


def test_verify__sdl_whose_run_still_lasts__asks_nothing_again_that_is_known_for_good(
    tmp_path: Path, net: Devnet
) -> None:
    chain = Chain([net.rest_url], [net.rpc_url], StoppedClock(at(300)))
    house = make_house(tmp_path, campaign=AUTHORS, chain=chain)
    register(house, *(small.address(name) for name in small.TENANTS))
    for name in ("ada", "ben"):
        for sdl in small.SDLS.values():
            claims.submit(house.at(StoppedClock(at(100))), small.address(name), "write", {"sdl": sdl})
    first, second = (looked(house, net, height) for height in (200, 210))
    assert any("block" in question for question, _ in first)
    assert any(height for _, height in second)
    assert {height for _, height in second if height} == {"210"}, (
        "only what may have changed is asked: at the newest block"
    )
    chain.close()


SMALL = Size(tenants=6, deployments=33, authored=2, runs=1, providers=3, gpus=4)
"""More than one batch takes, so that owners could be torn apart."""


@pytest.mark.parametrize("size", [SMALL, pytest.param(FULL, marks=pytest.mark.long)], ids=["small", "full"])
def test_verify_due__claims_of_four_kinds_a_block_later__asks_nothing_again_that_is_known_for_good(
    tmp_path: Path, size: Size
) -> None:
    first, second = looked_twice(tmp_path, size)
    kinds = {
        "ai_deployment": size.tenants * size.deployments,
        "sdl_submission": size.tenants * size.authored,
        "benchmark_run": size.tenants * size.runs,
        "provider_onboarding": size.providers * size.gpus,
    }
    assert first.kinds == second.kinds == kinds
    assert repeated(first, second) == []
    about_blocks = {height for _, height in second.asked if height}
    assert about_blocks == {str(AFTER)}, "what may have changed, at the newest block"
    others = {target for target, height in second.asked if not height}
    assert others <= {NODE_INFO, "/status"}, "a node says again who it is after a while"
    assert (twice(first), twice(second)) == ([], []), "one answer serves every claim of a pass"


def test_verify_waiting__worker_that_was_killed__its_claims_are_looked_at_before_its_time_is_over(
    tmp_path: Path, net: Devnet
) -> None:
    chain = Chain([net.rest_url], [net.rpc_url], StoppedClock(at(300)))
    house = make_house(tmp_path, campaign=CAMPAIGN, chain=chain)
    register(house, ADA)
    now = house.at(StoppedClock(at(300)))
    fields = {"owner": ADA, "dseq": "1001", "sdl": small.SDLS["model-2"]}
    claims.submit(now, ADA, "deploy", fields)
    following.follow(now)
    loaded, length = campaigns.required(now), Duration(600 * SECOND)
    taken = now.ledger.transact(lambda session: take_due(session, now.clock.now(), "killed/1", 200, length))
    assert len(taken) == verifying_anew.waiting_claims(now, loaded) > 0
    assert verification.verify_batch(now, loaded) == 0
    assert verifying_anew.verify_waiting(now, loaded) == len(taken)
    assert verifying_anew.waiting_claims(now, loaded) == 0
    chain.close()


class Stumbling(Chain):
    """Our own software breaks when one owner's answers are read, until it is mended."""

    breaks_on = ADA

    def get(self, path: str, parameters: Mapping[str, str] | None = None, height: int | None = None) -> Observation:
        if self.breaks_on in (parameters or {}).values():
            raise RecursionError("a defect of ours")
        return super().get(path, parameters, height)


def test_verify_due__our_own_defect_over_one_claim__keeps_nobody_else_waiting(tmp_path: Path, net: Devnet) -> None:
    chain = Stumbling([net.rest_url], [net.rpc_url], StoppedClock(at(300)))
    house = make_house(tmp_path, campaign=CAMPAIGN, chain=chain)
    register(house, *(small.address(name) for name in small.TENANTS))
    now = house.at(StoppedClock(at(300)))
    for owner in (ADA, small.address("ben")):
        claims.submit(now, owner, "deploy", {"owner": owner, "dseq": "1001", "sdl": small.SDLS["model-2"]})
    following.follow(now)
    with pytest.raises(verification.ClaimsBroken, match="1 claims could not be judged") as stumbled:
        verification.verify_due(now)
    assert verification.verify_due(now) == "0 claims verified", "it waits, and a job that runs again goes on"
    with now.ledger.read() as session:
        rows = {row.id: row for row in session.scalars(select(ClaimRow))}
    waiting = [rows.pop(claim) for claim in stumbled.value.claims]
    assert [row.verdict_id for row in waiting] == [None]
    assert [(row.due_ns, row.taken_by) for row in waiting] == [(at(300) + verification.BROKEN_WAITS, None)]
    assert rows
    assert all(row.verdict_id for row in rows.values()), "others were judged in the same pass"
    chain.breaks_on = ""
    with now.ledger.write() as session:
        session.execute(update(ClaimRow).where(ClaimRow.verdict_id.is_(None)).values(due_ns=at(300)))
    assert verification.verify_batch(now, campaigns.required(now)) == 1
    chain.close()


def register(house: House, *people: str) -> None:
    with house.ledger.write() as session:
        for address in people:
            session.add(ParticipantRow(address=address, created_ns=START))
            session.flush()
            values = {"address": address, "participant": address, "proof": "text"}
            session.add(AddressRow(**values, proved_ns=START, linked_ns=START))
            registration = {"rules_digest": "0" * 64, "received_ns": START}
            session.add(RegistrationRow(campaign="again-test", participant=address, **registration))


def looked(house: House, net: Devnet, height: int) -> list[Asked]:
    """One pass over everything that waits, at this block; gives what the node was asked for it."""
    net.settings.tip = height
    now = house.at(StoppedClock(at(height)))
    following.follow(now)
    claims.find_claims(now)
    with now.ledger.write() as session:
        session.execute(update(ClaimRow).where(ClaimRow.settled.is_(False)).values(due_ns=0))
    net.hosts[0].noted = []
    assert verification.verify_batch(now, campaigns.required(now))
    noted, net.hosts[0].noted = net.hosts[0].noted, None
    with now.ledger.read() as session:
        assert "pending" in set(session.scalars(select(ClaimRow.outcome)))
    return [(target, about(target, header)) for target, header in noted]
