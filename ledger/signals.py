"""Review signals: edges between participants, what was asked for them, and what organizers decided about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import ForeignKey, Index, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from ledger.base import Base, Json
from ledger.rows import in_parts


class SignalEdgeRow(Base):
    """A sign between two participants (`verifiers/signals`); both are the same where it concerns one alone.

    `traces`: what was seen, as JSON of `facts.Trace`. `holds`: it was found at the newest look. `changed_ns`: when
    strength, words or traces last changed.
    """

    __tablename__ = "signal_edges"
    __table_args__ = (UniqueConstraint("campaign", "signal", "one", "other", "key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    signal: Mapped[str]
    one: Mapped[str] = mapped_column(ForeignKey("participants.address"), index=True)
    other: Mapped[str] = mapped_column(ForeignKey("participants.address"), index=True)
    key: Mapped[str]
    strength: Mapped[str]
    said: Mapped[str]
    traces: Mapped[list[dict[str, object]]] = mapped_column(Json)
    holds: Mapped[bool]
    first_seen_ns: Mapped[int]
    changed_ns: Mapped[int]


class SignalLookRow(Base):
    """What was asked about an address, a provider or a deployment for the sake of signals, the newest answer.

    `found`: what the answer says, in the form of `services/signal_looks.py`; `observation`: the answer itself.
    `trouble`: why the newest look failed, with `tries` in a row. `due_ns` None: nothing can change any more.
    """

    __tablename__ = "signal_looks"
    __table_args__ = (Index(None, "campaign", "due_ns"),)

    campaign: Mapped[str] = mapped_column(primary_key=True)
    question: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    found: Mapped[list[dict[str, object]]] = mapped_column(Json)
    observation: Mapped[str | None] = mapped_column(ForeignKey("observations.id"))
    trouble: Mapped[str | None]
    tries: Mapped[int]
    looked_ns: Mapped[int]
    due_ns: Mapped[int | None]


class SignalDecisionRow(Base):
    """What an organizer decided about some edges, never changed. `outcome`: dismissed, watched or confirmed.

    `name`: the random id under which the participants read it.
    """

    __tablename__ = "signal_decisions"
    __table_args__ = (Index(None, "campaign", "at_ns"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    campaign: Mapped[str]
    outcome: Mapped[str]
    reason: Mapped[str]
    actor: Mapped[str]
    name: Mapped[str]
    at_ns: Mapped[int]


class SignalDecisionEdgeRow(Base):
    """An edge that a decision is about, as strong as it was then; an edge's newest decision holds."""

    __tablename__ = "signal_decision_edges"

    decision: Mapped[int] = mapped_column(ForeignKey("signal_decisions.id"), primary_key=True, autoincrement=False)
    edge: Mapped[str] = mapped_column(ForeignKey("signal_edges.id"), primary_key=True, index=True)
    strength: Mapped[str]


class SignalAppealRow(Base):
    """A participant's appeal against a decision that concerns them, once for each decision."""

    __tablename__ = "signal_appeals"
    __table_args__ = (UniqueConstraint("decision", "participant"), Index(None, "campaign", "made_ns"))

    id: Mapped[str] = mapped_column(primary_key=True)
    campaign: Mapped[str]
    decision: Mapped[int] = mapped_column(ForeignKey("signal_decisions.id"))
    participant: Mapped[str] = mapped_column(ForeignKey("participants.address"), index=True)
    text: Mapped[str]
    made_ns: Mapped[int]


class SignalAppealRulingRow(Base):
    """What an organizer said to an appeal, once. `outcome`: won or lost."""

    __tablename__ = "signal_appeal_rulings"

    appeal: Mapped[str] = mapped_column(ForeignKey("signal_appeals.id"), primary_key=True)
    outcome: Mapped[str]
    reason: Mapped[str]
    actor: Mapped[str]
    name: Mapped[str]
    at_ns: Mapped[int]


def edges_in(session: Session, campaign: str) -> Sequence[SignalEdgeRow]:
    """Every edge of a campaign, found now or once."""
    statement = select(SignalEdgeRow).where(SignalEdgeRow.campaign == campaign)
    return session.scalars(statement.order_by(SignalEdgeRow.first_seen_ns, SignalEdgeRow.id)).all()


def decisions_of(session: Session, edges: Iterable[str]) -> dict[str, list[tuple[SignalDecisionRow, str]]]:
    """(decision, strength of the edge then) of each of these edges, the oldest first."""
    found: dict[str, list[tuple[SignalDecisionRow, str]]] = {}
    links = SignalDecisionEdgeRow
    for part in in_parts(list(edges)):
        statement = (
            select(links.edge, links.strength, SignalDecisionRow)
            .join(SignalDecisionRow, SignalDecisionRow.id == links.decision)
            .where(links.edge.in_(part))
            .order_by(SignalDecisionRow.id)
        )
        for edge, strength, decision in session.execute(statement):
            found.setdefault(edge, []).append((decision, strength))
    return found


def edges_of_decision(session: Session, decision: int) -> Sequence[SignalEdgeRow]:
    """The edges that a decision is about."""
    links = SignalDecisionEdgeRow
    statement = select(SignalEdgeRow).join(links, links.edge == SignalEdgeRow.id).where(links.decision == decision)
    return session.scalars(statement.order_by(SignalEdgeRow.first_seen_ns, SignalEdgeRow.id)).all()


def appeals_with_rulings(
    session: Session, campaign: str
) -> Sequence[tuple[SignalAppealRow, SignalAppealRulingRow | None]]:
    """Every appeal of a campaign with its ruling, None while it is open, the oldest first."""
    statement = (
        select(SignalAppealRow, SignalAppealRulingRow)
        .outerjoin(SignalAppealRulingRow, SignalAppealRulingRow.appeal == SignalAppealRow.id)
        .where(SignalAppealRow.campaign == campaign)
        .order_by(SignalAppealRow.made_ns, SignalAppealRow.id)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]
