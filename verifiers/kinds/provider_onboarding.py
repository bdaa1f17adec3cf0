"""A GPU brought to the network: how it is confirmed from the chain, the provider itself and our probes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.deployed.facts import ChainFacts, bid_parameters
from verifiers.evidence import (
    Candidate,
    ChainPoint,
    Check,
    ClaimFacts,
    Entry,
    IndexedDeployment,
    Observation,
    Outcome,
    Sources,
    Verdict,
)
from verifiers.onboarding.candidates import candidates_of
from verifiers.onboarding.entry import Gpu, entered_gpus, read_subject
from verifiers.onboarding.leases import Needed, Search, Want, owners_of, provider_leases
from verifiers.onboarding.looks import read_looks
from verifiers.onboarding.params import OnboardingParams, onboarding_params
from verifiers.onboarding.seen import record_in
from verifiers.onboarding.spot_gather import spot_checks_of
from verifiers.onboarding.verdict import Case, verdict_of

KIND = "provider_onboarding"
VERSION = 6


def enter(fields: Mapping[str, str], params: Mapping[str, object], addresses: Sequence[str]) -> Entry:
    """Check `provider, gpu_model, count`: the claims 1 to `count`, one for each GPU. Raises EntryRefused."""
    return entered_gpus(fields, onboarding_params(params), addresses)


def provider_candidates(
    task: str, provider: str, deployments: Iterable[IndexedDeployment], params: Mapping[str, object]
) -> list[Candidate]:
    """What indexed leases of registered tenants on a participant's provider may become. Pure."""
    return candidates_of(task, provider, deployments, onboarding_params(params))


def gather(claim: ClaimFacts, params: Mapping[str, object], sources: Sources) -> Sequence[Observation]:
    """Look at the provider until a look passes everything that must hold at one moment; that look is kept for good,
    and from then on only spot checks are looked at, and our probes once the task is closed.

    Claims of one provider share all of it.
    """
    gpu = read_subject(claim.subject)
    if gpu is None:
        return ()
    wanted = onboarding_params(params)
    seen = list(sources.records.looks(claim.id))
    if not read_looks(claim.id, seen).has_passed:
        seen += _look(claim, gpu, wanted, sources)
    elif wanted.spot_checks:
        seen += spot_checks_of(claim, gpu, wanted, sources)
    if claim.closes <= sources.chain.point.time:
        seen += sources.probes.days(gpu.provider, claim.opens, claim.closes)
    return tuple({observation.id: observation for observation in seen}.values())


def _look(claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, sources: Sources) -> list[Observation]:
    chain = sources.chain
    api: ApiSet = getattr(chain, "api", CURRENT)
    seen = [chain.state(api.provider_info(gpu.provider), {})]
    seen += [chain.state(api.audit_by(auditor, gpu.provider), {}) for auditor in params.auditors]
    created = sources.records.provider_created(gpu.provider)
    if created is not None:
        seen.append(chain.block_results(created))
    record = record_in(seen, gpu.provider, chain.point, api).record
    if record is not None:
        seen += sources.provider.look(gpu.provider, record.host_uri)
    return seen + _look_for_lease(claim, gpu, params, sources, api)


def _look_for_lease(
    claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, sources: Sources, api: ApiSet
) -> list[Observation]:
    """Ask what decides over the leases on the provider, one after the other, until nothing more would."""
    chain = sources.chain
    seen = list(chain.pages(api.leases_list, {"filters.provider": gpu.provider}, "leases"))
    listed = provider_leases(seen, gpu.provider, chain.point, api)
    if params.tenants is None:
        seen.append(sources.records.tenants(owners_of(listed.value or ())))
    if listed.value:
        seen += chain.first_block_from(claim.opens)
        if claim.closes <= chain.point.time:
            seen += chain.first_block_from(claim.closes)
    facts = ChainFacts(chain.point)
    facts.add(seen)
    search = Search(claim, gpu, params, facts, seen, api)
    asked: set[tuple[Needed, object]] = set()
    while True:
        search.proof()
        wants = [want for want in search.wants if (want.what, want.lease.lease.id) not in asked]
        if not wants:
            return seen
        for want in wants:
            asked.add((want.what, want.lease.lease.id))
            answer = _ask(want, sources, api)
            facts.add([answer])
            seen.append(answer)


def _ask(want: Want, sources: Sources, api: ApiSet) -> Observation:
    chain, lease = sources.chain, want.lease.lease
    match want.what:
        case Needed.BLOCK:
            return chain.block(lease.created_at)
        case Needed.RESULTS:
            return chain.block_results(lease.created_at)
        case Needed.BID:
            return chain.state(api.bids_info, bid_parameters(lease.id))
        case Needed.DEPLOYMENT:
            parameters = {"id.owner": lease.id.owner, "id.dseq": str(lease.id.dseq)}
            return chain.state(api.deployments_info, parameters)


def judge(
    claim: ClaimFacts,
    observations: Sequence[Observation],
    params: Mapping[str, object],
    as_of: ChainPoint,
) -> Verdict:
    """The provider at one moment, the proving lease, the uptime. Pure: same facts, same verdict, byte for byte."""
    gpu = read_subject(claim.subject)
    if gpu is None:
        check = Check("subject", "provider/gpu_model/number", claim.subject[:200], Outcome.FAILED)
        return Verdict(Outcome.FAILED, (check,), KIND, VERSION, as_of)
    case = Case(claim, gpu, onboarding_params(params), observations, as_of)
    return verdict_of(case, KIND, VERSION)
