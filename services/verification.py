"""Verifying what is due: take claims, look outside any transaction, judge, keep what was seen and what follows."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from ledger.claims import ClaimRow, EnteredSdlRow
from ledger.observations import load_observations
from ledger.people import AddressRow
from ledger.verdicts import Decision, JudgedBy, let_go, record_verdicts, take_due
from services import campaigns
from services.benchmark_source import KeptBenchmarks, NoBenchmarks
from services.campaigns import Loaded
from services.errors import Unavailable, UseCaseError
from services.following import judged_point
from services.house import House
from services.onboarding_records import KeptProbes, KeptRecords
from services.pass_reads import PassReads
from services.review_steps import KeptSteps, kept_steps
from services.submissions import KeptSubmissions
from tasks.judge_params import asked_in_turn, begun
from tasks.judge_params import judge_params as judge_params_of
from tasks.moment import SECOND, Duration, Moment
from tasks.parts import Task
from tasks.rewards.collector import collector_paused
from verifiers import deciding
from verifiers.codehost.client import NoCodeHost
from verifiers.evidence import (
    BenchmarkSource,
    ChainPoint,
    ChainSource,
    ClaimFacts,
    CodeHostSource,
    EnteredSource,
    Observation,
    Outcome,
    ProbeSource,
    ProviderSource,
    RecordSource,
    SubmissionSource,
    Verdict,
)
from verifiers.kinds import verifier_of
from verifiers.onboarding.looks import NothingKept
from verifiers.provider.source import NoProviders
from verifiers.submitted.record import NoSubmissions

BATCH = 200
KEEP_AT_ONCE = 12
LEASE = Duration(600 * SECOND)
RETRY = Duration(120 * SECOND)
RUN = Duration(240 * SECOND)
BROKEN_WAITS = Duration(900 * SECOND)

log = structlog.get_logger()


class ClaimsBroken(Exception):
    """Claims over which our own software stumbled, by id; all others of that pass are kept. A defect, logged."""

    def __init__(self, claims: Sequence[str], looked_at: int) -> None:
        named = ", ".join(claims[:3]) + (" …" if len(claims) > 3 else "")
        super().__init__(f"{len(claims)} claims could not be judged, a defect of ours (the log has it): {named}")
        self.claims = tuple(claims)
        self.looked_at = looked_at


@dataclass(frozen=True)
class Entered:
    """What participants entered, read from the ledger once for each owner and pass."""

    house: House
    campaign: str
    _read: dict[str, Sequence[Observation]] = field(default_factory=dict)

    def sdls(self, owner: str) -> Sequence[Observation]:
        """The reduced SDLs given for deployments of `owner`, the oldest first."""
        if owner not in self._read:
            self._read[owner] = self._sdls(owner)
        return self._read[owner]

    def _sdls(self, owner: str) -> Sequence[Observation]:
        with self.house.ledger.read() as session:
            ids = session.scalars(
                select(EnteredSdlRow.observation)
                .where(EnteredSdlRow.campaign == self.campaign, EnteredSdlRow.owner == owner)
                .order_by(EnteredSdlRow.received_ns, EnteredSdlRow.dseq)
            ).all()
            return list(load_observations(session, ids).values())


@dataclass(frozen=True)
class Asked:
    """All that a `gather` may ask in one pass."""

    chain: ChainSource
    entered: EnteredSource
    reviews: KeptSteps = field(default_factory=KeptSteps)
    provider: ProviderSource = field(default_factory=NoProviders)
    benchmarks: BenchmarkSource = field(default_factory=NoBenchmarks)
    codehost: CodeHostSource = field(default_factory=NoCodeHost)
    submissions: SubmissionSource = field(default_factory=NoSubmissions)
    probes: ProbeSource = field(default_factory=NothingKept)
    records: RecordSource = field(default_factory=NothingKept)


@dataclass(frozen=True, slots=True)
class Judged:
    """One claim looked at: the facts and the campaign's revision it was judged by, what was seen, and the verdict."""

    claim: ClaimFacts
    observations: Sequence[Observation]
    verdict: Verdict
    revision: int


def verify_due(house: House) -> str:
    """A job: verify claims until none is due, or the time of one run is used up.

    Raises Unavailable where the chain's state lets nothing be judged: the claims stay due; ClaimsBroken at the end
    where our own software stumbled over some: those are tried again later, and keep nobody else waiting.
    """
    loaded = campaigns.current(house)
    if loaded is None:
        return "no campaign is loaded"
    started, count = house.clock.now(), 0
    broken: list[str] = []
    reads = PassReads(house)
    while True:
        try:
            done = verify_batch(house, loaded, reads)
        except ClaimsBroken as stumbled:
            done = stumbled.looked_at
            broken += stumbled.claims
        count += done
        if done == 0 or house.clock.now() - started > RUN:
            break
    if broken:
        raise ClaimsBroken(broken, count)
    return f"{count} claims verified"


def verify_batch(house: House, loaded: Loaded, reads: PassReads | None = None) -> int:
    """Verify one batch of due claims at one height; returns how many there were. Raises ClaimsBroken.

    `reads`: of the batches before it in the same run.
    """
    point = judging_point(house, loaded)
    if point is None:
        return 0
    worker, now = this_worker(), house.clock.now()
    taken = house.ledger.transact(lambda session: take_due(session, now, worker, BATCH, LEASE))
    try:
        verify_claims(house, loaded, point, taken, worker, reads)
    except ClaimsBroken as broken:
        claims, later = broken.claims, Moment(now + BROKEN_WAITS)
        house.ledger.transact(lambda session: let_go(session, claims, worker, later))
        raise
    except BaseException:
        retry = Moment(now + RETRY)
        house.ledger.transact(lambda session: let_go(session, [row.id for row in taken], worker, retry))
        raise
    return len(taken)


def this_worker() -> str:
    """The name under which this thread holds claims."""
    return f"{os.getpid()}/{threading.get_ident()}"


def judging_point(house: House, loaded: Loaded) -> ChainPoint | None:
    """The block at which claims are looked at now; None before the follower stands anywhere.

    Raises Unavailable where the chain is halted, lags, was reset, or is another one than the campaign's.
    """
    if house.chain is None:
        raise Unavailable("No chain is connected: set WAYMARK_CHAIN_REST and WAYMARK_CHAIN_RPC.")
    wanted = campaigns.chain_id(house, loaded)
    with house.ledger.read() as session:
        point = judged_point(session, wanted, house.clock.now())
    if point is not None and wanted is not None and point.chain_id != wanted:
        raise Unavailable(f"The node is on {point.chain_id}, the campaign on {wanted}: nothing is judged.")
    return point


def verify_claims(
    house: House,
    loaded: Loaded,
    point: ChainPoint,
    rows: Sequence[ClaimRow],
    worker: str,
    reads: PassReads | None = None,
) -> None:
    """Gather, judge and keep these claims at `point`, owner by owner, so that claims share what was read.

    The claims are held by `worker`; one that it lost meanwhile is left to whoever has it. Raises ClaimsBroken once
    all others are kept.
    """
    if house.chain is None or not rows:
        return
    sources = sources_at(house, loaded, point, [row.id for row in rows], reads)
    facts = sorted(claim_facts(house, loaded, point.chain_id, rows), key=_reads)
    groups = [list(group) for _, group in groupby(facts, key=lambda claim: _reads(claim)[0])]
    broken: list[str] = []
    look = partial(_judge_group, loaded, sources, point, broken)
    pool = ThreadPoolExecutor(house.settings.verify_parallel, thread_name_prefix="verify")
    try:
        with collector_paused():  # a batch is small, and what it reads is held to its end anyway
            waiting: list[Judged] = []
            for judged in pool.map(look, groups):
                waiting += judged
                if len(waiting) >= KEEP_AT_ONCE:
                    _keep(house, waiting, worker)
                    waiting = []
            _keep(house, waiting, worker)
    finally:
        pool.shutdown(cancel_futures=True)
    if broken:
        raise ClaimsBroken(sorted(broken), len(rows))


def sources_at(
    house: House, loaded: Loaded, point: ChainPoint, claims: Sequence[str], reads: PassReads | None = None
) -> Asked:
    """All that may be asked at `point`; `claims`: whose reviews are read. Raises Unavailable without a chain."""
    chain, providers = (reads or PassReads(house)).at(point)
    return Asked(
        chain,
        Entered(house, loaded.slug),
        kept_steps(house, claims),
        providers,
        KeptBenchmarks(house),
        house.codehost or NoCodeHost(),
        KeptSubmissions(house, loaded),
        KeptProbes(house, loaded, point.chain_id),
        KeptRecords(house, loaded, point.chain_id),
    )


def _judge_group(
    loaded: Loaded, sources: Asked, point: ChainPoint, broken: list[str], group: Sequence[ClaimFacts]
) -> list[Judged]:
    """The claims of one owner, one after the other: the later ones find what the first has read.

    One over which our software stumbles goes to `broken`: whatever somebody sent us, it must not stop the others.
    """
    judged = []
    for claim in group:
        try:
            found = judge_claim(loaded, claim, sources, point)
        except (SQLAlchemyError, UseCaseError):
            raise
        except Exception:
            log.exception("claim_broken", claim=claim.id, task=claim.task, height=point.height)
            broken.append(claim.id)
        else:
            judged += [found] if found else []
    return judged


def _keep(house: House, judged: Sequence[Judged], worker: str) -> None:
    now = house.clock.now()
    decisions = [decision(found, now) for found in judged]
    house.ledger.transact(partial(record_verdicts, decisions=decisions, worker=worker, now=now))


def _reads(claim: ClaimFacts) -> tuple[str, str]:
    return claim.fields.get("owner", claim.participant), claim.id


def judge_claim(loaded: Loaded, claim: ClaimFacts, sources: Asked, point: ChainPoint) -> Judged | None:
    """One claim from its sources to its verdict, with what people decided; None where its kind is not built."""
    verifier = verifier_of(claim.kind)
    if verifier is None:
        return None
    asked = begun(asked_in_turn(loaded.rules, claim.task), point.time)
    seen = {each.id: each for one in asked for each in verifier.gather(claim, one.params, sources)}
    observations = [*seen.values(), *sources.reviews.steps(claim.id)]
    verdict = deciding.judge_in_turn(verifier, claim, observations, asked, point)
    return Judged(claim, observations, verdict, loaded.newest.revision)


def judge_params(loaded: Loaded, task: Task) -> dict[str, object]:
    """What the judge of a task knows of the campaign's newest revision."""
    return judge_params_of(loaded.newest, task)


def claim_facts(house: House, loaded: Loaded, chain_id: str, rows: Iterable[ClaimRow]) -> list[ClaimFacts]:
    """What the judges may know of these claims."""
    rows = list(rows)
    participants = {row.participant for row in rows}
    owned: dict[str, list[str]] = {participant: [participant] for participant in participants}
    with house.ledger.read() as session:
        statement = (
            select(AddressRow.participant, AddressRow.address)
            .where(AddressRow.participant.in_(participants))
            .order_by(AddressRow.linked_ns, AddressRow.address)
        )
        for participant, address in session.execute(statement):
            if address != participant:
                owned[participant].append(address)
    return [
        ClaimFacts(
            id=row.id,
            campaign=row.campaign,
            chain_id=chain_id,
            task=row.task,
            kind=row.kind,
            participant=row.participant,
            addresses=tuple(owned[row.participant]),
            subject=row.subject,
            fields=row.fields,
            received_at=Moment(row.received_ns),
            opens=task.opens,
            closes=task.closes,
        )
        for row in rows
        for task in (loaded.task(row.task),)
    ]


def decision(judged: Judged, now: Moment) -> Decision:
    """What is kept of a claim that was looked at, and when it is looked at next."""
    verdict = judged.verdict
    settled = verdict.next_look is None and verdict.outcome in {Outcome.PASSED, Outcome.FAILED}
    return Decision(
        claim=judged.claim.id,
        verdict=verdict,
        observations=judged.observations,
        due=_due(verdict, now),
        settled=settled,
        judged_by=JudgedBy(judged.revision, judged.claim.addresses),
    )


def _due(verdict: Verdict, now: Moment) -> Moment | None:
    if verdict.outcome == Outcome.UNKNOWN:
        return Moment(now + RETRY)
    return verdict.next_look
