"""What organizers decide about review signals, each with a written reason that those concerned read.

A decision changes no verdict and no award. `confirmed` leads the organizer to an entry of eligibility, an act of its
own with a published effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.rows import in_parts
from ledger.signals import (
    SignalAppealRow,
    SignalAppealRulingRow,
    SignalDecisionEdgeRow,
    SignalDecisionRow,
    SignalEdgeRow,
    edges_of_decision,
)
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused
from services.house import House
from services.review_steps import LONGEST_REASON, SHORTEST_REASON, person_of, staff_name
from services.roles import Role
from services.signals import Status, with_decisions
from tasks.moment import Moment

ORGANIZERS = (Role.ORGANIZER,)
OUTCOMES = (Status.DISMISSED, Status.WATCHED, Status.CONFIRMED)
MOST_EDGES = 500


@dataclass(frozen=True, slots=True)
class Decided:
    """What an organizer decides about these edges. `after`: the newest decision that they saw, 0 for none: a later
    one about any of these edges is news to them; None: whatever there is."""

    edges: Sequence[str]
    outcome: str
    reason: str
    after: int | None = None


def decide(house: House, actor: str, decided: Decided) -> tuple[SignalDecisionRow, bool]:
    """Keep a decision about some edges; whether it is new: the same again changes nothing.

    Raises NotAllowed without the role or where it concerns oneself, NotFound for an edge that is not there, Conflict
    where somebody else decided in between, Refused with the field.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    if decided.outcome not in OUTCOMES:
        raise Refused(f"Choose one of {', '.join(OUTCOMES)}.", "outcome")
    names = list(dict.fromkeys(decided.edges))
    if not names:
        raise Refused("Choose at least one sign that the decision is about.", "edges")
    if len(names) > MOST_EDGES:
        raise Refused(f"Choose at most {MOST_EDGES} at once.", "edges")
    reason = reason_of(decided.reason)

    def store(session: Session) -> tuple[SignalDecisionRow, bool]:
        name = staff_name(session, loaded.slug, actor, ORGANIZERS)
        rows = _rows(session, loaded, names)
        refuse_own(session, actor, rows)
        newest = {edge.newest.id: edge.newest for edge in with_decisions(session, rows) if edge.newest is not None}
        last = max(newest, default=0)
        if decided.after is not None and last > decided.after:
            raise Conflict("Somebody else decided about this in between: look again first.")
        same = newest.get(last)
        if same is not None and (same.outcome, same.reason) == (decided.outcome, reason):
            covered = {row.id for row in edges_of_decision(session, same.id)}
            if covered == set(names):
                return same, False
        return keep(session, loaded.slug, now, (actor, name), rows, decided.outcome, reason), True

    return house.ledger.transact(store)


def keep(
    session: Session,
    campaign: str,
    now: Moment,
    by: tuple[str, str],
    rows: Sequence[SignalEdgeRow],
    outcome: str,
    reason: str,
) -> SignalDecisionRow:
    """Write one decision, by (address, random id), and note it in the log; inside a writing transaction."""
    actor, name = by
    row = SignalDecisionRow(campaign=campaign, outcome=str(outcome), reason=reason, actor=actor, name=name, at_ns=now)
    session.add(row)
    session.flush()
    session.add_all(SignalDecisionEdgeRow(decision=row.id, edge=edge.id, strength=edge.strength) for edge in rows)
    detail = {"edges": sorted(edge.id for edge in rows), "participants": people_of(rows)}
    append_act(session, now, actor, f"signal.{row.outcome}", f"signal decision {row.id}", detail)
    return row


def reason_of(text: str, field: str = "reason") -> str:
    """A written reason as it is kept. Raises Refused for one that says nothing."""
    words = "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").strip().split("\n"))
    if len(words) < SHORTEST_REASON:
        raise Refused(f"Write at least {SHORTEST_REASON} characters: those concerned read it.", field)
    if len(words) > LONGEST_REASON:
        raise Refused(f"Write at most {LONGEST_REASON:,} characters.", field)
    return words


def people_of(rows: Iterable[SignalEdgeRow]) -> list[str]:
    """The participants whom these edges concern."""
    return sorted({name for row in rows for name in (row.one, row.other)})


def refuse_own(session: Session, actor: str, rows: Iterable[SignalEdgeRow]) -> None:
    """Raises NotAllowed where any of these edges concerns the actor, whichever of their addresses they use."""
    if person_of(session, actor) in people_of(rows):
        raise NotAllowed("This concerns you: somebody else decides it.")


def _rows(session: Session, loaded: Loaded, names: Sequence[str]) -> list[SignalEdgeRow]:
    found: dict[str, SignalEdgeRow] = {}
    for part in in_parts(names):
        here = SignalEdgeRow.campaign == loaded.slug, SignalEdgeRow.id.in_(part)
        found.update((row.id, row) for row in session.scalars(select(SignalEdgeRow).where(*here)))
    if len(found) < len(names):
        raise NotFound("One of these signs is not there. The list of signals shows those that are.")
    return [found[name] for name in names]


# ---------------------------------------------------------------- those concerned


@dataclass(frozen=True, slots=True)
class Notice:
    """A decision as a participant reads it: the edges that concern them, their appeal, until when they may appeal."""

    decision: SignalDecisionRow
    edges: Sequence[SignalEdgeRow]
    holds: bool
    appeal: SignalAppealRow | None
    ruling: SignalAppealRulingRow | None


def notices(house: House, participant: str) -> list[Notice]:
    """Every decision that concerns a participant, the newest first. `holds`: no later one is about the same."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        return notices_in(session, loaded.slug, participant)


def notices_in(session: Session, campaign: str, participant: str) -> list[Notice]:
    """The same inside a transaction."""
    mine = or_(SignalEdgeRow.one == participant, SignalEdgeRow.other == participant)
    statement = select(SignalEdgeRow).where(SignalEdgeRow.campaign == campaign, mine)
    edges = with_decisions(session, session.scalars(statement.order_by(SignalEdgeRow.first_seen_ns)).all())
    about: dict[int, list[SignalEdgeRow]] = {}
    decisions: dict[int, SignalDecisionRow] = {}
    holding: set[int] = set()
    for edge in edges:
        for decision in edge.decisions:
            about.setdefault(decision.id, []).append(edge.row)
            decisions[decision.id] = decision
        if edge.newest is not None:
            holding.add(edge.newest.id)
    found = []
    for number in sorted(decisions, reverse=True):
        appeal = appeal_of(session, number, participant)
        ruling = session.get(SignalAppealRulingRow, appeal.id) if appeal is not None else None
        found.append(Notice(decisions[number], about[number], number in holding, appeal, ruling))
    return found


def appeal_of(session: Session, decision: int, participant: str) -> SignalAppealRow | None:
    """The participant's appeal against a decision."""
    mine = SignalAppealRow.decision == decision, SignalAppealRow.participant == participant
    return session.scalars(select(SignalAppealRow).where(*mine)).first()


def decision_in(session: Session, campaign: str, number: int) -> SignalDecisionRow:
    """A decision of this campaign. Raises NotFound."""
    row = session.get(SignalDecisionRow, number)
    if row is None or row.campaign != campaign:
        raise NotFound("There is no such decision.")
    return row


def reason_for_eligibility(house: House, number: int) -> str:
    """What an entry of eligibility may begin with: the decision's reason and its signs. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        row = decision_in(session, loaded.slug, number)
        kinds = sorted({edge.signal.replace("_", " ") for edge in edges_of_decision(session, number)})
    return f"{row.reason} (decision {row.id} about review signals: {', '.join(kinds)})"
