"""What came of one spot check: runs of its challenges, and the lease that has their GPUs all at once (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tasks.moment import Moment
from verifiers.benchmark.answers import GpuFacts
from verifiers.benchmark.ceilings import proof_limit_ns
from verifiers.benchmark.checks import LEAST_ORDER
from verifiers.benchmark.gpus import fits_listed_memory, named_gpu
from verifiers.benchmark.leases import Leases
from verifiers.benchmark.plausible import doubts, missing_tests
from verifiers.benchmark.proofs import mistake_of
from verifiers.benchmark.record import RunRecord, find_record
from verifiers.chain.answers import Group, LeaseInfo
from verifiers.chain.answers.resources import ANY
from verifiers.deployed.facts import ChainFacts
from verifiers.evidence import ClaimFacts, Observation
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.params import OnboardingParams
from verifiers.onboarding.spot_record import Opened

SUITE = 1
WITHIN_PERMILLE = 3000


@dataclass(frozen=True, slots=True)
class Run:
    """One result. `gpus`: names of the distinct cards of the claim's model that answered; none with a `mistake`."""

    record: RunRecord
    observations: tuple[str, ...]
    gpus: frozenset[str]
    mistake: str = ""


@dataclass(frozen=True, slots=True)
class Together:
    """The lease in which most GPUs answered. `units`: how many it asks for; `count`: how many distinct ones answered.

    `trouble`: something about leases could not be read, so there may be a better one.
    """

    lease: LeaseInfo | None = None
    units: int = 0
    count: int = 0
    runs: tuple[Run, ...] = ()
    trouble: str | None = None
    observations: tuple[str, ...] = ()


def tenants_of(claim: ClaimFacts, params: OnboardingParams) -> tuple[str, ...]:
    """Whose leases may be those of a spot check: the participant's, and the organizers' test deployers'."""
    return tuple(dict.fromkeys((*claim.addresses, *sorted(params.tenants or ()))))


def runs_of(
    claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, opened: Opened, observations: Sequence[Observation]
) -> list[Run]:
    """Every result that was entered for a spot check, in the order in which its challenges were given."""
    runs = []
    for challenge in opened.challenges:
        record, ids = find_record(observations, challenge)
        if record is None:
            continue
        mistake = _mistake(claim, gpu, params, opened, challenge, record)
        gpus = frozenset(_cards(record)) if not mistake else frozenset()
        runs.append(Run(record, ids, gpus, mistake))
    return runs


def _mistake(
    claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, opened: Opened, challenge: str, record: RunRecord
) -> str:
    """Why a result shows nothing, as a phrase; empty for a good one."""
    issued, run = record.challenge, record.result
    ours = (issued.id, issued.spot_check, issued.campaign, issued.participant, issued.provider)
    if not (issued.genuine or issued.shipped) or ours != (
        challenge,
        opened.id,
        claim.campaign,
        claim.participant,
        gpu.provider,
    ):
        return "a result is for no challenge of this spot check"
    if run.challenge != challenge:
        return f"a result is for challenge {run.challenge}"
    if run.device.type != "cuda" or any(each is None for each in run.gpus):
        return "a run was on a processor, without a GPU"
    if run.device.small or run.suite != SUITE:
        return "a run was in small sizes"
    if missing := missing_tests(run):
        return f"a run was without {', '.join(missing)}"
    strange = next((text for each in run.gpus if each is not None and (text := _other(each, gpu, params))), "")
    return strange or mistake_of(challenge, run, record.measured, LEAST_ORDER) or ""


def _other(facts: GpuFacts, gpu: Gpu, params: OnboardingParams) -> str:
    named = named_gpu(facts.name, facts.memory_bytes, params.names)
    if named.model != gpu.model:
        return f"a run names a {named.name}, no {gpu.model}"
    if not fits_listed_memory(named, params.names.vram_gib(gpu.model)):
        return f"a run names a {gpu.model} with {named.vram_gib} GB, the campaign lists another"
    return ""


def _cards(record: RunRecord) -> Iterable[str]:
    """A name for each card: two containers of one machine that show the same card show it once."""
    for place, facts in enumerate(record.result.gpus):
        if facts is not None:
            yield facts.uuid or f"{record.challenge.id}/{facts.pci_bus or place}"


def together(
    claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, facts: ChainFacts, runs: Sequence[Run]
) -> Together:
    """The newest lease with the most of the GPUs that answered; each result must have come while it was active."""
    leases = Leases(replace(claim, addresses=tenants_of(claim, params)), gpu.provider, facts)
    ids, trouble = leases.lists()
    best = Together()
    for _, group, lease in leases.on_provider():
        if not _asks_for(group, gpu.model, params):
            continue
        created, closed = leases.times(lease)
        ids += [*created.observations, *closed.observations]
        if created.value is None or (closed.value is None and not lease.lease.runs):
            trouble = trouble or created.trouble or closed.trouble
            continue
        mine = tuple(run for run in runs if _is_within(run.record.received, created.value, closed.value))
        count = min(len(frozenset().union(*(run.gpus for run in mine))), group.gpu_units)
        if count > best.count or best.lease is None:
            best = Together(lease, group.gpu_units, count, mine)
    return replace(best, trouble=trouble, observations=tuple(dict.fromkeys(ids)))


def heights_of(claim: ClaimFacts, gpu: Gpu, params: OnboardingParams, facts: ChainFacts) -> list[int]:
    """The heights whose times decide which lease was active."""
    return Leases(replace(claim, addresses=tenants_of(claim, params)), gpu.provider, facts).heights()


def _is_within(received: Moment, created: Moment, closed: Moment | None) -> bool:
    return created <= received and (closed is None or received < closed)


def _asks_for(group: Group, model: str, params: OnboardingParams) -> bool:
    """Whether all GPUs of a group may be of this model."""
    for request in group.gpu_requests:
        names = {each.model for each in request.models}
        if names and ANY not in names and not any(params.names.is_model(name, model) for name in names):
            return False
    return True


def doubts_of(runs: Iterable[Run], gpu: Gpu, params: OnboardingParams) -> tuple[str, ...]:
    """What a person has to look at although the spot check passed, as phrases."""
    found: list[str] = []
    for run in runs:
        result, measured = run.record.result, run.record.measured
        found += doubts(result, gpu.model, {}, WITHIN_PERMILLE)
        if result.proof.mode == "interactive" and measured is not None:
            limit = proof_limit_ns(gpu.model, measured.n)
            if measured.took_ns > limit:
                took, most = measured.took_ns / 10**9, limit / 10**9
                found.append(f"the proof took {took:.1f} s, more than {most:.1f} s for a {gpu.model}")
        for facts in result.gpus:
            label = params.names.pci_label(facts.pci_id.lower().removeprefix("0x")[:4]) if facts else None
            if facts is not None and label is not None and label != gpu.model:
                found.append(f"the PCI id {facts.pci_id} is that of a {label}")
    return tuple(dict.fromkeys(found))
