"""Appeals against decisions about review signals.

They have tables of their own: an appeal of `services/appeals.py` is about a claim, its result or award, has the
window of the task's results and a public outcome. A decision about signals concerns people, not claims, and is read
by those concerned and the staff only. The award that an entry of eligibility takes away can be appealed against too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy.orm import Session

from ledger.audit import append_act
from ledger.signals import (
    SignalAppealRow,
    SignalAppealRulingRow,
    SignalDecisionRow,
    SignalEdgeRow,
    appeals_with_rulings,
    edges_of_decision,
)
from services import campaigns
from services.campaigns import Loaded
from services.errors import Conflict, NotAllowed, NotFound, Refused
from services.house import House
from services.results import Stage, results_in
from services.review_steps import person_of, staff_name
from services.signal_decisions import ORGANIZERS, appeal_of, decision_in, keep, people_of, reason_of
from services.signals import Status, with_decisions
from tasks.moment import Moment, format_moment

WON, LOST = "won", "lost"


@dataclass(frozen=True, slots=True)
class SignalAppeal:
    """An appeal with the decision and the edges it is about; `ruling` None while it is open."""

    row: SignalAppealRow
    decision: SignalDecisionRow
    edges: tuple[SignalEdgeRow, ...]
    ruling: SignalAppealRulingRow | None

    @property
    def outcome(self) -> str:
        """open, won or lost."""
        return self.ruling.outcome if self.ruling else "open"


def appeal_until(session: Session, loaded: Loaded, decision: SignalDecisionRow, now: Moment) -> Moment | None:
    """Until when one may appeal: the campaign's time for appeals after the decision, and as long as results are not
    final; None while they are not."""
    whole = results_in(session, loaded, now).whole
    return Moment(decision.at_ns + loaded.newest.appeals) if whole.stage is Stage.FINAL else None


def until(house: House, number: int) -> Moment | None:
    """The same for a decision by its number. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        return appeal_until(session, loaded, decision_in(session, loaded.slug, number), house.clock.now())


def make(house: House, participant: str, number: int, text: str) -> tuple[SignalAppealRow, bool]:
    """Appeal against a decision that concerns oneself; the same again gives the existing appeal.

    Raises NotFound where there is no such decision for this participant, Conflict where the time is over or a later
    decision has replaced it, Refused with the field.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    words = reason_of(text, "text")

    def store(session: Session) -> tuple[SignalAppealRow, bool]:
        decision = decision_in(session, loaded.slug, number)
        edges = edges_of_decision(session, number)
        if participant not in people_of(edges):
            raise NotFound("There is no such decision.")  # whom it concerns is nobody else's business
        before = appeal_of(session, number, participant)
        if before is not None:
            return before, False
        ends = appeal_until(session, loaded, decision, now)
        if ends is not None and now >= ends:
            raise Conflict(f"Appeals against this decision were taken until {format_moment(ends)}.")
        mine = [edge for edge in edges if participant in (edge.one, edge.other)]
        if not _holding(session, mine, number):
            raise Conflict("A later decision has replaced this one: appeal against that.")
        if decision.outcome == Status.DISMISSED:
            raise Conflict("This was dismissed: nothing is held against you.")
        name = hashlib.sha256(f"{loaded.slug}\n{number}\n{participant}".encode()).hexdigest()[:32]
        row = SignalAppealRow(
            id=name, campaign=loaded.slug, decision=number, participant=participant, text=words, made_ns=now
        )
        session.add(row)
        append_act(session, now, participant, "signal_appeal.make", name, {"decision": number})
        return row, True

    return house.ledger.transact(store)


def _holding(session: Session, edges: list[SignalEdgeRow], number: int) -> list[SignalEdgeRow]:
    """Those of these edges whose newest decision it is."""
    return [edge.row for edge in with_decisions(session, edges) if edge.newest and edge.newest.id == number]


def rule(house: House, actor: str, appeal_id: str, outcome: str, reason: str) -> SignalAppeal:
    """Decide an appeal, once. One that is won dismisses the signs between the participant and others that still
    stand by the decision; an entry of eligibility is undone by a new entry, not by this.

    Raises NotAllowed for anybody but an organizer and for whom it concerns, NotFound, Conflict where it is decided,
    Refused with the field.
    """
    loaded, now = campaigns.required(house), house.clock.now()
    if outcome not in (WON, LOST):
        raise Refused(f"Choose {WON} or {LOST}.", "outcome")
    words = reason_of(reason)

    def store(session: Session) -> SignalAppeal:
        name = staff_name(session, loaded.slug, actor, ORGANIZERS)
        row = _row(session, loaded, appeal_id)
        edges = tuple(edges_of_decision(session, row.decision))
        if person_of(session, actor) in people_of(edges):
            raise NotAllowed("This concerns you: somebody else decides it.")
        if session.get(SignalAppealRulingRow, appeal_id) is not None:
            raise Conflict("This appeal is decided already.")
        ruling = SignalAppealRulingRow(
            appeal=appeal_id, outcome=outcome, reason=words, actor=actor, name=name, at_ns=now
        )
        session.add(ruling)
        append_act(session, now, actor, f"signal_appeal.{outcome}", appeal_id, {"decision": row.decision})
        mine = [edge for edge in edges if row.participant in (edge.one, edge.other)]
        standing = _holding(session, mine, row.decision)
        if outcome == WON and standing:
            keep(session, loaded.slug, now, (actor, name), standing, Status.DISMISSED, words)
        return SignalAppeal(row, decision_in(session, loaded.slug, row.decision), edges, ruling)

    return house.ledger.transact(store)


def _row(session: Session, loaded: Loaded, appeal_id: str) -> SignalAppealRow:
    row = session.get(SignalAppealRow, appeal_id)
    if row is None or row.campaign != loaded.slug:
        raise NotFound("There is no such appeal.")
    return row


def one(house: House, appeal_id: str) -> SignalAppeal:
    """One appeal. Raises NotFound."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        row = _row(session, loaded, appeal_id)
        ruling = session.get(SignalAppealRulingRow, appeal_id)
        return _whole(session, loaded.slug, row, ruling)


def listed(house: House) -> list[SignalAppeal]:
    """Every appeal, those that wait first, the longest waiting at the top."""
    loaded = campaigns.required(house)
    with house.ledger.read() as session:
        rows = appeals_with_rulings(session, loaded.slug)
        found = [_whole(session, loaded.slug, row, ruling) for row, ruling in rows]
    return sorted(found, key=lambda each: (each.ruling is not None, each.row.made_ns, each.row.id))


def refuse_open_signal_appeals(session: Session, campaign: str) -> None:
    """Raises Conflict where an appeal waits: what is final can't be given back its place by its answer."""
    count = sum(ruling is None for _, ruling in appeals_with_rulings(session, campaign))
    if count:
        waits = "1 appeal against a decision about review signals waits"
        waiting = f"{count} appeals against decisions about review signals wait"
        raise Conflict(f"{waits if count == 1 else waiting}. Answer first: organizers' pages, review signals.")


def _whole(
    session: Session, campaign: str, row: SignalAppealRow, ruling: SignalAppealRulingRow | None
) -> SignalAppeal:
    edges = tuple(edges_of_decision(session, row.decision))
    return SignalAppeal(row, decision_in(session, campaign, row.decision), edges, ruling)
