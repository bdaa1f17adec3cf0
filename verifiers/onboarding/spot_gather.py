"""What a look asks about the spot checks of a claimed GPU (pure: it asks the sources that it is given)."""

from __future__ import annotations

from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.deployed.facts import ChainFacts
from verifiers.evidence import ClaimFacts, Observation, Sources
from verifiers.onboarding.draws import OPEN_FOR
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.params import OnboardingParams
from verifiers.onboarding.spot_record import read_spot_record
from verifiers.onboarding.spot_runs import heights_of, runs_of, tenants_of


def spot_checks_of(claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, sources: Sources) -> list[Observation]:
    """What is on record, the blocks of the draws, the leases where a result waits, the probes where time is over."""
    seen = list(sources.records.spot_checks(claim))
    record = read_spot_record(claim.id, seen)
    if record is None:
        return seen
    seen += [sources.chain.block(opened.height) for opened in record.opened]
    waiting = [opened for opened in record.opened if opened.passing is None]
    if any(runs_of(claim, gpu, params, opened, seen) for opened in waiting):
        seen += _leases(claim, gpu, params, sources)
    now = sources.chain.point.time
    is_over = [opened for opened in waiting if opened.opens + OPEN_FOR <= now]
    if is_over and now < claim.closes:
        seen += sources.probes.days(gpu.provider, min(opened.opens for opened in is_over), now)
    return seen


def _leases(claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, sources: Sources) -> list[Observation]:
    chain = sources.chain
    api: ApiSet = getattr(chain, "api", CURRENT)
    seen: list[Observation] = []
    for address in tenants_of(claim, params):
        seen += chain.pages(api.deployments_list, {"filters.owner": address}, "deployments")
        seen += chain.pages(api.leases_list, {"filters.owner": address}, "leases")
    facts = ChainFacts(chain.point)
    facts.add(seen)
    heights = heights_of(claim, gpu, params, facts)
    return seen + [chain.block(height) for height in heights if height != chain.point.height]
