"""What this platform has on record for claimed GPUs: earlier looks, registered tenants, days of probes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.chain import ProviderRow
from ledger.claims import CheckRow, VerdictObservationRow, VerdictRow
from ledger.observations import load_observations
from ledger.people import AddressRow, RegistrationRow
from ledger.probes import load_days
from ledger.rows import in_parts
from services.campaigns import Loaded
from services.house import House
from services.probing import seal_days
from tasks.moment import Moment
from verifiers.evidence import ChainPoint, Observation, Outcome, Source
from verifiers.onboarding.leases import TENANTS
from verifiers.onboarding.looks import Look, look_of, looks_body, looks_request
from verifiers.onboarding.measured import days_body, days_request
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


@dataclass(frozen=True)
class KeptProbes:
    """Implements `evidence.ProbeSource` over the ledger."""

    house: House
    loaded: Loaded

    def days(self, provider: str, begins: Moment, ends: Moment) -> Sequence[Observation]:
        """The days that the window touches; those that are over are sealed first."""
        seal_days(self.house, self.loaded)
        with self.house.ledger.read() as session:
            found = load_days(session, provider, day_of(begins), day_of(Moment(max(begins, ends - 1))))
        sealed = frozenset(day.day for day, is_sealed in found if is_sealed)
        body = days_body([day for day, _ in found], sealed)
        request = days_request(provider, begins, ends)
        return [Observation(Source.PROBES, request, body, HOST, self.house.clock.now())]
