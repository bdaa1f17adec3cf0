"""A benchmark run for a challenge of ours: how it is confirmed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tasks.moment import SECOND, Moment
from verifiers.benchmark.answers import ResultRefused, decode_result
from verifiers.benchmark.checks import NAMES, Checker, Seen
from verifiers.benchmark.leases import Leases
from verifiers.benchmark.params import benchmark_params
from verifiers.benchmark.record import RunRecord, find_comparison, find_record
from verifiers.chain.answers import Provider
from verifiers.chain.apiset import CURRENT, KNOWN, ApiSet
from verifiers.deployed.facts import ChainFacts, bid_parameters
from verifiers.evidence import (
    ChainPoint,
    Check,
    ClaimFacts,
    EnteredRun,
    Entry,
    EntryRefused,
    Observation,
    Outcome,
    Source,
    Sources,
    Verdict,
    outcome_of,
)
from verifiers.onboarding.seen import record_in
from verifiers.provider.facts import Answer, provider_seen

KIND = "benchmark_run"
VERSION = 3
COUNTS_FROM_RECEIPT = True

SOON = 30 * SECOND
SILENT_WAITS = 300 * SECOND
"""A provider that does not show its machines is asked as often as probes are made."""

_CHALLENGE = re.compile(r"[0-9a-f]{32}")


def enter(
    fields: Mapping[str, str],
    params: Mapping[str, object],  # noqa: ARG001 - one signature for all kinds
    addresses: Sequence[str],  # noqa: ARG001
) -> Entry:
    """Check `challenge` and `result`; the result may be the address at which the lease serves it, and is left out
    where the runner has posted it. Raises EntryRefused."""
    challenge = fields.get("challenge", "").strip().lower()
    if _CHALLENGE.fullmatch(challenge) is None:
        raise EntryRefused("challenge", "Enter the challenge's id: 32 digits and letters from a to f.")
    text = fields.get("result")
    if text is not None and text.strip().lower().startswith("https://"):
        return Entry(challenge, {"challenge": challenge}, run=EnteredRun(challenge, None, address=text.strip()))
    if text is not None:
        try:
            result = decode_result(text)
        except ResultRefused as refusal:
            raise EntryRefused("result", str(refusal)) from refusal
        if result.challenge != challenge:
            raise EntryRefused("result", f"This result is for challenge {result.challenge}.")
    return Entry(challenge, {"challenge": challenge}, run=EnteredRun(challenge, text))


def gather(claim: ClaimFacts, params: Mapping[str, object], sources: Sources) -> Sequence[Observation]:  # noqa: ARG001
    """The run's record, the participant's leases, the bid of the one that counts, the provider, the comparison."""
    kept = sources.benchmarks.record(claim.subject)
    if kept is None:
        return ()
    record, _ = find_record([kept], claim.subject)
    if record is None:
        return (kept,)
    chain = sources.chain
    api = getattr(chain, "api", CURRENT)
    seen: list[Observation] = [kept]
    for address in claim.addresses:
        seen += chain.pages(api.deployments_list, {"filters.owner": address}, "deployments")
        seen += chain.pages(api.leases_list, {"filters.owner": address}, "leases")
    facts = ChainFacts(chain.point)
    facts.add(seen)
    leases = Leases(claim, record.challenge.provider, facts)
    times = [chain.block(height) for height in leases.heights() if height != chain.point.height]
    facts.add(times)
    found = leases.at(record.received).lease
    bids = [chain.state(api.bids_info, bid_parameters(found.lease.id))] if found else []
    seen += [*times, *bids, *_provider(record, sources, api)]
    comparison = sources.benchmarks.comparison(claim.subject)
    return tuple({each.id: each for each in [*seen, *([comparison] if comparison else [])]}.values())


def _provider(record: RunRecord, sources: Sources, api: ApiSet) -> list[Observation]:
    owner = record.challenge.provider
    answer = sources.chain.state(api.provider_info(owner), {})
    on_chain = _on_chain([answer], owner, sources.chain.point, api).value
    return [answer, *(sources.provider.look(owner, on_chain.host_uri) if on_chain else ())]


def _on_chain(observations: Sequence[Observation], owner: str, point: ChainPoint, api: ApiSet) -> Answer[Provider]:
    seen = record_in(observations, owner, point, api)
    return Answer(seen.record, seen.trouble, seen.observations)


def judge(
    claim: ClaimFacts,
    observations: Sequence[Observation],
    params: Mapping[str, object],
    as_of: ChainPoint,
) -> Verdict:
    """The nine checks of a run. Doubts lead to an open review, never to a no. Pure."""
    record, record_ids = find_record(observations, claim.subject)
    if record is None:
        return _without_record(record_ids, as_of)
    facts = ChainFacts(as_of)
    facts.add(observations)
    comparison, comparison_ids = find_comparison(observations, claim.subject)
    owner, api = record.challenge.provider, _api(observations)
    seen = Seen(
        record=record,
        record_ids=record_ids,
        leases=Leases(claim, owner, facts),
        on_chain=_on_chain(observations, owner, as_of, api),
        provider=provider_seen(owner, observations, as_of.time, api),
        comparison=comparison,
        comparison_ids=comparison_ids,
    )
    checker = Checker(claim, seen, benchmark_params(params))
    return _verdict(checker, record, as_of)


def _api(observations: Sequence[Observation]) -> ApiSet:
    """The set of versions that the chain was asked with."""
    asked = [each.request for each in observations if each.source == Source.CHAIN]
    return next((api for api in KNOWN if any(api.leases_list in request for request in asked)), CURRENT)


def _verdict(checker: Checker, record: RunRecord, as_of: ChainPoint) -> Verdict:
    checks = checker.checks()
    outcome = outcome_of(checks)
    is_dated = outcome != Outcome.FAILED
    return Verdict(
        outcome=outcome,
        checks=checks,
        judge=KIND,
        version=VERSION,
        as_of=as_of,
        at=record.received if is_dated else None,
        attributes=checker.attributes,
        holds_place=outcome in (Outcome.PENDING, Outcome.UNKNOWN),
        next_look=_next_look(checker, checks, as_of, outcome),
        missing=checker.missing(checks),
    )


def _next_look(checker: Checker, checks: Sequence[Check], as_of: ChainPoint, outcome: Outcome) -> Moment | None:
    """After the receipt for a lease that may end before it; for a silent provider until its machines may change."""
    if any(check.name == "lease" and check.outcome == Outcome.PENDING for check in checks):
        return Moment(max(checker.seen.record.received, as_of.time) + SOON)
    if outcome == Outcome.UNKNOWN and checker.is_silent:
        return Moment(min(as_of.time + SILENT_WAITS, checker.machines_stay_until + SECOND))
    return None


def _without_record(ids: tuple[str, ...], as_of: ChainPoint) -> Verdict:
    text = "the result that was entered could not be read back: our side, we try again"
    checks = tuple(
        Check(name, "the result as it was entered", text, Outcome.UNKNOWN, ids, as_of.height, as_of.time)
        for name in NAMES
    )
    return Verdict(Outcome.UNKNOWN, checks, KIND, VERSION, as_of, missing=("We could not look: our side.",))
