"""From facts to edges: who holds the same, who pays for whom, who leases from themselves (pure).

No edge has an effect: it is a reason for a person to look, with all that was seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

from verifiers.signals.components import components
from verifiers.signals.facts import ORDER, Edge, Held, OwnLease, Paid, Signal, Strength, Trace

COMMON = 5
"""What more participants than this hold alike is commonplace, for the signals where that says something."""

ALONE = 2
"""An SDL that more than two entered may be a public example; it counts between two who share another such."""

HUB = 5
"""Whoever funded more participants than this is a faucet, an exchange or the like."""

MOST_SHOWN = 25
"""Beyond so many who share something commonplace it is kept only between those whom something else joins."""

MOST_TRACES = 12
"""So many things seen are kept of one edge; they are enough to judge it by."""

_WORDS: Mapping[Signal, str] = {
    Signal.SAME_SUBJECT: "Both claimed the same thing",
    Signal.SAME_SDL: "Both entered the same SDL",
    Signal.SAME_PULL_REQUEST: "Both named the same pull request",
    Signal.SAME_OUTPUT: "Their benchmark results share every measured nanosecond",
    Signal.SAME_HOST: "Their providers answer at the same host",
    Signal.SAME_CERTIFICATE: "Their providers use the same certificate",
}
_STRENGTHS: Mapping[Signal, Strength] = {Signal.SAME_SDL: Strength.NOTABLE}
_PLAIN_WHEN_COMMON = frozenset({Signal.SAME_SDL})


@dataclass(frozen=True)
class Facts:
    """All that is known. `belongs`: address to participant, for everybody registered. `commonplace`: values that the
    campaign itself or a participant gave to everybody, with the reason in words."""

    held: Sequence[Held] = ()
    paid: Sequence[Paid] = ()
    own_leases: Sequence[OwnLease] = ()
    belongs: Mapping[str, str] = field(default_factory=dict)
    commonplace: Mapping[str, str] = field(default_factory=dict)


def edges_of(facts: Facts) -> tuple[Edge, ...]:
    """Every edge, each once, in a stable order. The same facts in any order give the same edges."""
    alike, commonplace = _alike(facts)
    found: dict[tuple[str, str, str, str], Edge] = {}
    for edge in (*alike, *_paid(facts), *_shared_funders(facts), *_own(facts)):
        _add(found, edge)
    joined = components((edge.one, edge.other) for edge in found.values() if edge.strength is not Strength.WEAK)
    for edge in (edge for group in commonplace for edge in _commonplace(group, joined)):
        _add(found, edge)
    return tuple(_bounded(found[name]) for name in sorted(found))


def _add(found: dict[tuple[str, str, str, str], Edge], edge: Edge) -> None:
    name = edge.signal, edge.one, edge.other, edge.key
    found[name] = _merged(found[name], edge) if name in found else edge


def _merged(one: Edge, other: Edge) -> Edge:
    stronger = max((one, other), key=lambda edge: (ORDER[edge.strength], edge.said))
    return replace(stronger, traces=one.traces + other.traces)


def _bounded(edge: Edge) -> Edge:
    """The traces each once, in the order of the chain, then of their words."""
    ordered = sorted(set(edge.traces), key=lambda trace: (trace.height or 0, trace))
    return replace(edge, traces=tuple(ordered[:MOST_TRACES]))


# ---------------------------------------------------------------- the same


@dataclass(frozen=True, slots=True)
class _Group:
    """Those who hold one value alike, the earliest first."""

    signal: Signal
    value: str
    people: Mapping[str, list[Held]]
    strength: Strength
    said: str

    def edge(self, one: str, other: str) -> Edge:
        """The edge of two of them."""
        traces = tuple(held.trace for name in (one, other) for held in self.people[name])
        return _edge(self.signal, one, other, self.value, self.strength, self.said, traces)


def _alike(facts: Facts) -> tuple[list[Edge], list[_Group]]:
    """The edges of values that say something, and the groups of those that are commonplace."""
    groups: dict[tuple[Signal, str], list[Held]] = {}
    for held in facts.held:
        groups.setdefault((held.signal, held.value), []).append(held)
    edges: list[Edge] = []
    weak: list[_Group] = []
    for (signal, value), members in groups.items():
        people = _by_person(members)
        if len(people) > 1:
            is_own_work = any(held.is_own_work for held in members)
            weight = _weighed(signal, value, len(people), facts.commonplace, is_own_work=is_own_work)
            group = _Group(signal, value, people, *weight)
            if group.strength is Strength.WEAK:
                weak.append(group)
            else:
                edges += [group.edge(one, other) for one, other in _pairs(people)]
    return [*edges, *_shared_often([group for group in weak if group.value not in facts.commonplace])], weak


def _shared_often(groups: Sequence[_Group]) -> Iterator[Edge]:
    """Between two who share several values that few others have: each alone may be a public example, not all."""
    few = [group for group in groups if len(group.people) <= COMMON]
    counts = Counter(frozenset(pair) for group in few for pair in _pairs(group.people))
    for group in few:
        for one, other in _pairs(group.people):
            count = counts[frozenset((one, other))]
            if count > 1:
                said = f"{_WORDS[group.signal]}, one of {count} that they share and few others have."
                yield replace(group, strength=Strength.NOTABLE, said=said).edge(one, other)


def _commonplace(group: _Group, joined: Mapping[str, str]) -> Iterator[Edge]:
    """Between those whom something else joins; of a few also each with the first."""
    inside: dict[str, list[str]] = {}
    for name in group.people:
        if name in joined:
            inside.setdefault(joined[name], []).append(name)
    pairs = {pair for names in inside.values() for pair in _pairs(names)}
    if len(group.people) <= MOST_SHOWN:
        pairs |= set(_pairs(group.people))
    return (group.edge(one, other) for one, other in sorted(pairs))


def _by_person(members: Iterable[Held]) -> dict[str, list[Held]]:
    """Those who hold a value, the earliest first."""
    found: dict[str, list[Held]] = {}
    for held in sorted(members, key=lambda each: (each.at, each.participant, each.trace)):
        found.setdefault(held.participant, []).append(held)
    return found


def _pairs(people: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Every pair of a few; of many only each with the first, which joins them as well and stays small."""
    names = list(people)
    return combinations(names, 2) if len(names) <= COMMON else ((names[0], name) for name in names[1:])


def _weighed(
    signal: Signal, value: str, people: int, commonplace: Mapping[str, str], *, is_own_work: bool
) -> tuple[Strength, str]:
    said = _WORDS[signal]
    if value in commonplace:
        return Strength.WEAK, f"{said}: {commonplace[value]}, which says next to nothing."
    if signal in _PLAIN_WHEN_COMMON and people > (COMMON if is_own_work else ALONE):
        return Strength.WEAK, f"{said}: {people} participants did, so it may be a public example."
    others = f"; {people} participants in all" if people > 2 else ""
    return _STRENGTHS.get(signal, Strength.STRONG), f"{said}{others}."


# ---------------------------------------------------------------- payments


def _paid(facts: Facts) -> Iterator[Edge]:
    funded = _funded_by(facts, lambda paid: facts.belongs.get(paid.payer, ""))
    for paid in facts.paid:
        payer, payee = facts.belongs.get(paid.payer), facts.belongs.get(paid.address)
        if payer is None or payee is None or payer == payee:
            continue
        strength, said = _weighed_payment(paid.signal, len(funded.get(payer, ())))
        yield _edge(paid.signal, payer, payee, paid.key, strength, said, (paid.trace,))


def _weighed_payment(signal: Signal, funded: int) -> tuple[Strength, str]:
    if signal is Signal.DEPOSIT:
        return Strength.STRONG, "One pays, or may pay, for a deployment of the other."
    if signal is Signal.FEE_GRANT:
        return Strength.STRONG, "One pays, or may pay, the other's transaction fees."
    if funded > HUB:
        return Strength.WEAK, f"One gave the other's address its first funds, as of {funded} participants."
    return Strength.NOTABLE, "The first funds of one's address came from the other."


def _shared_funders(facts: Facts) -> Iterator[Edge]:
    """Two who got their first funds from the same address, which is nobody's here and no faucet."""
    outsiders = _funded_by(facts, lambda paid: "" if paid.payer in facts.belongs else paid.payer)
    for funder, people in outsiders.items():
        if 1 < len(people) <= HUB:
            said = "The first funds of both came from the same address, which may be an exchange or a faucet."
            for one, other in combinations(sorted(people), 2):
                traces = tuple(trace for name in (one, other) for trace in people[name])
                yield _edge(Signal.SHARED_FUNDER, one, other, funder, Strength.WEAK, said, traces)


def _funded_by(facts: Facts, name_of: Callable[[Paid], str]) -> dict[str, dict[str, list[Trace]]]:
    """Of each funder, by the name wanted, the participants whose addresses got their first funds there."""
    found: dict[str, dict[str, list[Trace]]] = {}
    for paid in facts.paid:
        funder, payee = name_of(paid), facts.belongs.get(paid.address)
        if paid.signal is Signal.FIRST_FUNDS and funder and payee is not None and payee != funder:
            found.setdefault(funder, {}).setdefault(payee, []).append(paid.trace)
    return found


# ---------------------------------------------------------------- oneself


def _own(facts: Facts) -> Iterator[Edge]:
    for lease in facts.own_leases:
        if lease.counted:
            strength, said = Strength.NOTABLE, "Leased from their own provider while claiming deployments."
        else:
            strength, said = Strength.WEAK, "Leased from their own provider, as a test of it would."
        person = lease.participant
        yield _edge(Signal.OWN_PROVIDER, person, person, lease.key, strength, said, (lease.trace,))


def _edge(
    signal: Signal, one: str, other: str, key: str, strength: Strength, said: str, traces: tuple[Trace, ...]
) -> Edge:
    first, second = sorted((one, other))
    return Edge(signal, first, second, key, strength, said, traces)
