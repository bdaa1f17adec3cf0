"""How much there is to do and was done: the counts that operators watch."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from ledger.claims import ClaimRow
from ledger.people import ParticipantRow
from services.house import House


@dataclass(frozen=True, slots=True)
class Workload:
    """Claims by outcome, claims due now, and how many people take part."""

    claims: dict[str, int]
    due: int
    participants: int


def workload(house: House) -> Workload:
    """Counted now, over all campaigns."""
    now = house.clock.now()
    with house.ledger.read() as session:
        by_outcome = session.execute(select(ClaimRow.outcome, func.count()).group_by(ClaimRow.outcome)).all()
        due = session.scalar(select(func.count()).select_from(ClaimRow).where(ClaimRow.due_ns <= now)) or 0
        people = session.scalar(select(func.count()).select_from(ParticipantRow)) or 0
    return Workload({row[0]: row[1] for row in by_outcome}, due, people)
