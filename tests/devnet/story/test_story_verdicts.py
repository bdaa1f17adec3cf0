"""The verifier's own verdicts on the cast of the 2023 story, read from devnet over HTTP at the demo's first block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from devnet.acts import CreateDeployment
from devnet.faults import Fault
from devnet.network import Devnet, serve
from devnet.story.library import Story, story
from devnet.story.people import GiveSdl, Link, PersonAct, Register, SubmitClaim
from tasks.campaign import Campaign, load, preset
from tasks.moment import Moment
from tests.devnet.story.test_story_on_devnet import refuses_only_what_was_meant_to_fail
from verifiers.chain.client import Chain
from verifiers.chain.pinned import PinnedChain
from verifiers.evidence import ChainPoint, ClaimFacts, EntryRefused, Observation, Source
from verifiers.kinds import ai_deployment

CHAIN = "waymark-demo-1"
START = 1_687_276_800_000_000_000


@dataclass(frozen=True)
class Standing:
    """A clock that stands."""

    at: int

    def now(self) -> Moment:
        return Moment(self.at)


@dataclass
class Entered:
    """The SDLs that people gave, as observations."""

    given: dict[str, list[Observation]] = field(default_factory=dict)

    def sdls(self, owner: str) -> Sequence[Observation]:
        return self.given.get(owner, [])


@dataclass
class Sources:
    chain: PinnedChain
    entered: Entered


@dataclass
class Bench:
    """What is needed to judge one owner's app."""

    told: Story
    campaign: Campaign
    sources: Sources
    addresses: dict[str, tuple[str, ...]]
    claimed: set[str]
    known: set[tuple[str, str]]
    network: Devnet
    explained: str = ""

    def verdict(self, owner: str, app: str) -> str:
        participant = next((who for who, theirs in self.addresses.items() if owner in theirs), "")
        if f"{owner}/{app}" not in self.claimed and (not participant or (owner, app) not in self.known):
            return "none"
        task = self.campaign.task("deploy")
        assert task is not None
        claim = ClaimFacts(
            id="0" * 32,
            campaign=self.campaign.slug,
            chain_id=CHAIN,
            task=task.slug,
            kind=task.kind,
            participant=participant,
            addresses=self.addresses[participant],
            subject=f"{owner}/{app}",
            fields={"owner": owner, "app": app},
            received_at=Moment(START),
            opens=task.opens,
            closes=task.closes,
        )
        seen = ai_deployment.gather(claim, task.params, self.sources)
        found = ai_deployment.judge(claim, seen, task.params, self.sources.chain.point)
        self.explained = "; ".join(f"{check.name}: {check.outcome} ({check.seen})" for check in found.checks)
        return str(found.outcome)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    told = story("gpu-testnet-2023")
    height = told.told_by - 1
    now = START + (height - 1) * 6_000_000_000 + 2_000_000
    faults = [Fault("status", path=path, api="rest") for path in told.unreadable.values()]
    with serve(told.chain, start=START, clock=Standing(now), faults=faults) as network:
        chain = Chain([network.rest_url], [network.rpc_url], Standing(now), chain_id=CHAIN, patience_seconds=0.1)
        try:
            pinned = PinnedChain(chain, ChainPoint(CHAIN, height, Moment(now)))
            campaign = load(preset("gpu-testnet-2023"))
            addresses = {act.participant: (act.participant,) for act in told.people if isinstance(act, Register)}
            for act in told.people:
                if isinstance(act, Link):
                    addresses[act.participant] += (act.address,)
            entered, claimed = _entries(told, campaign, addresses)
            yield Bench(told, campaign, Sources(pinned, entered), addresses, claimed, _catalogued(told), network)
        finally:
            chain.close()


def test_cast__judged_by_the_verifier_over_http__gets_the_expected_verdicts(bench: Bench) -> None:
    differences = []
    for one in bench.told.expected:
        verdict = bench.verdict(one.owner, one.app)
        if verdict != one.verdict:
            differences.append(f"{one.name} {one.app}: {verdict}, expected {one.verdict}: {bench.explained}")
    assert differences == []


def test_chain__of_the_whole_story__refuses_only_what_was_meant_to_fail(bench: Bench) -> None:
    bench.network.settings.tip = bench.told.closes
    assert bench.network.tip() == bench.told.closes
    refuses_only_what_was_meant_to_fail(bench.told, bench.network.chain)


def _entries(told: Story, campaign: Campaign, addresses: dict[str, tuple[str, ...]]) -> tuple[Entered, set[str]]:
    """What the entries of people become; some are refused, as on the page."""
    entered, claimed = Entered(), set[str]()
    task = campaign.task("deploy")
    assert task is not None
    for act in told.people:
        fields = _fields(act)
        if fields is None:
            continue
        try:
            entry = ai_deployment.enter(fields, task.params, addresses[act.participant])
        except EntryRefused:
            continue
        claimed.add(entry.subject)
        for sdl in entry.sdls:
            request = f"SDL {sdl.owner}/{sdl.dseq}"
            seen = Observation(Source.ENTERED, request, sdl.reduced, "", Moment(START + act.height * 6_000_000_000))
            entered.given.setdefault(sdl.owner, []).append(seen)
    return entered, claimed


def _fields(act: PersonAct) -> dict[str, str] | None:
    if isinstance(act, SubmitClaim):
        return dict(act.fields) if act.task == "deploy" else None
    if isinstance(act, GiveSdl):
        return {"owner": act.owner, "dseq": str(act.dseq), "sdl": act.sdl_text}
    return None


def _catalogued(told: Story) -> set[tuple[str, str]]:
    """(owner, app) whose SDL is the catalogue's, within the task's window: found without anybody's help."""
    apps = {text: app for app, texts in told.catalogue.items() for text in texts}
    return {
        (act.owner, apps[told.chain.sdls[act.sdl]])
        for act in told.chain.acts
        if isinstance(act, CreateDeployment) and told.chain.sdls[act.sdl] in apps and 216_001 <= act.height < 302_401
    }
