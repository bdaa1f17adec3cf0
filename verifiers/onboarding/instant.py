"""What must hold of a provider at one moment, for one claimed GPU: at the look that counts (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.evidence import ChainPoint, Check, ClaimFacts, Observation, Outcome
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.looks import look_of
from verifiers.onboarding.params import OnboardingParams
from verifiers.onboarding.seen import Audits, RecordSeen, audits_in, created_in, record_in
from verifiers.provider.checks import Wants, instant_checks, memory_doubt, record_checks
from verifiers.provider.facts import provider_seen

GPU_LABEL = "gpu_label"


@dataclass(frozen=True, slots=True)
class Instant:
    """The checks of one look at `point`. `doubts`: what a person has to look at, whatever else holds."""

    point: ChainPoint
    checks: tuple[Check, ...]
    record: RecordSeen
    doubts: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """What they say together."""
        return look_of(self.point.height, {check.name: str(check.outcome) for check in self.checks}).instant


def instant(
    claim: ClaimFacts,
    gpu: Gpu,
    params: OnboardingParams,
    observations: Sequence[Observation],
    point: ChainPoint,
    unmet: Outcome,
    api: ApiSet = CURRENT,
) -> Instant:
    """Judge one look. `unmet`: the outcome of what does not hold: pending while it can still become true."""
    record = record_in(observations, gpu.provider, point, api)
    wants = Wants(params.names, params.min_cpu, gpu.model, gpu.number, unmet)
    checks = [_owner(claim, gpu)]
    checks += record_checks(gpu.provider, record.record, record.trouble, record.observations, wants)
    created = created_in(observations, gpu.provider)
    if created is not None and checks[1].outcome == Outcome.PASSED:
        seen = f"{checks[1].seen}, created at height {created[0]:,}"
        checks[1] = replace(checks[1], seen=seen, observations=(*checks[1].observations, created[1]))
    if record.record is None:
        return Instant(point, tuple(checks), record)
    provider = provider_seen(gpu.provider, observations, point.time, api)
    found = instant_checks(record.record, provider, wants)
    if params.auditors:
        found += (audited(audits_in(observations, gpu.provider, params.auditors, point, api), gpu, params, unmet),)
    found, doubts = _without_doubts(found, memory_doubt(provider, wants))
    return Instant(point, (*checks, *found), record, doubts)


def _owner(claim: ClaimFacts, gpu: Gpu) -> Check:
    is_own = gpu.provider in claim.addresses
    seen = "one of them" if is_own else "somebody else's address"
    expected = f"{gpu.provider} is an address of the participant"
    return Check("own_address", expected, seen, Outcome.PASSED if is_own else Outcome.FAILED)


def _without_doubts(checks: Sequence[Check], memory: str) -> tuple[tuple[Check, ...], tuple[str, ...]]:
    """A label that disagrees with its PCI id, and a GPU whose memory nobody says (`memory`), are for a person to
    decide: they keep nobody from a time of the work."""
    machines = {check.name: check.outcome for check in checks}.get("inventory")
    kept, doubts = [], []
    for check in checks:
        doubt = ""
        if check.name == GPU_LABEL:
            doubt = f"the label of a GPU disagrees with its PCI id ({check.seen.partition(':')[0]})"
        elif check.name == "ram":
            doubt = memory
        if doubt and check.outcome == Outcome.PENDING and machines == Outcome.PASSED:
            doubts.append(doubt)
            kept.append(replace(check, outcome=Outcome.PASSED))
        else:
            kept.append(check)
    return tuple(kept), tuple(doubts)


def audited(audits: Audits, gpu: Gpu, params: OnboardingParams, unmet: Outcome) -> Check:
    """Whether one of the campaign's auditors signed the GPU's model among the provider's attributes."""
    names = ", ".join(f"{auditor[:12]}…" for auditor in params.auditors)
    expected = f"{gpu.model} among the attributes that one of these auditors signed: {names}"
    signing = [auditor for auditor, pairs in audits.signed.items() if _signs(pairs, gpu, params)]
    if signing:
        seen, outcome = f"signed by {signing[0][:12]}…", Outcome.PASSED
    elif audits.trouble is not None:
        seen, outcome = "the chain could not be asked", Outcome.UNKNOWN
    else:
        seen, outcome = "none of them has signed it", unmet
    return Check("audited", expected, seen, outcome, audits.observations)


def _signs(pairs: frozenset[tuple[str, str]], gpu: Gpu, params: OnboardingParams) -> bool:
    for key, value in pairs:
        steps = key.lower().split("/")
        named = dict(zip(steps[2::2], steps[3::2], strict=False)) if steps[:2] == ["capabilities", "gpu"] else {}
        model = named.get("model", "")
        if value == "true" and model not in {"", "*"} and params.names.is_model(model, gpu.model):
            return True
    return False
