"""The whole way of a claim over real HTTP: small network, client, gather, judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from devnet.faults import Fault
from devnet.network import Devnet, serve
from devnet.scenarios import small
from tasks.moment import SECOND, Moment
from tests.deployed_worlds import params
from verifiers.chain.client import Chain
from verifiers.chain.pinned import PinnedChain
from verifiers.evidence import ClaimFacts, Observation, Outcome, Source, Verdict
from verifiers.kinds import ai_deployment

START = Moment(1_700_000_000 * SECOND)


class StandingClock:
    def now(self) -> Moment:
        return Moment(START + 300 * 6 * SECOND)


@dataclass
class Asked:
    chain: PinnedChain
    given: Sequence[Observation] = ()

    @property
    def entered(self) -> Asked:
        return self

    def sdls(self, owner: str) -> Sequence[Observation]:
        return [each for each in self.given if owner in each.request]


@pytest.fixture(scope="module")
def net() -> Iterator[Devnet]:
    with serve(small.scenario(), start=START, clock=StandingClock(), port=0) as network:
        yield network


def judged(net: Devnet, who: str, dseq: int, height: int = 300, **changes: object) -> Verdict:
    net.settings.tip = height
    clock = StandingClock()
    chain = Chain([net.rest_url], [net.rpc_url], clock, sleep=lambda _: None)
    owner = small.address(who)
    task = params(**{"group_by": "deployment", "apps": (), **changes})
    facts = ClaimFacts(
        id="0" * 32,
        campaign="demo",
        chain_id=small.CHAIN_ID,
        task="deploy",
        kind="ai_deployment",
        participant=owner,
        addresses=(owner,),
        subject=f"{owner}/{dseq}",
        fields={"owner": owner, "dseq": str(dseq)},
        received_at=START,
        opens=START,
        closes=Moment(START + 10_000 * 6 * SECOND),
    )
    sources = Asked(PinnedChain(chain, chain.tip().point), given=_given(owner, dseq, changes))
    observations = ai_deployment.gather(facts, task, sources)
    verdict = ai_deployment.judge(facts, observations, task, sources.chain.point)
    chain.close()
    return verdict


def _given(owner: str, dseq: int, changes: dict[str, object]) -> list[Observation]:
    if "apps" not in changes:
        return []
    entry = ai_deployment.enter(
        {"owner": owner, "dseq": str(dseq), "sdl": small.SDLS["model"]}, params(**changes), [owner]
    )
    return [
        Observation(Source.ENTERED, f"SDL {sdl.owner}/{sdl.dseq}", sdl.reduced, "entered", START)
        for sdl in entry.sdls
    ]


SMALL = [
    ("closed after half an hour", "ada", 1001, 300, Outcome.PASSED, 21),
    ("its minutes are not over", "ada", 1001, 100, Outcome.PENDING, 21),
    ("second order still runs", "ben", 2001, 300, Outcome.PASSED, 63),
    ("overdrawn and found", "cho", 3001, 300, Outcome.FAILED, None),
    ("overdrawn, found by nobody", "cho", 3002, 300, Outcome.PENDING, None),
    ("closed by the provider", "dee", 4001, 300, Outcome.PENDING, None),
    ("closed without a lease", "dee", 4002, 300, Outcome.FAILED, None),
    ("no GPU", "eli", 5001, 300, Outcome.FAILED, None),
    ("copy for one block", "eli", 5002, 300, Outcome.FAILED, None),
    ("reclaiming", "fay", 6001, 300, Outcome.PASSED, 72),
]


@pytest.mark.parametrize(
    ("who", "dseq", "height", "outcome", "made_at"), [pytest.param(*row[1:], id=row[0]) for row in SMALL]
)
def test_judge__deployment_of_the_small_network__is_as_its_story_tells(
    net: Devnet, who: str, dseq: int, height: int, outcome: Outcome, made_at: int | None
) -> None:
    verdict = judged(net, who, dseq, height)
    assert verdict.outcome == outcome, verdict.checks
    assert verdict.height == made_at
    assert verdict.as_of.height == height


def test_judge__app_by_entered_sdl__passes_with_its_image(net: Devnet) -> None:
    image = next(line.partition("image:")[2].strip() for line in small.SDLS["model"].splitlines() if "image:" in line)
    apps = ({"slug": "model", "title": "Model", "images": (image,), "hashes": ()},)
    verdict = judged(net, "ada", 1001, apps=apps)
    assert verdict.outcome == Outcome.PASSED
    assert verdict.attributes["app"] == "model"


@pytest.mark.parametrize("path", ["deployments/list", "leases/list", "bids/info", "block_results"])
def test_judge__node_in_trouble__is_unknown_and_names_it(net: Devnet, path: str) -> None:
    net.faults.add(Fault("status", path=path, status=503, count=50))
    try:
        verdict = judged(net, "ada", 1001)
    finally:
        net.faults.clear()
    assert verdict.outcome == Outcome.UNKNOWN
    assert any("the node" in sentence for sentence in verdict.missing)
    assert verdict.next_look is not None


def test_judge__node_that_keeps_only_the_last_blocks__does_not_fail_the_claim(net: Devnet) -> None:
    net.settings.keep_blocks = 100
    try:
        verdict = judged(net, "ada", 1001)
    finally:
        net.settings.keep_blocks = None
    assert verdict.outcome == Outcome.UNKNOWN
