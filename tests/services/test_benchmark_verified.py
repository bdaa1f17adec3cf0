"""The whole way of a benchmark over real HTTP: challenge, result, local network with its providers, verdict, data."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devnet.faults import Fault
from devnet.network import Devnet, serve
from devnet.scenarios import small
from ledger.claims import ClaimRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow, RoleRow
from ledger.verdicts import load_verdict
from services import benchmark_data, benchmarks, campaigns, claims, reviews, verifying_anew
from services.clock import StoppedClock
from services.house import House
from services.loading import load_campaign
from services.reviews import Ballot
from tasks.moment import SECOND, Moment, parse_moment
from tests.benchmark_town import CAMPAIGN
from tests.benchmark_worlds import FOLDER, gpu, measurements, result
from tests.houses import make_house
from tests.nodes import StandingClock
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint, Outcome, Verdict

START = parse_moment("2026-06-01T00:00:00Z")
TIP = 300
ADA, NORTH, SOUTH = small.address("ada"), small.address("north"), small.address("south")
SEASON = (
    CAMPAIGN.replace("chain_id: local-v2", f"chain_id: {small.CHAIN_ID}")
    .replace("opens: 2026-11-01", "opens: 2026-06-01")
    .replace("closes: 2026-12-01", "closes: 2026-07-01")
)


def at(height: int) -> Moment:
    return Moment(START + (height - 1) * 6 * SECOND)


@pytest.fixture(scope="module")
def network() -> Iterator[Devnet]:
    clock = StandingClock(at(TIP + 1))
    with serve(small.scenario(), start=START, clock=clock, port=0, provider_port=0) as running:
        running.settings.tip = TIP
        yield running


@pytest.fixture
def house(tmp_path: Path, network: Devnet) -> Iterator[House]:
    """The platform as it is after the network's last block; ada is registered, a reviewer is appointed."""
    clock = StoppedClock(at(TIP + 1))
    chain = Chain([network.rest_url], [network.rpc_url], clock, patience_seconds=0)
    made = make_house(tmp_path, campaign=None, chain=chain, allow_private_hosts=("127.0.0.0/8",)).at(clock)
    load_campaign(made.at(StoppedClock(START)), SEASON, "tests")
    people = {ADA: "ada", small.address("ben"): "ben", small.address("organizer"): "organizer"}
    with made.ledger.write() as session:
        for address in people:
            session.add(ParticipantRow(address=address, created_ns=START))
            session.flush()
            values = {"address": address, "participant": address, "proof": "text"}
            session.add(AddressRow(**values, proved_ns=START, linked_ns=START))
            session.add(
                RegistrationRow(campaign="bench-test", participant=address, rules_digest="0" * 64, received_ns=START)
            )
        session.add(RoleRow(address=small.address("organizer"), role="reviewer"))
    yield made
    chain.close()
    made.ledger.close()


def proof_of(challenge: str) -> dict[str, Any]:
    """The runner made this on a processor for the one challenge that ada gets at block 100."""
    kept = json.loads((FOLDER / "full-size-proof-small-network.json").read_text())
    assert kept["challenge"] == challenge
    proof: dict[str, Any] = kept["alone"]
    return proof


def entered(house: House, height: int = 200, provider: str = NORTH, **changes: Any) -> str:
    """Ada asks at block 100 and enters at `height`; gives the claim."""
    then = house.at(StoppedClock(at(100)))
    challenge = benchmarks.issue(then, ADA, provider).challenge.id
    proof = proof_of(challenge) if provider == NORTH else {}
    run = result(challenge=challenge, **({"proof": proof} if proof else {}), **changes)
    fields = {"challenge": challenge, "result": json.dumps(run)}
    return claims.submit(house.at(StoppedClock(at(height))), ADA, "benchmark", fields).claim


def verified(house: House, claim: str, height: int = TIP) -> Verdict:
    loaded = campaigns.required(house)
    point = ChainPoint(small.CHAIN_ID, height, Moment(at(height)))
    verifying_anew.verify_everything(house, loaded, point, lambda _: None)
    with house.ledger.read() as session:
        row = session.get(ClaimRow, claim)
        assert row is not None
        assert row.verdict_id is not None
        found = load_verdict(session, row.verdict_id)
    assert found is not None
    return found[0]


def outcomes(verdict: Verdict) -> dict[str, Outcome]:
    return {check.name: check.outcome for check in verdict.checks}


def test_verify__honest_run__passes_and_becomes_public(house: House) -> None:
    verdict = verified(house, entered(house))
    assert set(outcomes(verdict).values()) == {Outcome.PASSED}, verdict.checks
    assert verdict.outcome is Outcome.PASSED
    assert verdict.at == at(200)
    assert verdict.attributes == {"gpu_model": "a100", "provider": NORTH}
    seen = {check.name: check.seen for check in verdict.checks}
    assert "the provider's inventory: a100, h100" in seen["same_gpu"]
    assert [each.run.participant for each in benchmark_data.every_run(house)] == [ADA]


def test_verify__gpu_that_the_provider_has_but_not_the_lease__fails(house: House) -> None:
    verdict = verified(house, entered(house, gpu=gpu("NVIDIA H100 80GB HBM3", 80, "0x233010DE")))
    assert outcomes(verdict)["same_gpu"] is Outcome.FAILED
    assert benchmark_data.every_run(house) == []


def test_verify__forty_gigabyte_card__is_not_the_provider_s(house: House) -> None:
    verdict = verified(house, entered(house, gpu=gpu("NVIDIA A100-SXM4-40GB", 40, "0x20B010DE")))
    assert outcomes(verdict)["same_gpu"] is Outcome.FAILED


def test_verify__lease_closed_before_the_result__fails(house: House) -> None:
    verdict = verified(house, entered(house, height=270))
    assert outcomes(verdict)["lease"] is Outcome.FAILED
    assert verdict.missing == ("Ask for a new challenge, and keep the lease open until the result is entered.",)


def test_verify__seen_before_the_receipt__waits(house: House) -> None:
    claim = entered(house)
    early = verified(house, claim, height=190)
    assert outcomes(early)["lease"] is Outcome.PENDING
    assert early.holds_place
    assert verified(house, claim).outcome is Outcome.PASSED


def test_verify__node_in_trouble__is_unknown_and_mends_itself(house: House, network: Devnet) -> None:
    claim = entered(house)
    fault = Fault("status", api="rest", path="/leases/list")
    network.faults.add(fault)
    try:
        verdict = verified(house, claim)
    finally:
        network.faults.clear()
    assert outcomes(verdict)["lease"] is Outcome.UNKNOWN
    assert verdict.outcome is Outcome.UNKNOWN
    assert verdict.holds_place
    assert verified(house, claim, height=TIP - 1).outcome is Outcome.PASSED


def test_verify__values_too_good__pass_once_a_reviewer_accepts_them(house: House) -> None:
    claim = entered(house, measurements=measurements(gemm_fp32=1_000_000))
    verdict = verified(house, claim)
    assert outcomes(verdict)["review"] is Outcome.PENDING
    assert verdict.holds_place
    ballot = Ballot("accept", "Looked at it: the clock of the card was raised.", {})
    reviews.decide(house, small.address("organizer"), claim, ballot)
    assert verified(house, claim, height=TIP - 1).outcome is Outcome.PASSED


def test_verify__another_provider_than_leased_there__has_no_gpu_of_that_kind(house: House) -> None:
    verdict = verified(house, entered(house, provider=SOUTH))
    assert outcomes(verdict)["lease"] is Outcome.PASSED
    assert outcomes(verdict)["same_gpu"] is Outcome.FAILED
    assert outcomes(verdict)["proof"] is Outcome.FAILED
