"""The benchmark runs that the demo ships: made for their challenges, marked, judged as the story says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from commands.story_benchmarks import HOLDS, ShippedRun, benchmark_performances, shipped_runs
from commands.story_container import ORDER, Product
from commands.story_decisions import decision_performances
from devnet.faults import Fault
from devnet.generation import V2
from devnet.network import Devnet, serve
from devnet.state.chain import Chain as LocalChain
from devnet.story.library import Story, story
from devnet.story.people import MakeAppeal
from devnet.story.staff import Decide, RuleAppeal
from jobs.demo import campaign_text
from ledger.benchmarks import BenchmarkRunRow
from ledger.claims import ClaimRow
from ledger.people import AddressRow, ParticipantRow, RegistrationRow
from ledger.verdicts import load_verdict
from services import benchmarks, campaigns, verifying_anew
from services.acts import Player
from services.clock import StoppedClock
from services.house import House
from services.loading import load_campaign
from tasks.campaign import preset
from tasks.moment import SECOND, Moment, parse_moment
from tests.houses import make_house
from tests.nodes import StandingClock
from verifiers.benchmark.answers import Result, decode_result
from verifiers.benchmark.challenge import Challenge
from verifiers.benchmark.checks import NAMES, REVIEW
from verifiers.benchmark.proof import draw_alone, mistake_in, seed_alone
from verifiers.chain.client import Chain
from verifiers.evidence import ChainPoint

OPENS = parse_moment("2026-06-01T00:00:00Z")
TIP = 403_200
CHECKED = {*NAMES, REVIEW}
PROVEN_BEFORE = [
    pytest.param(run, id=run.why.split(":")[0].replace(" ", "-"))
    for run in shipped_runs()
    if run.proof_seconds is None
]
COPY = "053271c86353e9a9437f6386fa1d3eea"
QUICK, SLOW = "deb7bcf89af7363cd9632755eeebaa38", "faff247dc22fc38d58ea6c784dc76acd"
Block = Callable[[int], ChainPoint]


@pytest.mark.parametrize("run", PROVEN_BEFORE)
def test_shipped__result__is_for_its_challenge_with_a_good_proof(run: ShippedRun) -> None:
    result = decode_result(json.dumps(run.result))
    proof = result.proof
    assert result.challenge == run.challenge
    assert (proof.seed == seed_alone(run.challenge)) == (run.challenge != COPY)
    assert proof.draw == draw_alone(proof.seed, proof.n, proof.root)
    assert mistake_in(proof.proof) is None
    assert result.gpu is None or "made up" in result.runner.torch


def test_shipped__results_without_a_proof__are_those_that_a_container_proves_while_the_story_is_told() -> None:
    proven = {run.challenge: run.proof_seconds for run in shipped_runs() if "proof" not in run.result}
    assert proven == {QUICK: 3, SLOW: 42}


def test_product__of_a_seed__answers_any_draw_as_the_runner_does() -> None:
    product = Product("5e" * 32)
    answered = product.answer("d4" * 32)
    result = decode_result(json.dumps({**shipped_runs()[0].result, "proof": answered}))
    assert (result.proof.n, result.proof.root) == (ORDER, product.root)
    assert mistake_in(result.proof.proof) is None


@pytest.fixture(scope="module")
def told() -> Story:
    return story("gpu-testnet-2023", scale="small")


@pytest.fixture(scope="module")
def block(told: Story) -> Block:
    local = LocalChain(told.chain, V2, OPENS)
    return lambda height: ChainPoint(local.chain_id, height, Moment(local.time(height)))


@pytest.fixture(scope="module")
def network(told: Story) -> Iterator[Devnet]:
    clock = StandingClock(Moment(OPENS + TIP * 6 * 10**9))
    unlucky = {run.participant for run in shipped_runs() if run.expected == "unknown"} & set(told.unreadable)
    faults = [Fault("status", path=f"owner={address}", api="rest") for address in unlucky]
    served = serve(told.chain, start=OPENS, clock=clock, port=0, until=TIP, provider_port=0, faults=faults)
    with served as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, told: Story, network: Devnet) -> Iterator[House]:
    clock = StoppedClock(Moment(OPENS + TIP * 6 * 10**9))
    chain = Chain([network.rest_url], [network.rpc_url], clock, patience_seconds=5)
    made = make_house(tmp_path, campaign=None, chain=chain, allow_private_hosts=("127.0.0.0/8",)).at(clock)
    loaded, _ = load_campaign(made.at(StoppedClock(OPENS)), campaign_text(preset("gpu-testnet-2023"), OPENS), "tests")
    with made.ledger.write() as session:
        for who in {run.participant for run in shipped_runs()}:
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


def verify(house: House, point: ChainPoint) -> None:
    verifying_anew.verify_everything(house, campaigns.required(house), point, lambda _: None)


def test_shipped__entered_and_decided_by_the_story__ends_as_it_says(house: House, told: Story, block: Block) -> None:
    acts = benchmark_performances(house, block, told.keys)
    for act in [*acts, *acts]:  # a second start performs them again
        act.run()
    verify(house, block(TIP - 1))
    player = Player(house, told.keys.__getitem__, block)
    staff = (act for act in told.decisions if isinstance(act, Decide | RuleAppeal))
    decisions = tuple(act for act in staff if act.task == "benchmark")
    appeals = tuple(act for act in told.people if isinstance(act, MakeAppeal) and act.task == "benchmark")
    for act in decisions:
        player.appoint(act.by, "reviewer" if isinstance(act, Decide) else "organizer")
    told = replace(told, people=appeals, decisions=decisions)
    performed = sorted(decision_performances(player, told, block), key=lambda each: each.height)
    for place, each in enumerate(performed):
        each.run()
        verify(house, block(TIP - 100 + place))
    verify(house, block(TIP))
    with house.ledger.read() as session:
        rows = session.query(ClaimRow).all()
        found = {row.subject: row.outcome for row in rows}
        loaded = [load_verdict(session, row.verdict_id or 0) for row in rows]
    assert found == {run.challenge: run.expected for run in shipped_runs()}
    shown = {(check.name, str(check.outcome)) for each in loaded if each for check in each[0].checks}
    assert {name for name, outcome in shown if outcome == "passed"} == {*CHECKED, "appeal"}
    assert {name for name, outcome in shown if outcome == "failed"} == {
        "challenge", "result", "proof", "lease", "same_gpu", "review"
    }  # fmt: skip
    assert {name for name, outcome in shown if outcome == "pending"} == {"lease", "review"}
    assert {name for name, outcome in shown if outcome == "unknown"} == {"lease", "same_gpu"}


def test_proven__stopped_after_the_commitment__goes_on_with_the_same_product(house: House, block: Block) -> None:
    quick = next(run for run in shipped_runs() if run.challenge == QUICK)
    at, slug = block(quick.asked).time, campaigns.required(house).slug
    begun = house.at(StoppedClock(at))
    challenge = Challenge(QUICK, slug, quick.participant, quick.provider, at, Moment(at + HOLDS))
    benchmarks.keep_shipped(begun, challenge)
    token = benchmarks.issued(begun, quick.participant, QUICK).token
    product = Product(benchmarks.start(begun, QUICK, token, ORDER))
    benchmarks.commit(house.at(StoppedClock(Moment(at + SECOND))), QUICK, token, product.root)
    (act,) = benchmark_performances(house, block, {quick.participant})
    act.run()
    verify(house, block(TIP))
    with house.ledger.read() as session:
        assert [row.outcome for row in session.query(ClaimRow)] == ["passed"]
        run = session.get_one(BenchmarkRunRow, QUICK)
    assert Result.model_validate(run.result).proof.root == product.root
