"""From all that was gathered about a claimed GPU to the verdict (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tasks.moment import SECOND, Moment, format_moment
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.deciding import REVIEW
from verifiers.deployed.facts import ChainFacts
from verifiers.deployed.wording import could_not_look, count_of, short
from verifiers.evidence import ChainPoint, Check, ClaimFacts, Observation, Outcome, Verdict, outcome_of
from verifiers.onboarding import spot_checks
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.instant import Instant, instant
from verifiers.onboarding.leases import Proof, Search
from verifiers.onboarding.looks import LEASE, Look, Looks, read_looks
from verifiers.onboarding.measured import Measured, measured
from verifiers.onboarding.params import OnboardingParams
from verifiers.onboarding.seen import region_of
from verifiers.onboarding.spot_checks import SPOT_CHECK, SpotChecked, SpotChecks
from verifiers.provider.checks import waits_for_certificate

SOON = 120 * SECOND
OFTEN = 600 * SECOND


@dataclass(frozen=True)
class Case:
    """One claimed GPU with all that was gathered, at `as_of`."""

    claim: ClaimFacts
    gpu: Gpu
    params: OnboardingParams
    observations: Sequence[Observation]
    as_of: ChainPoint
    api: ApiSet = CURRENT

    @property
    def is_closed(self) -> bool:
        """Whether the task is closed at `as_of`."""
        return self.as_of.time >= self.claim.closes


@dataclass(frozen=True, slots=True)
class When:
    """When the work was done; all None while that is open."""

    at: Moment | None = None
    height: int | None = None
    tx_index: int | None = None


def verdict_of(case: Case, judge: str, version: int) -> Verdict:
    """Judge one claimed GPU. Same case, same verdict, byte for byte."""
    looks = read_looks(case.claim.id, case.observations)
    look, search = _counted_look(case, looks)
    proof = search.proof()
    when = _when(looks, look, proof)
    uptime = measured(case.claim, case.gpu, case.params, case.observations, when.at, case.as_of)
    spots = SpotChecks(case.claim, case.gpu, case.params, case.observations, when.at, case.as_of).checked()
    checks = _checks(case, look, proof, uptime, spots)
    outcome = outcome_of(checks)
    holds_place = outcome in (Outcome.PENDING, Outcome.UNKNOWN) and when.at is not None
    return Verdict(
        outcome=outcome,
        checks=checks,
        judge=judge,
        version=version,
        as_of=case.as_of,
        at=when.at,  # also where the uptime failed in the end: its page shows it from then on
        height=when.height,
        tx_index=when.tx_index,
        attributes=_attributes(case, look),
        holds_place=holds_place,
        next_look=_next_look(case, outcome, when, uptime, spots),
        missing=_missing(case, checks, spots),
    )


def _counted_look(case: Case, looks: Looks) -> tuple[Instant, Search]:
    """The look that counts: the first that passed, judged again, else this one."""
    point, seen, unmet = case.as_of, case.observations, Outcome.FAILED if case.is_closed else Outcome.PENDING
    if looks.passing is not None:
        ids = set(looks.observations)
        point, seen, unmet = looks.passing, [one for one in seen if one.id in ids], Outcome.PENDING
    facts = ChainFacts(point)
    facts.add(seen)
    search = Search(case.claim, case.gpu, case.params, facts, seen, case.api)
    return instant(case.claim, case.gpu, case.params, seen, point, unmet, case.api), search


def _when(looks: Looks, look: Instant, proof: Proof) -> When:
    """The block of the proving lease, if the first look after it that could look passes; else the time of the first
    look that passes, without a height (CAMPAIGN_FORMAT, "The kinds")."""
    if look.outcome != Outcome.PASSED or proof.lease is None or proof.at is None or proof.trouble is not None:
        return When()
    height = proof.lease.lease.created_at
    current = () if looks.has_passed else (Look(look.point.height, look.outcome, has_lease=True),)
    able = [one for one in (*looks.looks, *current) if one.height >= height and one.instant != Outcome.UNKNOWN]
    if able and able[0].instant == Outcome.PASSED:
        return When(proof.at, height, proof.tx_index)
    return When(look.point.time)


def _checks(case: Case, look: Instant, proof: Proof, uptime: Measured, spots: SpotChecked) -> tuple[Check, ...]:
    at_once = (replace(check, height=look.point.height, time=look.point.time) for check in look.checks)
    checks = [*at_once, _lease(case, proof), uptime.check, *spots.checks]
    doubts = (*look.doubts, *uptime.doubts, *spots.doubts)
    if doubts:
        expected = "accepted by a reviewer, because something here is for a person to decide"
        checks.append(Check(REVIEW, expected, "; ".join(doubts), Outcome.PENDING))
    return tuple(checks)


def _lease(case: Case, proof: Proof) -> Check:
    whose = "a registered tenant" if case.params.tenants is None else "one of the organizers' test deployers"
    expected = f"a lease of {whose} on this provider within the window, with a GPU of the model {case.gpu.model}"
    if proof.lease is not None and proof.trouble is None:
        name = proof.lease.lease.id
        seen = f"lease {name.dseq}/{name.gseq}/{name.oseq} of {short(name.owner)}"
        height = proof.lease.lease.created_at
        return Check(LEASE, expected, seen, Outcome.PASSED, proof.observations, height, proof.at)
    if proof.trouble is not None:
        return Check(LEASE, expected, could_not_look(proof.trouble), Outcome.UNKNOWN, proof.observations)
    seen = "none yet"
    if proof.others:
        seen = f"{count_of(proof.others, 'lease')} of such tenants, none with that model within the window"
    outcome = Outcome.FAILED if case.is_closed else Outcome.PENDING
    return Check(LEASE, expected, seen, outcome, proof.observations)


def _attributes(case: Case, look: Instant) -> Mapping[str, str]:
    found = {"gpu_model": case.gpu.model}
    gpu_class = case.params.classes.get(case.gpu.model)
    if gpu_class:
        found["gpu_class"] = gpu_class
    region = region_of(look.record.record) if look.record.record is not None else None
    if region:
        found["region"] = region
    return found


def _next_look(case: Case, outcome: Outcome, when: When, uptime: Measured, spots: SpotChecked) -> Moment | None:
    now, closes = case.as_of.time, case.claim.closes
    if outcome == Outcome.PASSED:
        return None
    if outcome == Outcome.FAILED:
        # a campaign that is prolonged leaves enough time again
        is_too_late = uptime.is_too_short or spots.is_too_late
        return closes if is_too_late and not case.is_closed else None
    if outcome == Outcome.UNKNOWN:
        return Moment(now + SOON)
    if case.is_closed:
        return Moment(now + OFTEN) if uptime.waits_for_seal or spots.next_look is not None else None
    # chain time may be a block behind the close when it comes
    at_close = max(closes, now + 30 * SECOND)
    if when.at is None:
        return Moment(min(now + OFTEN, at_close))
    return Moment(at_close if spots.next_look is None else min(spots.next_look, at_close))


_MENDS = {
    "own_address": "Claim a provider of your own: link its address by its signature.",
    "provider": "Create the provider on the chain with this address.",
    "certificate": "Show a valid certificate of this provider that stands on the chain, at a public address.",
    "rest": "Your provider has to answer at its REST port.",
    "address": "The address that /address says has to be the provider's.",
    "grpc": "Your provider has to answer GetStatus at its gRPC port.",
    "inventory": "Show as many GPUs of this model in the provider's inventory as you claim.",
    "gpu_listed": "This model is not on the campaign's list.",
    "attributes": "Name this GPU model in the provider's attributes on the chain.",
    "cpu": "Give every machine with such a GPU enough CPU.",
    "ram": "Give the machine at least as much memory as its GPU has.",
    "one_model": "Put GPUs of one model only into each machine.",
    "gpu_label": "Label the GPU as what it is.",
    "audited": "Let an auditor of the campaign sign this model in your attributes.",
    LEASE: "Let a tenant who counts lease a GPU of this model from you.",
    spot_checks.NAME: "Begin early enough that a spot check fits before the close.",
}


def _missing(case: Case, checks: Sequence[Check], spots: SpotChecked) -> tuple[str, ...]:
    """One sentence for each check that is not passed; only the failures where one failed."""
    outcomes = {check.outcome for check in checks}
    if Outcome.FAILED in outcomes:
        shown = [check for check in checks if check.outcome == Outcome.FAILED]
    else:
        pending = [check for check in checks if check.outcome == Outcome.PENDING]
        shown = [check for check in pending if not waits_for_certificate(check)]
    sentences = [_sentence(case, check, others=len(shown) > 1) for check in shown]
    if Outcome.FAILED not in outcomes:
        sentences = [*spots.missing, *sentences]
    if Outcome.FAILED not in outcomes and Outcome.UNKNOWN in outcomes:
        sentences.append("Some of it could not be looked at: that costs you nothing, we look again by ourselves.")
    return tuple(dict.fromkeys(sentence for sentence in sentences if sentence))


def _sentence(case: Case, check: Check, *, others: bool) -> str:
    failed = check.outcome == Outcome.FAILED
    if check.name == "uptime" and failed:
        return f"The uptime was not enough: {check.seen}."
    if check.name.startswith(SPOT_CHECK):
        return f"A spot check was not passed: {check.seen}." if failed else ""
    if check.name == REVIEW:
        return "Nothing for you to do: a reviewer looks at it."
    if others and not failed and check.name in _DURATIONS:
        return ""
    if check.name == "uptime":
        return f"Keep the provider up until {format_moment(case.claim.closes)}."
    return _MENDS_LATER.get(check.name, "") if not failed else _MENDS.get(check.name, "")


_DURATIONS = frozenset({"uptime", spot_checks.NAME})
_MENDS_LATER = {
    **_MENDS,
    spot_checks.NAME: "Spot checks come at moments that nobody knows before: look here once a day.",
}
