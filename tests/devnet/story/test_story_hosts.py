"""The story's providers as the platform sees them at the demo's first block: the pre-flight and the official run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from devnet.acts import CreateDeployment, CreateProvider
from devnet.faults import Fault
from devnet.network import Devnet, serve
from devnet.story.keepers import HostExpectation
from devnet.story.library import Story, story
from devnet.story.people import Link, Register, SubmitClaim
from services.verification import judge_params_of
from tasks.campaign import Campaign, load, preset
from tasks.moment import Moment
from verifiers.chain.client import Chain
from verifiers.chain.pinned import PinnedChain
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Outcome, Source
from verifiers.guard import Guard
from verifiers.kinds import provider_onboarding
from verifiers.onboarding.leases import TENANTS
from verifiers.onboarding.seen import record_in
from verifiers.provider.checks import Wants, instant_checks, record_checks
from verifiers.provider.client import Providers
from verifiers.provider.facts import provider_seen
from verifiers.provider.gpu_models import ListedModel, ModelNames
from verifiers.provider.source import PinnedProviders

CHAIN = "waymark-demo-1"
START = 1_687_276_800_000_000_000
TASK = "onboard-a-gpu"


@dataclass(frozen=True)
class Standing:
    at: int

    def now(self) -> Moment:
        return Moment(self.at)


@dataclass
class Records:
    """What the platform has on record: who is registered, when a provider came."""

    registered: set[str]
    created: dict[str, int]
    campaign: str

    def looks(self, claim: str) -> Sequence[Observation]:
        return ()

    def tenants(self, addresses: Sequence[str]) -> Observation:
        body = json.dumps({"registered": sorted(self.registered & set(addresses))}, separators=(",", ":")).encode()
        return Observation(Source.RECORD, f"{TENANTS}{self.campaign}", body, "test", Moment(START))

    def provider_created(self, provider: str) -> int | None:
        return self.created.get(provider)


@dataclass
class Sources:
    chain: PinnedChain
    provider: PinnedProviders
    records: Records
    probes: Any = None
    entered: Any = None


@dataclass
class Bench:
    told: Story
    campaign: Campaign
    network: Devnet
    sources: Sources
    explained: str = ""
    open: list[str] = field(default_factory=list)

    def verdict(self, one: HostExpectation, model: str, number: int) -> str:
        task = self.campaign.task(TASK)
        assert task is not None
        addresses = tuple(
            act.address for act in self.told.people if isinstance(act, Link) and act.participant == one.keeper
        )
        claim = ClaimFacts(
            id=f"{number:032d}",
            campaign=self.campaign.slug,
            chain_id=CHAIN,
            task=task.slug,
            kind=task.kind,
            participant=one.keeper,
            addresses=(one.keeper, *addresses),
            subject=f"{one.provider}/{model}/{number}",
            fields={"provider": one.provider, "gpu_model": model, "count": str(one.claims[model])},
            received_at=Moment(START),
            opens=task.opens,
            closes=task.closes,
        )
        params = judge_params_of(self.campaign, task)
        seen = provider_onboarding.gather(claim, params, self.sources)  # type: ignore[arg-type]
        found = provider_onboarding.judge(claim, seen, params, self.sources.chain.point)
        self.explained = "; ".join(f"{check.name}: {check.outcome} ({check.seen})" for check in found.checks)
        self.open = [check.name for check in found.checks if check.outcome is not Outcome.PASSED]
        return str(found.outcome)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    told = story("gpu-testnet-2023")
    height = told.told_by - 1
    now = START + (height - 1) * 6_000_000_000 + 2_000_000
    campaign = load(preset("gpu-testnet-2023"))
    registered = {act.participant for act in told.people if isinstance(act, Register)}
    created = {act.owner: act.height for act in reversed(told.chain.acts) if type(act) is CreateProvider}
    faults = [Fault("status", path=path, status=503) for path in told.unreadable.values()]
    with serve(told.chain, start=START, clock=Standing(now), faults=faults, provider_port=0) as network:
        chain = Chain([network.rest_url], [network.rpc_url], Standing(now), chain_id=CHAIN, patience_seconds=0.1)
        pinned = PinnedChain(chain, ChainPoint(CHAIN, height, Moment(now)))
        looks = PinnedProviders(Providers(Standing(now), Guard(("127.0.0.0/8",))), pinned)
        yield Bench(told, campaign, network, Sources(pinned, looks, Records(registered, created, campaign.slug)))
        chain.close()


def test_providers__at_the_pre_flight__fail_the_expected_checks(bench: Bench) -> None:
    chain, now = bench.sources.chain, bench.sources.chain.point.time
    listed = ModelNames(ListedModel(one.id, one.aliases, one.vram_gib) for one in bench.campaign.gpu_models)
    differences = []
    for one in bench.told.hosts:
        answer = chain.state(chain.api.provider_info(one.provider), {})
        found = record_in([answer], one.provider, chain.point, chain.api)
        record, failing = found.record, set()
        for model, count in one.claims.items():
            wants = Wants(listed, 2, model, count)
            checks = record_checks(one.provider, record, found.trouble, found.observations, wants)
            if record is not None:
                looked = bench.sources.provider.look(one.provider, record.host_uri)
                checks += instant_checks(record, provider_seen(one.provider, looked, now, chain.api), wants)
            failing |= {check.name for check in checks if check.outcome is not Outcome.PASSED}
        if failing != set(one.not_passed):
            differences.append((one.why, sorted(failing), sorted(one.not_passed)))
    assert differences == []


def test_claims__on_each_gpu__get_the_expected_verdicts(bench: Bench) -> None:
    differences = []
    for one in bench.told.hosts:
        for model, count in one.claims.items():
            for number in {1, count}:
                verdict = bench.verdict(one, model, number)
                if verdict != one.verdict:
                    differences.append(f"{one.why} {model}/{number}: {verdict}: {bench.explained}")
    assert differences == []


def test_honest_claims__at_the_tip__lack_nothing_but_uptime(bench: Bench) -> None:
    for one in bench.told.hosts[:3]:
        model = next(iter(one.claims))
        bench.verdict(one, model, 1)
        assert bench.open == ["uptime"], bench.explained


def test_hosts__have_what_the_story_leases__and_keepers_who_lease_nothing(bench: Bench) -> None:
    told = bench.told
    assert {one.owner: one.gpus for one in told.chain.hosts} == {
        owner: dict(gpus) for owner, gpus in told.capacity.items()
    }
    deployed = [act for act in told.chain.acts if isinstance(act, CreateDeployment)]
    deployers = {act.owner for act in deployed if "        gpu:" in told.chain.sdls[act.sdl]}
    linked = {(act.participant, act.address) for act in told.people if isinstance(act, Link)}
    cast = {one.owner for one in told.expected}
    assert len({one.keeper for one in told.hosts}) == len(told.hosts) == 25
    for one in told.hosts:
        assert (one.keeper, one.provider) in linked
        assert one.keeper in cast or one.keeper not in deployers
    claims = [act for act in told.people if isinstance(act, SubmitClaim) and act.task == TASK]
    alone = {one.participant for one in told.racks if one.provider == one.participant}
    assert {act.participant for act in claims} == {one.keeper for one in told.hosts} | alone
    assert len(alone) == 1


def test_tiny__has_a_keeper_for_each_of_its_providers() -> None:
    tiny = story("gpu-testnet-2023", scale="tiny")
    assert [bool(one.keeper) for one in tiny.hosts] == [True] * 6
    assert [one.owner for one in tiny.chain.hosts] == [one.provider for one in tiny.hosts]
