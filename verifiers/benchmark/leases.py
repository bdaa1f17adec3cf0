"""The participant's leases on the provider of a run, and whether one was active when its result came (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.moment import Moment
from verifiers.chain.answers import Bid, DeploymentInfo, Group, LeaseInfo
from verifiers.deployed.facts import ChainFacts, Seen, lease_order
from verifiers.evidence import ClaimFacts

MOST_LEASES = 30
"""Leases on one provider that are looked at, the newest first."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the chain shows. `lease` None with `trouble`: could not look; without: there is none.

    `is_open`: the point lies before the receipt, so the lease may still have ended before it.
    """

    lease: LeaseInfo | None
    group: Group | None = None
    deployment: DeploymentInfo | None = None
    trouble: str | None = None
    is_open: bool = False
    ended: tuple[LeaseInfo, ...] = ()
    observations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leases:
    """Leases of all addresses of a participant on one provider, seen through the facts of one look."""

    claim: ClaimFacts
    provider: str
    facts: ChainFacts

    def on_provider(self) -> list[tuple[DeploymentInfo, Group, LeaseInfo]]:
        """GPU leases there, the newest first; what could not be read is left out."""
        found = [each for address in self.claim.addresses for each in self._of(address)]
        return sorted(found, key=lambda each: lease_order(each[2]), reverse=True)[:MOST_LEASES]

    def _of(self, address: str) -> Iterator[tuple[DeploymentInfo, Group, LeaseInfo]]:
        rows = {row.id.dseq: row for row in self.facts.deployments(address).value or ()}
        for lease in self.facts.leases(address).value or ():
            row = rows.get(lease.lease.id.dseq)
            groups = row.groups if row else ()
            group = next((each for each in groups if each.id.gseq == lease.lease.id.gseq), None)
            if row and group and group.gpu_units > 0 and lease.lease.id.provider == self.provider:
                yield row, group, lease

    def heights(self) -> list[int]:
        """The heights whose times decide."""
        heights: dict[int, None] = {}
        for _, _, lease in self.on_provider():
            heights[lease.lease.created_at] = None
            if not lease.lease.runs:
                heights[lease.lease.closed_on] = None
        return [height for height in heights if height]

    def at(self, received: Moment) -> Found:
        """The newest lease that was active at the moment `received`."""
        ids, trouble = self.lists()
        ended: list[LeaseInfo] = []
        for row, group, lease in self.on_provider():
            created, closed = self.times(lease)
            ids += [*created.observations, *closed.observations]
            if created.value is None or (closed.value is None and not lease.lease.runs):
                trouble = trouble or created.trouble or closed.trouble
                continue
            if created.value <= received and (closed.value is None or received < closed.value):
                is_open = self.facts.point.time < received
                return Found(lease, group, row, is_open=is_open, observations=tuple(dict.fromkeys(ids)))
            ended.append(lease)
        return Found(None, trouble=trouble, ended=tuple(ended), observations=tuple(dict.fromkeys(ids)))

    def lists(self) -> tuple[list[str], str | None]:
        """The observations of the participant's lists, and what kept one of them from being read."""
        ids: list[str] = []
        trouble = None
        for address in self.claim.addresses:
            for seen in (self.facts.deployments(address), self.facts.leases(address)):
                ids += seen.observations
                trouble = trouble or seen.trouble
        return ids, trouble

    def times(self, lease: LeaseInfo) -> tuple[Seen[Moment], Seen[Moment]]:
        """When it was made and when it was closed; an open one has no value for the latter, and no trouble."""
        created = self.facts.time_of(lease.lease.created_at)
        closed: Seen[Moment] = Seen(None) if lease.lease.runs else self.facts.time_of(lease.lease.closed_on)
        return created, closed

    def bid(self, lease: LeaseInfo) -> Bid | None:
        """The bid that the lease came of, where it could be read."""
        seen = self.facts.bid(lease.lease.id).value
        return seen.bid if seen else None
