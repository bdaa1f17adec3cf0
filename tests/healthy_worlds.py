"""A claim of each kind that passes, with all that was asked for it: for tests that exchange one answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from tests import benchmark_worlds, deployed_worlds, submitted_worlds
from tests.codehost_double import CodeHostDouble as Codehost
from tests.nodes import StandingClock
from tests.onboarding_worlds import OnboardingWorld, gpu_claim, gpu_params, looked, probed
from tests.provider_double import node
from tests.spot_worlds import OPENED, RECEIVED, SpotWorld, run_record, spot_claim
from verifiers import deciding
from verifiers.codehost.client import CodeHost
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Verdict, Verifier
from verifiers.http import Limits
from verifiers.kinds import ai_deployment, benchmark_run, provider_onboarding, sdl_submission
from verifiers.probes import State


@dataclass(frozen=True)
class Healthy:
    """A claim that passes, with all that was asked for it."""

    verifier: Verifier
    claim: ClaimFacts
    params: Mapping[str, object]
    seen: Sequence[Observation]
    point: ChainPoint

    def judged(self, place: int, instead: Observation) -> Verdict:
        """The verdict with one answer exchanged."""
        changed = [*self.seen[:place], instead, *self.seen[place + 1 :]]
        return deciding.judge(self.verifier, self.claim, changed, self.params, self.point)


def onboarded(height: int) -> Healthy:
    """Before the close what has been seen at one look counts; after it the uptime too."""
    world = OnboardingWorld(signed={"akash1auditor": ["capabilities/gpu/vendor/nvidia/model/a100"]})
    world = world.leased().at(height)
    params = gpu_params(auditors=("akash1auditor",))
    seen = provider_onboarding.gather(gpu_claim(), params, world)
    return Healthy(provider_onboarding, gpu_claim(), params, seen, world.point)


def spot_checked(height: int) -> Healthy:
    """A result was entered for an open spot check; after the close its 24 hours are over too, all of them known."""
    world = SpotWorld().leased(500)
    world.gpus.nodes = [node(gpus=[("a100", "80Gi")] * 2)]
    world.at(600)
    looked(world, spot_claim(), spot_checks=1)
    world.opened[1] = (OPENED, 2)
    world.own_lease().runs["two"] = run_record("two")
    world.probed = probed(world.time(500), world.time(50_000), lambda _: State.up({"nvidia/a100": 2}))
    world.at(max(height, RECEIVED + 10))
    params = gpu_params(spot_checks=1)
    seen = provider_onboarding.gather(spot_claim(), params, world)
    return Healthy(provider_onboarding, spot_claim(), params, seen, world.point)


def deployed(height: int) -> Healthy:
    world = deployed_worlds.World(height=height).deploy(1).lease(1).sdl(1)
    claim, params = deployed_worlds.claim(), deployed_worlds.params()
    return Healthy(ai_deployment, claim, params, ai_deployment.gather(claim, params, world), world.point)


def ran(height: int) -> Healthy:
    world = replace(benchmark_worlds.world(inventory=[node(gpus=[("a100", "80Gi")])]), height=height)
    claim, params = benchmark_worlds.claim(), benchmark_worlds.params()
    return Healthy(benchmark_run, claim, params, benchmark_run.gather(claim, params, world), world.point)


def written(height: int) -> Healthy:
    with Codehost() as double:
        one = submitted_worlds.well(double, height)
        host = CodeHost(double.url, StandingClock(submitted_worlds.RECEIVED), limits=Limits(deadline_seconds=5))
        claim, params = submitted_worlds.submitted(), submitted_worlds.params()
        seen = sdl_submission.gather(claim, params, submitted_worlds.Sources(one, host))
        host.close()
        return Healthy(sdl_submission, claim, params, seen, one.chain.point)


WORLDS: Mapping[str, Callable[[int], Healthy]] = {
    "provider_onboarding": onboarded,
    "provider_onboarding with a spot check": spot_checked,
    "ai_deployment": deployed,
    "benchmark_run": ran,
    "sdl_submission": written,
}
