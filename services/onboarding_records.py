"""What this platform has on record for claimed GPUs: earlier looks, registered tenants, days of probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.benchmarks import BenchmarkChallengeRow, BenchmarkRunRow, challenges_of_checks
from ledger.chain import ProviderRow
from ledger.claims import CheckRow, VerdictObservationRow, VerdictRow
from ledger.observations import load_observations
from ledger.people import AddressRow, RegistrationRow
from ledger.probes import load_days
from ledger.rows import in_parts
from ledger.spot_checks import SpotCheckRow, SpotSeedRow, checks_of, shared_cards
from services.campaigns import Loaded
from services.house import House
from services.probing import seal_days
from tasks.moment import Moment
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Outcome, Source
from verifiers.onboarding.draws import Group
from verifiers.onboarding.entry import read_subject
from verifiers.onboarding.leases import TENANTS
from verifiers.onboarding.looks import Look, look_of, looks_body, looks_request
from verifiers.onboarding.measured import days_body, days_request
from verifiers.onboarding.spot_checks import name_of
from verifiers.onboarding.spot_record import Opened, shared_body, shared_request, spot_body, spot_request
from verifiers.probes import canonical, day_of

HOST = "record"


@dataclass(frozen=True)
class KeptRecords:
    """Implements `evidence.RecordSource` over the ledger."""

    house: House
    loaded: Loaded
    chain_id: str

    def looks(self, claim: str) -> Sequence[Observation]:
        """What earlier looks found, up to the first that passed, and what that one saw."""
        with self.house.ledger.read() as session:
            verdicts = session.scalars(
                select(VerdictRow).where(VerdictRow.claim == claim).order_by(VerdictRow.id)
            ).all()
            if not verdicts:
                return ()
            looks, passing = _up_to_passing(session, verdicts)
            seen = _seen_by(session, passing.id, claim) if passing is not None else []
        point = None
        if passing is not None:
            point = ChainPoint(passing.as_of_chain, passing.as_of_height, Moment(passing.as_of_time_ns))
        body = looks_body(looks, point, [observation.id for observation in seen])
        last = verdicts[len(looks) - 1]
        record = Observation(Source.RECORD, looks_request(claim), body, HOST, Moment(last.decided_ns))
        return [record, *seen]

    def spot_checks(self, claim: ClaimFacts) -> Sequence[Observation]:
        """Those of its group that were opened, what was entered for them, and what the passing looks saw."""
        gpu = read_subject(claim.subject)
        if gpu is None:
            return ()
        group = Group.of(claim.campaign, claim.task, claim.participant, gpu)
        with self.house.ledger.read() as session:
            seed = session.get(SpotSeedRow, (claim.campaign, claim.task))
            rows = [row for row in checks_of(session, claim.campaign, group) if row.opens_ns is not None]
            if seed is None or not rows:
                return ()
            given = challenges_of_checks(session, [row.id for row in rows])
            passing = passing_looks(session, claim.id, [row.number for row in rows])
            opened = [opened_of(row, given[row.id], passing.get(row.number)) for row in rows]
            runs = [run.observation for pairs in given.values() for _, run in pairs if run and run.observation]
            kept = [name for each in opened for name in each.observations]
            seen = load_observations(session, list(dict.fromkeys([*runs, *kept])))
            shared = shared_cards(session, claim.campaign, [row.id for row in rows])
        body = spot_body(seed.commitment, opened)
        now = self.house.clock.now()
        told = [Observation(Source.RECORD, spot_request(claim.id), body, HOST, now)]
        if shared:
            body = shared_body(shared)
            told.append(Observation(Source.COMPARISON, shared_request(claim.id), body, "comparison", now))
        return [*told, *seen.values()]

    def tenants(self, addresses: Sequence[str]) -> Observation:
        """Which of these are addresses of registered participants."""
        found: set[str] = set()
        with self.house.ledger.read() as session:
            for part in in_parts(addresses):
                statement = (
                    select(AddressRow.address)
                    .join(RegistrationRow, RegistrationRow.participant == AddressRow.participant)
                    .where(RegistrationRow.campaign == self.loaded.slug, AddressRow.address.in_(part))
                )
                found.update(session.scalars(statement))
        body = canonical({"registered": sorted(found)})
        return Observation(Source.RECORD, f"{TENANTS}{self.loaded.slug}", body, HOST, self.house.clock.now())

    def provider_created(self, provider: str) -> int | None:
        """The height of its creation as the index has it."""
        with self.house.ledger.read() as session:
            row = session.get(ProviderRow, (self.chain_id, provider))
            return row.created_at if row is not None else None


def _up_to_passing(session: Session, verdicts: Sequence[VerdictRow]) -> tuple[list[Look], VerdictRow | None]:
    checks: dict[int, dict[str, str]] = {}
    for part in in_parts([verdict.id for verdict in verdicts]):
        for row in session.scalars(select(CheckRow).where(CheckRow.verdict.in_(part))):
            checks.setdefault(row.verdict, {})[row.name] = row.outcome
    looks: list[Look] = []
    for verdict in verdicts:
        look = look_of(verdict.as_of_height, checks.get(verdict.id, {}))
        looks.append(look)
        if look.instant == Outcome.PASSED and look.has_lease:
            return looks, verdict
    return looks, None


def _seen_by(session: Session, verdict: int, claim: str) -> list[Observation]:
    """What a look saw of chain and provider, and who was registered; not what we knew of earlier looks."""
    links = select(VerdictObservationRow.observation).where(VerdictObservationRow.verdict == verdict)
    names = session.scalars(links.order_by(VerdictObservationRow.position)).all()
    earlier = looks_request(claim)
    return [
        observation
        for observation in load_observations(session, names).values()
        if observation.source in {Source.CHAIN, Source.PROVIDER}
        or (observation.source == Source.RECORD and observation.request != earlier)
    ]


def opened_of(
    row: SpotCheckRow,
    given: Sequence[tuple[BenchmarkChallengeRow, BenchmarkRunRow | None]],
    passing: tuple[ChainPoint, tuple[str, ...]] | None,
) -> Opened:
    """A spot check as judges read it: with the challenges that a result was entered for."""
    point, seen = passing if passing is not None else (None, ())
    return Opened(
        id=row.id,
        number=row.number,
        opens=Moment(row.opens_ns or 0),
        gpus=row.gpus,
        height=row.height,
        block_hash=row.block_hash,
        challenges=tuple(challenge.id for challenge, run in given if run is not None and run.observation),
        passing=point,
        observations=seen,
    )


def passing_looks(
    session: Session, claim: str, numbers: Sequence[int]
) -> dict[int, tuple[ChainPoint, tuple[str, ...]]]:
    """The first look in which each of these spot checks passed by a run, and what it saw of it, by number.

    One that was set aside passed by no run: it has no height.
    """
    names = {name_of(number): number for number in numbers}
    statement = (
        select(CheckRow, VerdictRow)
        .join(VerdictRow, VerdictRow.id == CheckRow.verdict)
        .where(VerdictRow.claim == claim, CheckRow.name.in_(names), CheckRow.height.is_not(None))
        .where(CheckRow.outcome == Outcome.PASSED)
        .order_by(VerdictRow.id)
    )
    found: dict[int, tuple[ChainPoint, tuple[str, ...]]] = {}
    for check, verdict in session.execute(statement):
        point = ChainPoint(verdict.as_of_chain, check.height or 0, Moment(check.time_ns or 0))
        seen = load_observations(session, check.observations)
        kept = tuple(name for name, one in seen.items() if one.source in {Source.CHAIN, Source.ENTERED})
        found.setdefault(names[check.name], (point, kept))
    return found


@dataclass(frozen=True)
class KeptProbes:
    """Implements `evidence.ProbeSource` over the ledger."""

    house: House
    loaded: Loaded
    chain_id: str

    def days(self, provider: str, begins: Moment, ends: Moment) -> Sequence[Observation]:
        """The days that the window touches; those that are over are sealed first."""
        seal_days(self.house, self.loaded)
        with self.house.ledger.read() as session:
            last = day_of(Moment(max(begins, ends - 1)))
            found = load_days(session, provider, day_of(begins), last, self.chain_id)
        sealed = frozenset(day.day for day, is_sealed in found if is_sealed)
        body = days_body([day for day, _ in found], sealed)
        request = days_request(provider, begins, ends)
        now = self.house.clock.now()
        return [Observation(Source.PROBES, request, body, HOST, now, chain_id=self.chain_id)]
