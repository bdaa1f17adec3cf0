"""Review signals: worked anew from all facts, kept as edges, shown as clusters. They have no effect by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from functools import partial

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from ledger.chain import LeaseRow
from ledger.people import AddressRow
from ledger.rows import AT_ONCE, insert_rows
from ledger.signals import SignalDecisionRow, SignalEdgeRow, SignalLookRow, decisions_of, edges_in
from services import campaigns
from services.campaigns import Loaded
from services.errors import NotFound
from services.house import House
from services.signal_facts import facts_of
from services.signal_looks import look
from services.signal_targets import Question
from tasks.moment import Moment
from verifiers.signals.clusters import Cluster, clusters_of
from verifiers.signals.edges import edges_of
from verifiers.signals.facts import ORDER, Edge, Strength


class Status(StrEnum):
    """What was decided about an edge; `open`: nothing, or it has become stronger since."""

    OPEN = "open"
    WATCHED = "watched"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True)
class SeenEdge:
    """An edge as staff see it. `decisions`: the oldest first; `strength_then`: of the newest decision."""

    row: SignalEdgeRow
    decisions: Sequence[SignalDecisionRow]
    strength_then: str

    @property
    def id(self) -> str:
        """Names it for good."""
        return self.row.id

    @property
    def signal(self) -> str:
        """The kind of sign."""
        return self.row.signal

    @property
    def one(self) -> str:
        """A participant."""
        return self.row.one

    @property
    def other(self) -> str:
        """The other one, or the same."""
        return self.row.other

    @property
    def strength(self) -> str:
        """strong, notable or weak."""
        return self.row.strength

    @property
    def newest(self) -> SignalDecisionRow | None:
        """The newest decision, whether it holds or not."""
        return self.decisions[-1] if self.decisions else None

    @property
    def status(self) -> Status:
        """The newest decision holds until the edge is stronger than it was then."""
        if self.newest is None or ORDER[Strength(self.strength)] > ORDER[Strength(self.strength_then)]:
            return Status.OPEN
        return Status(self.newest.outcome)

    @property
    def is_changed(self) -> bool:
        """Whether more was seen since the newest decision."""
        return self.newest is not None and self.row.changed_ns > self.newest.at_ns


@dataclass(frozen=True, slots=True)
class Asked:
    """How far one question to the chain is: subjects with an answer, and those where the newest look failed."""

    question: Question
    known: int
    failed: int
    trouble: str


# ---------------------------------------------------------------- working


def watch(house: House) -> str:
    """A job: ask the chain what is due, work every edge anew; says in a line what was asked.

    The line is public, like all of the job list: it says nothing of what was found.
    """
    loaded = campaigns.current(house)
    if loaded is None:
        return "no campaign is loaded"
    said = look(house, loaded)
    recompute(house, loaded)
    return said


def recompute(house: House, loaded: Loaded) -> int:
    """Work every edge from what is known now; returns how many rows changed. Again: none.

    An edge is never taken out: one that is not found any more is kept as such, with what was decided about it.
    """
    with house.ledger.read() as session:
        wanted = {edge.id_in(loaded.slug): edge for edge in edges_of(facts_of(session, loaded))}
        before = {row.id: _content(row) for row in edges_in(session, loaded.slug)}
    news = [name for name, edge in wanted.items() if before.get(name) != (True, *_of(edge))]
    gone = [name for name, (holds, *_) in before.items() if holds and name not in wanted]
    todo, now = [*news, *gone], house.clock.now()
    for start in range(0, len(todo), AT_ONCE):
        part = todo[start : start + AT_ONCE]
        house.ledger.transact(partial(_store, campaign=loaded.slug, names=part, wanted=wanted, now=now))
    return len(todo)


def _of(edge: Edge) -> tuple[str, str, list[dict[str, object]]]:
    return str(edge.strength), edge.said, [asdict(trace) for trace in edge.traces]


def _content(row: SignalEdgeRow) -> tuple[bool, str, str, list[dict[str, object]]]:
    return row.holds, row.strength, row.said, row.traces


def _store(session: Session, campaign: str, names: Iterable[str], wanted: Mapping[str, Edge], now: Moment) -> None:
    fresh = []
    for name in names:
        row, edge = session.get(SignalEdgeRow, name), wanted.get(name)
        if row is None and edge is not None:
            fresh.append(_fresh(campaign, name, edge, now))
        elif row is not None and edge is not None:
            row.strength, row.said, row.traces = _of(edge)
            row.holds, row.changed_ns = True, now
        elif row is not None:
            row.holds = False
    insert_rows(session, SignalEdgeRow, fresh)


def _fresh(campaign: str, name: str, edge: Edge, now: Moment) -> dict[str, object]:
    strength, said, traces = _of(edge)
    return {
        "id": name,
        "campaign": campaign,
        "signal": str(edge.signal),
        "one": edge.one,
        "other": edge.other,
        "key": edge.key,
        "strength": strength,
        "said": said,
        "traces": traces,
        "holds": True,
        "first_seen_ns": now,
        "changed_ns": now,
    }


# ---------------------------------------------------------------- reading


def seen_edges(session: Session, campaign: str) -> list[SeenEdge]:
    """Every edge with what was decided about it, the oldest first."""
    rows = edges_in(session, campaign)
    return with_decisions(session, rows)


def with_decisions(session: Session, rows: Sequence[SignalEdgeRow]) -> list[SeenEdge]:
    """These edges with what was decided about them."""
    decided = decisions_of(session, [row.id for row in rows])
    found = []
    for row in rows:
        mine = decided.get(row.id, [])
        found.append(SeenEdge(row, [decision for decision, _ in mine], mine[-1][1] if mine else row.strength))
    return found


def clusters_in(edges: Sequence[SeenEdge]) -> list[Cluster[SeenEdge]]:
    """The clusters over what is found now, or was and is decided; dismissed edges join nobody."""
    standing = [edge for edge in edges if edge.status is not Status.DISMISSED]
    return clusters_of(edge for edge in standing if edge.row.holds or edge.decisions)


@dataclass(frozen=True, slots=True)
class Overview:
    """All signals of a campaign as staff see them. `weak`: edges that join nobody; `dismissed`: the newest first."""

    clusters: Sequence[Cluster[SeenEdge]]
    weak: Sequence[SeenEdge]
    dismissed: Sequence[SeenEdge]
    asked: Sequence[Asked]


def overview(house: House, signal: str = "", status: str = "") -> Overview:
    """Everything; `signal`, `status`: only clusters with such an edge. Raises NotFound without a campaign."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        edges = seen_edges(session, loaded.slug)
        asked = _asked(session, loaded.slug)
    clusters = clusters_in(edges)
    inside = {edge.id for cluster in clusters for edge in cluster.edges}
    shown = [cluster for cluster in clusters if any(_fits(edge, signal, status) for edge in cluster.edges)]
    outside = [edge for edge in edges if edge.id not in inside and _fits(edge, signal, "")]
    return Overview(
        clusters=shown,
        weak=[edge for edge in outside if edge.row.holds and edge.status is not Status.DISMISSED],
        dismissed=[edge for edge in reversed(outside) if edge.status is Status.DISMISSED],
        asked=asked,
    )


def _fits(edge: SeenEdge, signal: str, status: str) -> bool:
    return (not signal or edge.signal == signal) and (not status or edge.status == status)


def cluster_of(house: House, address: str) -> tuple[str, Cluster[SeenEdge] | None, list[SeenEdge]]:
    """(participant, their cluster, their edges outside of it) by any of their addresses. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        known = session.get(AddressRow, address)
        if known is None:
            raise NotFound(f"Nobody has registered {address}.")
        edges = seen_edges(session, loaded.slug)
    participant = known.participant
    cluster = next((each for each in clusters_in(edges) if participant in each.participants), None)
    inside = {edge.id for edge in cluster.edges} if cluster else set()
    others = [edge for edge in edges if participant in (edge.one, edge.other) and edge.id not in inside]
    return participant, cluster, others


@dataclass(frozen=True, slots=True)
class Leased:
    """How many leases one participant's deployers have had on another's providers, as the index knows it."""

    tenant: str
    keeper: str
    count: int


def leases_between(house: House, participants: Sequence[str]) -> list[Leased]:
    """Leases within a cluster: work that may be done for each other only. The index: where to look, no evidence."""
    loaded = campaigns.required(house)
    deployer, host = aliased(AddressRow), aliased(AddressRow)
    statement = (
        select(deployer.participant, host.participant, func.count())
        .select_from(LeaseRow)
        .join(deployer, deployer.address == LeaseRow.owner)
        .join(host, host.address == LeaseRow.provider)
        .where(LeaseRow.chain_id == campaigns.chain_id(house, loaded), deployer.participant != host.participant)
        .where(deployer.participant.in_(participants[:AT_ONCE]), host.participant.in_(participants[:AT_ONCE]))
        .group_by(deployer.participant, host.participant)
        .order_by(deployer.participant, host.participant)
    )
    with house.ledger.read() as session:
        return [Leased(tenant, keeper, count) for tenant, keeper, count in session.execute(statement)]


def _asked(session: Session, campaign: str) -> list[Asked]:
    """How far each question is; nothing of one that was never asked."""
    columns = SignalLookRow.question, SignalLookRow.trouble, func.count()
    statement = select(*columns).where(SignalLookRow.campaign == campaign)
    known: dict[str, int] = {}
    failed: dict[str, dict[str, int]] = {}
    for question, trouble, count in session.execute(statement.group_by(columns[0], columns[1])):
        if trouble is None:
            known[question] = count
        else:
            failed.setdefault(question, {})[trouble] = count
    return [
        Asked(
            question,
            known.get(question, 0),
            sum(failed.get(question, {}).values()),
            ", ".join(sorted(failed.get(question, {}))),
        )
        for question in Question
        if question in known or question in failed
    ]
