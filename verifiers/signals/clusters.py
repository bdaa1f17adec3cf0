"""From edges to clusters: who hangs together, and how much there is to look at, in words (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, Protocol, TypeVar

from verifiers.signals.components import components
from verifiers.signals.facts import Signal, Strength


class Seriousness(StrEnum):
    """How much speaks for a closer look, the most first."""

    SEVERAL_STRONG = "several_strong"
    STRONG = "strong"
    SEVERAL = "several"
    SINGLE = "single"


IN_WORDS = {
    Seriousness.SEVERAL_STRONG: "Signs of several kinds, a strong one among them: look here first",
    Seriousness.STRONG: "A strong sign of one kind",
    Seriousness.SEVERAL: "Signs of several kinds that each often have a plain reason",
    Seriousness.SINGLE: "A sign that often has a plain reason",
}


class Joining(Protocol):
    """What a cluster is made of: an edge as computed, or as the ledger keeps it."""

    @property
    def signal(self) -> str:
        """One of `facts.Signal`."""
        ...

    @property
    def one(self) -> str:
        """A participant."""
        ...

    @property
    def other(self) -> str:
        """The other one, or the same."""
        ...

    @property
    def strength(self) -> str:
        """One of `facts.Strength`."""
        ...


Joined = TypeVar("Joined", bound=Joining)


@dataclass(frozen=True, slots=True)
class Cluster(Generic[Joined]):
    """Participants who hang together by `edges`; a loop alone makes a cluster of one."""

    participants: tuple[str, ...]
    edges: tuple[Joined, ...]
    seriousness: Seriousness

    @property
    def signals(self) -> tuple[str, ...]:
        """The kinds of its signs that are not weak, in the order in which they are always named."""
        present = {edge.signal for edge in self.edges if edge.strength != Strength.WEAK}
        return tuple(signal for signal in Signal if signal in present)


def clusters_of(edges: Iterable[Joined]) -> list[Cluster[Joined]]:
    """The connected components over `edges` (those not dismissed), the most serious first.

    Weak edges join nobody: what half of all participants share would make one cluster of everybody. One between two
    who hang together anyway is shown with the others.
    """
    every = list(edges)
    joining = [edge for edge in every if edge.strength != Strength.WEAK]
    roots = components((edge.one, edge.other) for edge in joining)
    groups: dict[str, list[Joined]] = {}
    for edge in every:
        root = roots.get(edge.one)
        if root is not None and root == roots.get(edge.other):
            groups.setdefault(root, []).append(edge)
    people: dict[str, list[str]] = {}
    for name, root in roots.items():
        people.setdefault(root, []).append(name)
    found = [Cluster(tuple(sorted(people[root])), tuple(group), _serious(group)) for root, group in groups.items()]
    order = list(Seriousness)
    return sorted(
        found,
        key=lambda each: (order.index(each.seriousness), -len(each.signals), -len(each.edges), each.participants),
    )


def _serious(edges: Sequence[Joined]) -> Seriousness:
    joining = [edge for edge in edges if edge.strength != Strength.WEAK]
    kinds = {edge.signal for edge in joining}
    is_strong = any(edge.strength == Strength.STRONG for edge in joining)
    if len(kinds) > 1:
        return Seriousness.SEVERAL_STRONG if is_strong else Seriousness.SEVERAL
    return Seriousness.STRONG if is_strong else Seriousness.SINGLE
