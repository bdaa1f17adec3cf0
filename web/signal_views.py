"""Review signals in words, prepared for pages and API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.signals import SignalEdgeRow
from services.signal_targets import Question
from services.signals import SeenEdge, Status
from verifiers.signals.clusters import IN_WORDS, Cluster
from verifiers.signals.facts import Signal, Strength

SIGNALS: Mapping[str, str] = {
    Signal.SAME_SUBJECT: "Same subject",
    Signal.SAME_SDL: "Same SDL",
    Signal.SAME_PULL_REQUEST: "Same pull request",
    Signal.SAME_OUTPUT: "Same benchmark output",
    Signal.SAME_HOST: "Same provider host",
    Signal.SAME_CERTIFICATE: "Same provider certificate",
    Signal.DEPOSIT: "Deposit for another",
    Signal.FEE_GRANT: "Fees for another",
    Signal.FIRST_FUNDS: "First funds from another",
    Signal.SHARED_FUNDER: "Same funder",
    Signal.OWN_PROVIDER: "Own provider leased",
}
STRENGTHS: Mapping[str, str] = {
    Strength.STRONG: "strong",
    Strength.NOTABLE: "often has a plain reason",
    Strength.WEAK: "says little",
}
STATUSES: Mapping[str, tuple[str, str]] = {
    Status.OPEN: ("Not decided", "pending"),
    Status.WATCHED: ("Watched", "unknown"),
    Status.CONFIRMED: ("Confirmed", "failed"),
    Status.DISMISSED: ("Dismissed", "passed"),
}
"""Words and the outcome whose icon fits."""

QUESTIONS: Mapping[str, str] = {
    Question.FIRST_FUNDS: "first funds of an address",
    Question.FEE_PAYERS: "who paid an address's first fees",
    Question.FEE_GRANTS: "fees that a grant paid",
    Question.FEE_ALLOWANCES: "fee allowances",
    Question.DEPOSITS: "deposits of an address",
    Question.DEPOSIT_GRANTS: "grants to deposit",
    Question.PROVIDER: "where a provider answers",
    Question.CERTIFICATES: "a provider's certificates",
    Question.OWN_LEASE: "leases of one's own provider",
    Question.ESCROW: "others' deposits in an escrow",
}


@dataclass(frozen=True, slots=True)
class TraceView:
    """One thing seen, with the ids of what proves it; empty where there is none."""

    said: str
    claim: str
    observation: str
    height: int | None
    tx: str


@dataclass(frozen=True, slots=True)
class EdgeView:
    """One sign with its evidence. `other` empty: it concerns `one` alone. `decision`: number of the newest, or 0."""

    id: str
    signal: str
    title: str
    one: str
    other: str
    said: str
    strength: str
    status: str
    status_words: str
    looks: str
    traces: Sequence[TraceView]
    first_seen_ns: int
    holds: bool
    is_changed: bool
    decision: int
    reason: str


@dataclass(frozen=True, slots=True)
class ClusterView:
    """Who hangs together, why, and how far it is decided. `anchor`: the participant whose page shows it."""

    anchor: str
    participants: Sequence[str]
    words: str
    titles: Sequence[str]
    edges: Sequence[EdgeView]
    undecided: int


def traces_of(row: SignalEdgeRow) -> list[TraceView]:
    """What was seen behind an edge."""
    found = []
    for trace in row.traces:
        height = trace.get("height")
        found.append(
            TraceView(
                str(trace.get("said", "")),
                str(trace.get("claim") or ""),
                str(trace.get("observation") or ""),
                height if isinstance(height, int) else None,
                str(trace.get("tx") or ""),
            )
        )
    return found


def edge_view(edge: SeenEdge) -> EdgeView:
    """An edge for the staff."""
    row, newest = edge.row, edge.newest
    words, looks = STATUSES[edge.status]
    return EdgeView(
        id=row.id,
        signal=row.signal,
        title=SIGNALS[row.signal],
        one=row.one,
        other="" if row.one == row.other else row.other,
        said=row.said,
        strength=STRENGTHS[row.strength],
        status=str(edge.status),
        status_words=words,
        looks=looks,
        traces=traces_of(row),
        first_seen_ns=row.first_seen_ns,
        holds=row.holds,
        is_changed=edge.is_changed,
        decision=newest.id if newest else 0,
        reason=newest.reason if newest else "",
    )


def cluster_view(cluster: Cluster[SeenEdge]) -> ClusterView:
    """A cluster for the staff."""
    return ClusterView(
        anchor=cluster.participants[0],
        participants=cluster.participants,
        words=IN_WORDS[cluster.seriousness],
        titles=[SIGNALS[signal] for signal in cluster.signals],
        edges=[edge_view(edge) for edge in cluster.edges],
        undecided=sum(edge.status is Status.OPEN and edge.strength != Strength.WEAK for edge in cluster.edges),
    )
