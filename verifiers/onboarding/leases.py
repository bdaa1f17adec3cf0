"""The lease that proves a GPU: of a tenant who counts, on this provider, in the window, with that model (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import cast
from urllib.parse import parse_qs

from tasks.moment import Moment
from verifiers.chain.answers import LeaseInfo, Rows
from verifiers.chain.answers.resources import ANY
from verifiers.chain.apiset import CURRENT, ApiSet
from verifiers.deployed.facts import (
    FORGOTTEN,
    INCOMPLETE,
    NOT_LOOKED,
    UNDECODABLE,
    ChainFacts,
    Seen,
    decoded,
    lease_order,
    lease_tx_index,
)
from verifiers.evidence import ChainPoint, ClaimFacts, Observation, Source
from verifiers.onboarding.entry import Gpu
from verifiers.onboarding.params import OnboardingParams
from verifiers.onboarding.seen import strange
from verifiers.trouble import Undecodable

MOST_EXAMINED = 200
"""Leases of tenants that one look examines, the oldest first."""

TENANTS = "TENANTS "


class Needed(StrEnum):
    """What `gather` asks to decide over one lease."""

    BID = "bid"
    DEPLOYMENT = "deployment"
    BLOCK = "block"
    RESULTS = "results"


@dataclass(frozen=True, slots=True)
class Want:
    """One question about a lease."""

    what: Needed
    lease: LeaseInfo


@dataclass(frozen=True, slots=True)
class Proof:
    """The proving lease, or why there is none. `others`: leases of tenants that do not prove it."""

    lease: LeaseInfo | None = None
    at: Moment | None = None
    tx_index: int | None = None
    trouble: str | None = None
    others: int = 0
    observations: tuple[str, ...] = ()


@dataclass
class Search:
    """Looks for the proving lease as far as `facts` reach; what would decide more is in `wants`."""

    claim: ClaimFacts
    gpu: Gpu
    params: OnboardingParams
    facts: ChainFacts
    observations: Sequence[Observation]
    api: ApiSet = CURRENT
    wants: list[Want] = field(default_factory=list)

    @cached_property
    def _listed(self) -> Seen[tuple[LeaseInfo, ...]]:
        """Read once: what is asked while looking for the proof adds nothing to the list."""
        return provider_leases(self.observations, self.gpu.provider, self.facts.point, self.api)

    def proof(self) -> Proof:
        """The first lease by block that proves the GPU; an earlier one that could not be judged keeps it open."""
        self.wants.clear()
        listed = self._listed
        tenants = tenants_in(self.observations, self.params.tenants)
        if listed.value is None or tenants.value is None:
            return Proof(trouble=listed.trouble or tenants.trouble, observations=listed.observations)
        ids = (*listed.observations, *tenants.observations)
        mine = [row for row in listed.value if row.lease.id.owner in tenants.value]
        others, unseen, forgotten = 0, None, None
        for row in mine[:MOST_EXAMINED]:
            proves = self._proves(row)
            if proves.value:
                return self._dated(row, others, (*ids, *proves.observations), unseen)
            if proves.value is None and proves.trouble in FORGOTTEN:
                forgotten = forgotten or proves.trouble
            elif proves.value is None:
                unseen = unseen or proves.trouble
                if proves.trouble == NOT_LOOKED:
                    break
            others += 1
        # a later lease may prove it beside one that is forgotten; where none does, nobody can say no
        return Proof(trouble=unseen or forgotten, others=others, observations=ids)

    def _dated(self, row: LeaseInfo, others: int, ids: tuple[str, ...], unseen: str | None) -> Proof:
        height = row.lease.created_at
        time, results = self.facts.time_of(height), self.facts.results(height)
        if time.trouble == NOT_LOOKED:
            self.wants.append(Want(Needed.BLOCK, row))
        if results.trouble == NOT_LOOKED:
            self.wants.append(Want(Needed.RESULTS, row))
        trouble = unseen or time.trouble
        if trouble is None and results.trouble not in FORGOTTEN:
            trouble = results.trouble
        tx_index = None
        if results.value is not None:
            try:
                tx_index = lease_tx_index(results.value, row.lease.id)
            except Undecodable:
                trouble = trouble or UNDECODABLE
        seen = (*ids, *time.observations, *results.observations)
        return Proof(row, time.value, tx_index, trouble, others, tuple(dict.fromkeys(seen)))

    def _proves(self, row: LeaseInfo) -> Seen[bool]:
        inside = self._is_inside(row)
        if not inside.value:
            return inside
        bid = self.facts.bid(row.lease.id)
        if bid.trouble == NOT_LOOKED:
            self.wants.append(Want(Needed.BID, row))
        if bid.trouble is not None and bid.trouble not in FORGOTTEN:
            return Seen(None, bid.observations, bid.trouble)
        offered = [model.model for model in bid.value.bid.gpu_models_offered] if bid.value else []
        named = [name for name in offered if name and name != ANY]
        if named:
            return Seen(self._names_it(named), bid.observations)
        return self._group_proves(row, bid.observations)

    def _group_proves(self, row: LeaseInfo, ids: tuple[str, ...]) -> Seen[bool]:
        """By the model that the group asks for, where the bid names none."""
        name = row.lease.id
        deployment = self.facts.deployment_at(name.owner, name.dseq, self.facts.point.height)
        if deployment.trouble == NOT_LOOKED:
            self.wants.append(Want(Needed.DEPLOYMENT, row))
        if deployment.trouble is not None:
            return Seen(None, deployment.observations, deployment.trouble)
        groups = deployment.value.groups if deployment.value else ()
        asked = [group.group_spec for group in groups if group.id.gseq == name.gseq]
        models = {model.model for spec in asked for request in spec.gpu_requests for model in request.models}
        is_it = bool(models) and self._names_it(models)
        return Seen(is_it, (*ids, *deployment.observations))

    def _names_it(self, names: Iterable[str]) -> bool:
        """Whether all of these mean the claim's model: of several alternatives nobody knows which was given."""
        return bool(names) and all(self.params.names.is_model(name, self.gpu.model) for name in names)

    def _is_inside(self, row: LeaseInfo) -> Seen[bool]:
        height = row.lease.created_at
        began = self.facts.is_from(height, self.claim.opens)
        ended = self.facts.is_from(height, self.claim.closes)
        if began.value is None or ended.value is None:
            known = self.facts.time_of(height)
            if known.trouble == NOT_LOOKED:
                self.wants.append(Want(Needed.BLOCK, row))
            return Seen(None, (), known.trouble or began.trouble or ended.trouble)
        return Seen(began.value and not ended.value, (*began.observations, *ended.observations))


def provider_leases(
    observations: Sequence[Observation], provider: str, point: ChainPoint, api: ApiSet
) -> Seen[tuple[LeaseInfo, ...]]:
    """All leases on a provider at the point, the oldest first; a list that breaks off says nothing."""
    pages: dict[str, Observation] = {}
    for observation in observations:
        key = _page_key(observation, provider, api)
        if key is not None:
            pages["!" if observation.trouble else key] = observation
    ids = tuple(page.id for page in pages.values())
    if "!" in pages:
        return Seen(None, ids, pages["!"].trouble)
    rows: dict[object, LeaseInfo] = {}
    following: str | None = ""
    while following is not None:
        page = pages.pop(following, None)
        if page is None:
            return Seen(None, ids, INCOMPLETE if ids else NOT_LOOKED)
        trouble = strange(page, point)
        if trouble is not None:
            return Seen(None, ids, trouble)
        try:
            read = cast("Rows[LeaseInfo]", decoded("leases", api.name, page.body))
        except Undecodable:
            return Seen(None, ids, UNDECODABLE)
        rows.update((row.lease.id, row) for row in read.rows if row.lease.id.provider == provider)
        following = read.next_key or None
    return Seen(tuple(sorted(rows.values(), key=lease_order)), ids)


def _page_key(observation: Observation, provider: str, api: ApiSet) -> str | None:
    path, _, query = observation.request.partition("?")
    if observation.source != Source.CHAIN or path != f"GET {api.leases_list}":
        return None
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    return asked.get("pagination.key", "") if asked.get("filters.provider") == provider else None


def tenants_in(observations: Sequence[Observation], named: frozenset[str] | None) -> Seen[frozenset[str]]:
    """The addresses whose leases count: those that the campaign names, else those that are registered."""
    if named is not None:
        return Seen(named)
    for observation in observations:
        if observation.source == Source.RECORD and observation.request.startswith(TENANTS):
            registered = json.loads(observation.body)["registered"]
            return Seen(frozenset(str(address) for address in registered), (observation.id,))
    return Seen(None, (), NOT_LOOKED)


def owners_of(leases: Iterable[LeaseInfo]) -> list[str]:
    """Whose leases these are, each once, sorted."""
    return sorted({row.lease.id.owner for row in leases})
