"""The benchmark runs that the demo ships: made for their challenges, marked, judged as the story says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.story_benchmarks import ShippedRun, benchmark_performances, shipped_runs
from devnet.generation import V2
from devnet.network import Devnet, serve
from devnet.state.chain import Chain as LocalChain
from devnet.story.library import Story, story
from jobs.demo import campaign_text
from ledger.claims import ClaimRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow
from services import campaigns, verification
from services.clock import StoppedClock
from services.house import House
from services.loading import load_campaign
from tasks.campaign import preset
from tasks.moment import Moment, parse_moment
from tests.houses import make_house
from tests.nodes import StandingClock
from verifiers.benchmark.answers import decode_result
from verifiers.benchmark.proof import draw_alone, mistake_in, seed_alone
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint

OPENS = parse_moment("2026-06-01T00:00:00Z")
TIP = 228_500
RUNS = [pytest.param(run, id=run.why.split(":")[0].replace(" ", "-")) for run in shipped_runs()]


@pytest.mark.parametrize("run", RUNS)
def test_shipped__result__is_for_its_challenge_with_a_good_proof(run: ShippedRun) -> None:
    result = decode_result(json.dumps(run.result))
    proof = result.proof
    assert result.challenge == run.challenge
    assert proof.seed == seed_alone(run.challenge)
    assert proof.draw == draw_alone(proof.seed, proof.n, proof.root)
    assert mistake_in(proof.proof) is None
    assert result.gpu is None or "made up" in result.runner.torch


@pytest.fixture(scope="module")
def told() -> Story:
    return story("gpu-testnet-2023", scale="tiny")


@pytest.fixture(scope="module")
def network(told: Story) -> Iterator[Devnet]:
    clock = StandingClock(Moment(OPENS + TIP * 6 * 10**9))
    with serve(told.chain, start=OPENS, clock=clock, port=0, until=TIP, provider_port=0) as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, told: Story, network: Devnet) -> Iterator[House]:
    clock = StoppedClock(Moment(OPENS + TIP * 6 * 10**9))
    chain = Chain([network.rest_url], [network.rpc_url], clock, patience_seconds=5)
    made = make_house(tmp_path, campaign=None, chain=chain, allow_private_hosts=("127.0.0.0/8",)).at(clock)
    loaded, _ = load_campaign(made.at(StoppedClock(OPENS)), campaign_text(preset("gpu-testnet-2023"), OPENS), "tests")
    with made.ledger.write() as session:
        for who in {run.participant for run in shipped_runs()} & set(told.keys):
            session.add(ParticipantRow(address=who, created_ns=OPENS))
            session.flush()
            values = {"address": who, "participant": who, "proof": "text"}
            session.add(AddressRow(**values, proved_ns=OPENS, linked_ns=OPENS))
            session.add(
                RegistrationRow(campaign=loaded.slug, participant=who, rules_digest="0" * 64, received_ns=OPENS)
            )
    yield made
    chain.close()
    made.ledger.close()


def test_shipped__entered_by_the_story__ends_as_it_says(house: House, told: Story) -> None:
    local = LocalChain(told.chain, V2, OPENS)

    def block(height: int) -> ChainPoint:
        return ChainPoint(local.chain_id, height, Moment(local.time(height)))

    acts = benchmark_performances(house, block, told.keys)
    for act in [*acts, *acts]:  # a second start performs them again
        act.run()
    loaded = campaigns.required(house)
    verification.verify_everything(house, loaded, block(TIP), lambda _: None)
    with house.ledger.read() as session:
        found = {row.subject: row.outcome for row in session.query(ClaimRow)}
    expected = {run.challenge: run.expected for run in shipped_runs() if run.participant in told.keys}
    assert len(expected) == 5
    assert found == expected
