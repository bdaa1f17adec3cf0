"""Finding on the chain what may become claims: the follower's index says where to look, the kinds say what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Protocol, cast

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from ledger.chain import DeploymentRow, GroupRow, LeaseRow, ProviderRow
from ledger.chain_index import newest_cursor
from ledger.claims import ClaimRow, EnteredSdlRow
from ledger.observations import load_observations
from ledger.people import AddressRow, RegistrationRow
from services.campaigns import Loaded
from services.chain_time import first_known_from
from tasks.judge_params import asked_in_turn
from tasks.parts import Task
from verifiers.evidence import Candidate, IndexedDeployment, Observation
from verifiers.kinds import verifier_of

PART = 500


class Finding(Protocol):
    """What a verifier offers where its work can be found on the chain without anybody telling."""

    def candidates(
        self,
        task: str,
        deployments: Sequence[IndexedDeployment],
        entered: Sequence[Observation],
        params: Mapping[str, object],
    ) -> Sequence[Candidate]:
        """What the deployments of one owner may become."""
        ...


class ProviderFinding(Protocol):
    """What a verifier offers where leases on a participant's own provider show the work."""

    def provider_candidates(
        self,
        task: str,
        provider: str,
        deployments: Sequence[IndexedDeployment],
        params: Mapping[str, object],
    ) -> Sequence[Candidate]:
        """What the deployments of registered tenants on one provider may become."""
        ...


@dataclass(frozen=True)
class Finder:
    """One look into the index, inside one transaction."""

    session: Session
    loaded: Loaded
    chain_id: str

    @classmethod
    def open(cls, session: Session, loaded: Loaded, chain_id: str | None) -> Finder | None:
        """A finder on this chain, or on the one followed; None before a chain is followed."""
        if chain_id is None:
            followed = newest_cursor(session)
            chain_id = followed.chain_id if followed else None
        return cls(session, loaded, chain_id) if chain_id is not None else None

    def everything(self) -> Iterator[tuple[str, Task, Candidate]]:
        """(participant, task, candidate) for every registered participant, where no claim stands yet."""
        statement = (
            select(AddressRow.address, AddressRow.participant)
            .join(RegistrationRow, RegistrationRow.participant == AddressRow.participant)
            .where(RegistrationRow.campaign == self.loaded.slug)
        )
        yield from self._for({address: participant for address, participant in self.session.execute(statement)})  # noqa: C416

    def of(self, participant: str) -> Iterator[tuple[str, Task, Candidate]]:
        """The same for one participant."""
        statement = select(AddressRow.address).where(AddressRow.participant == participant)
        yield from self._for(dict.fromkeys(self.session.scalars(statement), participant))

    def _for(self, owners: Mapping[str, str]) -> Iterator[tuple[str, Task, Candidate]]:
        for task in self.loaded.newest.tasks:
            verifier = verifier_of(task.kind)
            if verifier is not None and hasattr(verifier, "provider_candidates"):
                yield from self._on_providers(task, cast("ProviderFinding", verifier), owners)
            if verifier is None or not hasattr(verifier, "candidates"):
                continue
            finding, asked = cast("Finding", verifier), asked_in_turn(self.loaded.rules, task.slug)
            claimed = self._claimed(task, set(owners.values()))
            for owner, deployments in self._deployments(task, owners).items():
                participant = owners[owner]
                entered = self._entered(owner)
                found = (finding.candidates(task.slug, deployments, entered, one.params) for one in asked)
                for candidate in _each_once(found):
                    if candidate.subject is None or (participant, candidate.subject) not in claimed:
                        yield participant, task, candidate

    def _on_providers(
        self, task: Task, finding: ProviderFinding, owners: Mapping[str, str]
    ) -> Iterator[tuple[str, Task, Candidate]]:
        asked = asked_in_turn(self.loaded.rules, task.slug)
        claimed = self._claimed(task, set(owners.values()))
        entered = self._entered_counts(task)
        for provider, deployments in self._leased_on(task, owners).items():
            participant = owners[provider]
            found = (finding.provider_candidates(task.slug, provider, deployments, one.params) for one in asked)
            for candidate in _each_once(found):
                if (participant, candidate.subject) not in claimed:
                    yield participant, task, _within(candidate, participant, entered)

    def _entered_counts(self, task: Task) -> dict[tuple[str, str], int]:
        """How many GPUs participants entered themselves, by participant and `<provider>/<gpu_model>`."""
        here = ClaimRow.campaign == self.loaded.slug, ClaimRow.task == task.slug, ClaimRow.found.is_(False)
        counts: dict[tuple[str, str], int] = {}
        for participant, subject in self.session.execute(select(ClaimRow.participant, ClaimRow.subject).where(*here)):
            kind, _, number = subject.rpartition("/")
            if number.isdigit():
                counts[participant, kind] = max(counts.get((participant, kind), 0), int(number))
        return counts

    def _leased_on(self, task: Task, owners: Mapping[str, str]) -> dict[str, list[IndexedDeployment]]:
        """The GPU groups that registered tenants leased on these owners' providers within the task's window."""
        first = first_known_from(self.session, self.chain_id, task.opens)
        end = first_known_from(self.session, self.chain_id, task.closes)
        found: dict[str, list[IndexedDeployment]] = {}
        providers = self.session.scalars(select(ProviderRow.owner).where(ProviderRow.chain_id == self.chain_id)).all()
        mine = sorted(set(providers) & set(owners))
        for start in range(0, len(mine), PART):
            statement = self._leases_of_tenants(mine[start : start + PART])
            if first is not None:
                statement = statement.where(LeaseRow.created_at >= first)
            if end is not None:
                statement = statement.where(LeaseRow.created_at < end)
            for lease, models in self.session.execute(statement.order_by(LeaseRow.created_at, LeaseRow.dseq)):
                indexed = IndexedDeployment(
                    owner=lease.owner,
                    dseq=lease.dseq,
                    hash="",
                    created_at=lease.created_at,
                    gpu_units=lease.gpu_units,
                    gpu_models=tuple(models),
                    providers=(lease.provider,),
                )
                found.setdefault(lease.provider, []).append(indexed)
        return found

    def _leases_of_tenants(self, providers: Sequence[str]) -> Select[LeaseRow, list[str]]:
        """GPU leases of registered participants on these providers, each with the models that its group asked for."""
        group = [getattr(GroupRow, name) == getattr(LeaseRow, name) for name in ("chain_id", "owner", "dseq", "gseq")]
        return (
            select(LeaseRow, GroupRow.gpu_models)
            .join(GroupRow, and_(*group))
            .join(AddressRow, AddressRow.address == LeaseRow.owner)
            .join(RegistrationRow, RegistrationRow.participant == AddressRow.participant)
            .where(
                LeaseRow.chain_id == self.chain_id,
                LeaseRow.provider.in_(providers),
                LeaseRow.gpu_units > 0,
                RegistrationRow.campaign == self.loaded.slug,
            )
        )

    def _claimed(self, task: Task, participants: set[str]) -> set[tuple[str, str]]:
        here = [ClaimRow.campaign == self.loaded.slug, ClaimRow.task == task.slug]
        if len(participants) <= PART:
            here.append(ClaimRow.participant.in_(participants))
        statement = select(ClaimRow.participant, ClaimRow.subject).where(*here)
        return {(participant, subject) for participant, subject in self.session.execute(statement)}

    def _deployments(self, task: Task, owners: Mapping[str, str]) -> dict[str, list[IndexedDeployment]]:
        """The GPU deployments of these owners created within the task's window, oldest first."""
        first = first_known_from(self.session, self.chain_id, task.opens)
        end = first_known_from(self.session, self.chain_id, task.closes)
        found: dict[str, list[IndexedDeployment]] = {}
        names = sorted(owners)
        for start in range(0, len(names), PART):
            statement = select(DeploymentRow).where(
                DeploymentRow.chain_id == self.chain_id,
                DeploymentRow.owner.in_(names[start : start + PART]),
                DeploymentRow.gpu_units > 0,
            )
            if first is not None:
                statement = statement.where(DeploymentRow.created_at >= first)
            if end is not None:
                statement = statement.where(DeploymentRow.created_at < end)
            rows = self.session.scalars(statement.order_by(DeploymentRow.created_at, DeploymentRow.dseq)).all()
            providers = self._providers({row.owner for row in rows})
            for row in rows:
                found.setdefault(row.owner, []).append(
                    IndexedDeployment(
                        owner=row.owner,
                        dseq=row.dseq,
                        hash=row.hash,
                        created_at=row.created_at,
                        gpu_units=row.gpu_units,
                        gpu_models=tuple(row.gpu_models),
                        providers=tuple(providers.get((row.owner, row.dseq), ())),
                    )
                )
        return found

    def _providers(self, owners: set[str]) -> dict[tuple[str, int], list[str]]:
        statement = (
            select(LeaseRow.owner, LeaseRow.dseq, LeaseRow.provider)
            .where(LeaseRow.chain_id == self.chain_id, LeaseRow.owner.in_(owners))
            .order_by(LeaseRow.created_at, LeaseRow.gseq, LeaseRow.oseq)
        )
        found: dict[tuple[str, int], list[str]] = {}
        for owner, dseq, provider in self.session.execute(statement):
            found.setdefault((owner, dseq), []).append(provider)
        return found

    def _entered(self, owner: str) -> list[Observation]:
        statement = (
            select(EnteredSdlRow.observation)
            .where(EnteredSdlRow.campaign == self.loaded.slug, EnteredSdlRow.owner == owner)
            .order_by(EnteredSdlRow.received_ns, EnteredSdlRow.dseq)
        )
        return list(load_observations(self.session, self.session.scalars(statement).all()).values())


def _each_once(found: Iterable[Iterable[Candidate]]) -> Iterator[Candidate]:
    """What may become a claim by what the task asked at some time; where several say so, by the earliest of these."""
    every = list(chain.from_iterable(found))
    named = {(each.owner, each.dseq) for each in every if each.subject is not None}
    seen: set[tuple[str, int, str | None]] = set()
    for each in every:
        name = each.owner, each.dseq if each.subject is None else 0, each.subject
        if name not in seen and (each.subject is not None or (each.owner, each.dseq) not in named):
            seen.add(name)
            yield each


def _within(candidate: Candidate, participant: str, entered: Mapping[tuple[str, str], int]) -> Candidate:
    """What a participant entered is their word: GPUs beyond it are shown to them and become no claim of our own."""
    kind, _, number = (candidate.subject or "").rpartition("/")
    count = entered.get((participant, kind))
    if count is None or not number.isdigit() or int(number) <= count:
        return candidate
    needs = f"You entered {count} of this model here and a tenant leased more: enter {number} to claim this one too."
    return replace(candidate, needs=needs)
