"""What the ledger knows that review signals are made of: claims, SDLs, benchmark runs, and what the chain said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.benchmarks import BenchmarkRunRow
from ledger.claims import ClaimRow, EnteredSdlRow
from ledger.observations import load_observations
from ledger.rows import in_parts
from ledger.signals import SignalLookRow
from ledger.submissions import SubmittedSdlRow
from services.campaigns import Loaded
from services.signal_targets import Question, belonging
from verifiers.deployed.params import deployment_params
from verifiers.entries import loose_url
from verifiers.evidence import Observation
from verifiers.signals.edges import Facts
from verifiers.signals.facts import Held, OwnLease, Paid, Signal, Trace

DEPLOYED, SUBMITTED = "deployed", "submitted"
FROM_CAMPAIGN = "it is one of the campaign's own apps"
FROM_PARTICIPANT = "a participant wrote it for everybody"

_PAYMENTS = {
    Question.FIRST_FUNDS: Signal.FIRST_FUNDS,
    Question.FEE_PAYERS: Signal.FEE_GRANT,
    Question.FEE_GRANTS: Signal.FEE_GRANT,
    Question.FEE_ALLOWANCES: Signal.FEE_GRANT,
    Question.DEPOSITS: Signal.DEPOSIT,
    Question.DEPOSIT_GRANTS: Signal.DEPOSIT,
    Question.ESCROW: Signal.DEPOSIT,
}
_MACHINES = {Question.PROVIDER: Signal.SAME_HOST, Question.CERTIFICATES: Signal.SAME_CERTIFICATE}


def facts_of(session: Session, loaded: Loaded) -> Facts:
    """All facts of a campaign, those of registered participants only."""
    belongs = belonging(session, loaded.slug)
    claims = session.scalars(select(ClaimRow).where(ClaimRow.campaign == loaded.slug)).all()
    sdls = [*_entered(session, loaded.slug), *_submitted(session, loaded.slug)]
    looks = session.scalars(select(SignalLookRow).where(SignalLookRow.campaign == loaded.slug)).all()
    people = set(belongs.values())
    held = [each for each, _ in sdls]
    held += (*_subjects(claims), *_pulls(session, loaded.slug), *_outputs(session, loaded.slug))
    held += _machines(looks, belongs)
    return Facts(
        held=[each for each in held if each.participant in people],
        paid=list(_paid(looks)),
        own_leases=list(_own_leases(looks, claims, belongs)),
        belongs=belongs,
        commonplace=_commonplace(loaded, sdls),
    )


# ---------------------------------------------------------------- claims


def _subjects(claims: Sequence[ClaimRow]) -> Iterator[Held]:
    """The thing that each claim is about, but for those that have signals of their own."""
    for claim in claims:
        thing = _thing(claim)
        if thing:
            said = f"{claim.participant} claimed {claim.subject} for task {claim.task}"
            trace = Trace(said, claim=claim.id)
            yield Held(Signal.SAME_SUBJECT, f"{claim.task}: {thing}", claim.participant, trace, claim.received_ns)


def _thing(claim: ClaimRow) -> str:
    """What another claim would have to be about, to be about the same."""
    subject = claim.subject
    if claim.kind == "provider_onboarding":
        return f"provider {subject.partition('/')[0]}"
    if claim.kind == "sdl_submission":
        return ""  # pull request and SDL are signals of their own
    if claim.kind == "ai_deployment":
        return f"deployments of {subject.partition('/')[0]}"
    return loose_url(subject) if subject.startswith("https://") else subject


def _pulls(session: Session, campaign: str) -> Iterator[Held]:
    """Every pull request that was named, in any version."""
    statement = (
        select(SubmittedSdlRow, ClaimRow.participant)
        .join(ClaimRow, ClaimRow.id == SubmittedSdlRow.claim)
        .where(SubmittedSdlRow.campaign == campaign, SubmittedSdlRow.pull_request != "")
    )
    for row, participant in session.execute(statement):
        link = row.pull_request.rstrip("/")
        trace = Trace(f"{participant} named {link}", claim=row.claim, observation=row.observation)
        yield Held(Signal.SAME_PULL_REQUEST, link.lower(), participant, trace, row.received_ns)


def _outputs(session: Session, campaign: str) -> Iterator[Held]:
    """The numbers of every run that its owner entered."""
    entered = BenchmarkRunRow.campaign == campaign, BenchmarkRunRow.claim.is_not(None)
    for run in session.scalars(select(BenchmarkRunRow).where(*entered)):
        said = f"{run.participant} entered a result for challenge {run.challenge} on {run.variant}"
        trace = Trace(said, claim=run.claim or "", observation=run.observation or "")
        yield Held(Signal.SAME_OUTPUT, run.output_digest, run.participant, trace, run.received_ns)


# ---------------------------------------------------------------- SDLs


def _entered(session: Session, campaign: str) -> Iterator[tuple[Held, frozenset[str]]]:
    """SDLs given for deployments, with every manifest hash that each may have."""
    rows = session.scalars(select(EnteredSdlRow).where(EnteredSdlRow.campaign == campaign)).all()
    bodies = _bodies(session, [row.observation for row in rows])
    for row in rows:
        hashes = _hashes(bodies.get(row.observation), "")
        if hashes:
            said = f"{row.participant} entered it for deployment {row.owner}/{row.dseq}"
            trace = Trace(said, observation=row.observation)
            value = f"{DEPLOYED} {min(hashes)}"
            yield Held(Signal.SAME_SDL, value, row.participant, trace, row.received_ns), hashes


def _submitted(session: Session, campaign: str) -> Iterator[tuple[Held, frozenset[str]]]:
    """SDLs written for others, every version."""
    statement = (
        select(SubmittedSdlRow, ClaimRow.participant)
        .join(ClaimRow, ClaimRow.id == SubmittedSdlRow.claim)
        .where(SubmittedSdlRow.campaign == campaign)
    )
    rows = session.execute(statement).all()
    bodies = _bodies(session, [row.observation for row, _ in rows])
    for row, participant in rows:
        hashes = _hashes(bodies.get(row.observation), "sdl")
        if hashes:
            trace = Trace(
                f"{participant} submitted it as version {row.number} of a claim",
                claim=row.claim,
                observation=row.observation,
            )
            value = f"{SUBMITTED} {min(hashes)}"
            yield Held(Signal.SAME_SDL, value, participant, trace, row.received_ns, is_own_work=True), hashes


def _bodies(session: Session, ids: Sequence[str]) -> dict[str, Observation]:
    found: dict[str, Observation] = {}
    for part in in_parts(list(dict.fromkeys(ids))):
        found |= load_observations(session, part)
    return found


def _hashes(observation: Observation | None, inside: str) -> frozenset[str]:
    """The manifest hashes of a reduced SDL, `inside` which key it lies; none where it can't be read."""
    try:
        document = json.loads(observation.body) if observation else {}
        reduced = document[inside] if inside else document
        return frozenset(map(str, reduced["hashes"]))
    except (ValueError, KeyError, TypeError):
        return frozenset()


def _commonplace(loaded: Loaded, sdls: Sequence[tuple[Held, frozenset[str]]]) -> dict[str, str]:
    """SDLs that say little: the campaign's own apps, and deployments of what a participant wrote for others."""
    catalogue: set[str] = set()
    for campaign in loaded.rules.revisions:
        for task in campaign.tasks:
            if task.kind == "ai_deployment":
                catalogue |= {known for app in deployment_params(task.params).apps for known in app.hashes}
    written = {name for held, hashes in sdls if held.value.startswith(SUBMITTED) for name in hashes}
    found = {}
    for held, hashes in sdls:
        if hashes & catalogue:
            found[held.value] = FROM_CAMPAIGN
        elif held.value.startswith(DEPLOYED) and hashes & written:
            found[held.value] = FROM_PARTICIPANT
    return found


# ---------------------------------------------------------------- what the chain said


def _machines(looks: Sequence[SignalLookRow], belongs: Mapping[str, str]) -> Iterator[Held]:
    for row in looks:
        signal = _MACHINES.get(Question(row.question))
        participant = belongs.get(row.subject)
        if signal is not None and participant is not None:
            for found in row.found:
                trace = _trace(found, row)
                yield Held(signal, str(found["value"]), participant, trace)


def _paid(looks: Sequence[SignalLookRow]) -> Iterator[Paid]:
    for row in looks:
        signal = _PAYMENTS.get(Question(row.question))
        if signal is not None:
            for found in row.found:
                trace = _trace(found, row)
                yield Paid(signal, str(found["payer"]), str(found["address"]), str(found["key"]), trace)


def _own_leases(
    looks: Sequence[SignalLookRow], claims: Sequence[ClaimRow], belongs: Mapping[str, str]
) -> Iterator[OwnLease]:
    deployers = {claim.subject.partition("/")[0] for claim in claims if claim.kind == "ai_deployment"}
    for row in looks:
        if row.question == Question.OWN_LEASE:
            for found in row.found:
                owner, provider = str(found["owner"]), str(found["provider"])
                participant = belongs.get(owner)
                if participant is not None and participant == belongs.get(provider):
                    yield OwnLease(participant, f"{owner}/{provider}", _trace(found, row), owner in deployers)


def _trace(found: Mapping[str, object], row: SignalLookRow) -> Trace:
    height = found.get("height")
    return Trace(
        str(found["said"]),
        observation=str(found.get("observation") or row.observation or ""),
        height=height if isinstance(height, int) else None,
        tx=str(found.get("tx") or ""),
    )
